/* --profile: what the time went into, as a table, as JSON and, of an OpenCL device, as a trace. */
#include "program.h"

#define TRAIN "train", "--data", IRIS, "--epochs", "3", "--batch", "32", "--device", "opencl"
#define STEPS 15 /* of 150 rows in batches of 32, three times */

TestSuite(device_profile, .init = enter_folder, .fini = leave_folder);

static const json_t *command_of(const json_t *result, const char *name) {
    const json_t *commands = json_object_get(json_object_get(result, "profile"), "commands");
    size_t index;
    json_t *command;
    json_array_foreach(commands, index,
                       command) if (strcmp(json_words(command, "name"), name) == 0) return command;
    cr_assert_fail("no command '%s'", name);
    return NULL;
}

Test(device_profile, counts_the_launches_of_each_step) {
    static const struct {
        const char *kernel;
        double launches;
    } cases[] = {{"narrow_gradient", STEPS}, /* the evaluation at the end has none, */
                 {"update", STEPS + 1},      /* but one wave */
                 {"sum_rows", STEPS + 1}};   /* of biases and losses together */
    json_t *result = RUN_JSON(TRAIN, "--executor", "ops", "--profile");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const json_t *command = command_of(result, cases[i].kernel);
        cr_expect_eq(json_figure(command, "count"), cases[i].launches, "%s", cases[i].kernel);
        cr_expect_gt(json_figure(command, "bytes"), 0.0);
        cr_expect_geq(json_figure(command, "seconds"), json_figure(command, "median_seconds"));
    }
    /* 2 * rows * features * classes of each epoch. */
    cr_expect_eq(json_figure(command_of(result, "narrow_gradient"), "flop"), 3.0 * 2 * 150 * 4 * 3);
    json_decref(result);
}

Test(device_profile, changes_no_bits) {
    json_t *with = RUN_JSON(TRAIN, "--profile"), *without = RUN_JSON(TRAIN);
    cr_expect_str_eq(json_words(with, "weights_sha256"), json_words(without, "weights_sha256"));
    cr_expect_null(json_object_get(without, "profile"));
    json_decref(with);
    json_decref(without);
}

/* Whether the events of a row are in order and apart: the queue does one after the other. */
static size_t count_events(const json_t *trace, int row, bool apart) {
    size_t index, count = 0;
    double end = 0.0;
    json_t *event;
    json_array_foreach(trace, index, event) {
        if (strcmp(json_words(event, "ph"), "X") != 0 || json_figure(event, "tid") != row) continue;
        const double begin = json_figure(event, "ts");
        if (apart) cr_expect_geq(begin, end - 0.002, "event %zu begins before the one before it ends", index);
        end = begin + json_figure(event, "dur");
        count++;
    }
    return count;
}

Test(device_profile, trace_has_every_command_in_the_row_of_the_queue) {
    json_t *result = RUN_JSON(TRAIN, "--executor", "ops", "--profile-trace", "trace.json");
    json_t *trace = json_loads(file_text("trace.json"), 0, NULL);
    const json_t *commands = json_object_get(json_object_get(result, "profile"), "commands");
    size_t index, all = 0;
    json_t *command;
    cr_assert(json_is_array(trace));
    json_array_foreach(commands, index, command) all += (size_t)json_figure(command, "count");
    cr_expect_eq(count_events(trace, 1, true), all);
    cr_expect_gt(count_events(trace, 2, false), all, "the host queues each, and waits");
    json_decref(trace);
    json_decref(result);
}

Test(device_profile, table_stands_behind_the_results) {
    const outcome run = RUN(TRAIN, "--executor", "ops", "--profile", "--quiet");
    const char *hash = strstr(run.out, "weights_sha256: "), *table = strstr(run.out, "kernel  ");
    cr_assert_eq(run.status, 0, "%s", run.err);
    cr_assert(hash != NULL && table != NULL && hash < table, "%s", run.out);
    cr_expect_not_null(strstr(table, "GFLOP/s"));
    cr_expect_not_null(strstr(table, "\ntransfer\n"));
    cr_expect_not_null(strstr(table, "\ncompile: "));
    cr_expect_not_null(strstr(table, "idle "));
}

#define TRAIN_ON_CPU \
    "train", "--data", IRIS, "--epochs", "40", "--batch", "32", "--hidden", "16", "--device", "cpu"

/* Every thread's time is a part of some line. */
static void check_threads(const json_t *result, double threads) {
    const json_t *profile = json_object_get(result, "profile");
    const double whole = threads * json_figure(profile, "wall");
    double all = 0.0;
    size_t index;
    json_t *command;
    cr_expect_eq(json_figure(profile, "threads"), threads);
    json_array_foreach(json_object_get(profile, "commands"), index, command) {
        all += json_figure(command, "seconds");
        cr_expect_null(json_object_get(command, "median_seconds"));
    }
    cr_expect_float_eq(all, whole, 0.01 * whole);
    cr_expect_float_eq(json_figure(profile, "busy") + json_figure(profile, "idle"), whole, 0.01 * whole);
}

Test(device_profile, parts_of_the_cpus_threads_sum_to_their_time_and_change_no_bits) {
    static const char *const ops[] = {"gather",         "dense_forward",  "loss_categorical_crossentropy",
                                      "dense_gradient", "dense_backward", "update",
                                      "for the host"};
    json_t *with = RUN_JSON(TRAIN_ON_CPU, "--threads", "2", "--profile"), *without = RUN_JSON(TRAIN_ON_CPU);
    cr_expect_str_eq(json_words(with, "weights_sha256"), json_words(without, "weights_sha256"));
    check_threads(with, 2.0);
    for (size_t i = 0; i < sizeof ops / sizeof *ops; i++)
        cr_expect_gt(json_figure(command_of(with, ops[i]), "seconds"), 0.0, "%s", ops[i]);
    json_decref(with);
    json_decref(without);
    json_t *perceptron = RUN_JSON("train", "--data", IRIS, "--ignore", "species", "--target", "petal_width",
                                  "--epochs", "900", "--device", "cpu", "--threads", "1", "--profile");
    check_threads(perceptron, 1.0);
    cr_expect_gt(json_figure(command_of(perceptron, "perceptron"), "seconds"), 0.0);
    json_decref(perceptron);
}

Test(device_profile, table_of_the_cpu_has_ops_and_waiting) {
    const outcome run = RUN(TRAIN_ON_CPU, "--profile", "--quiet");
    const char *table = strstr(run.out, "\nop  ");
    cr_assert(run.status == 0 && table != NULL, "%s%s", run.out, run.err);
    cr_expect_not_null(strstr(table, "\ndense_gradient  "), "%s", table);
    cr_expect_not_null(strstr(table, "\nwaiting\n"), "%s", table);
    cr_expect_not_null(strstr(table, " ms each, busy "), "%s", table);
}

Test(device_profile, is_refused_where_there_is_none) {
    const outcome cpu = RUN("train", "--data", IRIS, "--device", "cpu", "--profile-trace", "trace.json");
    cr_expect_eq(cpu.status, 2);
    cr_expect_not_null(strstr(cpu.err, "--profile-trace is for OpenCL devices, and cpu "), "%s", cpu.err);
    const outcome folds = RUN(TRAIN, "--folds", "3", "--profile");
    cr_expect_eq(folds.status, 2);
    cr_expect_str_eq(folds.err, "tanda: --folds makes several trainings, and --profile is of one; leave one "
                                "of them away\n");
    cr_expect_eq(RUN(TRAIN, "--profile-trace", "nowhere/trace.json").status, 1);
}
