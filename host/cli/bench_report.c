#include "cli/bench_report.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tanda_lab.h"

#define TIME_SIZE 24
#define MEDIAN 1 /* among the aggregates */

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
    if (limits->atomic_rate > 0.0) printf("; %.2f G atomic exchanges/s", limits->atomic_rate * 1e-9);
    if (limits->upload > 0.0)
        printf("; upload %.1f GB/s, download %.1f GB/s", limits->upload * 1e-9, limits->download * 1e-9);
    putchar('\n');
}

void print_bench_heading(const tanda_device_information *device) {
    printf("\n%-38s %10s %6s %22s %13s %10s %5s %6s %9s %9s %9s %9s\n", device->id, "time", "cv",
           "min .. max", "rate", "of limit", "cpu", "others", "first", "load", "transfer", "compile");
}

void print_bench_line(const bench_workload *workload, const bench_result *result) {
    char text[TIME_SIZE], spread[2 * TIME_SIZE + 4], least[TIME_SIZE], most[TIME_SIZE];
    const double part = result->part;
    const bool computes = result->operations > 0.0 && strcmp(result->bound, "fma") == 0;
    text_put(spread, sizeof spread, "%s .. %s", time_text(result->least, least),
             time_text(result->most, most));
    printf("%-38s %10s %5.1f%% %22s", workload->name, time_text(result->median, text),
           100.0 * result->wall_spread.variation, spread);
    text[0] = '\0';
    if (computes)
        text_put(text, sizeof text, "%.1f GFLOP/s", result->operations / result->median * 1e-9);
    else if (result->bytes > 0.0)
        text_put(text, sizeof text, "%.2f GB/s", result->bytes / result->median * 1e-9);
    printf(" %13s", text);
    if (part > 0.0)
        printf(" %6.1f%% %s", 100.0 * part, computes ? "F" : "R");
    else
        printf(" %9s", result->is_disturbed ? "disturbed" : "");
    printf("  %5.2f", result->median > 0.0 ? result->cpu / result->median : 0.0);
    printf("  %5.2f", result->others);
    printf(" %9s", time_text(result->first, text));
    printf(" %9s", time_text(result->load, text));
    printf(" %9s", time_text(result->transfer, text));
    printf(" %9s\n", time_text(result->compile, text));
    fflush(stdout);
}

void print_bench_footnote(void) {
    puts(
        "disturbed: faster than the limit that was measured beside it, and again; no share of that is shown");
}

/* ---- JSON ------------------------------------------------------------------------------------------------- */

bench_report bench_report_begin(void) {
    char text[80] = "";
    const time_t now = time(NULL);
    struct tm local;
    bench_host host;
    bench_report made = {.report = json_object_begin()};
    report context = json_object_begin();
    if (localtime_r(&now, &local) != NULL) strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S%z", &local);
    json_put_text(&context, "date", text);
    bench_host_read("", &host);
    bench_host_put(&host, &context);
    json_put_text(&context, "executable", "tanda bench");
    json_put_text(&context, "version", tanda_version());
#if defined(__OPTIMIZE__)
    json_put_text(&context, "library_build_type", "release");
#else
    json_put_text(&context, "library_build_type", "debug");
#endif
#if defined(__VERSION__)
    json_put_text(&context, "compiler", __VERSION__);
#endif
    made.devices = json_array();
    made.benchmarks = json_array();
    json_put(&context, "devices", made.devices);
    json_put(&made.report, "context", json_end(&context));
    json_put(&made.report, "benchmarks", made.benchmarks);
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
    json_put_text(&entry, "id", device->id);
    json_put_text(&entry, "name", device->name);
    json_put_text(&entry, "platform", device->platform);
    json_put_count(&entry, "compute_units", device->compute_units);
    json_put_real(&entry, "read_bytes_per_second", limits->read_bandwidth);
    json_put_real(&entry, "fma_flops_per_second", limits->fma_peak);
    json_put_real(&entry, "launch_seconds", limits->launch_seconds);
    json_put_real(&entry, "queued_seconds", limits->queued_seconds);
    json_put_real(&entry, "atomics_per_second", limits->atomic_rate);
    json_put_real(&entry, "upload_bytes_per_second", limits->upload);
    json_put_real(&entry, "download_bytes_per_second", limits->download);
    append(report, report->devices, json_end(&entry));
}

/* Times in microseconds, as Google Benchmark counts them per iteration. */
static report begin_entry(const char *name, const char *run_name, const char *type,
                          const bench_result *result) {
    json_builder entry = json_object_begin();
    json_put_text(&entry, "name", name);
    json_put_text(&entry, "run_name", run_name);
    json_put_text(&entry, "run_type", type);
    json_put_count(&entry, "repetitions", result->repetitions);
    json_put_count(&entry, "iterations", result->steps);
    json_put_text(&entry, "executor", result->executor);
    return entry;
}

