/* tanda lab */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/bar.h"
#include "cli/command.h"
#include "cli/option_table.h"
#include "cli/options.h"
#include "cli/page_words.h"
#include "cli/report.h"
#include "tanda_lab.h"

#define TEXT(member) TEXT_AT(lab_command_options, member)
#define SWITCH(member) SWITCH_AT(lab_command_options, member)
#define VALUE(member) VALUE_AT(lab_command_options, member)

typedef struct lab_command_options {
    common_options common;
    text_list devices, runs; /* runs: saved ones */
    const char *output, *json_file, *csv, *workloads;
    language language;
    bool is_quick, with_solutions;
    double seconds;
} lab_command_options;

static const struct argp_option table[] = {
    {"output", LETTER_OUTPUT, "FILE", 0, "write the page, one HTML file that opens offline", 0},
    {"json-file", TEXT(json_file), "FILE", 0,
     "write all figures as JSON in Google Benchmark's shape: they are drawn again from it", 0},
    {"csv", TEXT(csv), "FILE", 0, "write the times as a table", 0},
    {"quick", SWITCH(is_quick), NULL, 0, "some 30 seconds and fewer workloads, not some 180", 0},
    {"seconds", VALUE(seconds), "SECONDS", 0,
     "how long it may take, the first round aside; then fewer rounds are done, and the page says so", 0},
    {"solutions", SWITCH(with_solutions), NULL, 0, "answer the page's questions", 0},
    {"language", VALUE(language), "LANGUAGE", 0, "en or es: the page's; default en", 0},
    {"workloads", TEXT(workloads), "FILE", 0,
     "measure these instead: [{\"name\": \"mine\", \"rows\": 4096, \"batch\": 128, \"units\": [64, 32, 10]}]",
     0},
    WITHOUT_OPTIONS("require-device gemm seed"),
    {0},
};

static const option_place places[] = {
    {VALUE(language), .kind = PLACE_WORD, .flag = "--language", .words = &language_words},
    {VALUE(seconds), .kind = PLACE_POSITIVE, .flag = "--seconds"},
    {0},
};

static error_t parse(int key, char *argument, struct argp_state *state) {
    lab_command_options *options = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &options->common;
        return 0;
    case LETTER_OUTPUT:
        options->output = argument;
        return 0;
    case ARGP_KEY_ARG:
        return parsed(value_append("RUN", argument, strlen(argument), &options->runs, options->common.error));
    default:
        return option_put(places, key, argument, options, options->common.error);
    }
}

const struct argp lab_argp = {
    .options = table,
    .parser = parse,
    .args_doc = "[RUN.json [RUN.json]]",
    .doc =
        "Holds devices against one another on synthetic data: who is faster from where on, what bounds it, "
        "where the time goes, and whether the bits agree. --device takes several, with commas between them. "
        "A saved run is drawn again, and of two the second is held against the first.\v"
        "Example: tanda lab --quick --output lab.html",
    .children = (const struct argp_child[]){{&common_argp, 0, NULL, SECTION_COMMON}, {0}},
};

static tanda_status check_options(const lab_command_options *options, tanda_error *error) {
    const bool is_saved = options->runs.count > 0;
    if (options->runs.count > 2)
        return fail(error, TANDA_USAGE, "'%s' is one run too many: one is drawn again, two are compared",
                    options->runs.texts[2]);
    if (options->output == NULL &&
        (options->runs.count == 2 || (options->json_file == NULL && options->csv == NULL)))
        return options_lack(&lab_argp, "output", error);
    if (is_saved && options->workloads != NULL)
        return fail(error, TANDA_USAGE,
                    "--workloads are to be measured, and %s is a saved run; leave one out",
                    options->runs.texts[0]);
    if (options->runs.count == 2 && (options->json_file != NULL || options->csv != NULL))
        return fail(error, TANDA_USAGE, "--json-file and --csv are of one run, and two are compared");
    return TANDA_OK;
}

