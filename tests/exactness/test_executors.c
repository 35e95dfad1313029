/*
 * Executors: all that fit a training give the same bits, forced or not; the one that is taken by itself is the one that
 * suits it; and one that does not know an op of it says so.
 */
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backend/executor.h"
#include "support_network.h"

#define STEPS 5
#define UNITS 2 /* compute units that the choice is made for, whatever the machine has */

#define RELU ACTIVATION_RELU
#define TANH ACTIVATION_TANH
#define GELU ACTIVATION_GELU
#define SOFTMAX ACTIVATION_SOFTMAX
#define SIGMOID ACTIVATION_SIGMOID
#define IDENTITY ACTIVATION_IDENTITY
#define BINARY LOSS_BINARY_CROSSENTROPY, TANDA_TASK_CLASSES, CONTENT_REAL
#define CATEGORICAL LOSS_CATEGORICAL_CROSSENTROPY, TANDA_TASK_CLASSES, CONTENT_REAL
#define SQUARED LOSS_MSE, TANDA_TASK_REGRESSION, CONTENT_REAL
#define ABSOLUTE LOSS_MAE, TANDA_TASK_REGRESSION, CONTENT_REAL

/* A training, and who computes it on PoCL where nobody is forced. */
typedef struct training {
    network network;
    size_t batch_rows; /* 0: all */
    float clip_norm;
    const char *on_pocl;
    double dropout[MOST_LAYERS]; /* of each layer's inputs */
} training;

static const training trainings[] = {
    {{600, 20, 1, {1}, {SIGMOID}, BINARY}, 0, 0.0f, "perceptron"},
    {{3000, 20, 1, {1}, {SIGMOID}, BINARY}, 1400, 0.0f, "perceptron"},
    {{2100, 50, 1, {1}, {IDENTITY}, SQUARED}, 0, 0.25f, "perceptron"},
    {{200, 30, 1, {10}, {SOFTMAX}, CATEGORICAL}, 0, 0.0f, "steps"},
    {{200, 40, 2, {16, 3}, {RELU, SOFTMAX}, CATEGORICAL}, 32, 0.0f, "steps"},
    {{200, 40, 2, {16, 3}, {RELU, SOFTMAX}, CATEGORICAL}, 32, 0.25f, "network"},
    {{768, 17, 2, {20, 1}, {TANH, SIGMOID}, BINARY}, 0, 0.0f, "network"},
    {{1100, 17, 2, {20, 1}, {TANH, SIGMOID}, BINARY}, 0, 0.0f, "tiles"},
    {{33, 100, 3, {300, 257, 5}, {RELU, TANH, SOFTMAX}, CATEGORICAL}, 0, 0.0f, "steps"},
    {{257, 13, 2, {24, 1}, {RELU, IDENTITY}, SQUARED}, 0, 0.0f, "network"},
    {{57, 13, 1, {1}, {IDENTITY}, ABSOLUTE}, 0, 0.0f, "steps"},
    {{65, 13, 1, {3}, {IDENTITY}, ABSOLUTE}, 0, 0.0f, "ops"},
    {{90, 7, 1, {2}, {TANH}, ABSOLUTE}, 32, 0.0f, "ops"},
    {{9000, 5, 1, {1}, {SIGMOID}, BINARY}, 0, 0.0f, "perceptron"},
    {{600, 1030, 1, {1}, {IDENTITY}, SQUARED}, 0, 0.0f, "perceptron"},
    {{700, 32, 3, {64, 64, 2}, {RELU, GELU, SOFTMAX}, CATEGORICAL}, 600, 0.0f, "steps", {0.0, 0.25, 0.5}},
    {{150, 270, 3, {20, 7, 1}, {GELU, TANH, IDENTITY}, ABSOLUTE}, 70, 0.0f, "steps", {0.25, 0.5}},
    {{40, 5, 2, {300, 1}, {RELU, SIGMOID}, BINARY}, 33, 0.0f, "steps"},
};
#define TRAININGS (sizeof trainings / sizeof *trainings)