static void add_times(report *entry, double real, double cpu) {
    json_put_real(entry, "real_time", real);
    json_put_real(entry, "cpu_time", cpu);
    json_put_text(entry, "time_unit", "us");
}

/* unit: "time", of seconds, or "percentage", of a part of 1. */
static report begin_aggregate(const char *run_name, const char *aggregate, const char *unit, double real,
                              double cpu, const bench_result *result) {
    char name[160];
    const double scale = strcmp(unit, "time") == 0 ? 1e6 : 1.0;
    text_put(name, sizeof name, "%s_%s", run_name, aggregate);
    report entry = begin_entry(name, run_name, "aggregate", result);
    json_put_text(&entry, "aggregate_name", aggregate);
    json_put_text(&entry, "aggregate_unit", unit);
    add_times(&entry, real * scale, cpu * scale);
    return entry;
}

static void add_figures(report *entry, const bench_result *result) {
    const double part = result->part;
    json_put_real(entry, "min_time", result->least * 1e6);
    json_put_real(entry, "max_time", result->most * 1e6);
    if (result->bytes > 0.0) json_put_real(entry, "bytes_per_second", result->bytes / result->median);
    if (result->operations > 0.0)
        json_put_real(entry, "flops_per_second", result->operations / result->median);
    if (part > 0.0) json_put_real(entry, "part_of_limit", part);
    if (part > 0.0 || result->is_disturbed) {
        json_put(entry, "disturbed", json_boolean(result->is_disturbed));
        json_put_text(entry, "limit", result->bound);
        json_put_real(entry, "limit_read_bytes_per_second", result->limits.read_bandwidth);
        json_put_real(entry, "limit_fma_flops_per_second", result->limits.fma_peak);
    }
    json_put_real(entry, "others_cores", result->others);
    json_put_real(entry, "first_step_seconds", result->first);
    json_put_real(entry, "load_seconds", result->load);
    json_put_real(entry, "transfer_seconds", result->transfer);
    json_put_real(entry, "compile_seconds", result->compile);
    if (result->has_loss) json_put_real(entry, "loss", result->loss);
    if (result->losses_count == 0) return;
    json_builder losses = json_array_begin();
    for (size_t i = 0; i < result->losses_count; i++)
        json_push(&losses, json_real(result->losses[i]));
    json_put(entry, "first_losses", json_end(&losses));
}

void bench_report_add(bench_report *report, const bench_workload *workload,
                      const tanda_device_information *device, const bench_result *result) {
    const bench_spread *wall = &result->wall_spread, *cpu = &result->cpu_spread;
    char name[128];
    text_put(name, sizeof name, "%s/%s", workload->name, device->id);
    for (size_t i = 0; i < result->repetitions; i++) {
        json_builder entry = begin_entry(name, name, "iteration", result);
        json_put_count(&entry, "repetition_index", i);
        add_times(&entry, result->seconds[i] * 1e6, result->cpu_seconds[i] * 1e6);
        append(report, report->benchmarks, json_end(&entry));
    }
    json_builder entries[] = {
        begin_aggregate(name, "mean", "time", wall->mean, cpu->mean, result),
        begin_aggregate(name, "median", "time", result->median, result->cpu, result),
        begin_aggregate(name, "stddev", "time", wall->deviation, cpu->deviation, result),
        begin_aggregate(name, "cv", "percentage", wall->variation, cpu->variation, result),
    };
    json_builder units = json_array_begin();
    for (size_t i = 0; workload->units[i] != 0; i++)
        json_push(&units, json_integer((json_int_t)workload->units[i]));
    json_put(&entries[MEDIAN], "units", json_end(&units));
    json_put_count(&entries[MEDIAN], "rows", workload->rows);
    json_put_count(&entries[MEDIAN], "batch", workload->batch > 0 ? workload->batch : workload->rows);
    add_figures(&entries[MEDIAN], result);
    for (size_t i = 0; i < sizeof entries / sizeof *entries; i++)
        append(report, report->benchmarks, json_end(&entries[i]));
}

tanda_status bench_report_write(const bench_report *report, const char *path, tanda_error *error) {
    char *text = report->report.failed ? NULL : json_write(report->report.object, JSON_INDENT(2));
    if (text == NULL) return fail(error, TANDA_FAILED, "no memory for the figures as JSON");
    const file_part parts[] = {{text, strlen(text)}, {"\n", 1}};
    const tanda_status status = file_write_atomically(path, parts, 2, error);
    free(text);
    return status;
}
