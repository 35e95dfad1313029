/* The seam's functions: each goes to the open backend's own. */
#include "backend/backend.h"

#include <stdlib.h>

#include "support/memory.h"

size_t update_state_count(update_rule rule) {
#define RULE_STATES(name, states) states,
    static const size_t counts[] = {UPDATE_RULE_LIST(RULE_STATES)};
#undef RULE_STATES
    return counts[rule];
}

tanda_status backend_buffer(backend *backend, size_t bytes, const void *contents, buffer **result,
                            tanda_error *error) {
    return backend->interface->buffer(backend, bytes, contents, result, error);
}

void backend_buffer_free(backend *backend, buffer *buffer) {
    if (buffer != NULL) backend->interface->buffer_free(backend, buffer);
}

void backend_lend(backend *backend, buffer *buffer) {
    if (backend->interface->lend != NULL) backend->interface->lend(backend, buffer);
}

tanda_status backend_upload(backend *backend, buffer *target, const void *source, size_t bytes,
                            tanda_error *error) {
    return backend->interface->upload(backend, target, source, bytes, error);
}

tanda_status backend_download(backend *backend, buffer *source, void *target, size_t bytes,
                              tanda_error *error) {
    return backend->interface->download(backend, source, target, bytes, error);
}

/* The initial value for every parameter, and +0 for padding. */
static void fill_state(const plan *plan, float value, float *packed) {
    for (size_t i = 0; i < plan->parameter_count; i++)
        packed[i] = 0.0f;
    for (size_t l = 0; l < plan->layer_count; l++) {
        const packed_layer *layer = &plan->layers[l];
        for (size_t h = 0; h < layer->outputs; h++) {
            packed[layer->bias + h] = value;
            for (size_t k = 0; k < layer->inputs; k++)
                packed[layer->weight + k * layer->stride + h] = value;
        }
    }
}

static tanda_status begin_state(backend *backend, const plan *plan, const update_settings *settings,
                                program *program, tanda_error *error) {
    float *packed = NULL;
    if (!plan->training || settings->initial_state == 0.0f) return TANDA_OK;
    tanda_status status = allocate(&packed, plan->parameter_count, sizeof *packed, "optimizer state", error);
    if (status != TANDA_OK) return status;
    fill_state(plan, settings->initial_state, packed);
    status = backend_write_state(backend, program, 0, packed, error);
    free(packed);
    return status;
}

tanda_status backend_compile(backend *backend, const plan *plan, const program_options *options,
                             program **result, tanda_error *error) {
    program *made = NULL;
    tanda_status status = backend->interface->compile(backend, plan, options, &made, error);
    if (status == TANDA_OK) status = begin_state(backend, plan, &options->update, made, error);
    if (status != TANDA_OK) {
        backend_program_free(backend, made);
        return status;
    }
    *result = made;
    return TANDA_OK;
}

void backend_program_free(backend *backend, program *program) {
    if (program != NULL) backend->interface->program_free(backend, program);
}

const char *backend_notes(const backend *backend, const program *program) {
    return backend->interface->notes != NULL ? backend->interface->notes(program) : "";
}

tanda_status backend_run(backend *backend, program *program, uint64_t first_step, size_t steps,
                         bool with_loss, tanda_error *error) {
    return backend_run_at(backend, program, first_step, steps, NULL, with_loss, error);
}

tanda_status backend_run_at(backend *backend, program *program, uint64_t first_step, size_t steps,
                            const update_rates *rates, bool with_loss, tanda_error *error) {
    return backend->interface->run(backend, program, first_step, steps, rates, with_loss, error);
}

tanda_status backend_results(backend *backend, program *program, step_result *results, tanda_error *error) {
    return backend->interface->results(backend, program, results, error);
}

tanda_status backend_read(backend *backend, program *program, const tensor *tensor, float *values,
                          tanda_error *error) {
    return backend->interface->read(backend, program, tensor, values, error);
}

tanda_status backend_sweep(backend *backend, program *program, const tensor *tensor, size_t first_row,
                           size_t rows, float *values, tanda_error *error) {
    return backend->interface->sweep(backend, program, tensor, first_row, rows, values, error);
}

tanda_status backend_read_gradient(backend *backend, program *program, float *packed, tanda_error *error) {
    return backend->interface->read_gradient(backend, program, packed, error);
}

tanda_status backend_read_state(backend *backend, program *program, size_t index, float *packed,
                                tanda_error *error) {
    return backend->interface->read_state(backend, program, index, packed, error);
}

tanda_status backend_write_state(backend *backend, program *program, size_t index, const float *packed,
                                 tanda_error *error) {
    return backend->interface->write_state(backend, program, index, packed, error);
}

tanda_status backend_probe(backend *backend, unsigned function, size_t count, const float *a, const float *b,
                           const float *c, float *result, tanda_error *error) {
    return backend->interface->probe(backend, function, count, a, b, c, result, error);
}

tanda_status backend_generate(backend *backend, const synthetic_source *source, const uint64_t *rows,
                              size_t count, float *features, uint32_t *labels, tanda_error *error) {
    return backend->interface->generate(backend, source, rows, count, features, labels, error);
}

tanda_status backend_finish(backend *backend, tanda_error *error) {
    return backend->interface->finish(backend, error);
}

tanda_status backend_limits(backend *backend, bool briefly, device_limits *limits, tanda_error *error) {
    *limits = (device_limits){0};
    if (backend->interface->limits == NULL) return TANDA_OK;
    return backend->interface->limits(backend, briefly, limits, error);
}
