/*
 * bench/gpu-lab.sh, with little time on whatever OpenCL device there is: that it measures, compares bits and says what is
 * missing, not how fast anything is. Skipped without python3 or such a device.
 */
#include "program.h"
#include "support_devices.h"

TestSuite(gpu_lab, .init = enter_folder, .timeout = 240);

static void leave_and_forget(void) {
    forget_opencl();
    leave_folder();
}

static outcome lab(const char *program, const char *options) {
    char command[2000];
    snprintf(
        command, sizeof command,
        "'%s/bench/gpu-lab.sh' --program '%s' --output results --python /bin/false %s >out.txt 2>err.txt",
        TANDA_SOURCE_DIR, program, options);
    const int status = system(command);
    return (outcome){WIFEXITED(status) ? WEXITSTATUS(status) : -1, file_text("out.txt"),
                     file_text("err.txt")};
}

static bool can_run(void) {
    if (system("python3 -c ''") != 0) cr_skip_test("there is no python3");
    return use_opencl("pocl");
}

/* The one report, with .json or .md behind its name. */
static const char *results(const char *ending) {
    char command[200];
    snprintf(command, sizeof command, "cat results/*%s >whole.txt", ending);
    cr_assert_eq(system(command), 0);
    return file_text("whole.txt");
}

static void expect_equal_bits(const json_t *training) {
    const char *executor;
    const json_t *result, *cpu = json_object_get(training, "cpu");
    size_t equal = 0;
    json_object_foreach(json_object_get(training, "results"), executor, result) {
        if (json_object_get(result, "kind") != NULL) {
            cr_expect_str_eq(json_words(result, "kind"), "misfit", "%s: %s", executor,
                             json_words(result, "reason"));
            continue;
        }
        cr_expect_str_eq(json_words(result, "weights_sha256"), json_words(cpu, "weights_sha256"), "%s",
                         executor);
        cr_expect(json_is_true(json_object_get(result, "equal")), "%s", executor);
        equal++;
    }
    cr_expect_geq(equal, 2);
}

/* Times of the CPU and of the device, and those of an executor or why there are none. */
static void expect_times(const json_t *workload) {
    const json_t *of = json_object_get(workload, "results");
    cr_expect_gt(json_figure(json_object_get(of, "cpu"), "median_seconds"), 0.0);
    const json_t *taken = json_object_get(of, "default"), *ops = json_object_get(of, "ops");
    cr_expect_gt(json_figure(taken, "median_seconds"), 0.0);
    cr_expect_geq(json_array_size(json_object_get(taken, "seconds")), 3);
    cr_expect_gt(json_figure(taken, "bytes"), 0.0);
    cr_expect(json_object_get(ops, "median_seconds") != NULL || json_object_get(ops, "reason") != NULL);
}

static void expect_limits(const json_t *limits) {
    static const char *const figures[] = {
        "read_bytes_per_second", "fma_flops_per_second",    "launch_seconds",           "queued_seconds",
        "atomics_per_second",    "upload_bytes_per_second", "download_bytes_per_second"};
    for (size_t i = 0; i < sizeof figures / sizeof *figures; i++)
        cr_expect_gt(json_figure(limits, figures[i]), 0.0, "%s", figures[i]);
}

static void expect_headings(const char *text) {
    static const char *const headings[] = {"\n## Limits\n",
                                           "\n## Which executor wins where\n",
                                           "\n## Executors\n",
                                           "\n## Exact, fast, CLBlast\n",
                                           "\n## The machine model\n",
                                           "\n## PyTorch\n",
                                           "\n## Bits\n",
                                           "\n## Not measured\n"};
    for (size_t i = 0; i < sizeof headings / sizeof *headings; i++)
        cr_expect_not_null(strstr(text, headings[i]), "%s", headings[i]);
    cr_expect_null(strstr(text, "None"));
}

Test(gpu_lab, one_command_measures_compares_bits_and_says_what_is_missing, .fini = leave_and_forget) {
    if (!can_run()) return;
    const outcome done =
        lab(TANDA_PROGRAM, "--budget 200 --rounds 1 --executors perceptron,ops --trainings '^perceptron' "
                           "--filter '^logistic/1Mx28/batch128$'");
    cr_assert_eq(done.status, 0, "%s", done.err);
    json_t *report = json_loads(results(".json"), 0, NULL);
    cr_assert_not_null(report);
    const json_t *trainings = json_object_get(report, "matrix"),
                 *workloads = json_object_get(report, "workloads");
    cr_assert_eq(json_array_size(trainings), 1);
    expect_equal_bits(json_array_get(trainings, 0));
    cr_assert_eq(json_array_size(workloads), 1);
    expect_times(json_array_get(workloads, 0));
    expect_limits(json_object_get(json_object_get(report, "limits"), "device"));
    cr_expect_not_null(strstr(json_words(json_object_get(report, "torch"), "reason"), "/bin/false"));
    cr_expect_eq(json_figure(report, "rounds"), 1);
    json_decref(report);
    expect_headings(results(".md"));
    cr_expect_not_null(strstr(results(".md"), "hashes that were compared are the CPU's"));
}

/* A program whose devices train to other weights than its CPU. */
Test(gpu_lab, other_bits_are_told_and_end_with_1, .fini = leave_and_forget) {
    if (!can_run()) return;
    write_text("other",
               "#!/bin/sh\nother=s/x/x/\n"
               "case \"$*\" in *--require-device*) other='s/\"weights_sha256\": \"..../&wrong/' ;; esac\n"
               "'" TANDA_PROGRAM "' \"$@\" >\"$0.out\" && sed \"$other\" \"$0.out\"\n");
    cr_assert_eq(chmod("other", 0700), 0);
    char program[200];
    snprintf(program, sizeof program, "%s/other", test_folder);
    const outcome done =
        lab(program,
            "--budget 200 --rounds 1 --executors ops --trainings '^perceptron' --filter '^no workload$'");
    cr_expect_eq(done.status, 1, "%s", done.err);
    cr_expect_not_null(strstr(done.err, "2 of 2 hashes differ from the CPU's"), "%s", done.err);
    cr_expect_not_null(strstr(results(".md"), "DIFFERENT"));
}

Test(gpu_lab, a_device_that_is_not_there_is_refused, .fini = leave_and_forget) {
    if (!can_run()) return;
    const outcome done = lab(TANDA_PROGRAM, "--device opencl:7.0");
    cr_expect_eq(done.status, 1);
    cr_expect_not_null(strstr(done.err, "--device opencl:7.0: tanda devices has opencl:0.0"), "%s", done.err);
}
