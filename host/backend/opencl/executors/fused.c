#include "backend/opencl/executors/fused.h"

bool opencl_holds(bool condition, const char *otherwise, const char **lack) {
    if (!condition) *lack = otherwise;
    return condition;
}

bool opencl_may_fuse(const backend *backend, const plan *plan, const program_options *options, op_set known,
                     const char **lack) {
    const opencl_backend_state *state = (const opencl_backend_state *)backend;
    const bool is_free = options->math == TANDA_MATH_EXACT || options->gemm == TANDA_GEMM_AUTO;
    return plan_is_within(plan, known, lack) && opencl_holds(plan->training, "no training", lack) &&
           opencl_holds(!plan->keep, "tensors that are kept", lack) &&
           opencl_holds(is_free, "a choice of who multiplies", lack) &&
           opencl_holds(state->vector == 16, "a device without vectors of 16 lanes", lack);
}

const char *opencl_fused_notes(const program *program) {
    return program->options.math == TANDA_MATH_FAST ? "fast: the exact kernels, fused, are the quickest here"
                                                    : "";
}
