/* A training that diverges ends with epoch, step and the first layer that shows it, and keeps its last checkpoint. */
#include <math.h>

#include "program.h"
#include "support_network.h"

TestSuite(divergence, .init = enter_folder, .fini = leave_folder, .timeout = 120);

static const network three_layers = {300,
                                     20,
                                     3,
                                     {24, 17, 5},
                                     {ACTIVATION_RELU, ACTIVATION_RELU, ACTIVATION_SOFTMAX},
                                     LOSS_CATEGORICAL_CROSSENTROPY,
                                     TANDA_TASK_CLASSES,
                                     CONTENT_REAL};

/* Trains; the message of the divergence. */
static const char *diverge(backend *backend, problem *problem, const tanda_train_options *options) {
    static tanda_error error;
    tanda_train_result result;
    error = (tanda_error){0};
    char before[TANDA_DIGEST_SIZE], after[TANDA_DIGEST_SIZE];
    tanda_model_digest(problem->model, before);
    cr_assert_eq(tanda_train(backend, problem->model, &problem->dataset, NULL, options, &result, &error),
                 TANDA_FAILED, "it did not diverge: %s", error.message);
    tanda_model_digest(problem->model, after);
    cr_expect_str_eq(before, after, "the model is not as it was");
    return error.message;
}

/* Weights of one layer so large that its sums overflow: it is the first to show it, whatever the others do. */
static void check_layers(backend *backend) {
    static const char *const names[] = {"layer 1 (relu, 24 units), its weighted sums",
                                        "layer 2 (relu, 17 units), its weighted sums",
                                        "layer 3 (softmax, 5 units), its weighted sums"};
    static const size_t batches[] = {0, 64};
    for (size_t l = 0; l < 3; l++)
        for (size_t b = 0; b < 2; b++) {
            problem problem = problem_create(&three_layers);
            const layer *layer = &problem.model->layers[l];
            for (size_t i = 0; i < layer->inputs * layer->outputs; i++)
                problem.model->parameters[layer->weight + i] = 3e38f;
            const tanda_train_options options = {.size = sizeof options,
                                                 .epochs = 2,
                                                 .batch_rows = batches[b],
                                                 .learning_rate = 0.125,
                                                 .move_rows = l > 0};
            const char *message = diverge(backend, &problem, &options);
            cr_expect_not_null(strstr(message, names[l]), "%s: %s", backend_title(backend), message);
            cr_expect_not_null(strstr(message, "a loss is not finite in epoch 1, step 1 of "), "%s", message);
            problem_free(&problem);
        }
}

/* y = target from x = 1, with the squared error. */
static problem one_weight(float target) {
    static const network network = {
        2, 1, 1, {1}, {ACTIVATION_IDENTITY}, LOSS_MSE, TANDA_TASK_REGRESSION, CONTENT_REAL};
    problem problem = problem_create(&network);
    for (size_t row = 0; row < 2; row++) {
        ((float *)problem.dataset.values)[row] = 1.0f;
        problem.dataset.targets[row] = target;
    }
    problem.model->parameters[0] = 1.0f;
    problem.model->parameters[1] = 0.0f;
    return problem;
}

/*
 * The error grows by a ten-thousandth each step. A second of good steps lies before the bad one, which is found again
 * from a snapshot.
 */
static void check_slow_growth(backend *backend, char told[600]) {
    problem problem = one_weight(0.0f);
    const tanda_train_options options = {
        .size = sizeof options, .epochs = 10000000, .learning_rate = 0.50005, .report_every = 5000000};
    snprintf(told, 600, "%s", diverge(backend, &problem, &options));
    problem_free(&problem);
}

static void check_all(backend *backend) {
    static char first[600] = "";
    char told[600];
    check_layers(backend);
    check_slow_growth(backend, told);
    cr_expect_not_null(strstr(told, "the first to show it is layer 1 (identity, 1 unit), its "), "%s", told);
    if (first[0] == '\0') strcpy(first, told);
    cr_expect_str_eq(told, first);
    tanda_device_close(backend);
}