static step_options options_of(const training *training) {
    return (step_options){.batch_rows = training->batch_rows,
                          .shuffle = true,
                          .seed = 3,
                          .dropout = training->dropout,
                          .update = {.constants = {.clip_norm = training->clip_norm}}};
}

/* What a training leaves behind. */
typedef struct outcome {
    size_t count;
    float *parameters;
    step_result results[STEPS];
    char executor[32];
} outcome;

static outcome train(backend *backend, const problem *problem, const step_options *options) {
    outcome made;
    execution execution = execution_create(backend, problem, options);
    execution_run(&execution, 0, STEPS, made.results);
    made.count = execution.session.plan->parameter_count;
    made.parameters = execution_parameters(&execution);
    snprintf(made.executor, sizeof made.executor, "%s", session_executor(&execution.session));
    execution_free(&execution);
    return made;
}

static void expect_same(const outcome *one, const outcome *other, const char *how) {
    cr_assert_eq(one->count, other->count);
    cr_expect_eq(memcmp(one->results, other->results, sizeof one->results), 0, "%s: other results", how);
    for (size_t i = 0; i < one->count; i++)
        if (bits_of_float(one->parameters[i]) != bits_of_float(other->parameters[i])) {
            cr_expect(false, "%s: parameter %zu is %a, not %a", how, i, (double)other->parameters[i],
                      (double)one->parameters[i]);
            return;
        }
}

/* A plan and options as session_create makes them, for questions. */
static plan *plan_of(const problem *problem) {
    plan *made = NULL;
    MUST(plan_create(problem->model, &(plan_options){.training = true, .with_loss = true}, &made, error));
    return made;
}

static program_options question_of(const problem *problem, const step_options *options) {
    return (program_options){.rows = problem->dataset.rows,
                             .batch_rows =
                                 options->batch_rows != 0 ? options->batch_rows : problem->dataset.rows,
                             .shuffle = options->shuffle,
                             .update = options->update,
                             .wave_tiles = options->wave_tiles};
}

/* Every executor that fits, forced; how many there were. */
static size_t force_all(backend *backend, const problem *problem, const step_options *options,
                        const outcome *expected, const char *text) {
    size_t fitting = 0;
    for (const executor *const *at = backend->interface->executors; *at != NULL; at++) {
        char how[320];
        if (!executor_fits(backend, *at, problem, options)) continue;
        backend->executor = (*at)->name;
        outcome got = train(backend, problem, options);
        snprintf(how, sizeof how, "%s, %s, waves of %zu: %s", backend_title(backend), backend->executor,
                 options->wave_tiles, text);
        cr_expect_str_eq(got.executor, backend->executor, "%s", how);
        expect_same(expected, &got, how);
        free(got.parameters);
        fitting++;
    }
    backend->executor = NULL;
    return fitting;
}

static void check_training(backend *reference, backend *backend, const training *training,
                           step_options options, bool with_choice) {
    char text[NETWORK_TEXT_SIZE];
    problem problem = problem_create(&training->network);
    step_options in_waves = options;
    outcome expected = train(reference, &problem, &options), got = train(backend, &problem, &options);
    in_waves.wave_tiles = 2;
    network_text(&training->network, text);
    expect_same(&expected, &got, text);
    if (with_choice) cr_expect_str_eq(got.executor, training->on_pocl, "%s: %s", text, got.executor);
    cr_expect_gt(force_all(backend, &problem, &options, &expected, text), 0, "%s: none fits", text);
    cr_expect_gt(force_all(backend, &problem, &in_waves, &expected, text), 0, "%s: none fits", text);
    free(expected.parameters);
    free(got.parameters);
    problem_free(&problem);
}

static void check_trainings(backend *backend, bool with_choice) {
    struct tanda_device *reference = open_best_openmp(1);
    for (size_t i = 0; i < TRAININGS; i++)
        check_training(reference, backend, &trainings[i], options_of(&trainings[i]), with_choice);
    tanda_device_close(reference);
    tanda_device_close(backend);
}

