/* The performance lab: that it measures what it says, not how fast anything is. */
#include <math.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench/bench.h"
#include "bench/host.h"
#include "model/model_file.h"
#include "program.h"
#include "support_devices.h"

TestSuite(bench, .init = enter_folder, .fini = leave_folder, .timeout = 120);

/* ---- limits ----------------------------------------------------------------------------------------------- */

static device_limits expect_limits(backend *backend) {
    device_limits limits;
    tanda_error error = {0};
    cr_assert_eq(backend_limits(backend, false, &limits, &error), TANDA_OK, "%s", error.message);
    cr_expect(limits.read_bandwidth > 1e8 && limits.read_bandwidth < 1e14, "%g", limits.read_bandwidth);
    cr_expect(limits.fma_peak > 1e8 && limits.fma_peak < 1e16, "%g", limits.fma_peak);
    cr_expect(limits.launch_seconds > 0.0 && limits.launch_seconds < 0.1, "%g", limits.launch_seconds);
    cr_expect(limits.queued_seconds > 0.0 && limits.queued_seconds < 0.1, "%g", limits.queued_seconds);
    tanda_device_close(backend);
    return limits;
}

Test(bench, the_cpu_has_limits) {
    cr_expect_eq(expect_limits(open_best_openmp(2)).atomic_rate, 0.0);
}

Test(bench, an_opencl_device_has_limits, .fini = forget_opencl) {
    if (!use_opencl("pocl")) return;
    const device_limits limits = expect_limits(open_opencl(NULL));
    cr_expect(limits.atomic_rate > 1e5 && limits.atomic_rate < 1e14, "%g", limits.atomic_rate);
    cr_expect(limits.upload > 1e7 && limits.download > 1e7, "%g %g", limits.upload, limits.download);
}

/* ---- workloads -------------------------------------------------------------------------------------------- */

static const bench_workload small = {"small/net", BENCH_TRAINING, .rows = 1000, .batch = 300,
                                     .units = {12, 20, 3}};

static bench_result run_on_cpu(const bench_workload *workload, const bench_options *options) {
    backend *backend = open_best_openmp(2);
    bench_data data = {0};
    bench_result result;
    tanda_error error = {0};
    cr_assert_eq(bench_run(workload, backend, options, &data, &result, &error), TANDA_OK, "%s",
                 error.message);
    bench_data_free(&data);
    tanda_device_close(backend);
    return result;
}

Test(bench, a_step_counts_what_it_must_multiply_and_read) {
    const bench_options options = {.least_seconds = 0.001, .repetitions = 4};
    const bench_result result = run_on_cpu(&small, &options);
    /* Forward and gradient of both layers, and backward through the second. */
    cr_expect_eq(result.operations, 2.0 * 300 * (2 * 12 * 20 + 3 * 20 * 3));
    cr_expect_eq(result.bytes, 300.0 * (12 * 4 + 4));
    cr_expect_eq(result.repetitions, 4);
    cr_expect_geq(result.steps, 1);
    cr_expect(result.least > 0.0 && result.least <= result.median && result.median <= result.most);
    cr_expect(result.has_loss && result.loss > 0.1 && result.loss < 10.0, "%g", result.loss);
}

/* A child that is busy until it is stopped, or alone. */
static pid_t keep_a_core_busy(void) {
    const pid_t parent = getpid(), child = fork();
    cr_assert_geq(child, 0);
    while (child == 0)
        if (getppid() != parent) _exit(0);
    return child;
}

Test(bench, what_others_take_is_told) {
    const bench_options options = {.least_seconds = 0.1, .repetitions = 3};
    const pid_t busy = keep_a_core_busy();
    const bench_result result = run_on_cpu(&small, &options);
    kill(busy, SIGKILL);
    waitpid(busy, NULL, 0);
    cr_expect(result.others > 0.1, "%g cores", result.others);
}

