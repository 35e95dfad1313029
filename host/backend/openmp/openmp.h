/* The OpenMP backend's own types, shared by openmp.c (device) and program.c (execution). */
#ifndef TANDA_OPENMP_OPENMP_H
#define TANDA_OPENMP_OPENMP_H

#include "backend/openmp/tile.h"

typedef struct openmp_backend_state {
    backend base;
    size_t threads;
    const cpu_functions *functions;
} openmp_backend_state;

struct buffer {
    void *data;
    bool borrowed; /* data is the caller's */
};

tanda_status openmp_compile(backend *backend, const plan *plan, const program_options *options,
                            program **result, tanda_error *error);
void openmp_program_free(backend *backend, program *program);
tanda_status openmp_run(backend *backend, program *program, uint64_t first_step, size_t steps, bool with_loss,
                        tanda_error *error);
tanda_status openmp_results(backend *backend, program *program, step_result *results, tanda_error *error);
tanda_status openmp_read(backend *backend, program *program, const tensor *tensor, float *values,
                         tanda_error *error);
tanda_status openmp_read_gradient(backend *backend, program *program, float *packed, tanda_error *error);

#endif
