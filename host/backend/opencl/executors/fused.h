/* What executors have in common that compute several ops in one kernel. */
#ifndef TANDA_OPENCL_FUSED_H
#define TANDA_OPENCL_FUSED_H

#include "backend/opencl/wave.h"

/*
 * Whether nobody asked who multiplies; else *lack says so, as in all that follow. Fused kernels are exact, and on CPU
 * devices quicker than op by op with the device's own functions: so fast mode takes them, too.
 */
bool opencl_is_free(const program_options *options, const char **lack);

/* Whether, besides, the plan is a training of known ops that keeps nothing, and labels are in one piece. */
bool opencl_may_fuse(const plan *plan, const program_options *options, op_set known, const char **lack);

/* For kernels that read labels and weights, or features too, where they lie: each in one piece. */
bool opencl_labels_are_whole(const program_options *options, const char **lack);
bool opencl_rows_are_whole(const program_options *options, const char **lack);

/* For kernels whose work-items have 16 lanes. */
bool opencl_has_vectors(const backend *backend, const char **lack);

/* For kernels that go from layer to layer. */
bool opencl_all_are_dense(const plan *plan, const char **lack);

/* False, with what is lacking, unless a condition holds. */
bool opencl_holds(bool condition, const char *otherwise, const char **lack);

const char *opencl_fused_notes(const program *program);

#endif