/* `check` closes the device. */
static void try_devices(void (*check)(backend *backend)) {
    check(open_best_openmp(1));
    check(open_best_openmp(3));
    check(open_openmp("generic", 2));
    if (use_opencl("pocl")) check(open_opencl(NULL));
}

Test(divergence, is_told_with_the_first_layer_and_alike_on_every_device, .fini = forget_opencl) {
    try_devices(check_all);
}

Test(divergence, weights_are_told_where_only_the_update_overflows) {
    problem problem = one_weight(1000.0f);
    backend *backend = open_best_openmp(2);
    const tanda_train_options options = {.size = sizeof options, .epochs = 2, .learning_rate = 1e38};
    cr_expect_str_eq(
        diverge(backend, &problem, &options),
        "diverged: a weight is not finite in epoch 1, step 1 of 1; the first to show it is layer 1 "
        "(identity, 1 unit), its weights; there are targets as large as 1e+03: --scale-target standard may "
        "help, or a smaller learning rate than 1e+38");
    tanda_device_close(backend);
    problem_free(&problem);
}

/* The step is done again as it was: with the weights of its rows and with what it drops. */
static void check_weighted(backend *backend) {
    problem problem = one_weight(0.0f);
    problem.dataset.weights = malloc(2 * sizeof(float));
    problem.dataset.weights[0] = problem.dataset.weights[1] = 3e38f;
    for (size_t row = 0; row < 2; row++)
        ((float *)problem.dataset.values)[row] = 4.0f;
    const tanda_train_options options = {.size = sizeof options, .epochs = 2, .learning_rate = 0.125};
    const char *message = diverge(backend, &problem, &options);
    cr_expect_not_null(strstr(message, "layer 1 (identity, 1 unit), its loss"), "%s: %s",
                       backend_title(backend), message);
    problem_free(&problem);
}

static void check_dropped(backend *backend) {
    static const double rates[] = {0.9, 0.0, 0.0};
    problem problem = problem_create(&three_layers);
    float *values = (float *)problem.dataset.values;
    for (size_t i = 0; i < three_layers.rows * three_layers.features; i++)
        values[i] = 1e38f;
    const tanda_train_options options = {
        .size = sizeof options, .epochs = 2, .batch_rows = 64, .learning_rate = 0.125, .dropout = rates};
    const char *message = diverge(backend, &problem, &options);
    cr_expect_not_null(strstr(message, "layer 1 (relu, 24 units), its inputs after dropout"), "%s: %s",
                       backend_title(backend), message);
    problem_free(&problem);
}

static void check_repetition(backend *backend) {
    check_weighted(backend);
    check_dropped(backend);
    tanda_device_close(backend);
}

Test(divergence, the_step_is_done_again_with_its_weights_and_its_dropout, .fini = forget_opencl) {
    try_devices(check_repetition);
}

/* Of a wide first layer alone, whose weights some devices update where their gradient is made. */
static void check_first_layer(backend *backend) {
    static const network network = {2,
                                    1,
                                    2,
                                    {16, 1},
                                    {ACTIVATION_IDENTITY, ACTIVATION_IDENTITY},
                                    LOSS_MSE,
                                    TANDA_TASK_REGRESSION,
                                    CONTENT_REAL};
    problem problem = problem_create(&network);
    const size_t second = problem.model->layers[1].weight;
    for (size_t i = 0; i < problem.model->parameter_count; i++)
        problem.model->parameters[i] = i >= second && i < second + 16 ? 1.0f : 0.0f;
    for (size_t row = 0; row < 2; row++) {
        ((float *)problem.dataset.values)[row] = 1000.0f; /* of its bias it is 1 */
        problem.dataset.targets[row] = 1.0f;
    }
    const tanda_train_options options = {.size = sizeof options, .epochs = 2, .learning_rate = 1e36};
    cr_expect_str_eq(
        diverge(backend, &problem, &options),
        "diverged: a weight is not finite in epoch 1, step 1 of 1; the first to show it is layer 1 "
        "(identity, 16 units), its weights; a smaller learning rate than 1e+36 may help");
    problem_free(&problem);
    tanda_device_close(backend);
}