/* Of mini-batches. */
typedef struct window_case {
    size_t training, block, window;
} window_case;

/*
 * Windows end inside batches, tiles and groups of 16 rows, and STEPS reach the next epoch; a block is shorter, and so is a
 * window. Those in front have all kinds of kernels that find rows: of others, whose kernels for windows are built by
 * themselves, OpenCL would compile more of the same.
 */
static const window_case window_cases[] = {{1, 7, 1400}, {4, 3, 12}, {16, 4, 28},   {1, 64, 192}, {4, 16, 48},
                                           {5, 8, 512},  {12, 1, 5}, {15, 32, 256}, {17, 10, 10}};
#define WINDOW_CASES (sizeof window_cases / sizeof *window_cases)
#define FRONT_CASES 2

static void check_windows(backend *backend, size_t cases) {
    struct tanda_device *reference = open_best_openmp(1);
    for (size_t i = 0; i < cases; i++) {
        const training *training = &trainings[window_cases[i].training];
        step_options options = options_of(training);
        options.shuffle = SHUFFLE_WINDOW;
        options.shuffle_block = window_cases[i].block;
        options.shuffle_window = window_cases[i].window;
        check_training(reference, backend, training, options, false);
    }
    tanda_device_close(reference);
    tanda_device_close(backend);
}

Test(openmp, all_executors_take_rows_by_windows_alike) {
    check_windows(open_best_openmp(2), WINDOW_CASES);
}

Test(pocl, all_executors_take_rows_by_windows_alike, .fini = forget_opencl) {
    if (use_opencl("pocl")) check_windows(open_opencl(NULL), FRONT_CASES);
}

static backend *open_with_units(void) {
    backend *opened = open_opencl(NULL);
    opened->information.compute_units = UNITS;
    return opened;
}

Test(openmp, all_executors_that_fit_give_the_same_bits) {
    check_trainings(open_best_openmp(2), false);
}

Test(pocl, all_executors_that_fit_give_the_same_bits_and_the_best_is_taken, .fini = forget_opencl) {
    if (use_opencl("pocl")) check_trainings(open_with_units(), true);
}

/* As on a GPU of many units: 301 tiles are as many slots, of which each part has several blocks. */
Test(pocl, gpu_perceptron_adds_up_many_slots, .fini = forget_opencl) {
    const training many = {{76900, 1, 1, {1}, {SIGMOID}, BINARY}, 0, 0.0f, "perceptron"};
    const step_options options = options_of(&many);
    if (!use_opencl("pocl")) return;
    backend *reference = open_best_openmp(1), *backend = open_opencl(NULL);
    problem problem = problem_create(&many.network);
    outcome expected = train(reference, &problem, &options);
    backend->information.compute_units = 64;
    for (int one = 0; one < 2; one++) {
        backend->executor = one ? "gpu_perceptron_one" : "gpu_perceptron";
        outcome got = train(backend, &problem, &options);
        expect_same(&expected, &got, backend->executor);
        free(got.parameters);
    }
    backend->executor = NULL;
    free(expected.parameters);
    problem_free(&problem);
    tanda_device_close(reference);
    tanda_device_close(backend);
}

/* As of a mapped file. PoCL reads rows where they lie, by 16 bytes where these have such a place. */
static void move_rows(problem *problem, float *values) {
    const size_t count = problem->dataset.rows * problem->dataset.features;
    memcpy(values, problem->dataset.values, count * sizeof *values);
    problem->dataset.values = values;
}