Test(bench, the_part_of_the_limit_is_that_of_the_tighter_one) {
    const device_limits limits = {.read_bandwidth = 100.0, .fma_peak = 1000.0};
    const char *bound = "";
    const bench_result reads = {.has_limit = true, .bytes = 200.0, .operations = 1000.0};
    cr_expect_eq(bench_part_of_limits(&reads, 4.0, &limits, &bound), 0.5);
    cr_expect_str_eq(bound, "read");
    const bench_result computes = {.has_limit = true, .bytes = 200.0, .operations = 3000.0};
    cr_expect_eq(bench_part_of_limits(&computes, 4.0, &limits, &bound), 0.75);
    cr_expect_str_eq(bound, "fma");
    cr_expect_eq(bench_part_of_limits(&reads, 4.0, &(device_limits){0}, &bound), 0.0);
}

Test(bench, the_better_limits_keep_what_only_one_measurement_has) {
    const device_limits whole = {.read_bandwidth = 5.0, .launch_seconds = 0.5},
                        brief = {.read_bandwidth = 7.0};
    const device_limits a = bench_better_limits(&whole, &brief), b = bench_better_limits(&brief, &whole);
    cr_expect(a.read_bandwidth == 7.0 && a.launch_seconds == 0.5, "%g", a.launch_seconds);
    cr_expect(b.read_bandwidth == 7.0 && b.launch_seconds == 0.5, "%g", b.launch_seconds);
}

Test(bench, limits_are_measured_beside_the_repetitions) {
    const bench_options with = {.least_seconds = 0.001, .repetitions = 1, .with_limits = true},
                        without = {.least_seconds = 0.001, .repetitions = 2};
    const bench_result limited = run_on_cpu(&small, &with), free = run_on_cpu(&small, &without);
    cr_expect(limited.limits.read_bandwidth > 1e8 && limited.limits.fma_peak > 1e8);
    cr_expect_eq(limited.limits.launch_seconds, 0.0); /* which takes longer */
    cr_expect(limited.is_disturbed ? limited.part == 0.0 : limited.part > 0.0 && limited.part <= 1.0, "%g",
              limited.part);
    cr_expect(free.part == 0.0 && free.limits.read_bandwidth == 0.0);
}

/* Limits that rise with each measurement, so that the step is too fast for the first of them. */
static size_t measurements;
static double first_limit, growth;

static tanda_status rising_limits(backend *backend, bool briefly, device_limits *limits, tanda_error *error) {
    const double limit = first_limit * pow(growth, (double)measurements++);
    *limits = (device_limits){.read_bandwidth = limit, .fma_peak = limit};
    return backend != NULL && briefly ? TANDA_OK : fail(error, TANDA_FAILED, "no such limits");
}

static bench_result run_with_limits(double first, double factor) {
    const bench_options options = {.least_seconds = 0.001, .repetitions = 3, .with_limits = true};
    backend *backend = open_best_openmp(1);
    const backend_interface *own = backend->interface;
    backend_interface rising = *own;
    bench_data data = {0};
    bench_result result;
    tanda_error error = {0};
    measurements = 0;
    first_limit = first;
    growth = factor;
    rising.limits = rising_limits;
    backend->interface = &rising;
    const tanda_status status = bench_run(&small, backend, &options, &data, &result, &error);
    backend->interface = own;
    cr_assert_eq(status, TANDA_OK, "%s", error.message);
    bench_data_free(&data);
    tanda_device_close(backend);
    return result;
}

Test(bench, a_limit_that_is_too_low_is_measured_again) {
    const bench_result result = run_with_limits(1.0, 1e6);
    cr_expect(!result.is_disturbed && result.part > 0.0 && result.part <= 1.0, "%g", result.part);
    cr_expect_eq(measurements % (1 + 3), 1, "%zu", measurements); /* once more, and none in a further round */
}

Test(bench, what_is_faster_than_any_limit_is_disturbed_and_has_no_share) {
    const bench_result result = run_with_limits(1.0, 1.0);
    cr_expect(result.is_disturbed && result.part == 0.0, "%g", result.part);
    cr_expect_eq(measurements % (1 + 3 * 4), 0, "%zu", measurements); /* in each round */
}

Test(bench, spread_is_that_of_a_sample) {
    const double values[] = {2, 4, 4, 4, 5, 5, 7, 9};
    const bench_spread all = bench_spread_of(values, 8), one = bench_spread_of(values, 1);
    cr_expect_eq(all.mean, 5.0);
    cr_expect_float_eq(all.deviation, sqrt(32.0 / 7.0), 1e-15);
    cr_expect_eq(all.variation, all.deviation / 5.0);
    cr_expect(one.mean == 2.0 && one.deviation == 0.0 && one.variation == 0.0);
}

