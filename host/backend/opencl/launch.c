/* Device memory and launching. */
#include <stdio.h>

#include "backend/opencl/command.h"
#include "backend/opencl/query.h"
#include "support/clock.h"
#include "support/memory.h"

tanda_status opencl_make_memory(const opencl_backend_state *state, size_t count, size_t size, cl_mem *memory,
                                tanda_error *error) {
    size_t bytes = 0;
    cl_int code = CL_SUCCESS;
    if (multiply_overflows(count, size, &bytes))
        return fail(error, TANDA_FAILED, "%zu items of %zu bytes are more than this machine can address",
                    count, size);
    *memory = clCreateBuffer(state->context, CL_MEM_READ_WRITE, bytes, NULL, &code);
    if (code != CL_SUCCESS) {
        opencl_note_failure(state, code);
        return fail(error, TANDA_DEVICE, "%s (%s): no device memory for %zu bytes (%d)",
                    state->base.information.id, state->base.information.name, bytes, code);
    }
    return opencl_clear_memory(state, *memory, 0, bytes, error);
}

/* ---- commands ------------------------------------------------------------------------------------------------ */

bool command_begin(const opencl_backend_state *state, command *command) {
    if (state->taker != NULL) {
        state->taker->take(state->taker->context, command);
        return false;
    }
    if (state->profile != NULL) command->event = &command->made;
    command->begin = state->profile != NULL ? seconds_now() : 0.0;
    return true;
}

tanda_status command_end(const opencl_backend_state *state, command *command, cl_int code, const char *call,
                         tanda_error *error) {
    if (state->profile != NULL && code == CL_SUCCESS) opencl_profile_add(state, command, seconds_now());
    return opencl_check(state, code, call, error);
}

tanda_status opencl_write_memory(const opencl_backend_state *state, cl_mem memory, size_t offset,
                                 const void *source, size_t bytes, tanda_error *error) {
    command command = {.transfer = "upload", .work.bytes = (double)bytes};
    if (!command_begin(state, &command)) return TANDA_OK;
    cl_int code =
        clEnqueueWriteBuffer(state->queue, memory, CL_TRUE, offset, bytes, source, 0, NULL, command.event);
    return command_end(state, &command, code, "clEnqueueWriteBuffer", error);
}

tanda_status opencl_read_memory(const opencl_backend_state *state, cl_mem memory, size_t offset, void *target,
                                size_t bytes, tanda_error *error) {
    command command = {.transfer = "download", .work.bytes = (double)bytes};
    if (!command_begin(state, &command)) return TANDA_OK;
    cl_int code =
        clEnqueueReadBuffer(state->queue, memory, CL_TRUE, offset, bytes, target, 0, NULL, command.event);
    return command_end(state, &command, code, "clEnqueueReadBuffer", error);
}

tanda_status opencl_read_floats(const opencl_backend_state *state, cl_mem memory, size_t offset, size_t count,
                                void *target, tanda_error *error) {
    return opencl_read_memory(state, memory, offset * sizeof(float), target, count * sizeof(float), error);
}

tanda_status opencl_clear_memory(const opencl_backend_state *state, cl_mem memory, size_t offset,
                                 size_t bytes, tanda_error *error) {
    const cl_uint zero = 0;
    command command = {.transfer = "clear", .work.bytes = (double)bytes};
    if (!command_begin(state, &command)) return TANDA_OK;
    cl_int code =
        clEnqueueFillBuffer(state->queue, memory, &zero, sizeof zero, offset, bytes, 0, NULL, command.event);
    return command_end(state, &command, code, "clEnqueueFillBuffer", error);
}

tanda_status opencl_copy_memory(const opencl_backend_state *state, cl_mem memory, size_t offset, size_t bytes,
                                tanda_error *error) {
    command command = {.transfer = "copy", .work.bytes = 2.0 * (double)bytes};
    if (!command_begin(state, &command)) return TANDA_OK;
    cl_int code = clEnqueueCopyBuffer(state->queue, memory, memory, 0, offset, bytes, 0, NULL, command.event);
    return command_end(state, &command, code, "clEnqueueCopyBuffer", error);
}

void opencl_release(cl_mem *memory) {
    if (*memory != NULL) clReleaseMemObject(*memory);
    *memory = NULL;
}

launch launch_of(opencl_backend_state *state, cl_kernel kernel) {
    return (launch){
        .state = state, .kernel = kernel, .local = {state->group, 1, 1}, .call = "clSetKernelArg"};
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
    tanda_status status = opencl_check(state, launch->code, launch->call, error);
    if (status != TANDA_OK) return status;
    const size_t *local = launch->local;
    command command = {
        .kernel = launch->kernel,
        .is_beside = launch->is_beside,
        .work = launch->work,
        .items = {round_up(items_0, local[0]), round_up(items_1, local[1]), round_up(items_2, local[2])},
        .local = {local[0], local[1], local[2]}};
    if (!command_begin(state, &command)) return TANDA_OK;
    cl_int code = clEnqueueNDRangeKernel(launch->is_beside ? state->copy_queue : state->queue, launch->kernel,
                                         3, NULL, command.items, local, 0, NULL, command.event);
    return command_end(state, &command, code, "clEnqueueNDRangeKernel", error);
}
