#include "train/full_batch.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "support/memory.h"

/* l2 / 2 times the sum of all squared weights; biases are free of it. */
static double penalty(const plan *plan, double l2, const float *packed) {
    double squares = 0.0;
    for (size_t l = 0; l < plan->layer_count; l++) {
        const packed_layer *layer = &plan->layers[l];
        const float *weight = packed + layer->weight;
        squares += lbfgs_product(weight, weight, layer->inputs * layer->stride);
    }
    return 0.5 * l2 * squares;
}

static tanda_status evaluate(void *context, const float *packed, double *value, float *gradient,
                             tanda_error *error) {
    trainer *trainer = context;
    full_batch *state = trainer->full_batch;
    backend *backend = trainer->backend;
    const size_t bytes = trainer->plan->parameter_count * sizeof(float);
    tanda_status status = backend_upload(backend, trainer->parameters, packed, bytes, error);
    if (status == TANDA_OK) status = backend_run(backend, trainer->program, 0, 1, true, error);
    if (status == TANDA_OK) status = backend_results(backend, trainer->program, &state->latest, error);
    if (status == TANDA_OK) status = backend_read_gradient(backend, trainer->program, gradient, error);
    if (status != TANDA_OK) return status;
    const double rows = (double)trainer->training.dataset->rows;
    *value = (double)state->latest.loss / rows + penalty(trainer->plan, state->l2, packed);
    if (state->latest.not_finite != 0) *value = NAN;
    return TANDA_OK;
}

tanda_status full_batch_create(trainer *trainer, size_t history, double tolerance, double l2,
                               tanda_error *error) {
    const size_t count = trainer->plan->parameter_count;
    tanda_status status = allocate(&trainer->full_batch, 1, sizeof *trainer->full_batch, "L-BFGS", error);
    if (status != TANDA_OK) return status;
    full_batch *state = trainer->full_batch;
    state->objective = (objective){evaluate, trainer, count};
    state->tolerance = tolerance;
    state->l2 = l2;
    return lbfgs_create(count, history, &state->lbfgs, error);
}

void full_batch_free(full_batch *state) {
    if (state == NULL) return;
    lbfgs_free(&state->lbfgs);
    free(state);
}

/* From the parameters as they lie on the device. */
static tanda_status start(trainer *trainer, tanda_error *error) {
    full_batch *state = trainer->full_batch;
    tanda_status status =
        backend_download(trainer->backend, trainer->parameters, state->lbfgs.point,
                         trainer->plan->parameter_count * sizeof(float), error);
    if (status == TANDA_OK) status = lbfgs_start(&state->lbfgs, &state->objective, error);
    if (status == TANDA_OK && !isfinite(state->lbfgs.value))
        status = fail(error, TANDA_FAILED, "diverged: the loss of the first weights is not finite");
    state->is_started = status == TANDA_OK;
    return status;
}

static void tell_end(const trainer *trainer, const char *what) {
    const tanda_train_options *options = trainer->options;
    const full_batch *state = trainer->full_batch;
    char note[200];
    if (options->on_note == NULL) return;
    snprintf(note, sizeof note, "%s: the largest component of the gradient is %.3g after %llu passes over the rows",
             what, lbfgs_gradient_norm(&state->lbfgs), (unsigned long long)state->lbfgs.evaluations);
    options->on_note(note, options->context);
}

tanda_status full_batch_advance(trainer *trainer, tanda_error *error) {
    full_batch *state = trainer->full_batch;
    progress *progress = &trainer->progress;
    lbfgs_outcome outcome = LBFGS_MOVED;
    tanda_status status = state->is_started ? TANDA_OK : start(trainer, error);
    if (status == TANDA_OK)
        status = lbfgs_iterate(&state->lbfgs, &state->objective, state->tolerance, &outcome, error);
    /* A line search that failed has left another point there. */
    if (status == TANDA_OK && outcome == LBFGS_STUCK) status = start(trainer, error);
    if (status != TANDA_OK) return status;
    progress->step++;
    progress->running.loss = (double)state->latest.loss;
    progress->running.correct = state->latest.correct;
    const bool converged = lbfgs_gradient_norm(&state->lbfgs) <= state->tolerance;
    if (converged) tell_end(trainer, "converged");
    if (!converged && outcome == LBFGS_STUCK) tell_end(trainer, "as low as binary32 can tell");
    progress->stopping.stopped |= converged || outcome == LBFGS_STUCK;
    return TANDA_OK;
}
