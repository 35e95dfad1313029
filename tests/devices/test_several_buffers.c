/*
 * Data larger than a device's largest buffer lie there in several, and results are those of one. PoCL is made to say that
 * it has no larger ones, and has none (campaigns/shim).
 */
#include "program.h"

#define POCL_ICD "/etc/OpenCL/vendors/pocl.icd"

TestSuite(several_buffers, .init = enter_folder, .fini = leave_folder, .timeout = 300);

#ifdef TANDA_FAULTS
static const char *largest = "300000"; /* bytes of a buffer: the self-test needs 262,144 */

/* The same command on a device with small buffers. */
static outcome run_small(const char *const *arguments) {
    setenv("LD_PRELOAD", TANDA_FAULTS, 1);
    setenv("TANDA_FAULT", "none:1", 1);
    setenv("TANDA_FAULT_LARGEST", largest, 1);
    const outcome made = run_to(-1, arguments);
    unsetenv("LD_PRELOAD");
    return made;
}
#define RUN_SMALL(...) run_small((const char *const[]){TANDA_PROGRAM, __VA_ARGS__, NULL})

/* 480,000 bytes of features in three buffers; and 16 times as many rows, so that labels and weights are in two. */
#define ROWS "synthetic:logistic,rows=6000,features=20"
#define MANY_ROWS "synthetic:logistic,rows=80000,features=4"
#define CLASSES "synthetic:blobs,rows=6000,features=20,classes=4"

typedef struct trial {
    const char *data, *executor, *computes; /* NULL: the default; who then does */
    const char *options[10];
} trial;

static const trial trials[] = {
    {ROWS, NULL, "ops", {"--batch", "full"}},
    {ROWS, "gpu", "gpu_perceptron", {"--batch", "full"}},
    {ROWS, "gpu_perceptron_one", "gpu_perceptron_one", {"--batch", "full"}},
    {ROWS, "ops", "ops", {"--batch", "500"}},
    {ROWS, "gpu", "gpu_dense", {"--batch", "500"}},
    {ROWS, "ops", "ops", {"--batch", "700", "--shuffle", "none"}},
    {CLASSES, "ops", "ops", {"--batch", "300", "--hidden", "9", "--validation", "0.2"}},
    {CLASSES, "gpu", "gpu_dense", {"--batch", "300", "--hidden", "20", "--validation", "0.2"}},
    {CLASSES, "gpu", "gpu_perceptron", {"--batch", "full", "--class-weight", "balanced"}},
    {MANY_ROWS, "ops", "ops", {"--batch", "40000", "--class-weight", "0=1,1=3"}},
};

static char *hash_of(const outcome *outcome, const char *executor) {
    cr_assert_eq(outcome->status, 0, "%s", outcome->err);
    json_t *object = only_object(outcome);
    char *hash = strdup(json_words(object, "weights_sha256"));
    if (executor != NULL) cr_expect_str_eq(json_words(object, "executor"), executor);
    json_decref(object);
    return hash;
}

static size_t train_arguments(const trial *trial, const char **arguments) {
    const char *const begin[] = {TANDA_PROGRAM, "train", trial->data, "--epochs", "2", "--json", "--quiet"};
    size_t count = sizeof begin / sizeof *begin;
    memcpy(arguments, begin, sizeof begin);
    for (size_t i = 0; trial->options[i] != NULL; i++)
        arguments[count++] = trial->options[i];
    return count;
}

static void expect_same(const trial *trial) {
    const char *arguments[32] = {NULL};
    size_t count = train_arguments(trial, arguments);
    const char *const cpu[] = {"--device", "cpu"}, *const small[] = {"--device", "opencl",
                                                                     "--require-device"};
    memcpy(arguments + count, cpu, sizeof cpu);
    const outcome whole = run_to(-1, arguments);
    memcpy(arguments + count, small, sizeof small);
    count += sizeof small / sizeof *small;
    if (trial->executor != NULL) arguments[count++] = "--executor";
    if (trial->executor != NULL) arguments[count++] = trial->executor;
    const outcome parts = run_small(arguments);
    char *expected = hash_of(&whole, NULL), *hash = hash_of(&parts, trial->computes);
    cr_expect_str_eq(hash, expected, "%s %s %s", trial->data, trial->computes, trial->options[1]);
    free(expected);
    free(hash);
}

