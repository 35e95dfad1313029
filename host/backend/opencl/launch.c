/* Checking, device memory and launching. */
#include <stdio.h>

#include "backend/opencl/query.h"
#include "backend/opencl/state.h"
#include "support/memory.h"

/* Nearly all that ask see the state as constant. */
static void note_failure(const opencl_backend_state *state, cl_int code) {
    ((opencl_backend_state *)state)->base.has_failed = true;
    ((opencl_backend_state *)state)->lacks_memory =
        code == CL_MEM_OBJECT_ALLOCATION_FAILURE || code == CL_OUT_OF_RESOURCES ||
        code == CL_OUT_OF_HOST_MEMORY || code == CL_INVALID_BUFFER_SIZE;
}

tanda_status opencl_check(const opencl_backend_state *state, cl_int code, const char *call,
                          tanda_error *error) {
    char text[CODE_TEXT_SIZE];
    if (code == CL_SUCCESS) return TANDA_OK;
    note_failure(state, code);
    return fail(error, TANDA_DEVICE, "%s (%s): %s: %s", state->base.information.id,
                state->base.information.name, call, opencl_code_text(code, text));
}

tanda_status opencl_make_memory(const opencl_backend_state *state, size_t count, size_t size, cl_mem *memory,
                                tanda_error *error) {
    size_t bytes = 0;
    cl_int code = CL_SUCCESS;
    if (multiply_overflows(count, size, &bytes))
        return fail(error, TANDA_FAILED, "%zu items of %zu bytes are more than this machine can address",
                    count, size);
    *memory = clCreateBuffer(state->context, CL_MEM_READ_WRITE, bytes, NULL, &code);
    if (code == CL_SUCCESS) {
        cl_uint zero = 0;
        code = clEnqueueFillBuffer(state->queue, *memory, &zero, sizeof zero, 0, bytes, 0, NULL, NULL);
    }
    if (code == CL_SUCCESS) return TANDA_OK;
    note_failure(state, code);
    return fail(error, TANDA_DEVICE, "%s (%s): no device memory for %zu bytes (%d)",
                state->base.information.id, state->base.information.name, bytes, code);
}

tanda_status opencl_write_memory(const opencl_backend_state *state, cl_mem memory, size_t offset,
                                 const void *source, size_t bytes, tanda_error *error) {
    cl_int code = clEnqueueWriteBuffer(state->queue, memory, CL_TRUE, offset, bytes, source, 0, NULL, NULL);
    return opencl_check(state, code, "clEnqueueWriteBuffer", error);
}

tanda_status opencl_read_floats(const opencl_backend_state *state, cl_mem memory, size_t offset, size_t count,
                                void *target, tanda_error *error) {
    cl_int code = clEnqueueReadBuffer(state->queue, memory, CL_TRUE, offset * sizeof(float),
                                      count * sizeof(float), target, 0, NULL, NULL);
    return opencl_check(state, code, "clEnqueueReadBuffer", error);
}

void opencl_release(cl_mem *memory) {
    if (*memory != NULL) clReleaseMemObject(*memory);
    *memory = NULL;
}

launch launch_of(opencl_backend_state *state, cl_kernel kernel) {
    return (launch){.state = state, .kernel = kernel, .local = {state->group, 1, 1}};
}

static void give(launch *launch, size_t size, const void *value) {
    cl_int code = clSetKernelArg(launch->kernel, launch->arguments++, size, value);
    if (launch->code == CL_SUCCESS) launch->code = code;
}

void give_memory(launch *launch, cl_mem memory) {
    give(launch, sizeof memory, &memory);
}

void give_arguments(launch *launch, const void *arguments, size_t size) {
    give(launch, size, arguments);
}

tanda_status opencl_launch(launch *launch, size_t items_0, size_t items_1, size_t items_2,
                           tanda_error *error) {
    opencl_backend_state *state = launch->state;
    tanda_status status = opencl_check(state, launch->code, "clSetKernelArg", error);
    if (status != TANDA_OK) return status;
    const size_t *local = launch->local;
    const size_t items[3] = {round_up(items_0, local[0]), round_up(items_1, local[1]),
                             round_up(items_2, local[2])};
    cl_int code = clEnqueueNDRangeKernel(state->queue, launch->kernel, 3, NULL, items, local, 0, NULL, NULL);
    return opencl_check(state, code, "clEnqueueNDRangeKernel", error);
}
