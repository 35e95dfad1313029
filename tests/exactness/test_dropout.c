/*
 * Dropout: the masks are those of Random123 at the elements that the contract names, the same on every backend and
 * way of running a step; what is kept is scaled, and the gradient is that of the network with the mask fixed.
 */
#include <Random123/philox.h>
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/philox.h"
#include "reference.h"
#include "support/memory.h"
#include "support_checks.h"
#include "train/evaluator.h"

#define SEED UINT64_C(0x123456789abcdef0)

#define LIST(...) \
    { __VA_ARGS__ }

/* ---- the contract, written again ---------------------------------------------------------------------- */

/* The word of an element by Random123: key the seed, counter {element / 4, step, purpose << 16 | layer}. */
static uint32_t oracle_word(uint64_t seed, uint64_t element, uint32_t step, uint32_t layer) {
    const philox4x32_ctr_t counter = {
        {(uint32_t)(element / 4), (uint32_t)(element / 4 >> 32), step, PURPOSE_DROPOUT << 16 | layer}};
    const philox4x32_key_t key = {{(uint32_t)seed, (uint32_t)(seed >> 32)}};
    return philox4x32(counter, key).v[element % 4];
}

static bool is_kept(uint64_t seed, size_t position, size_t units, size_t unit, uint32_t step, size_t layer,
                    double rate) {
    return (double)oracle_word(seed, (uint64_t)position * units + unit, step, (uint32_t)layer) >=
           floor(rate * 0x1p32);
}

/* ---- masks -------------------------------------------------------------------------------------------- */

static const network deep = {
    .rows = 700,
    .features = 9,
    .layer_count = 4,
    .units = {37, 16, 33, 3},
    .activations = {ACTIVATION_TANH, ACTIVATION_RELU, ACTIVATION_IDENTITY, ACTIVATION_SOFTMAX},
    .loss = LOSS_CATEGORICAL_CROSSENTROPY,
    .task = TANDA_TASK_CLASSES};
static const double rates_of_deep[] = {0.1, 0.5, 0.25, 0.3};

/* (rows, units) before and after dropout of the inputs of a layer, in step `step`, of rows from position 0 on. */
static void check_masked(const float *before, const float *after, size_t rows, size_t units, double rate,
                         uint32_t step, size_t layer, const char *where) {
    const float scale = (float)(1.0 / (1.0 - rate));
    for (size_t row = 0; row < rows; row++)
        for (size_t unit = 0; unit < units; unit++) {
            const float value = before[row * units + unit], got = after[row * units + unit];
            const bool kept = is_kept(SEED, row, units, unit, step, layer, rate);
            cr_assert_eq(bits_of_float(got), bits_of_float(kept && value != 0.0f ? value * scale : 0.0f),
                         "%s, layer %zu, row %zu, unit %zu: %a from %a", where, layer, row, unit, (double)got,
                         (double)value);
        }
}

/* One batch of 300 rows: a full tile and a ragged one, so that positions go on beyond a tile. */
static void check_masks(backend *backend) {
    problem problem = problem_create(&deep);
    const step_options options = {
        .batch_rows = 300, .shuffle = true, .seed = SEED, .keep = true, .dropout = rates_of_deep};
    execution execution = execution_create(backend, &problem, &options);
    for (uint32_t step = 0; step < 5; step += 2) {
        const size_t rows = batch_size(deep.rows, 300, step % 3);
        execution_run(&execution, step, 1, NULL);
        for (size_t layer = 0; layer < deep.layer_count; layer++) {
            const tensor *before = layer == 0 ? plan_tensor(execution.session.plan, TENSOR_INPUT, 0)
                                              : plan_tensor(execution.session.plan, TENSOR_OUTPUT, layer - 1);
            const tensor *after = plan_tensor(execution.session.plan, TENSOR_DROPPED, layer);
            float *values[2] = {malloc(rows * before->units * sizeof(float)),
                                malloc(rows * before->units * sizeof(float))};
            MUST(session_read(&execution.session, before, values[0], error));
            MUST(session_read(&execution.session, after, values[1], error));
            check_masked(values[0], values[1], rows, before->units, rates_of_deep[layer], step, layer,
                         backend_title(backend));
            free(values[0]);
            free(values[1]);
        }
    }
    execution_free(&execution);
    problem_free(&problem);
}

Test(dropout, masks_are_random123s_on_every_instruction_set) {
    for (size_t i = 0; i < ISA_COUNT; i++) {
        backend *backend = open_openmp(isa_names[i], 2);
        if (backend == NULL) continue;
        check_masks(backend);
        tanda_device_close(backend);
    }
}

Test(dropout, masks_are_random123s_on_pocl, .fini = forget_opencl) {
    backend *backend = open_named("pocl");
    if (backend == NULL) return;
    check_masks(backend);
    tanda_device_close(backend);
}

