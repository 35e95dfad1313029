/* What executors have in common that compute several ops in one kernel. */
#ifndef TANDA_OPENCL_FUSED_H
#define TANDA_OPENCL_FUSED_H

#include "backend/opencl/wave.h"

/*
 * Whether the plan is a training of known ops and nobody asked who multiplies; else *lack says what is in the way. The
 * fused kernels are exact, and on CPU devices quicker than op by op with the device's own functions: so fast mode takes
 * them, too. Their work-items have 16 lanes.
 */
bool opencl_may_fuse(const backend *backend, const plan *plan, const program_options *options, op_set known,
                     const char **lack);

/* False, with what is lacking, unless a condition holds. */
bool opencl_holds(bool condition, const char *otherwise, const char **lack);

const char *opencl_fused_notes(const program *program);

#endif
