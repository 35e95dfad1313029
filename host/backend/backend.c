/* The seam's functions: each goes to the open backend's own. */
#include "backend/backend.h"

#include <stdlib.h>

#include "backend/executor.h"
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

tanda_status backend_rows(backend *backend, const float *values, size_t rows, size_t features, bool moved,
                          buffer **result, tanda_error *error) {
    const backend_interface *interface = backend->interface;
    size_t bytes = 0;
    if (multiply_overflows(rows, features * sizeof *values, &bytes))
        return fail(error, TANDA_FAILED, "%zu x %zu values are too many", rows, features);
    return interface->rows != NULL ? interface->rows(backend, values, rows, features, moved, result, error)
                                   : interface->buffer(backend, bytes, values, result, error);
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
    status = backend->interface->programs.write_state(backend, program, 0, packed, error);
    free(packed);
    return status;
}

tanda_status backend_compile(backend *backend, const plan *plan, const program_options *options,
                             const executor **executor, program **result, tanda_error *error) {
    program *made = NULL;
    tanda_status status = executor_choose(backend, plan, options, executor, error);
    if (status == TANDA_OK)
        status = backend->interface->programs.make(backend, plan, options, *executor, &made, error);
    if (status == TANDA_OK) status = begin_state(backend, plan, &options->update, made, error);
    if (status != TANDA_OK) {
        backend_program_free(backend, made);
        return status;
    }
    *result = made;
    return TANDA_OK;
}

void backend_program_free(backend *backend, program *program) {
    if (program != NULL) backend->interface->programs.free(backend, program);
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
