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

tanda_status backend_rows(backend *backend, const void *values, size_t rows, size_t width, bool moved,
                          buffer **result, tanda_error *error) {
    size_t bytes = 0;
    if (multiply_overflows(rows, width * sizeof(float), &bytes))
        return fail(error, TANDA_FAILED, "%zu x %zu values are too many", rows, width);
    return backend->interface->rows(backend, values, rows, width, moved, result, error);
}

tanda_status backend_refill(backend *backend, buffer *buffer, const void *values, size_t rows, size_t width,
                            tanda_error *error) {
    return backend->interface->refill(backend, buffer, values, rows, width, error);
}

tanda_status backend_reserve_rows(backend *backend, size_t rows, size_t width, buffer **result,
                                  tanda_error *error) {
    return backend->interface->reserve(backend, rows, width, result, error);
}

tanda_status backend_settle(backend *backend, buffer *buffer, tanda_error *error) {
    if (backend->interface->settle == NULL) return TANDA_OK;
    return backend->interface->settle(backend, buffer, error);
}

tanda_status backend_maker(backend *backend, const row_recipe *recipe, const row_order *order,
                           row_maker **result, tanda_error *error) {
    *result = NULL;
    if (!backend->copies_rows || backend->interface->maker == NULL) return TANDA_OK;
    return backend->interface->maker(backend, recipe, order, result, error);
}

void backend_maker_free(backend *backend, row_maker *maker) {
    if (maker != NULL) backend->interface->maker_free(backend, maker);
}

tanda_status backend_make_rows(backend *backend, row_maker *maker, uint64_t epoch, size_t first, size_t rows,
                               buffer *features, buffer *labels, tanda_error *error) {
    return backend->interface->make_rows(backend, maker, epoch, first, rows, features, labels, error);
}

void *backend_room(backend *backend, size_t bytes) {
    void *made = backend->interface->room != NULL ? backend->interface->room(backend, bytes) : NULL;
    return made != NULL ? made : allocate_untouched(bytes);
}

void backend_room_free(backend *backend, void *memory) {
    if (backend->interface->room_free == NULL || !backend->interface->room_free(backend, memory))
        free(memory);
}

void backend_share_cores(backend *backend, bool shares) {
    if (backend->interface->share_cores != NULL) backend->interface->share_cores(backend, shares);
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
