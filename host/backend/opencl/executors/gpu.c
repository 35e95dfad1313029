#include "backend/opencl/executors/gpu.h"

bool opencl_gpu_fits(const backend *backend, const char **lack) {
    const opencl_backend_state *state = (const opencl_backend_state *)backend;
    return opencl_holds(state->local_bytes >= GPU_LOCAL_BYTES,
                        "a device with less than 32 KB of local memory", lack) &&
           opencl_holds(state->most_group >= GPU_GROUP, "a device with work-groups below 256", lack);
}

bool opencl_gpu_suits(const backend *backend, const plan *plan, const program_options *options) {
    const opencl_backend_state *state = (const opencl_backend_state *)backend;
    (void)plan, (void)options;
    return !state->is_cpu && state->has_local;
}

cl_mem opencl_memory_or_any(const program *program, const buffer *buffer) {
    return buffer != NULL ? buffer->memory : program->options.features->memory;
}

uint opencl_loss_op_of(const op *op) {
    switch (op->kind) {
    case OP_loss_binary_crossentropy:
        return LOSS_OP_BINARY;
    case OP_loss_mse:
        return LOSS_OP_SQUARED;
    case OP_loss_categorical_crossentropy:
        return LOSS_OP_CATEGORICAL;
    case OP_loss_elements:
        return LOSS_OP_ELEMENTS;
    default:
        return LOSS_OP_NONE;
    }
}

bool opencl_rows_are_aligned(const program_options *options, size_t features) {
    void *host = NULL; /* of each part, as a part begins with a row */
    if (options->features != NULL)
        clGetMemObjectInfo(options->features->memory, CL_MEM_HOST_PTR, sizeof host, &host, NULL);
    return features % 4 == 0 && (uintptr_t)host % 16 == 0;
}

const char *opencl_gpu_order_option(const program *program) {
    return program->options.shuffle == SHUFFLE_WINDOW ? " -DWINDOWS=1" : "";
}

launch opencl_launch_behind(const context *c, cl_kernel kernel, cl_uint fixed) {
    launch launch = launch_of(c->state, kernel);
    launch.local[0] = GPU_GROUP;
    launch.arguments = fixed;
    return launch;
}
