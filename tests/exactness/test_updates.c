/*
 * The parameter update: every rule against its formula in double precision, the same bits on every backend, in every
 * wave and fused or not, and state that is read on one device and written to another.
 */
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support_checks.h"
#include "support_updates.h"

#define STEPS 6

/* A perceptron; layers narrow and wide with a ragged tile; one too wide for a chunk of squares. */
static const network shapes[] = {
    {700, 13, 1, {1}, {ACTIVATION_SIGMOID}, LOSS_BINARY_CROSSENTROPY, TANDA_TASK_CLASSES, CONTENT_REAL},
    {607,
     9,
     3,
     {17, 5, 3},
     {ACTIVATION_TANH, ACTIVATION_RELU, ACTIVATION_SOFTMAX},
     LOSS_CATEGORICAL_CROSSENTROPY,
     TANDA_TASK_CLASSES,
     CONTENT_REAL},
    {300,
     70,
     2,
     {40, 1},
     {ACTIVATION_RELU, ACTIVATION_IDENTITY},
     LOSS_MSE,
     TANDA_TASK_REGRESSION,
     CONTENT_REAL},
};
#define SHAPES (sizeof shapes / sizeof *shapes)

/* ---- the formulas --------------------------------------------------------------------------------------- */

/* A training with the update under test, and one of the same model that only makes gradients. */
typedef struct pair {
    execution trained, bare;
    const update_case *row;
    update_rates rates[UPDATE_STEPS];
    float *before, *after, *gradient, *derivative;
    float *old_state[MOST_UPDATE_STATES], *new_state[MOST_UPDATE_STATES];
} pair;

static void make_step(pair *pair, uint64_t step) {
    const size_t count = pair->trained.session.plan->parameter_count,
                 states = update_state_count(pair->row->settings.rule);
    pair->before = execution_parameters(&pair->trained);
    for (size_t i = 0; i < states; i++)
        pair->old_state[i] = execution_state(&pair->trained, i);
    MUST(session_write_parameters(&pair->bare.session, pair->before, error));
    execution_run(&pair->bare, step, 1, NULL);
    execution_run(&pair->trained, step, 1, NULL);
    pair->after = execution_parameters(&pair->trained);
    for (size_t i = 0; i < states; i++)
        pair->new_state[i] = execution_state(&pair->trained, i);
    pair->gradient = calloc(count, sizeof *pair->gradient);
    pair->derivative = calloc(count, sizeof *pair->derivative);
    MUST(session_read_gradient(&pair->bare.session, pair->gradient, error));
    MUST(session_read_gradient(&pair->trained.session, pair->derivative, error));
}

static void forget_step(pair *pair) {
    free(pair->before);
    free(pair->after);
    free(pair->gradient);
    free(pair->derivative);
    for (size_t i = 0; i < MOST_UPDATE_STATES; i++) {
        free(pair->old_state[i]);
        free(pair->new_state[i]);
        pair->old_state[i] = pair->new_state[i] = NULL;
    }
}

static double norm_of(const float *values, size_t count) {
    double squares = 0.0;
    for (size_t i = 0; i < count; i++)
        squares += (double)values[i] * (double)values[i];
    return sqrt(squares);
}

static bool lies_in_bias(const plan *plan, size_t at) {
    bool found = false;
    for (size_t l = 0; l < plan->layer_count; l++)
        found |= at >= plan->layers[l].bias && at < plan->layers[l].bias + plan->layers[l].stride;
    return found;
}

/* Clipping, then the penalties of weights. */
static double derivative_oracle(const pair *pair, size_t at, double norm) {
    const update_constants *c = &pair->row->settings.constants;
    double g = (double)pair->gradient[at], w = (double)pair->before[at];
    if (c->clip_norm > 0.0f && norm > (double)c->clip_norm) g *= (double)c->clip_norm / norm;
    if (c->clip_value > 0.0f) g = fmax(-(double)c->clip_value, fmin(g, (double)c->clip_value));
    if (lies_in_bias(pair->trained.session.plan, at)) return g;
    return g + (double)c->l2 * w + (double)c->l1 * (double)((w > 0.0) - (w < 0.0));
}

