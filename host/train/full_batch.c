#include "train/full_batch.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/memory.h"
#include "support/text.h"
#include "train/lbfgs.h"

struct full_batch {
    full_batch_training training;
    lbfgs lbfgs;
    objective objective;
    bool is_started;
    step_result latest; /* of the latest evaluation */
};

/* Biases are free of it. */
static double penalty(const full_batch *state, const float *packed) {
    const plan *plan = state->training.session->plan;
    double squares = 0.0;
    for (size_t l = 0; l < plan->layer_count; l++) {
        const packed_layer *layer = &plan->layers[l];
        const float *weight = packed + layer->weight;
        squares += lbfgs_product(weight, weight, layer->inputs * layer->stride);
    }
    return 0.5 * state->training.options->optimizer.l2 * squares;
}

static tanda_status evaluate(void *context, const float *packed, double *value, float *gradient,
                             tanda_error *error) {
    full_batch *state = context;
    session *session = state->training.session;
    step_result *latest = &state->latest;
    tanda_status status = session_write_parameters(session, packed, error);
    status = stepper_run_one(state->training.stepper, status, latest, error);
    if (status == TANDA_OK) status = session_read_gradient(session, gradient, error);
    status = hosts_agree(state->training.options->hosts, status, NULL, error);
    if (status != TANDA_OK) return status;
    *value = (double)latest->loss / (double)state->training.rows + penalty(state, packed);
    if (latest->not_finite != 0) *value = NAN;
    return TANDA_OK;
}

tanda_status full_batch_check(const tanda_train_options *options, size_t layers, tanda_error *error) {
    if (options->batch_rows != 0)
        return fail(error, TANDA_USAGE, "batch_rows: %zu; lbfgs sees all rows in each iteration, give 0",
                    options->batch_rows);
    if (!schedule_is_constant(&options->schedule))
        return fail(error, TANDA_USAGE, "schedule: lbfgs has no learning rate to change; leave it constant");
    for (size_t i = 0; options->dropout != NULL && i < layers; i++)
        if (options->dropout[i] > 0.0)
            return fail(error, TANDA_USAGE,
                        "dropout: lbfgs needs the same function in every pass; use another optimizer, or l2");
    return TANDA_OK;
}

tanda_status full_batch_create(const full_batch_training *training, full_batch **result, tanda_error *error) {
    const size_t count = training->session->plan->parameter_count;
    const size_t history = (size_t)training->options->optimizer.history;
    const tanda_status status = allocate(result, 1, sizeof **result, "L-BFGS", error);
    if (status != TANDA_OK) return status;
    (*result)->training = *training;
    (*result)->objective = (objective){evaluate, *result, count};
    return lbfgs_create(count, history, &(*result)->lbfgs, error);
}

void full_batch_free(full_batch *state) {
    if (state == NULL) return;
    lbfgs_free(&state->lbfgs);
    free(state);
}

/* ---- state ----------------------------------------------------------------------------------------------- */

size_t full_batch_state_count(const full_batch *state) {
    return 2 * state->lbfgs.history;
}

static float *vector_at(const full_batch *state, size_t index) {
    const lbfgs *lbfgs = &state->lbfgs;
    return index < lbfgs->history ? lbfgs->steps + index * lbfgs->size
                                  : lbfgs->changes + (index - lbfgs->history) * lbfgs->size;
}

void full_batch_read_state(const full_batch *state, size_t index, float *packed) {
    memcpy(packed, vector_at(state, index), state->lbfgs.size * sizeof *packed);
}

void full_batch_write_state(full_batch *state, size_t index, const float *packed) {
    memcpy(vector_at(state, index), packed, state->lbfgs.size * sizeof *packed);
    state->is_started = false;
}

/* ---- iterations ------------------------------------------------------------------------------------------ */

/* From the parameters on the device: value and gradient come out as they were when the pairs were made. */
static tanda_status start(full_batch *state, tanda_error *error) {
    tanda_status status = session_read_parameters(state->training.session, state->lbfgs.point, error);
    state->lbfgs.pairs = state->training.progress->pairs;
    if (status == TANDA_OK) status = lbfgs_start(&state->lbfgs, &state->objective, error);
    if (status == TANDA_OK && !isfinite(state->lbfgs.value))
        return fail(error, TANDA_FAILED, "diverged: the loss of the first weights is not finite");
    state->is_started = status == TANDA_OK;
    return status;
}

static void tell_end(const full_batch *state, const char *what, const char *advice) {
    const tanda_train_options *options = state->training.options;
    const lbfgs *lbfgs = &state->lbfgs;
    char note[200];
    if (options->on_note == NULL) return;
    text_put(note, sizeof note, "%s after %llu passes over the rows: the largest derivative is %.3g%s", what,
             (unsigned long long)lbfgs->evaluations, lbfgs_gradient_norm(lbfgs), advice);
    options->on_note(note, options->context);
}

static bool has_converged(const full_batch *state) {
    return lbfgs_gradient_norm(&state->lbfgs) <= state->training.options->optimizer.tolerance;
}

static void note_iteration(const full_batch *state, lbfgs_outcome outcome) {
    progress *progress = state->training.progress;
    const bool converged = has_converged(state);
    progress->step++;
    progress->pairs = state->lbfgs.pairs;
    progress->running.loss = (double)state->latest.loss;
    progress->running.correct = state->latest.correct;
    progress->stopping.stopped |= converged || outcome == LBFGS_STUCK;
    if (converged)
        tell_end(state, "converged", "");
    else if (outcome == LBFGS_STUCK)
        tell_end(state, "no lower point within binary32", "");
}

tanda_status full_batch_advance(full_batch *state, tanda_error *error) {
    lbfgs_outcome outcome = LBFGS_MOVED;
    tanda_status status = state->is_started ? TANDA_OK : start(state, error);
    if (status == TANDA_OK)
        status = lbfgs_iterate(&state->lbfgs, &state->objective, state->training.options->optimizer.tolerance,
                               &outcome, error);
    if (status == TANDA_OK && outcome == LBFGS_STUCK) {
        /* The line search has left another point on the device. */
        double value = 0.0;
        status = evaluate(state, state->lbfgs.point, &value, state->lbfgs.trial_gradient, error);
    }
    if (status == TANDA_OK) note_iteration(state, outcome);
    return status;
}

tanda_status full_batch_end(full_batch *state, tanda_train_result *result, tanda_error *error) {
    const tanda_status status = state->is_started ? TANDA_OK : start(state, error);
    if (status != TANDA_OK) return status;
    result->largest_derivative = lbfgs_gradient_norm(&state->lbfgs);
    result->converged = has_converged(state);
    if (!result->converged && !state->training.progress->stopping.stopped)
        tell_end(state, "not converged: the epochs ended", "; more of them go on");
    return TANDA_OK;
}