static void put_line(const char *path, const char *line) {
    FILE *file = fopen(path, "w");
    cr_assert_not_null(file, "%s", path);
    fprintf(file, "%s\n", line);
    fclose(file);
}

#define CPU "root/sys/devices/system/cpu/cpu0/"

Test(bench, the_host_is_as_linux_tells) {
    bench_host host;
    cr_assert_eq(system("mkdir -p root/proc " CPU "cpufreq " CPU "cache/index0"), 0);
    bench_host_read("root", &host);
    cr_expect(host.megahertz == 0 && !host.is_scaling && host.cache_count == 0 && host.cpus > 0);
    put_line("root/proc/cpuinfo", "processor\t: 0\ncpu MHz\t\t: 2499.998");
    put_line(CPU "cpufreq/scaling_governor", "performance");
    bench_host_read("root", &host);
    cr_expect(host.megahertz == 2500 && !host.is_scaling, "%zu", host.megahertz);
    put_line(CPU "cpufreq/scaling_governor", "powersave");
    put_line(CPU "cpufreq/cpuinfo_max_freq", "4200000");
    put_line(CPU "cache/index0/size", "48K");
    put_line(CPU "cache/index0/level", "1");
    put_line(CPU "cache/index0/type", "Data");
    put_line(CPU "cache/index0/shared_cpu_map", "00000000,00000101");
    bench_host_read("root", &host);
    cr_expect(host.megahertz == 4200 && host.is_scaling, "%zu", host.megahertz);
    cr_assert_eq(host.cache_count, 1);
    cr_expect(host.caches[0].bytes == 49152 && host.caches[0].level == 1 && host.caches[0].sharing == 2);
    cr_expect_str_eq(host.caches[0].type, "Data");
}

Test(bench, synthetic_rows_count_their_features) {
    const bench_options options = {.least_seconds = 0.001, .repetitions = 2};
    const bench_workload rows = {"small/rows", BENCH_SYNTHETIC, .rows = 1000, .units = {5, 1},
                                 .description = "synthetic:logistic,features=5"};
    const bench_result result = run_on_cpu(&rows, &options);
    cr_expect_eq(result.bytes, 1000.0 * 5 * 4);
    cr_expect(result.median > 0.0 && !result.has_limit);
    cr_expect(!bench_needs_device(&rows));
}

/* Each description is one, of as many features as the table says. */
Test(bench, synthetic_workloads_say_what_they_make) {
    for (size_t i = 0; i < bench_workload_count; i++) {
        const bench_workload *workload = &bench_workloads[i];
        synthetic_request request;
        synthetic_source source = {0};
        tanda_error error = {0};
        if (workload->kind != BENCH_SYNTHETIC) continue;
        cr_assert_eq(synthetic_parse(workload->description, &request, &error), TANDA_OK, "%s", error.message);
        cr_assert_eq(synthetic_open(&request, &source, &error), TANDA_OK, "%s", error.message);
        cr_expect_eq(source.data.features, workload->units[0], "%s", workload->name);
        cr_expect_eq(source.data.is_uniform, strstr(workload->name, "uniform") != NULL, "%s", workload->name);
        synthetic_close(&source);
    }
}

Test(bench, names_are_unique) {
    for (size_t i = 0; i < bench_workload_count; i++)
        for (size_t j = 0; j < i; j++)
            cr_expect_str_neq(bench_workloads[i].name, bench_workloads[j].name);
}

/* tanda train, from the exported files, in the order of the rows, comes to the exported loss. */
Test(bench, exported_data_and_weights_are_those_of_the_exported_losses) {
    const bench_options options = {.least_seconds = 0.001, .repetitions = 1, .export_folder = "."};
    const bench_workload whole = {"whole", BENCH_TRAINING, .rows = 1000, .units = {12, 20, 3}};
    const bench_result result = run_on_cpu(&whole, &options);
    cr_assert_eq(result.losses_count, BENCH_CHECK_STEPS);
    json_t *before = RUN_JSON("evaluate", "whole.safetensors", "--data", "whole.features.npy", "--labels",
                              "whole.labels.npy", "--device", "cpu");
    cr_expect_float_eq(json_figure(before, "loss"), result.losses[0], 1e-6);
    json_decref(before);
    json_t *after = RUN_JSON("train", "--data", "whole.features.npy", "--labels", "whole.labels.npy",
                             "--init", "whole.safetensors", "--hidden", "20", "--epochs", "4", "--batch",
                             "full", "--learning-rate", "0.01", "--device", "cpu");
    cr_expect_float_eq(json_figure(after, "loss"), result.losses[4], 1e-6);
    cr_expect_lt(result.losses[4], result.losses[0]);
    json_decref(after);
}