static void require_pocl(void) {
    char line[128];
    if (access(POCL_ICD, R_OK) != 0) cr_skip("SKIPPED: there is no %s", POCL_ICD);
    cr_assert_eq(mkdir("vendors", 0700), 0);
    snprintf(line, sizeof line, "%s", file_text(POCL_ICD));
    write_text("vendors/pocl.icd", line);
    setenv("OCL_ICD_VENDORS", "vendors", 1);
}

Test(several_buffers, trainings_end_with_the_same_weights) {
    require_pocl();
    for (size_t i = 0; i < sizeof trials / sizeof *trials; i++)
        expect_same(&trials[i]);
}

/* 2,000 rows of 40 targets are 320,000 bytes. */
Test(several_buffers, labels_may_be_more_than_the_features) {
    static char names[400] = "t0";
    FILE *file = fopen("t.csv", "w");
    require_pocl();
    for (int t = 1; t < 40; t++)
        snprintf(names + strlen(names), sizeof names - strlen(names), ",t%d", t);
    fprintf(file, "a,b,c,%s\n", names);
    for (unsigned row = 0; row < 2000; row++)
        for (unsigned column = 0; column < 43; column++)
            fprintf(file, "%u%c", (row * 43 + column) * 2654435761u >> 24, column < 42 ? ',' : '\n');
    fclose(file);
    const trial trial = {"t.csv", NULL, "ops", {"--target", names, "--task", "regression", "--batch", "300"}};
    expect_same(&trial);
}

/* Predictions keep all tensors of 4,096 rows: 720,896 bytes. The features are 1,200,000. */
#define MORE_CLASSES "synthetic:blobs,rows=15000,features=20,classes=4"

Test(several_buffers, evaluation_prediction_and_folds_give_the_same_results) {
    static const char *const commands[][3] = {{"evaluate", "m.safetensors", MORE_CLASSES},
                                              {"predict", "m.safetensors", MORE_CLASSES},
                                              {"train", MORE_CLASSES, "--folds=2"}};
    require_pocl();
    largest = "800000";
    const outcome made = RUN("train", MORE_CLASSES, "--hidden", "8", "--epochs", "1", "--device", "cpu",
                             "--output", "m.safetensors", "--quiet");
    cr_assert_eq(made.status, 0, "%s", made.err);
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        const char *const *c = commands[i];
        const outcome whole = RUN(c[0], c[1], c[2], "--device", "cpu", "--quiet");
        const outcome parts =
            RUN_SMALL(c[0], c[1], c[2], "--device", "opencl", "--require-device", "--quiet");
        cr_assert_eq(whole.status, 0, "%s", whole.err);
        cr_assert_eq(parts.status, 0, "%s", parts.err);
        cr_expect_str_eq(parts.out, whole.out, "%s", c[0]);
    }
}

Test(several_buffers, an_executor_that_reads_rows_where_they_lie_says_what_it_lacks) {
    static const char *const executors[] = {"perceptron", "steps", "tiles", "network", "gpu_small"};
    require_pocl();
    for (size_t i = 0; i < sizeof executors / sizeof *executors; i++) {
        const outcome run = RUN_SMALL("train", ROWS, "--epochs", "1", "--device", "opencl",
                                      "--require-device", "--executor", executors[i]);
        cr_expect_eq(run.status, 4, "%s", run.err);
        cr_expect_not_null(strstr(run.err, "does not fit this training: rows in several buffers; ops does"),
                           "%s", run.err);
    }
}
#endif