static tanda_status check_files(const lab_command_options *options, tanda_error *error) {
    char pictures[PATH_MAX] = "";
    if (options->output != NULL && !page_pictures_folder(options->output, pictures))
        return fail(error, TANDA_FAILED, "--output: the name is too long");
    const named_file files[] = {
        {"--output", options->output, FILE_REPLACED, NULL},
        {"--json-file", options->json_file, FILE_REPLACED, NULL},
        {"--csv", options->csv, FILE_REPLACED, NULL},
        {"the page's pictures", pictures[0] != '\0' ? pictures : NULL, FILE_REPLACED, page_picture_holds},
        {"--workloads", options->workloads, FILE_READ_FIRST, NULL},
        {"RUN", options->runs.count > 0 ? options->runs.texts[0] : NULL, FILE_READ, NULL},
        {"RUN", options->runs.count > 1 ? options->runs.texts[1] : NULL, FILE_READ, NULL},
    };
    return files_check(files, sizeof files / sizeof *files, error);
}

/* ---- measuring -------------------------------------------------------------------------------------------- */

/* The processor on one thread and on all, and OpenCL where there is any. */
static tanda_status choose_devices(lab_command_options *options, tanda_error *error) {
    tanda_device_information *found = NULL;
    size_t count = 0;
    const bool has_cores = sysconf(_SC_NPROCESSORS_ONLN) > 1;
    tanda_status status = tanda_device_list(&found, &count, NULL, error);
    if (status == TANDA_OK && has_cores)
        status = value_append("--device", "cpu,threads=1", strlen("cpu,threads=1"), &options->devices, error);
    for (size_t i = 0; status == TANDA_OK && i < count && i < 2; i++)
        status = value_append("--device", found[i].id, strlen(found[i].id), &options->devices, error);
    free(found);
    return status;
}

static void tell(void *context, const char *what, double part) {
    const bar *bar = context;
    if (!bar->enabled) return;
    fprintf(stderr, "\r\033[K%3.0f %% ", 100.0 * part);
    print_name(stderr, what);
    fflush(stderr);
}

static tanda_status measure(const lab_command_options *options, lab_run **run, tanda_error *error) {
    const size_t count = options->devices.count;
    device_spec *specs = NULL;
    lab_asked *asked = NULL;
    lab_workload *own = NULL;
    size_t own_count = 0;
    bar bar = bar_begin();
    bar.enabled &= !options->common.quiet;
    tanda_status status = allocate(&specs, count, sizeof *specs, "devices", error);
    if (status == TANDA_OK) status = allocate(&asked, count, sizeof *asked, "devices", error);
    for (size_t i = 0; status == TANDA_OK && i < count; i++) {
        status = device_spec_read("--device", options->devices.texts[i], &options->common, &specs[i], error);
        asked[i] = (lab_asked){options->devices.texts[i], specs[i].common.device};
    }
    if (status == TANDA_OK && options->workloads != NULL)
        status = lab_read_workloads(options->workloads, &own, &own_count, error);
    const lab_options wanted = {.asked = asked,
                                .asked_count = count,
                                .is_quick = options->is_quick,
                                .budget = options->seconds,
                                .own = own,
                                .own_count = own_count,
                                .tell = tell,
                                .context = &bar};
    if (status == TANDA_OK) status = lab_measure(&wanted, run, error);
    if (bar.enabled) fputs("\r\033[K", stderr);
    for (size_t i = 0; specs != NULL && i < count; i++)
        device_spec_free(&specs[i]);
    free(specs);
    free(asked);
    free(own);
    return status;
}

/* ---- what comes of it --------------------------------------------------------------------------------------- */

static tanda_status write_files(const lab_command_options *options, const lab_run *run, tanda_error *error) {
    tanda_status status = TANDA_OK;
    bool lacks_gnuplot = false;
    if (options->json_file != NULL) status = lab_save(run, options->json_file, error);
    if (status == TANDA_OK && options->csv != NULL) status = lab_save_csv(run, options->csv, error);
    if (status == TANDA_OK && options->output != NULL)
        status = lab_write_page(run, options->output, options->language, options->with_solutions,
                                &lacks_gnuplot, error);
    note_gnuplot(lacks_gnuplot, options->common.quiet);
    return status;
}

