#include "cli/bench_report.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "support/file_writer.h"
#include "support/text.h"

#define TIME_SIZE 24

/* ---- lines ------------------------------------------------------------------------------------------------ */

static const char *time_text(double seconds, char text[TIME_SIZE]) {
    if (!(seconds > 0.0))
        text_put(text, TIME_SIZE, "-");
    else if (seconds < 0.9995e-3)
        text_put(text, TIME_SIZE, "%.4g us", seconds * 1e6);
    else if (seconds < 0.9995)
        text_put(text, TIME_SIZE, "%.4g ms", seconds * 1e3);
    else
        text_put(text, TIME_SIZE, "%.4g s", seconds);
    return text;
}

void print_limits(const tanda_device_information *device, const device_limits *limits) {
    char launch[TIME_SIZE], queued[TIME_SIZE];
    printf("%s: %s (%s, %zu units)\n", device->id, device->name, device->platform, device->compute_units);
    if (limits->fma_peak == 0.0) return; /* not measured */
    printf("  reads %.1f GB/s, %.0f GFLOP/s of fma; empty launch %s, queued %s",
           limits->read_bandwidth * 1e-9, limits->fma_peak * 1e-9, time_text(limits->launch_seconds, launch),
           time_text(limits->queued_seconds, queued));
    if (limits->upload > 0.0)
        printf("; upload %.1f GB/s, download %.1f GB/s", limits->upload * 1e-9, limits->download * 1e-9);
    putchar('\n');
}

void print_bench_heading(const tanda_device_information *device) {
    printf("\n%-38s %10s %22s %13s %9s %5s %6s %9s %9s %9s %9s\n", device->id, "time", "min .. max", "rate",
           "of limit", "cpu", "others", "first", "load", "transfer", "compile");
}

static void print_rate(const bench_result *result, bool computes) {
    char text[TIME_SIZE] = "";
    if (computes)
        text_put(text, sizeof text, "%.1f GFLOP/s", result->operations / result->median * 1e-9);
    else if (result->bytes > 0.0)
        text_put(text, sizeof text, "%.2f GB/s", result->bytes / result->median * 1e-9);
    printf(" %13s", text);
}

void print_bench_line(const bench_workload *workload, const bench_result *result) {
    char text[TIME_SIZE], spread[2 * TIME_SIZE + 4], least[TIME_SIZE], most[TIME_SIZE];
    const double part = result->part;
    const bool computes = result->operations > 0.0 && strcmp(result->bound, "fma") == 0;
    text_put(spread, sizeof spread, "%s .. %s", time_text(result->least, least),
             time_text(result->most, most));
    printf("%-38s %10s %22s", workload->name, time_text(result->median, text), spread);
    print_rate(result, computes);
    if (part > 0.0)
        printf(" %5.1f%% %s", 100.0 * part, computes ? "F" : "R");
    else
        printf(" %8s", "");
    printf("  %5.2f", result->median > 0.0 ? result->cpu / result->median : 0.0);
    printf("  %5.2f", result->others);
    printf(" %9s", time_text(result->first, text));
    printf(" %9s", time_text(result->load, text));
    printf(" %9s", time_text(result->transfer, text));
    printf(" %9s\n", time_text(result->compile, text));
    fflush(stdout);
}

/* ---- JSON ------------------------------------------------------------------------------------------------- */

bench_report bench_report_begin(void) {
    char text[80] = "";
    const time_t now = time(NULL);
    struct tm local;
    bench_report made = {.report = json_object_begin()};
    report context = json_object_begin();
    if (localtime_r(&now, &local) != NULL) strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S%z", &local);
    report_text(&context, "date", text);
    report_text(&context, "executable", "tanda bench");
    report_text(&context, "version", tanda_version());
    report_count(&context, "num_cpus", (uint64_t)sysconf(_SC_NPROCESSORS_ONLN));
#if defined(__VERSION__)
    report_text(&context, "compiler", __VERSION__);
#endif
    made.devices = json_array();
    made.benchmarks = json_array();
    report_value(&context, "devices", made.devices);
    report_value(&made.report, "context", json_end(&context));
    report_value(&made.report, "benchmarks", made.benchmarks);
    if (made.report.failed) made.devices = made.benchmarks = NULL; /* they went with what failed */
    return made;
}

static void append(bench_report *report, json_t *array, json_t *value) {
    json_builder list = {.object = array};
    json_push(&list, value);
    report->report.failed |= list.failed;
}