static void expect_near(const pair *pair, const char *what, size_t at, double got, double expected,
                        double scale) {
    cr_assert(fabs(got - expected) <= 16.0 * U * scale + TINY, "%s, %s of parameter %zu: %.9g, expected %.9g",
              pair->row->name, what, at, got, expected);
}

/* The derivative from the gradient, then weight and state from the derivative that was used. */
static void check_step(const pair *pair, uint64_t step) {
    const size_t count = pair->trained.session.plan->parameter_count,
                 states = update_state_count(pair->row->settings.rule);
    const double norm = norm_of(pair->gradient, count);
    for (size_t i = 0; i < count; i++) {
        double w = (double)pair->before[i], g = (double)pair->derivative[i], state[MOST_UPDATE_STATES] = {0};
        double wanted = derivative_oracle(pair, i, norm);
        expect_near(pair, "derivative", i, g, wanted,
                    fabs(wanted) + fabs((double)pair->gradient[i]) + fabs(w) * 0.02);
        for (size_t s = 0; s < states; s++)
            state[s] = (double)pair->old_state[s][i];
        double expected = update_oracle(pair->row, &pair->rates[step], w, g, state);
        for (size_t s = 0; s < states; s++)
            expect_near(pair, "state", i, (double)pair->new_state[s][i], state[s],
                        fabs(state[s]) + fabs((double)pair->old_state[s][i]) + g * g);
        expect_near(pair, "weight", i, (double)pair->after[i], expected, fabs(w) + 4.0 * fabs(expected - w));
    }
}

static void check_formula(backend *backend, const problem *problem, const update_case *row) {
    pair pair = {.row = row};
    fill_rates(row, pair.rates);
    step_options options = {.batch_rows = 250, .shuffle = true, .update = row->settings, .rates = pair.rates};
    pair.trained = execution_create(backend, problem, &options);
    options.update = (update_settings){.rule = UPDATE_nothing};
    pair.bare = execution_create(backend, problem, &options);
    for (uint64_t step = 0; step < STEPS; step++) {
        make_step(&pair, step);
        check_step(&pair, step);
        forget_step(&pair);
    }
    execution_free(&pair.trained);
    execution_free(&pair.bare);
}

static void check_formulas(const char *name) {
    backend *backend = open_named(name);
    if (backend == NULL) return;
    for (size_t s = 0; s < SHAPES; s++) {
        problem problem = problem_create(&shapes[s]);
        for (size_t i = 0; i < update_case_count; i++)
            check_formula(backend, &problem, &update_cases[i]);
        problem_free(&problem);
    }
    tanda_device_close(backend);
}

Test(updates, follow_their_formulas_on_openmp) {
    check_formulas("x86-64-v3");
}

Test(updates, follow_their_formulas_on_pocl, .fini = forget_opencl) {
    check_formulas("pocl");
}

/* ---- equal bits ----------------------------------------------------------------------------------------- */

/* Weights and state after some steps. */
typedef struct outcome {
    size_t floats;
    float *values; /* (1 + states, parameters) */
} outcome;

static outcome outcome_of(execution *execution, const update_case *row) {
    const size_t count = execution->session.plan->parameter_count,
                 states = update_state_count(row->settings.rule);
    outcome made = {.floats = (1 + states) * count, .values = calloc((1 + states) * count, sizeof(float))};
    for (size_t i = 0; i <= states; i++) {
        float *packed = i == 0 ? execution_parameters(execution) : execution_state(execution, i - 1);
        memcpy(made.values + i * count, packed, count * sizeof *packed);
        free(packed);
    }
    return made;
}

static outcome train(backend *backend, const problem *problem, const update_case *row, step_options options) {
    update_rates rates[UPDATE_STEPS];
    fill_rates(row, rates);
    options.update = row->settings;
    options.rates = rates;
    options.shuffle = true;
    execution execution = execution_create(backend, problem, &options);
    execution_run(&execution, 0, STEPS, NULL);
    outcome made = outcome_of(&execution, row);
    execution_free(&execution);
    return made;
}

