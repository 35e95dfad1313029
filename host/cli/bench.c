/* tanda bench */
#include <stdlib.h>
#include <string.h>

#include "cli/bench_options.h"
#include "cli/bench_report.h"
#include "cli/command.h"
#include "cli/device_spec.h"
#include "cli/opening.h"
#include "tanda_lab.h"

#define EXPORT_LENGTH 900 /* which leaves room for the files' names */

typedef struct lab {
    const bench_command_options *options;
    bench_report report;
    bench_data data;
    bool is_disturbed;    /* some line of this device is marked so */
    bool outside_is_done; /* what needs no device has been timed beside an earlier one */
    tanda_error *error;
} lab;

static void list_workloads(const bench_command_options *options) {
    for (size_t i = 0; i < bench_workload_count; i++)
        if (bench_options_take(options, &bench_workloads[i])) puts(bench_workloads[i].name);
}

static tanda_status measure_limits(const lab *lab, backend *device, device_limits *limits) {
    *limits = (device_limits){0};
    return lab->options->bench.with_limits ? backend_limits(device, false, limits, lab->error) : TANDA_OK;
}

/* *best becomes the best of the limits measured so far. */
static tanda_status run_workload(lab *lab, const bench_workload *workload, backend *device,
                                 device_limits *best) {
    bench_result *result = malloc(sizeof *result);
    if (result == NULL) return fail(lab->error, TANDA_FAILED, "no memory for the figures");
    tanda_status status = bench_run(workload, device, &lab->options->bench, &lab->data, result, lab->error);
    if (status == TANDA_OK && !lab->options->common.json) print_bench_line(workload, result);
    lab->is_disturbed |= status == TANDA_OK && result->is_disturbed;
    if (status == TANDA_OK) bench_report_add(&lab->report, workload, tanda_device_describe(device), result);
    if (status == TANDA_OK && result->has_limit) *best = bench_better_limits(best, &result->limits);
    free(result);
    return status;
}

static tanda_status run_all(lab *lab, backend *device) {
    const tanda_device_information *information = tanda_device_describe(device);
    const bool speaks = !lab->options->common.json;
    device_limits best;
    tanda_status status = measure_limits(lab, device, &best);
    if (status != TANDA_OK) return status;
    if (speaks) print_limits(information, &best);
    if (speaks) print_bench_heading(information);
    lab->is_disturbed = false;
    for (size_t i = 0; status == TANDA_OK && i < bench_workload_count; i++) {
        const bench_workload *workload = &bench_workloads[i];
        if (!bench_options_take(lab->options, workload)) continue;
        if (lab->outside_is_done && !bench_needs_device(workload)) continue;
        status = run_workload(lab, workload, device, &best);
    }
    if (speaks && lab->is_disturbed) print_bench_footnote();
    bench_report_device(&lab->report, information, &best);
    lab->outside_is_done = true;
    return status;
}

static tanda_status run_device(lab *lab, const char *text) {
    const common_options *common = &lab->options->common;
    device_spec spec;
    backend *device = NULL;
    tanda_status status = device_spec_read("--device", text, common, &spec, lab->error);
    spec.device.require_device = true;
    if (status == TANDA_OK) status = opening_of(&spec.device, common->quiet, &device, NULL, lab->error);
    if (status == TANDA_OK) status = run_all(lab, device);
    tanda_device_close(device);
    device_spec_free(&spec);
    return status;
}

/* Without --device: the CPU, and OpenCL where there is any. */
static tanda_status run_default_devices(lab *lab) {
    tanda_device_information *devices = NULL;
    size_t count = 0;
    char remark[256] = "";
    tanda_status status = tanda_device_list(&devices, &count, remark, lab->error);
    if (remark[0] != '\0' && !lab->options->common.quiet) fprintf(stderr, "note: %s\n", remark);
    for (size_t i = 0; status == TANDA_OK && i < count && i < 2; i++) {
        if (i > 0 && !lab->options->common.json) putchar('\n');
        status = run_device(lab, devices[i].id);
    }
    free(devices);
    return status;
}

static tanda_status run_devices(lab *lab) {
    const text_list *devices = &lab->options->devices;
    tanda_status status = devices->count == 0 ? run_default_devices(lab) : TANDA_OK;
    for (size_t i = 0; status == TANDA_OK && i < devices->count; i++) {
        if (i > 0 && !lab->options->common.json) putchar('\n');
        status = run_device(lab, devices->texts[i]);
    }
    return status;
}

static tanda_status check_files(const bench_command_options *options, tanda_error *error) {
    const named_file files[] = {
        {"--export", options->bench.export_folder, FILE_REPLACED, bench_export_holds},
        {"--output", options->output, FILE_REPLACED, NULL},
    };
    const char *folder = options->bench.export_folder;
    const tanda_status status = files_check(files, sizeof files / sizeof *files, error);
    if (status != TANDA_OK || folder == NULL) return status;
    if (strlen(folder) > EXPORT_LENGTH)
        return fail(error, TANDA_FAILED, "--export: the folder's name has more than %d bytes", EXPORT_LENGTH);
    return file_make_folder(folder, error);
}

/* Figures that could not be written are worth minutes: --json prints them all the same. */
static tanda_status tell(lab *lab) {
    const bench_command_options *options = lab->options;
    tanda_status status = TANDA_OK, printed = TANDA_OK;
    if (options->output != NULL) status = bench_report_write(&lab->report, options->output, lab->error);
    report_outcome(&lab->report.report, status, lab->error);
    if (options->common.json)
        printed = report_print(&lab->report.report, status == TANDA_OK ? lab->error : NULL);
    return status == TANDA_OK ? printed : status;
}

static tanda_status run_lab(const bench_command_options *options, tanda_error *error) {
    tanda_status status = check_files(options, error);
    if (status != TANDA_OK) return status;
    lab lab = {.options = options, .report = bench_report_begin(), .error = error};
    status = run_devices(&lab);
    bench_data_free(&lab.data);
    if (status == TANDA_OK) status = tell(&lab);
    report_free(&lab.report.report);
    return status;
}

tanda_status bench_command(int argc, char **argv, tanda_error *error) {
    bench_command_options options;
    /* Before OpenCL is loaded: PoCL's threads otherwise may share a core while another is idle. */
    setenv("POCL_AFFINITY", "1", 0);
    tanda_status status = bench_options_read(argc, argv, &options, error);
    if (status == TANDA_OK && !options.common.finished) {
        if (options.list)
            list_workloads(&options);
        else
            status = run_lab(&options, error);
    }
    bench_options_free(&options);
    return status;
}