void bench_report_device(bench_report *report, const tanda_device_information *device,
                         const device_limits *limits) {
    json_builder entry = json_object_begin();
    report_text(&entry, "id", device->id);
    report_text(&entry, "name", device->name);
    report_text(&entry, "platform", device->platform);
    report_count(&entry, "compute_units", device->compute_units);
    report_real(&entry, "read_bytes_per_second", limits->read_bandwidth);
    report_real(&entry, "fma_flops_per_second", limits->fma_peak);
    report_real(&entry, "launch_seconds", limits->launch_seconds);
    report_real(&entry, "queued_seconds", limits->queued_seconds);
    report_real(&entry, "upload_bytes_per_second", limits->upload);
    report_real(&entry, "download_bytes_per_second", limits->download);
    append(report, report->devices, json_end(&entry));
}

/* Times in microseconds, as Google Benchmark counts them per iteration. */
static report begin_entry(const char *run_name, const char *suffix, const char *type, double real, double cpu,
                          const bench_result *result) {
    char name[160];
    json_builder entry = json_object_begin();
    text_put(name, sizeof name, "%s%s", run_name, suffix);
    report_text(&entry, "name", name);
    report_text(&entry, "run_name", run_name);
    report_text(&entry, "run_type", type);
    report_count(&entry, "repetitions", result->repetitions);
    report_count(&entry, "iterations", result->steps);
    report_real(&entry, "real_time", real * 1e6);
    report_real(&entry, "cpu_time", cpu * 1e6);
    report_text(&entry, "time_unit", "us");
    return entry;
}

static void add_shape(report *entry, const bench_workload *workload) {
    json_builder units = json_array_begin();
    for (size_t i = 0; workload->units[i] != 0; i++)
        json_push(&units, json_integer((json_int_t)workload->units[i]));
    report_value(entry, "units", json_end(&units));
    report_count(entry, "rows", workload->rows);
    report_count(entry, "batch", workload->batch > 0 ? workload->batch : workload->rows);
}

static void add_figures(report *entry, const bench_result *result) {
    const double part = result->part;
    report_text(entry, "aggregate_name", "median");
    report_real(entry, "min_time", result->least * 1e6);
    report_real(entry, "max_time", result->most * 1e6);
    if (result->bytes > 0.0) report_real(entry, "bytes_per_second", result->bytes / result->median);
    if (result->operations > 0.0) report_real(entry, "flops_per_second", result->operations / result->median);
    if (part > 0.0) report_real(entry, "part_of_limit", part);
    if (part > 0.0) report_text(entry, "limit", result->bound);
    if (part > 0.0) report_real(entry, "limit_read_bytes_per_second", result->limits.read_bandwidth);
    if (part > 0.0) report_real(entry, "limit_fma_flops_per_second", result->limits.fma_peak);
    report_real(entry, "others_cores", result->others);
    report_real(entry, "first_step_seconds", result->first);
    report_real(entry, "load_seconds", result->load);
    report_real(entry, "transfer_seconds", result->transfer);
    report_real(entry, "compile_seconds", result->compile);
    if (result->has_loss) report_real(entry, "loss", result->loss);
    if (result->losses_count == 0) return;
    json_builder losses = json_array_begin();
    for (size_t i = 0; i < result->losses_count; i++)
        json_push(&losses, json_real(result->losses[i]));
    report_value(entry, "first_losses", json_end(&losses));
}

void bench_report_add(bench_report *report, const bench_workload *workload,
                      const tanda_device_information *device, const bench_result *result) {
    char run_name[128];
    text_put(run_name, sizeof run_name, "%s/%s", workload->name, device->id);
    for (size_t i = 0; i < result->repetitions; i++) {
        json_builder entry =
            begin_entry(run_name, "", "iteration", result->seconds[i], result->cpu_seconds[i], result);
        report_count(&entry, "repetition_index", i);
        append(report, report->benchmarks, json_end(&entry));
    }
    json_builder entry = begin_entry(run_name, "_median", "aggregate", result->median, result->cpu, result);
    add_shape(&entry, workload);
    add_figures(&entry, result);
    append(report, report->benchmarks, json_end(&entry));
}

tanda_status bench_report_write(const bench_report *report, const char *path, tanda_error *error) {
    char *text = report->report.failed ? NULL : json_write(report->report.object, JSON_INDENT(2));
    if (text == NULL) return fail(error, TANDA_FAILED, "no memory for the figures as JSON");
    const file_part parts[] = {{text, strlen(text)}, {"\n", 1}};
    const tanda_status status = file_write_atomically(path, parts, 2, error);
    free(text);
    return status;
}
