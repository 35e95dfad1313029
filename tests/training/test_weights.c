/*
 * Weights of rows: they multiply losses and deltas, and nothing else; the same bits on every backend and way of running
 * a step, and the numbers of scikit-learn and Keras.
 */
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "data/dataset.h"
#include "feeds.h"
#include "support/memory.h"
#include "support_checks.h"
#include "train/evaluator.h"

#define LIST(...) \
    { __VA_ARGS__ }

typedef struct training {
    const char *name;
    network network;
    size_t batch_rows; /* 0: all */
    size_t steps;
    const char *recorded;
} training;

#define TRAINING(name, rows, features, count, units, activations, loss, task, batch, steps, recorded) \
    { \
        name, {rows, features, count, units, activations, LOSS_##loss, TANDA_TASK_##task, CONTENT_REAL}, \
            batch, steps, recorded \
    }

static const training trainings[] = {
    TRAINING("logistic regression, full batch of 12 tiles", 3001, 30, 1, LIST(1), LIST(ACTIVATION_SIGMOID),
             BINARY_CROSSENTROPY, CLASSES, 0, 4,
             "4e3dfc21e7fbe2032710ba07d2d687568ec36c84a147da1aa801ca743d287bc5"),
    TRAINING("logistic regression, batches of 100", 730, 9, 1, LIST(1), LIST(ACTIVATION_SIGMOID),
             BINARY_CROSSENTROPY, CLASSES, 100, 20,
             "762f1f9db3c2420ac71c1ef7dbc2780fdf7d85a761301a6d3f3af5d7132e8e63"),
    TRAINING("linear regression, batches of 64", 500, 7, 1, LIST(1), LIST(ACTIVATION_IDENTITY), MSE,
             REGRESSION, 64, 20, "423348ecf2a3c98507d5b9d7f1759b484aa491416594c4fa2547be8ddb0839a3"),
    TRAINING("three targets, batches of 100", 530, 7, 2, LIST(20, 3),
             LIST(ACTIVATION_TANH, ACTIVATION_IDENTITY), MSE, REGRESSION, 100, 12,
             "6f789cd0543854e6809305641dba996aeba1cfbb0a0ba6964baebe8a9b9c4469"),
    TRAINING("deep, softmax, batches of two tiles", 1100, 20, 3, LIST(33, 18, 4),
             LIST(ACTIVATION_SIGMOID, ACTIVATION_TANH, ACTIVATION_SOFTMAX), CATEGORICAL_CROSSENTROPY, CLASSES,
             512, 9, "90c3d3135c524eb09b23cb9301b969ca32e7e2b7937354c9249846edaeb8ea50"),
    TRAINING("deep, squared error, batches of 32", 300, 12, 2, LIST(20, 1),
             LIST(ACTIVATION_RELU, ACTIVATION_SIGMOID), MSE, CLASSES, 32, 30,
             "09f7d57a03d34b3584e7abbc046edc3a16ea1e51f81048a6ebe2616735f221e5"),
};
#define TRAININGS (sizeof trainings / sizeof *trainings)

/* Some 0, some above 1, none the same as its neighbour. */
static void add_weights(problem *problem) {
    const size_t rows = problem->dataset.rows;
    MUST(allocate(&problem->dataset.weights, rows, sizeof(float), "weights", error));
    for (size_t row = 0; row < rows; row++)
        problem->dataset.weights[row] = (float)(row * 37 % 101) * 0x1.47ae14p-5f;
}

static void check_recorded(backend *backend, size_t wave_tiles, const char *how) {
    for (size_t i = 0; i < TRAININGS; i++) {
        const training *training = &trainings[i];
        problem problem = problem_create(&training->network);
        const step_options options = {
            .batch_rows = training->batch_rows, .shuffle = true, .seed = 3, .wave_tiles = wave_tiles};
        char digest[TANDA_DIGEST_SIZE];
        add_weights(&problem);
        digest_after(backend, &problem, &options, training->steps, digest);
        cr_expect_str_eq(digest, training->recorded, "%s on %s, %s: %s", training->name,
                         backend_title(backend), how, digest);
        problem_free(&problem);
    }
}

Test(weights, trained_weights_are_the_recorded_ones_for_any_number_of_threads) {
    static const size_t threads[] = {1, 2, 3, 8};
    check_threads(check_recorded, threads, sizeof threads / sizeof *threads);
}

Test(weights, trained_weights_are_the_recorded_ones_on_every_instruction_set) {
    check_instruction_sets(check_recorded);
}

Test(weights, trained_weights_are_the_recorded_ones_on_pocl, .fini = forget_opencl) {
    backend *backend = open_named("pocl");
    if (backend == NULL) return;
    check_recorded(backend, 0, "its own waves");
    check_recorded(backend, 1, "waves of 1 tile");
    tanda_device_close(backend);
}

/* ---- what they do ------------------------------------------------------------------------------------- */

static float times(float value, float weight) {
    float product = value * weight;
    return fabsf(product) < 0x1p-100f ? 0.0f : product;
}

static void expect_weighed(const capture *weighed, const capture *plain, tensor_role role, const char *name) {
    const network *network = weighed->problem->network;
    const size_t last = network->layer_count - 1, units = role == TENSOR_LOSS ? 1 : network->units[last];
    const float *got = captured(weighed, role, last), *without = captured(plain, role, last);
    for (size_t i = 0; i < weighed->rows * units; i++) {
        const float expected = times(without[i], weighed->problem->dataset.weights[i / units]);
        cr_assert_eq(bits_of_float(got[i]), bits_of_float(expected), "%s %zu: %a, expected %a", name, i,
                     (double)got[i], (double)expected);
    }
}

static void check_products(backend *backend) {
    for (size_t i = 0; i < TRAININGS; i++) {
        problem problem = problem_create(&trainings[i].network);
        capture plain = capture_step(backend, &problem, NULL);
        add_weights(&problem);
        capture weighed = capture_step(backend, &problem, NULL);
        expect_weighed(&weighed, &plain, TENSOR_LOSS, "loss");
        expect_weighed(&weighed, &plain, TENSOR_DELTA, "delta");
        cr_expect_eq(weighed.result.correct, plain.result.correct);
        capture_free(&weighed);
        capture_free(&plain);
        problem_free(&problem);
    }
}

Test(weights, losses_and_deltas_are_multiplied_on_openmp) {
    backend *backend = open_best_openmp(2);
    check_products(backend);
    tanda_device_close(backend);
}

Test(weights, losses_and_deltas_are_multiplied_on_pocl, .fini = forget_opencl) {
    backend *backend = open_named("pocl");
    if (backend == NULL) return;
    check_products(backend);
    tanda_device_close(backend);
}

/* Keras: the loss of a row is the mean over its outputs. */
Test(weights, a_row_of_several_targets_has_the_mean_of_their_squares) {
    backend *backend = open_best_openmp(2);
    problem problem = problem_create(&trainings[3].network);
    const step_options options = {.batch_rows = 100, .shuffle = false};
    capture capture = capture_step(backend, &problem, &options);
    const float *output = captured(&capture, TENSOR_OUTPUT, 1), *losses = captured(&capture, TENSOR_LOSS, 1);
    cr_assert_eq(problem.dataset.target_count, 3);
    for (size_t row = 0; row < capture.rows; row++) {
        double expected = 0.0;
        for (size_t h = 0; h < 3; h++) {
            const double error = (double)output[row * 3 + h] - (double)problem.dataset.targets[row * 3 + h];
            expected += error * error / 3.0;
        }
        cr_assert_lt(fabs((double)losses[row] - expected), 8.0 * U * (expected + 1.0), "row %zu", row);
    }
    capture_free(&capture);
    problem_free(&problem);
    tanda_device_close(backend);
}

/* Both fused and op by op: what is kept runs the single ops. */
static void check_ones(backend *backend) {
    for (size_t i = 0; i < TRAININGS; i++) {
        problem problem = problem_create(&trainings[i].network);
        step_options options = {.batch_rows = trainings[i].batch_rows, .shuffle = true, .seed = 3};
        char without[TANDA_DIGEST_SIZE], with[TANDA_DIGEST_SIZE], kept[TANDA_DIGEST_SIZE];
        digest_after(backend, &problem, &options, trainings[i].steps, without);
        add_weights(&problem);
        for (size_t row = 0; row < problem.dataset.rows; row++)
            problem.dataset.weights[row] = 1.0f;
        digest_after(backend, &problem, &options, trainings[i].steps, with);
        options.keep = true;
        digest_after(backend, &problem, &options, trainings[i].steps, kept);
        cr_expect_str_eq(with, without, "%s", trainings[i].name);
        cr_expect_str_eq(kept, without, "%s", trainings[i].name);
        problem_free(&problem);
    }
}

Test(weights, of_1_change_no_bit_on_openmp) {
    backend *backend = open_best_openmp(2);
    check_ones(backend);
    tanda_device_close(backend);
}

Test(weights, of_1_change_no_bit_on_pocl, .fini = forget_opencl) {
    backend *backend = open_named("pocl");
    if (backend == NULL) return;
    check_ones(backend);
    tanda_device_close(backend);
}

/* ---- the numbers of Keras -------------------------------------------------------------------------------- */

/*
 * Keras 3.15.1 on JAX: logistic regression on breast_cancer.csv, standardised, full batch, SGD(0.5), sample_weight =
 * (1 + row % 4) / 2 times scikit-learn 1.9.1's compute_class_weight("balanced"), from tanda's first weights: its
 * history's first and last of 100 losses. The same in double gives 0.9708502324 and 0.0887351911.
 */
#define KERAS_FIRST 0.9708502889
#define KERAS_LAST 0.0887352079

typedef struct history {
    double first, last;
} history;

static void keep_loss(const tanda_epoch *epoch, void *context) {
    history *history = context;
    if (epoch->epoch == 1) history->first = epoch->loss;
    history->last = epoch->loss;
}

Test(weights, of_rows_and_classes_give_the_losses_of_keras) {
    tanda_dataset *dataset = NULL;
    tanda_model *model = NULL;
    scaling scaling = {0};
    double balanced[2];
    history history = {0};
    tanda_train_result result;
    backend *backend = open_best_openmp(2);
    MUST(tanda_dataset_load(TANDA_SOURCE_DIR "/datasets/breast_cancer.csv", NULL, &dataset, error));
    MUST(fit_scaling(TANDA_SCALE_STANDARD, dataset->values, dataset->rows, dataset->features, &scaling,
                     error));
    MUST(dataset_scale(dataset, &scaling, error));
    MUST(allocate(&dataset->weights, dataset->rows, sizeof(float), "weights", error));
    for (size_t row = 0; row < dataset->rows; row++)
        dataset->weights[row] = (float)(1 + row % 4) * 0.5f;
    MUST(class_weights_balanced(dataset, balanced, error));
    cr_expect_lt(fabs(balanced[0] - 0.79691877) + fabs(balanced[1] - 1.34198113), 2e-8);
    MUST(class_weights_apply(dataset, balanced, error));
    MUST(model_create(dataset->features, 1, NULL, (size_t[]){1}, (activation[]){ACTIVATION_SIGMOID},
                      LOSS_BINARY_CROSSENTROPY, TANDA_TASK_CLASSES, &model, error));
    model_initialise(model, 0);
    const tanda_train_options options = {.size = sizeof options,
                                         .epochs = 100,
                                         .learning_rate = 0.5,
                                         .on_epoch = keep_loss,
                                         .context = &history};
    MUST(tanda_train(backend, model, dataset, NULL, &options, &result, error));
    cr_expect_lt(fabs(history.first / KERAS_FIRST - 1.0), 1e-6, "%.10f", history.first);
    cr_expect_lt(fabs(history.last / KERAS_LAST - 1.0), 1e-6, "%.10f", history.last);
    tanda_model_free(model);
    tanda_dataset_free(dataset);
    scaling_free(&scaling);
    tanda_device_close(backend);
}
