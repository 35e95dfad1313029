/*
 * One row through one step of a training: everything that is computed on its way, in the bits of the device, and beside each
 * derivative its finite difference in double. The tensors are those that the lockstep compares (lockstep.h).
 */
#ifndef TANDA_VERIFY_TRACE_H
#define TANDA_VERIFY_TRACE_H

#include "verify/trace_types.h"

typedef struct trace_options {
    lockstep_options training; /* its steps, dropout and on_step are not looked at */
    uint64_t step;             /* from 1; 0: the first in which the row is */
    size_t row;                /* from 1; 0: the first of the step */
} trace_options;

/*
 * Trains up to the step with exact arithmetic, and keeps that one. TANDA_USAGE for a row that is not in the step, and for
 * more than can be followed; TANDA_FAILED when the training diverges. trace is released with trace_free whatever is returned.
 */
tanda_status trace_run(backend *backend, const tanda_model *model, const tanda_dataset *dataset,
                       const trace_options *options, trace *trace, tanda_error *error);
void trace_free(trace *trace);

typedef struct derivative_counts {
    size_t all, corners, differing;
} derivative_counts;

derivative_counts trace_count(const trace *trace);

#endif
