/*
 * A step in halves: sums of some of its tiles, which the caller adds by the tree of contract 4, and the update from them.
 * They give the bits of the whole step, on every backend and by every executor.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backend/executor.h"
#include "kernels/tree.h"
#include "support/memory.h"
#include "support_updates.h"

#define STEPS 4
#define MOST_PIECES 16

/* ---- trainings ------------------------------------------------------------------------------------------- */

typedef struct training {
    network network;
    size_t batch_rows; /* 0: all */
    bool shuffle, weighted;
    const double *dropout;
    const char *update; /* of support_updates.h, or NULL */
} training;

#define NETWORK(rows, features, count, units, activations, loss) \
    { rows, features, count, units, activations, LOSS_##loss, TANDA_TASK_CLASSES, CONTENT_REAL }
#define LIST(...) \
    { __VA_ARGS__ }

static const double dropped[MOST_LAYERS] = {0.1, 0.5, 0.25};

static const training trainings[] = {
    {.network = NETWORK(2381, 13, 1, LIST(1), LIST(ACTIVATION_SIGMOID), BINARY_CROSSENTROPY),
     .weighted = true},
    {.network = NETWORK(2500, 7, 1, LIST(1), LIST(ACTIVATION_SIGMOID), MSE),
     .batch_rows = 1200,
     .shuffle = true,
     .update = "Adam"},
    {.network = NETWORK(2381, 9, 3, LIST(24, 5, 3),
                        LIST(ACTIVATION_RELU, ACTIVATION_TANH, ACTIVATION_SOFTMAX), CATEGORICAL_CROSSENTROPY),
     .batch_rows = 1300,
     .shuffle = true,
     .dropout = dropped,
     .update = "Adam, clipped by norm, with L1"},
    {.network = NETWORK(520, 20, 2, LIST(49, 4), LIST(ACTIVATION_GELU, ACTIVATION_SOFTMAX),
                        CATEGORICAL_CROSSENTROPY),
     .weighted = true},
};
#define TRAININGS (sizeof trainings / sizeof *trainings)

static void weigh(problem *problem) {
    MUST(allocate(&problem->dataset.weights, problem->dataset.rows, sizeof(float), "weights", error));
    for (size_t i = 0; i < problem->dataset.rows; i++)
        problem->dataset.weights[i] = 0.25f * (float)(i % 7);
}

/* ---- a step in pieces ------------------------------------------------------------------------------------ */

static void add(const plan *plan, const partial_sum *waiting, partial_sum *sum) {
    for (size_t i = 0; i < plan->parameter_count; i++)
        sum->gradient[i] = waiting->gradient[i] + sum->gradient[i];
    sum->loss = waiting->loss + sum->loss;
    sum->correct += waiting->correct;
}

static void copy(const plan *plan, const partial_sum *from, partial_sum *to) {
    float *gradient = to->gradient;
    memcpy(gradient, from->gradient, plan->parameter_count * sizeof *gradient);
    *to = *from;
    to->gradient = gradient;
}

/* The sums of `tiles` tiles in pieces of a power of two of them, added by the tree. */
static void add_pieces(session *session, uint64_t step, size_t tiles, size_t piece, partial_sum *waiting,
                       partial_sum *sum) {
    for (size_t first = 0; first < tiles; first += piece) {
        const size_t left = tiles - first, index = first / piece;
        uint level = 0;
        MUST(session_partial(session, step, first, left < piece ? left : piece, true, sum, error));
        for (; tree_climbs(index, left <= piece, level); level++)
            if (tree_takes(index, level)) add(session->plan, &waiting[level], sum);
        if (left > piece) copy(session->plan, sum, &waiting[level]);
    }
}

static void run_in_pieces(execution *execution, size_t batch_rows, size_t piece, step_result *results) {
    session *session = &execution->session;
    const size_t rows = execution->problem->dataset.rows;
    partial_sum sums[MOST_PIECES] = {{0}};
    for (size_t i = 0; i < MOST_PIECES; i++)
        MUST(allocate(&sums[i].gradient, session->plan->parameter_count, sizeof(float), "sums", error));
    for (uint64_t step = 0; step < STEPS; step++) {
        const size_t tiles =
            tiles_of(batch_size(rows, batch_rows, (size_t)(step % steps_per_epoch(rows, batch_rows))));
        const update_rates *rates = execution->rates != NULL ? execution->rates + step : NULL;
        add_pieces(session, step, tiles, piece, sums + 1, &sums[0]);
        MUST(session_apply(session, step, rates, &sums[0], &results[step], error));
    }
    for (size_t i = 0; i < MOST_PIECES; i++)
        free(sums[i].gradient);
}

/* ---- against whole steps --------------------------------------------------------------------------------- */

typedef struct outcome {
    step_result results[STEPS];
    float *parameters, *gradient;
    size_t count;
} outcome;

/* piece: tiles of a piece; 0: whole steps. */
static outcome train(backend *backend, const problem *problem, const step_options *options, size_t piece) {
    execution execution = execution_create(backend, problem, options);
    outcome made = {.count = execution.session.plan->parameter_count};
    const size_t batch_rows = options->batch_rows == 0 ? problem->dataset.rows : options->batch_rows;
    if (piece == 0)
        execution_run(&execution, 0, STEPS, made.results);
    else
        run_in_pieces(&execution, batch_rows, piece, made.results);
    made.parameters = execution_parameters(&execution);
    MUST(allocate(&made.gradient, made.count, sizeof(float), "gradient", error));
    MUST(session_read_gradient(&execution.session, made.gradient, error));
    execution_free(&execution);
    return made;
}

static void free_outcome(outcome *outcome) {
    free(outcome->parameters);
    free(outcome->gradient);
}

static void expect_same(const outcome *whole, const outcome *made, const char *how) {
    const size_t bytes = whole->count * sizeof(float);
    cr_expect_eq(memcmp(whole->parameters, made->parameters, bytes), 0, "weights %s", how);
    cr_expect_eq(memcmp(whole->gradient, made->gradient, bytes), 0, "gradient %s", how);
    for (size_t s = 0; s < STEPS; s++) {
        const step_result *one = &whole->results[s], *other = &made->results[s];
        cr_expect_eq(bits_of_float(one->loss), bits_of_float(other->loss), "loss of step %zu %s", s, how);
        cr_expect(one->correct == other->correct && one->not_finite == other->not_finite,
                  "results of step %zu %s: %u and %u", s, how, one->correct, other->correct);
    }
}

/* By the executor that is forced on the backend, where it fits; pieces of 16 tiles are the whole step. */
static void compare_pieces(backend *backend, const problem *problem, const step_options *options,
                           const outcome *whole) {
    static const size_t pieces[] = {0, 1, 2, 4, 8, 16};
    char text[NETWORK_TEXT_SIZE], how[400];
    for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++) {
        outcome made = train(backend, problem, options, pieces[i]);
        snprintf(how, sizeof how, "of %s on %s by %s, pieces of %zu tiles, waves of %zu",
                 network_text(problem->network, text), backend_title(backend), backend->executor, pieces[i],
                 options->wave_tiles);
        expect_same(whole, &made, how);
        free_outcome(&made);
    }
}