Test(pocl, rows_may_lie_anywhere_in_the_memory_of_the_host, .fini = forget_opencl) {
    static const struct {
        size_t training;
        const char *executor;
    } cases[] = {{0, "gpu_perceptron"}, {4, "gpu_dense"}};
    static _Alignas(16) float memory[1 + 600 * 20];
    if (!use_opencl("pocl")) return;
    backend *reference = open_best_openmp(1), *backend = open_opencl(NULL);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const step_options options = options_of(&trainings[cases[i].training]);
        problem problem = problem_create(&trainings[cases[i].training].network);
        outcome expected = train(reference, &problem, &options);
        move_rows(&problem, memory + 1);
        backend->executor = cases[i].executor;
        outcome got = train(backend, &problem, &options);
        expect_same(&expected, &got, cases[i].executor);
        free(expected.parameters);
        free(got.parameters);
        problem_free(&problem);
    }
    tanda_device_close(reference);
    tanda_device_close(backend);
}

/* ---- lanes without rows ----------------------------------------------------------------------------------------- */

#define EXPONENTIAL ACTIVATION_EXPONENTIAL

static const training idle_trainings[] = {
    {{261, 4, 3, {20, 40, 3}, {EXPONENTIAL, EXPONENTIAL, SOFTMAX}, CATEGORICAL}, 0, 0.0f, NULL},
    {{5, 4, 2, {4, 1}, {EXPONENTIAL, SIGMOID}, BINARY}, 0, 0.0f, NULL},
    {{5, 4, 1, {1}, {EXPONENTIAL}, SQUARED}, 0, 0.0f, NULL},
    {{290, 4, 2, {300, 20}, {EXPONENTIAL, IDENTITY}, SQUARED}, 0, 0.0f, NULL},
};

#define IDLE_TRAININGS (sizeof idle_trainings / sizeof *idle_trainings)

/* exp of a bias of the first layer is infinite, and that of each row's sum is exp(-2). */
static void raise_biases(problem *problem, float *values) {
    for (size_t i = 0; i < problem->dataset.rows * problem->dataset.features; i++)
        values[i] = 0.505f;
    problem->dataset.values = values;
    const layer *first = &problem->model->layers[0];
    for (size_t i = 0; i < first->outputs * first->fan_in; i++)
        problem->model->parameters[first->weight + i] = -100.0f;
    for (size_t i = 0; i < first->outputs; i++)
        problem->model->parameters[first->bias + i] = 200.0f;
}

static void check_idle_lanes(backend *backend, size_t cases) {
    static float values[290 * 4];
    struct tanda_device *reference = open_best_openmp(1);
    for (size_t i = 0; i < cases; i++) {
        char text[NETWORK_TEXT_SIZE];
        const step_options options = options_of(&idle_trainings[i]);
        problem problem = problem_create(&idle_trainings[i].network);
        raise_biases(&problem, values);
        outcome expected = train(reference, &problem, &options);
        network_text(problem.network, text);
        for (size_t k = 0; k < expected.count; k++)
            cr_assert(isfinite(expected.parameters[k]), "%s: parameter %zu", text, k);
        cr_expect_gt(force_all(backend, &problem, &options, &expected, text), 0, "%s: none fits", text);
        free(expected.parameters);
        problem_free(&problem);
    }
    tanda_device_close(reference);
    tanda_device_close(backend);
}

Test(openmp, lanes_without_rows_do_no_harm) {
    check_idle_lanes(open_best_openmp(2), IDLE_TRAININGS);
}

Test(pocl, lanes_without_rows_do_no_harm, .fini = forget_opencl) {
    if (use_opencl("pocl")) check_idle_lanes(open_opencl(NULL), 2);
}

/* Where compute units are many, blocks are small and chunks have groups of their own; a narrow layer adds those before it. */
static const training small_trainings[] = {
    {{33, 514, 3, {20, 514, 5}, {RELU, TANH, SOFTMAX}, CATEGORICAL}, 0, 0.0f, NULL},
    {{70, 514, 2, {20, 3}, {RELU, SOFTMAX}, CATEGORICAL}, 32, 0.0f, NULL},
    {{40, 9, 1, {1100}, {SOFTMAX}, CATEGORICAL}, 0, 0.0f, NULL},
    {{300, 9, 2, {16, 17}, {RELU, SOFTMAX}, CATEGORICAL}, 0, 0.0f, NULL},
    {{20, 9, 1, {300}, {TANH}, ABSOLUTE}, 0, 0.0f, NULL},
};