Test(divergence, weights_are_told_where_only_the_first_of_two_layers_overflows, .fini = forget_opencl) {
    try_devices(check_first_layer);
}

Test(divergence, leaves_the_last_good_checkpoint_and_nothing_else) {
    const outcome run =
        RUN("train", "--data", DIGITS, "--hidden", "32,16", "--batch", "full", "--learning-rate", "1e10",
            "--epochs", "50", "--device", "cpu", "--quiet", "--checkpoint", "kept", "--checkpoint-every", "1",
            "--output", "model", "--log", "log.jsonl");
    cr_expect_str_eq(
        run.err, "tanda: diverged: a weight is not finite in epoch 3, step 1 of 1; the first to show it is "
                 "layer 2 (relu, 16 units), its weighted sums; a smaller learning rate than 1e+10 may help; "
                 "the last good checkpoint is kept/step-000000000002.safetensors\n");
    cr_expect_eq(run.status, 1);
    cr_expect_neq(access("model", F_OK), 0);
    cr_expect_neq(access("kept/step-000000000003.safetensors", F_OK), 0);
    cr_expect_eq(RUN("inspect", "kept/step-000000000002.safetensors").status, 0);
    cr_expect_not_null(strstr(file_text("log.jsonl"), "\"status\":1"));
}

/* ---- rows beyond memory ----------------------------------------------------------------------------------- */

#define COLUMNS 9 /* with the target */

/* One row's value is so large that its loss overflows. */
static void spoil(const char *path) {
    const float huge = 3e38f;
    FILE *file = fopen(path, "r+b");
    cr_assert_eq(fseek(file, 128 + (4321 * COLUMNS + 2) * (long)sizeof huge, SEEK_SET), 0);
    cr_assert_eq(fwrite(&huge, sizeof huge, 1, file), 1);
    cr_assert_eq(fclose(file), 0);
}

static const char *train_in(const char *memory, const char *path, const char *device, const char *batch,
                            const char *rate) {
    const outcome run =
        RUN("train", "--data", path, "--task", "regression", "--scale", "none", "--hidden", "16,8", "--batch",
            batch, "--epochs", "3", "--learning-rate", rate, "--shuffle", "window", "--shuffle-window",
            "1000", "--shuffle-block", "50", "--device", device, "--memory", memory, "--quiet");
    cr_assert_eq(run.status, 1, "%s", run.err);
    cr_expect_not_null(strstr(run.err, "; the first to show it is layer "), "%s", run.err);
    return run.err;
}

/* 100: in one section; 2000 and all: in several. */
Test(divergence, of_rows_beyond_memory_is_told_as_of_those_in_memory) {
    static const char *const devices[] = {"cpu", "opencl"}, *const batches[] = {"100", "2000", "full"};
    cr_assert_eq(
        RUN("generate", "regression", "--rows", "6000", "--features", "8", "--output", "plain.npy", "--quiet")
            .status,
        0);
    cr_assert_eq(system("cp plain.npy huge.npy"), 0);
    spoil("huge.npy");
    for (size_t d = 0; d < 2; d++)
        for (size_t b = d; b < 3 - d; b++) { /* on OpenCL 2000 alone */
            const char *huge = train_in("1G", "huge.npy", devices[d], batches[b], "0.01");
            cr_expect_str_eq(train_in("150K", "huge.npy", devices[d], batches[b], "0.01"), huge);
            const char *fast = train_in("1G", "plain.npy", devices[d], batches[b], "1e30");
            cr_expect_str_eq(train_in("150K", "plain.npy", devices[d], batches[b], "1e30"), fast);
        }
}
