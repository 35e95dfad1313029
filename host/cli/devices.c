/* tanda devices */
#include <stdlib.h>
#include <string.h>

#include "cli/bar.h"
#include "cli/command.h"
#include "cli/option_table.h"
#include "cli/options.h"
#include "cli/report.h"
#include "tanda_lab.h"

static const struct argp_option table[] = {
    WITHOUT_OPTIONS("device require-device accept-flush math gemm executor seed"),
    {0},
};

static error_t parse(int key, char *argument, struct argp_state *state) {
    common_options *options = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = options;
        return 0;
    case ARGP_KEY_ARG:
        return options_argument(state, argument, NULL, options->error);
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

const struct argp devices_argp = {
    .options = table,
    .parser = parse,
    .doc = "What there is to train on, and what the self-test found each good for.",
    .children = (const struct argp_child[]){{&common_argp, 0, NULL, SECTION_COMMON}, {0}},
};

#define MOST_EXECUTORS 16

/* What opening a device told. */
typedef struct examination {
    bool opened;
    tanda_grade grade;
    const char *missed; /* static storage */
    tanda_error error;  /* why it could not be opened */
    tanda_device_information information;
    const char *executors[MOST_EXECUTORS]; /* NULL behind them */
} examination;

/* Not by tanda_device_open: that refuses a grade below exact, which is just what is to be shown here. */
static void examine(const tanda_device_information *listed, const common_options *options,
                    examination *result) {
    backend *device = NULL;
    *result = (examination){.information = *listed};
    tanda_status status =
        backend_kind_of(listed)->open(listed->id, &options->device, &device, &result->error);
    if (status == TANDA_OK) status = selftest_run(device, NULL, &result->error);
    result->opened = status == TANDA_OK;
    if (result->opened) {
        result->information = *tanda_device_describe(device);
        result->grade = tanda_device_grade(device, &result->missed);
        for (size_t i = 0; i + 1 < MOST_EXECUTORS; i++)
            if ((result->executors[i] = tanda_device_executor(device, i)) == NULL) break;
    }
    tanda_device_close(device);
}

static void print_device(const examination *found) {
    const tanda_device_information *device = &found->information;
    printf("%-12s %-12s %3zu units  ", device->id, device->kind, device->compute_units);
    if (device->memory > 0)
        printf("%8.1f GiB  ", (double)device->memory / (1024.0 * 1024.0 * 1024.0));
    else
        printf("%12s  ", "");
    if (!found->opened)
        printf("unusable: %s", found->error.message);
    else if (found->grade == TANDA_GRADE_EXACT_BUT_SUBNORMALS)
        printf("exact but for subnormals (needs --accept-flush)");
    else if (found->grade == TANDA_GRADE_FAST_ONLY)
        printf("fast only (%s)", found->missed);
    else
        printf("exact");
    printf("  %s", device->name);
    if (device->platform[0] != '\0')
        printf(" (%s%s%s)", device->platform, device->driver[0] ? ", driver " : "", device->driver);
    putchar('\n');
    for (size_t i = 0; found->executors[i] != NULL; i++)
        printf("%s%s", i == 0 ? "             executors: " : ", ", found->executors[i]);
    if (found->opened) putchar('\n');
}

static json_t *device_object(const examination *found) {
    const tanda_device_information *device = &found->information;
    report report = json_object_begin();
    json_put_text(&report, "id", device->id);
    json_put_text(&report, "backend", device->backend);
    json_put_text(&report, "kind", device->kind);
    json_put_text(&report, "name", device->name);
    json_put_text(&report, "platform", device->platform);
    json_put_text(&report, "driver", device->driver);
    json_put_count(&report, "compute_units", device->compute_units);
    if (device->memory > 0) json_put_count(&report, "memory", device->memory);
    if (found->opened) {
        json_put_text(&report, "grade", grade_name(found->grade));
        if (found->missed != NULL && found->missed[0] != '\0')
            json_put_text(&report, "missed_probe", found->missed);
        json_builder executors = json_array_begin();
        for (size_t i = 0; found->executors[i] != NULL; i++)
            json_push(&executors, json_string(found->executors[i]));
        json_put(&report, "executors", json_end(&executors));
    } else {
        json_put_text(&report, "error", found->error.message);
    }
    return json_end(&report);
}

static void print_remarks(const char *lines) {
    for (; *lines != '\0'; lines += strcspn(lines, "\n") + 1)
        printf("opencl: %.*s\n", (int)strcspn(lines, "\n"), lines);
}

tanda_status devices_command(int argc, char **argv, tanda_error *error) {
    common_options options = {.error = error};
    tanda_device_information *devices = NULL;
    size_t count = 0;
    device_remarks remarks = {0};
    char text[2 * REMARKS_SIZE];
    tanda_status status = options_parse(&devices_argp, argc, argv, &options, &options, error);
    if (status != TANDA_OK || options.finished) return status;
    status = device_list(true, &devices, &count, &remarks, error);
    if (status != TANDA_OK) return status;
    report report = report_begin("devices");
    json_builder array = json_array_begin();
    for (size_t i = 0; i < count; i++) {
        examination found;
        bar line = opening_show(devices[i].id, options.quiet);
        examine(&devices[i], &options, &found);
        bar_clear(&line);
        if (options.json)
            json_push(&array, device_object(&found));
        else
            print_device(&found);
    }
    free(devices);
    if (options.json) {
        json_put(&report, "devices", json_end(&array));
        if (remarks_join(&remarks, true, text, sizeof text) > 0) json_put_text(&report, "remark", text);
        return report_print(&report, error);
    }
    json_drop(&report);
    json_drop(&array);
    print_remarks(remarks.failures);
    print_remarks(remarks.absences);
    return TANDA_OK;
}