static void expect_same(const outcome *one, outcome *other, const update_case *row, const char *how) {
    cr_expect(memcmp(one->values, other->values, one->floats * sizeof *one->values) == 0, "%s differs: %s",
              row->name, how);
    free(other->values);
}

static void compare_case(backend *single, backend *other, const problem *problem, const update_case *row) {
    static const size_t batches[] = {0, 64, 250};
    for (size_t b = 0; b < sizeof batches / sizeof *batches; b++) {
        step_options options = {.batch_rows = batches[b]};
        outcome expected = train(single, problem, row, options), found = train(other, problem, row, options);
        expect_same(&expected, &found, row, backend_title(other));
        options.wave_tiles = 1;
        found = train(other, problem, row, options);
        expect_same(&expected, &found, row, "waves of 1 tile");
        options.keep = true;
        found = train(other, problem, row, options);
        expect_same(&expected, &found, row, "tensors kept");
        free(expected.values);
    }
}

static void compare_with_single(const char *name, size_t threads) {
    backend *other = threads > 0 ? open_best_openmp(threads) : open_named(name);
    if (other == NULL) return;
    backend *single = open_best_openmp(1);
    for (size_t s = 0; s < SHAPES; s++) {
        problem problem = problem_create(&shapes[s]);
        for (size_t i = 0; i < update_case_count; i++)
            compare_case(single, other, &problem, &update_cases[i]);
        problem_free(&problem);
    }
    tanda_device_close(single);
    tanda_device_close(other);
}

Test(updates, have_the_same_bits_for_three_threads) {
    compare_with_single(NULL, 3);
}

Test(updates, have_the_same_bits_with_avx2) {
    compare_with_single("x86-64-v3", 0);
}

Test(updates, have_the_same_bits_on_plain_x86_64) {
    compare_with_single("generic", 0);
}

Test(updates, have_the_same_bits_on_pocl, .fini = forget_opencl) {
    compare_with_single("pocl", 0);
}

/* ---- state moves ---------------------------------------------------------------------------------------- */

/* Three steps on one backend, the other three with its weights and state on another: the bits of six on one. */
static void continue_elsewhere(backend *from, backend *to, const update_case *row) {
    problem problem = problem_create(&shapes[1]);
    update_rates rates[UPDATE_STEPS];
    fill_rates(row, rates);
    const step_options options = {
        .batch_rows = 250, .shuffle = true, .update = row->settings, .rates = rates};
    outcome expected = train(from, &problem, row, (step_options){.batch_rows = 250});
    execution first = execution_create(from, &problem, &options),
              second = execution_create(to, &problem, &options);
    execution_run(&first, 0, 3, NULL);
    outcome half = outcome_of(&first, row);
    const size_t count = first.session.plan->parameter_count;
    MUST(session_write_parameters(&second.session, half.values, error));
    for (size_t i = 0; i < update_state_count(row->settings.rule); i++)
        MUST(session_write_state(&second.session, i, half.values + (1 + i) * count, error));
    execution_run(&second, 3, STEPS - 3, NULL);
    outcome found = outcome_of(&second, row);
    expect_same(&expected, &found, row, "continued elsewhere");
    free(expected.values);
    free(half.values);
    execution_free(&first);
    execution_free(&second);
    problem_free(&problem);
}

Test(updates, go_on_from_state_of_another_device, .fini = forget_opencl) {
    backend *cpu = open_best_openmp(2), *opencl = open_named("pocl");
    if (opencl == NULL) return;
    for (size_t i = 0; i < update_case_count; i++) {
        continue_elsewhere(cpu, opencl, &update_cases[i]);
        continue_elsewhere(opencl, cpu, &update_cases[i]);
    }
    tanda_device_close(opencl);
    tanda_device_close(cpu);
}
