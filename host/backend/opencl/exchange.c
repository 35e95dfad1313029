/*
 * Rows that are exchanged. A device that shares the host's memory reads them where they lie. Another gets them by a queue
 * beside that of the steps, and steps over them wait for their arrival. Executors whose kernels know the buffers of rows
 * from the beginning (binds_rows) have buffers of their own, which rows are copied into on the device.
 */
#include <stdlib.h>

#include "backend/opencl/program.h"
#include "backend/step.h"
#include "support/memory.h"

/* ---- rows on their way ---------------------------------------------------------------------------------------- */

void opencl_forget_arrival(buffer *buffer) {
    if (buffer->arrival != NULL) clReleaseEvent(buffer->arrival);
    buffer->arrival = NULL;
}

/* The memory may still be that of an earlier step's arguments, which keep it. */
static tanda_status lie_elsewhere(const opencl_backend_state *state, buffer *buffer, const void *values,
                                  size_t bytes, tanda_error *error) {
    cl_int code = CL_SUCCESS;
    const cl_mem made =
        clCreateBuffer(state->context, CL_MEM_READ_ONLY | CL_MEM_USE_HOST_PTR, bytes, (void *)values, &code);
    const tanda_status status = opencl_check(state, code, "clCreateBuffer", error);
    if (status != TANDA_OK) return status;
    opencl_release(&buffer->memory);
    buffer->memory = made;
    return TANDA_OK;
}

static tanda_status send(opencl_backend_state *state, buffer *buffer, const void *values, size_t bytes,
                         tanda_error *error) {
    cl_int code = CL_SUCCESS;
    if (state->copy_queue == NULL)
        state->copy_queue = clCreateCommandQueue(state->context, state->device, 0, &code);
    tanda_status status = opencl_check(state, code, "clCreateCommandQueue", error);
    if (status != TANDA_OK) return status;
    opencl_forget_arrival(buffer);
    code = clEnqueueWriteBuffer(state->copy_queue, buffer->memory, CL_FALSE, 0, bytes, values, 0, NULL,
                                &buffer->arrival);
    status = opencl_check(state, code, "clEnqueueWriteBuffer", error);
    return status == TANDA_OK ? opencl_check(state, clFlush(state->copy_queue), "clFlush", error) : status;
}

tanda_status opencl_refill(backend *backend, buffer *buffer, const void *values, size_t rows, size_t width,
                           tanda_error *error) {
    opencl_backend_state *state = (opencl_backend_state *)backend;
    const size_t bytes = rows * width * sizeof(cl_float);
    if (!opencl_is_whole(buffer))
        return fail(error, TANDA_FAILED, "rows in several buffers are not exchanged");
    return state->shares_memory ? lie_elsewhere(state, buffer, values, bytes, error)
                                : send(state, buffer, values, bytes, error);
}

/* What is queued from now on waits for the rows. */
static tanda_status await_arrival(const opencl_backend_state *state, const buffer *buffer,
                                  tanda_error *error) {
    if (buffer == NULL || buffer->arrival == NULL) return TANDA_OK;
    return opencl_check(state, clEnqueueBarrierWithWaitList(state->queue, 1, &buffer->arrival, NULL),
                        "clEnqueueBarrierWithWaitList", error);
}

/* ---- buffers of a program's own --------------------------------------------------------------------------------- */

static tanda_status make_home(opencl_backend_state *state, size_t rows, size_t width, buffer **of_options,
                              buffer **result, tanda_error *error) {
    if (*of_options == NULL) return TANDA_OK;
    tanda_status status = allocate(result, 1, sizeof **result, "buffer", error);
    if (status != TANDA_OK) return status;
    (*result)->rows = SIZE_MAX;
    status = opencl_make_memory(state, rows * width, sizeof(cl_float), &(*result)->memory, error);
    *of_options = *result;
    return status;
}

tanda_status opencl_make_homes(opencl_backend_state *state, program *program, tanda_error *error) {
    program_options *options = &program->options;
    const plan *plan = program->plan;
    if (!options->exchanged || !program->executor->binds_rows) return TANDA_OK;
    tanda_status status =
        make_home(state, options->rows, plan->features, &options->features, &program->homes[0], error);
    if (status == TANDA_OK)
        status =
            make_home(state, options->rows, plan->labels.count, &options->labels, &program->homes[1], error);
    return status == TANDA_OK
               ? make_home(state, options->rows, 1, &options->weights, &program->homes[2], error)
               : status;
}

void opencl_free_homes(program *program) {
    for (size_t i = 0; i < ROW_ARRAYS; i++) {
        if (program->homes[i] == NULL) continue;
        opencl_release(&program->homes[i]->memory);
        free(program->homes[i]);
    }
}

static tanda_status copy_home(const opencl_backend_state *state, const buffer *from, const buffer *home,
                              size_t values, tanda_error *error) {
    if (from == NULL || home == NULL) return TANDA_OK;
    return opencl_check(state,
                        clEnqueueCopyBuffer(state->queue, from->memory, home->memory, 0, 0,
                                            values * sizeof(cl_float), 0, NULL, NULL),
                        "clEnqueueCopyBuffer", error);
}

static tanda_status copy_homes(const opencl_backend_state *state, const program *program,
                               const program_rows *rows, tanda_error *error) {
    const plan *plan = program->plan;
    buffer *const *homes = program->homes;
    tanda_status status = copy_home(state, rows->features, homes[0], rows->rows * plan->features, error);
    if (status == TANDA_OK)
        status = copy_home(state, rows->labels, homes[1], rows->rows * plan->labels.count, error);
    return status == TANDA_OK ? copy_home(state, rows->weights, homes[2], rows->rows, error) : status;
}

tanda_status opencl_place(backend *backend, program *program, const program_rows *rows, tanda_error *error) {
    const opencl_backend_state *state = (const opencl_backend_state *)backend;
    program_rows placed = *rows;
    tanda_status status = await_arrival(state, rows->features, error);
    if (status == TANDA_OK) status = await_arrival(state, rows->labels, error);
    if (status == TANDA_OK) status = await_arrival(state, rows->weights, error);
    if (status == TANDA_OK && program->homes[0] != NULL) {
        status = copy_homes(state, program, rows, error);
        placed.features = program->homes[0];
        placed.labels = program->homes[1];
        placed.weights = program->homes[2];
    }
    if (status == TANDA_OK) program_options_take(&program->options, &placed);
    return status;
}