static json_t *difference_json(const lab_run *run, const lab_cell *cell) {
    json_builder object = json_object_begin();
    json_put_text(&object, "workload", run->workloads[cell->workload].name);
    json_put_text(&object, "device", run->devices[cell->device].label);
    return json_end(&object);
}

static tanda_status tell_json(const lab_run *run, tanda_error *error) {
    report report = report_begin("lab");
    json_builder differences = json_array_begin();
    for (size_t i = 0; i < run->cell_count; i++)
        if (run->cells[i].differs) json_push(&differences, difference_json(run, &run->cells[i]));
    json_put_count(&report, "devices", run->device_count);
    json_put_count(&report, "workloads", run->workload_count);
    json_put_count(&report, "rounds", run->rounds);
    json_put_real(&report, "seconds", run->seconds);
    json_put(&report, "equal", json_boolean(!lab_has_difference(run)));
    json_put(&report, "differences", json_end(&differences));
    return report_print(&report, error);
}

/* A difference is told here: the failure has no message. */
static tanda_status tell_outcome(const lab_command_options *options, const lab_run *run, tanda_error *error) {
    const bool differs = lab_has_difference(run);
    tanda_status status = TANDA_OK;
    if (options->common.json)
        status = tell_json(run, error);
    else if (!differs)
        printf("%zu workloads in %zu rounds, %.0f s: all exact rows agree to the bit\n", run->workload_count,
               run->rounds, run->seconds);
    for (size_t i = 0; !options->common.json && i < run->cell_count; i++) {
        if (!run->cells[i].differs) continue;
        printf("the bits differ: %s on ", run->workloads[run->cells[i].workload].name);
        print_named(stdout, "", run->devices[run->cells[i].device].label, "\n");
    }
    return status == TANDA_OK && differs ? TANDA_FAILED : status;
}

static tanda_status run_one(lab_command_options *options, tanda_error *error) {
    lab_run *run = NULL;
    tanda_status status = TANDA_OK;
    if (options->runs.count == 0 && options->devices.count == 0) status = choose_devices(options, error);
    if (status == TANDA_OK)
        status = options->runs.count > 0 ? lab_load(options->runs.texts[0], &run, error)
                                         : measure(options, &run, error);
    if (status == TANDA_OK) status = write_files(options, run, error);
    if (status == TANDA_OK) status = tell_outcome(options, run, error);
    free(run);
    return status;
}

static tanda_status run_two(const lab_command_options *options, tanda_error *error) {
    lab_run *before = NULL, *after = NULL;
    bool differs = false;
    tanda_status status = lab_load(options->runs.texts[0], &before, error);
    if (status == TANDA_OK) status = lab_load(options->runs.texts[1], &after, error);
    if (status == TANDA_OK)
        status = lab_write_comparison(before, after, options->output, options->language, &differs, error);
    if (status == TANDA_OK && options->common.json) {
        report report = report_begin("lab");
        json_put(&report, "equal", json_boolean(!differs));
        status = report_print(&report, error);
    } else if (status == TANDA_OK) {
        puts(differs ? "the bits of the two runs differ" : "the bits of the two runs agree");
    }
    free(before);
    free(after);
    return status == TANDA_OK && differs ? TANDA_FAILED : status;
}

tanda_status lab_command(int argc, char **argv, tanda_error *error) {
    lab_command_options options = {.common = {.error = error, .keeps_spec = true}};
    setenv("POCL_AFFINITY", "1", 0); /* before OpenCL is loaded, as bench does */
    tanda_status status = options_parse(&lab_argp, argc, argv, &options, &options.common, error);
    if (status == TANDA_OK && !options.common.finished) {
        status = check_options(&options, error);
        if (status == TANDA_OK) status = check_files(&options, error);
        if (status == TANDA_OK)
            status = device_specs_split(options.common.device.device, &options.devices, error);
        if (status == TANDA_OK)
            status = options.runs.count == 2 ? run_two(&options, error) : run_one(&options, error);
    }
    text_list_free(&options.devices);
    text_list_free(&options.runs);
    return status;
}
