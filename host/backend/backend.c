/* The seam's functions: each goes to the open backend's own. */
#include "backend/backend.h"

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

tanda_status backend_compile(backend *backend, const plan *plan, const program_options *options,
                             program **result, tanda_error *error) {
    return backend->interface->compile(backend, plan, options, result, error);
}

void backend_program_free(backend *backend, program *program) {
    if (program != NULL) backend->interface->program_free(backend, program);
}

const char *backend_notes(const backend *backend, const program *program) {
    return backend->interface->notes != NULL ? backend->interface->notes(program) : "";
}

tanda_status backend_run(backend *backend, program *program, uint64_t first_step, size_t steps,
                         bool with_loss, tanda_error *error) {
    return backend->interface->run(backend, program, first_step, steps, with_loss, error);
}

tanda_status backend_results(backend *backend, program *program, step_result *results, tanda_error *error) {
    return backend->interface->results(backend, program, results, error);
}

tanda_status backend_read(backend *backend, program *program, const tensor *tensor, float *values,
                          tanda_error *error) {
    return backend->interface->read(backend, program, tensor, values, error);
}

tanda_status backend_read_gradient(backend *backend, program *program, float *packed, tanda_error *error) {
    return backend->interface->read_gradient(backend, program, packed, error);
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