static void check_training(backend *backend, const training *training, size_t wave_tiles) {
    problem problem = problem_create(&training->network);
    if (training->weighted) weigh(&problem);
    update_rates rates[UPDATE_STEPS];
    step_options options = {.batch_rows = training->batch_rows,
                            .shuffle = training->shuffle,
                            .seed = 5,
                            .wave_tiles = wave_tiles,
                            .dropout = training->dropout};
    if (training->update != NULL) {
        const update_case *row = update_case_named(training->update);
        fill_rates(row, rates);
        options.update = row->settings;
        options.rates = rates;
    }
    backend->executor = NULL;
    outcome whole = train(backend, &problem, &options, 0);
    const executor *const *executors = backend->interface->executors;
    for (size_t i = 0; executors[i] != NULL; i++) {
        if (!executor_fits(backend, executors[i], &problem, &options)) continue;
        backend->executor = executors[i]->name;
        compare_pieces(backend, &problem, &options, &whole);
    }
    free_outcome(&whole);
    problem_free(&problem);
}

static void check_backend(backend *backend, size_t wave_tiles, const char *how) {
    (void)how;
    for (size_t i = 0; i < TRAININGS; i++)
        check_training(backend, &trainings[i], wave_tiles);
}

Test(partials, of_any_pieces_make_the_step_for_any_number_of_threads) {
    static const size_t threads[] = {1, 3};
    check_threads(check_backend, threads, sizeof threads / sizeof *threads);
}

Test(partials, of_any_pieces_make_the_step_on_every_instruction_set) {
    check_instruction_sets(check_backend);
}

Test(partials, of_any_pieces_make_the_step_on_pocl, .fini = forget_opencl) {
    if (!use_opencl("pocl")) return;
    backend *backend = open_opencl(NULL);
    if (backend->interface->programs.partial != NULL)
        check_backend(backend, 0, "");
    else
        fprintf(stderr, "SKIPPED: OpenCL makes no partial sums\n");
    tanda_device_close(backend);
}