/* ---- the same bits on every way ------------------------------------------------------------------------- */

typedef struct training {
    const char *name;
    network network;
    double rates[MOST_LAYERS];
    size_t batch_rows; /* 0: all */
    size_t steps;
    const char *recorded;
} training;

#define TRAINING(name, rows, features, count, units, activations, loss, rates, batch, steps, recorded) \
    { \
        name, {rows, features, count, units, activations, LOSS_##loss, TANDA_TASK_CLASSES, CONTENT_REAL}, \
            rates, batch, steps, recorded \
    }

static const training trainings[] = {
    TRAINING("units no multiple of 4", 700, 9, 4, LIST(37, 16, 33, 3),
             LIST(ACTIVATION_TANH, ACTIVATION_RELU, ACTIVATION_IDENTITY, ACTIVATION_SOFTMAX),
             CATEGORICAL_CROSSENTROPY, LIST(0.1, 0.5, 0.25, 0.3), 300, 10,
             "f7754efe740de886b38795aed77da3f255245b4a72d8ba0486968d57b8ba7d7a"),
    TRAINING("units a multiple of 4, one layer dropped", 1000, 20, 3, LIST(64, 32, 1),
             LIST(ACTIVATION_RELU, ACTIVATION_SIGMOID, ACTIVATION_SIGMOID), BINARY_CROSSENTROPY,
             LIST(0.0, 0.5, 0.0), 32, 70, "fc2782dc45e7cc55bf5ce98e6c1a10eb574f40894c05da6a842abb6d9880d9d1"),
    TRAINING("logistic regression of dropped inputs, full batch of 12 tiles", 3001, 30, 1, LIST(1),
             LIST(ACTIVATION_SIGMOID), BINARY_CROSSENTROPY, LIST(0.2), 0, 4,
             "19fd9f37c8584b8360708db17dc244df382b1f06192e0d8c5bb5f1b742fb3b0b"),
    TRAINING("wide, few tiles", 300, 300, 3, LIST(513, 270, 10),
             LIST(ACTIVATION_RELU, ACTIVATION_RELU, ACTIVATION_SOFTMAX), CATEGORICAL_CROSSENTROPY,
             LIST(0.2, 0.5, 0.4), 150, 3, "28c85533bc99264712f8cfdf1edd5e31ae128e9ecbd0e76f0a955035bbaac6cc"),
};
#define TRAININGS (sizeof trainings / sizeof *trainings)

static void check_recorded(backend *backend, size_t wave_tiles, const char *how) {
    for (size_t i = 0; i < TRAININGS; i++) {
        const training *training = &trainings[i];
        problem problem = problem_create(&training->network);
        const step_options options = {.batch_rows = training->batch_rows,
                                      .shuffle = true,
                                      .seed = SEED,
                                      .wave_tiles = wave_tiles,
                                      .dropout = training->rates};
        char digest[TANDA_DIGEST_SIZE];
        digest_after(backend, &problem, &options, training->steps, digest);
        cr_expect_str_eq(digest, training->recorded, "%s on %s, %s: %s", training->name,
                         backend_title(backend), how, digest);
        problem_free(&problem);
    }
}

Test(dropout, weights_are_the_recorded_ones_for_any_number_of_threads) {
    static const size_t threads[] = {1, 2, 3, 8};
    check_threads(check_recorded, threads, sizeof threads / sizeof *threads);
}

Test(dropout, weights_are_the_recorded_ones_on_every_instruction_set) {
    check_instruction_sets(check_recorded);
}

Test(dropout, weights_are_the_recorded_ones_on_pocl, .fini = forget_opencl) {
    backend *backend = open_named("pocl");
    if (backend == NULL) return;
    check_recorded(backend, 0, "its own waves");
    check_recorded(backend, 1, "waves of 1 tile");
    check_recorded(backend, 4, "waves of 4 tiles");
    tanda_device_close(backend);
}

/* Kept tensors run the single ops, a network without them what is fused. */
static void compare_keeping(backend *backend) {
    for (size_t i = 0; i < TRAININGS; i++) {
        problem problem = problem_create(&trainings[i].network);
        step_options options = {.batch_rows = trainings[i].batch_rows,
                                .shuffle = true,
                                .seed = SEED,
                                .dropout = trainings[i].rates};
        char digest[2][TANDA_DIGEST_SIZE];
        digest_after(backend, &problem, &options, 3, digest[0]);
        options.keep = true;
        digest_after(backend, &problem, &options, 3, digest[1]);
        cr_expect_str_eq(digest[0], digest[1], "%s on %s", trainings[i].name, backend_title(backend));
        problem_free(&problem);
    }
}

Test(dropout, keeping_every_tensor_changes_no_weight_on_openmp) {
    backend *backend = open_best_openmp(2);
    compare_keeping(backend);
    tanda_device_close(backend);
}

Test(dropout, keeping_every_tensor_changes_no_weight_on_pocl, .fini = forget_opencl) {
    backend *backend = open_named("pocl");
    if (backend == NULL) return;
    compare_keeping(backend);
    tanda_device_close(backend);
}

/* ---- what it does ------------------------------------------------------------------------------------- */

static size_t count_kept(double rate, size_t count) {
    size_t kept = 0;
    for (size_t element = 0; element < count; element++)
        kept += is_kept(5, element, 1, 0, 7, 1, rate);
    return kept;
}

/* Within 5 standard deviations of a binomial distribution. */
Test(dropout, a_rate_of_the_elements_is_dropped_and_the_mean_kept) {
    static const double rates[] = {0.1, 0.5, 0.9};
    for (size_t i = 0; i < 3; i++) {
        const double count = 200000.0, keep = 1.0 - rates[i];
        const double kept = (double)count_kept(rates[i], (size_t)count);
        cr_expect_lt(fabs(kept - count * keep), 5.0 * sqrt(count * keep * rates[i]), "rate %g: %g of %g kept",
                     rates[i], kept, count);
    }
}

Test(dropout, nothing_is_dropped_outside_of_training) {
    problem problem = problem_create(&deep);
    const plan_options options = {.with_loss = true, .with_prediction = true, .dropout = rates_of_deep};
    plan *plan = NULL;
    MUST(plan_create(problem.model, &options, &plan, error));
    cr_expect_not(plan->drops);
    for (size_t i = 0; i < plan->op_count; i++)
        cr_expect_neq(plan->ops[i].kind, OP_dropout_forward);
    plan_free(plan);
    problem_free(&problem);
}

static const network smooth = {.rows = 40,
                               .features = 5,
                               .layer_count = 3,
                               .units = {7, 6, 1},
                               .activations = {ACTIVATION_TANH, ACTIVATION_SIGMOID, ACTIVATION_SIGMOID},
                               .loss = LOSS_BINARY_CROSSENTROPY,
                               .task = TANDA_TASK_CLASSES};
static const double rates_of_smooth[] = {0.2, 0.5, 0.3};

/* The mean loss of step 0 with its masks, in double. */
static double loss_of(const problem *problem, const double *parameters) {
    const tanda_model *model = problem->model;
    double a[16], z[16], total = 0.0;
    for (size_t row = 0; row < problem->dataset.rows; row++) {
        for (size_t k = 0; k < model->features; k++)
            a[k] = (double)problem->dataset.values[row * model->features + k];
        for (size_t l = 0; l < model->layer_count; l++) {
            const layer *layer = &model->layers[l];
            const double rate = rates_of_smooth[l];
            for (size_t k = 0; k < layer->inputs; k++)
                a[k] = is_kept(SEED, row, layer->inputs, k, 0, l, rate) ? a[k] / (1.0 - rate) : 0.0;
            reference_dense(1, layer->inputs, layer->outputs, a, parameters + layer->weight,
                            parameters + layer->bias, z);
            for (size_t h = 0; h < layer->outputs; h++)
                a[h] = reference_activate(layer->activation, z[h]);
        }
        total += reference_loss(model->loss, ACTIVATION_SIGMOID, 1, z, problem_label(problem, row), NULL);
    }
    return total / (double)problem->dataset.rows;
}

/* Differences of 2^-16 are off by some 1e-10, and gradients of about 1e-2 in binary32 by some 1e-8. */
static void check_gradient(backend *backend) {
    problem problem = problem_create(&smooth);
    const step_options options = {.seed = SEED, .dropout = rates_of_smooth};
    capture capture = capture_step(backend, &problem, &options);
    const size_t count = problem.model->parameter_count;
    double *parameters = reference_widen(problem.model->parameters, count);
    float *gradient = NULL;
    MUST(allocate(&gradient, count, sizeof *gradient, "gradient", error));
    plan_unpack(capture.plan, capture.gradient, gradient);
    for (size_t i = 0; i < count; i++) {
        const double here = parameters[i];
        parameters[i] = here + 0x1p-16;
        const double above = loss_of(&problem, parameters);
        parameters[i] = here - 0x1p-16;
        const double slope = (above - loss_of(&problem, parameters)) / 0x1p-15;
        parameters[i] = here;
        cr_expect_lt(fabs(slope - (double)gradient[i]), 2e-7, "parameter %zu: %g, by differences %g", i,
                     (double)gradient[i], slope);
    }
    free(gradient);
    free(parameters);
    capture_free(&capture);
    problem_free(&problem);
}

Test(dropout, the_gradient_is_that_of_the_masked_network) {
    backend *backend = open_best_openmp(2);
    check_gradient(backend);
    tanda_device_close(backend);
}
