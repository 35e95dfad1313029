#include "backend/opencl/executors/fused.h"

bool opencl_holds(bool condition, const char *otherwise, const char **lack) {
    if (!condition) *lack = otherwise;
    return condition;
}

bool opencl_is_free(const program_options *options, const char **lack) {
    const bool is_free = options->math == TANDA_MATH_EXACT || options->gemm == TANDA_GEMM_AUTO;
    return opencl_holds(is_free, "a choice of who multiplies", lack);
}

bool opencl_labels_are_whole(const program_options *options, const char **lack) {
    return opencl_holds(opencl_is_whole(options->labels) && opencl_is_whole(options->weights),
                        "labels in several buffers", lack);
}

bool opencl_rows_are_whole(const program_options *options, const char **lack) {
    return opencl_holds(opencl_is_whole(options->features), "rows in several buffers", lack) &&
           opencl_labels_are_whole(options, lack);
}

bool opencl_may_fuse(const plan *plan, const program_options *options, op_set known, const char **lack) {
    return plan_is_within(plan, known, lack) && opencl_holds(plan->training, "no training", lack) &&
           opencl_holds(!plan->keep, "tensors that are kept", lack) && opencl_is_free(options, lack) &&
           opencl_labels_are_whole(options, lack);
}

bool opencl_has_vectors(const backend *backend, const char **lack) {
    return opencl_holds(((const opencl_backend_state *)backend)->vector == 16,
                        "a device without vectors of 16 lanes", lack);
}

bool opencl_all_are_dense(const plan *plan, const char **lack) {
    size_t dense = 0;
    for (size_t i = 0; i < plan->op_count; i++)
        dense += plan->ops[i].kind == OP_dense_forward;
    return opencl_holds(dense == plan->layer_count, "layers that are not dense", lack);
}

const char *opencl_fused_notes(const program *program) {
    return program->options.math == TANDA_MATH_FAST ? "fast: the exact kernels, fused, are the quickest here"
                                                    : "";
}