static void force_gpu(backend *reference, backend *backend, const training *training) {
    char text[NETWORK_TEXT_SIZE];
    problem problem = problem_create(&training->network);
    const step_options options = options_of(training);
    outcome expected = train(reference, &problem, &options);
    network_text(&training->network, text);
    backend->executor = "gpu_dense";
    outcome got = train(backend, &problem, &options);
    expect_same(&expected, &got, text);
    free(expected.parameters);
    free(got.parameters);
    problem_free(&problem);
}

Test(pocl, a_device_of_many_units_gets_small_blocks_and_the_same_bits, .fini = forget_opencl) {
    if (!use_opencl("pocl")) return;
    struct tanda_device *reference = open_best_openmp(1);
    backend *backend = open_with_units();
    backend->information.compute_units = 132;
    for (size_t i = 0; i < sizeof small_trainings / sizeof *small_trainings; i++)
        force_gpu(reference, backend, &small_trainings[i]);
    tanda_device_close(reference);
    tanda_device_close(backend);
}

/* ---- what they do not know --------------------------------------------------------------------------------- */

/* One that does not fit is refused by name and reason, where a training is forced onto it. */
static void expect_refusal(backend *backend, const training *training, const char *executor,
                           const char *reason) {
    problem problem = problem_create(&training->network);
    const step_options options = options_of(training);
    const program_options question = question_of(&problem, &options);
    const struct executor *chosen = NULL;
    plan *plan = plan_of(&problem);
    tanda_error error = {0};
    backend->executor = executor;
    cr_expect_eq(executor_choose(backend, plan, &question, &chosen, &error), TANDA_DEVICE);
    cr_expect_not_null(strstr(error.message, executor), "%s", error.message);
    cr_expect_not_null(strstr(error.message, reason), "%s", error.message);
    backend->executor = NULL;
    plan_free(plan);
    problem_free(&problem);
}

/* A training with an op that it does not have: an executor that lists what it knows refuses it. */
static void expect_unknown_op(backend *backend, tile_op op) {
    const training *training = &trainings[0];
    problem problem = problem_create(&training->network);
    const step_options options = options_of(training);
    const program_options question = question_of(&problem, &options);
    const struct executor *chosen = NULL;
    plan *plan = plan_of(&problem);
    for (size_t i = 0; i < plan->op_count; i++)
        if (&plan->ops[i] == plan->loss) plan->ops[i].kind = op;
    MUST(executor_choose(backend, plan, &question, &chosen, error));
    for (const executor *const *at = backend->interface->executors; *at != chosen; at++) {
        const char *lack = "";
        /* Those of GPUs, some of which know every op, are not taken here. */
        if ((*at)->suits != NULL && !(*at)->suits(backend, plan, &question)) continue;
        cr_expect_not((*at)->fits(backend, plan, &question, &lack), "%s", (*at)->name);
        cr_expect_str_eq(lack, tile_op_name(op), "%s lacks %s", (*at)->name, lack);
    }
    cr_expect_str_eq(chosen->name, "ops");
    plan_free(plan);
    problem_free(&problem);
}

Test(pocl, an_executor_refuses_what_it_does_not_know_and_names_it, .fini = forget_opencl) {
    if (!use_opencl("pocl")) return;
    backend *backend = open_with_units();
    expect_refusal(backend, &trainings[10], "perceptron", "loss_elements");
    expect_refusal(backend, &trainings[11], "network", "several labels");
    expect_refusal(backend, &trainings[11], "tiles", "several labels");
    expect_refusal(backend, &trainings[11], "steps", "several labels");
    expect_refusal(backend, &trainings[5], "steps", "norm");
    expect_unknown_op(backend, OP_softmax);
    tanda_device_close(backend);
}