/* ---- the command ------------------------------------------------------------------------------------------ */

Test(bench, figures_come_as_json_in_the_shape_of_google_benchmark) {
    json_error_t problem;
    const outcome outcome = RUN("bench", "--device", "cpu", "--filter", "^start/version$|batch1024$",
                                "--min-time", "0.001", "--repetitions", "2", "--output", "figures.json");
    cr_assert_eq(outcome.status, 0, "%s", outcome.err);
    json_t *figures = json_load_file("figures.json", 0, &problem);
    cr_assert_not_null(figures, "%s", problem.text);
    const json_t *context = json_object_get(figures, "context"),
                 *all = json_object_get(figures, "benchmarks");
    cr_expect_gt(json_figure(context, "num_cpus"), 0);
    const json_t *device = json_array_get(json_object_get(context, "devices"), 0);
    cr_expect_gt(json_figure(device, "read_bytes_per_second"), 0);
    static const char *const keys[] = {"host_name", "mhz_per_cpu", "cpu_scaling_enabled",
                                       "load_avg",  "caches",      "library_build_type"},
                             *const aggregates[] = {"mean", "median", "stddev", "cv"};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        cr_expect_not_null(json_object_get(context, keys[i]), "%s", keys[i]);
    cr_assert_eq(json_array_size(all), 3 * (2 + 4));
    cr_expect_str_eq(json_words(json_array_get(all, 0), "run_type"), "iteration");
    for (size_t i = 0; i < 4; i++) {
        const json_t *aggregate = json_array_get(all, 2 + i);
        cr_expect_str_eq(json_words(aggregate, "aggregate_name"), aggregates[i]);
        cr_expect_str_eq(json_words(aggregate, "run_type"), "aggregate");
        cr_expect_str_eq(json_words(aggregate, "aggregate_unit"), i == 3 ? "percentage" : "time");
    }
    const json_t *median = json_array_get(all, 3);
    cr_expect_str_eq(json_words(median, "name"), "logistic/1Mx28/batch1024/cpu_median");
    cr_expect_str_eq(json_words(median, "time_unit"), "us");
    cr_expect_eq(json_figure(median, "batch"), 1024);
    cr_expect_gt(json_figure(median, "real_time"), 0);
    cr_expect_not_null(strstr(outcome.out, "logistic/1Mx28/batch1024"));
    json_decref(figures);
}

Test(bench, mistakes_are_refused) {
    outcome outcome = RUN("bench", "--filter", "(");
    cr_expect_eq(outcome.status, 2);
    cr_expect_not_null(strstr(outcome.err, "tanda: --filter: "));
    outcome = RUN("bench", "--repetitions", "0");
    cr_expect_eq(outcome.status, 2);
    outcome = RUN("bench", "--device", "gpu7", "--filter", "start/version");
    cr_expect_neq(outcome.status, 0);
    cr_expect_str_eq(outcome.out, "");
}

Test(bench, some_workloads_wait_to_be_asked_for) {
    const outcome all = RUN("bench", "--list"), asked = RUN("bench", "--list", "--filter", "^synthetic/xor");
    cr_expect_null(strstr(all.out, "synthetic/xor"), "%s", all.out);
    cr_expect_not_null(strstr(all.out, "synthetic/images/784/normal"), "%s", all.out);
    cr_expect_eq(count_lines(asked.out), 5, "%s", asked.out);
}

Test(bench, the_list_names_what_the_filter_takes) {
    const outcome outcome = RUN("bench", "--list", "--filter", "^start/");
    cr_expect_eq(outcome.status, 0);
    cr_expect_str_eq(outcome.out, "start/version\nstart/first-step\n");
}
