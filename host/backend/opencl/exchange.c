/*
 * Rows that are exchanged. A device that shares the host's memory reads them where they lie. Another gets them by a queue
 * beside that of the steps: steps over them wait for their arrival, and they wait for the departure of the rows before, that
 * is for the steps over those. The device itself waits, not the host. Executors whose kernels know the buffers of rows
 * from the beginning (binds_rows) have buffers of their own, which rows are copied into on the device.
 */
#include <stdlib.h>

#include "backend/opencl/command.h"
#include "backend/opencl/program.h"
#include "backend/step.h"
#include "support/memory.h"

#define CACHE_LINE 64

/* ---- rows on their way ---------------------------------------------------------------------------------------- */

/* The event takes the place of another; it is the caller's no more. */
static void set_event(cl_event *at, cl_event event) {
    if (*at != NULL) clReleaseEvent(*at);
    *at = event;
}

void opencl_forget_events(buffer *buffer) {
    set_event(&buffer->arrival, NULL);
    set_event(&buffer->departure, NULL);
}

tanda_status opencl_need_copy_queue(opencl_backend_state *state, tanda_error *error) {
    cl_int code = CL_SUCCESS;
    if (state->copy_queue == NULL)
        state->copy_queue = clCreateCommandQueue(
            state->context, state->device, state->profile != NULL ? CL_QUEUE_PROFILING_ENABLE : 0, &code);
    return opencl_check(state, code, "clCreateCommandQueue", error);
}

/* Zeros, so that nothing is there which is no number. */
static tanda_status clear_beside(const opencl_backend_state *state, cl_mem memory, size_t bytes,
                                 tanda_error *error) {
    const cl_uint zero = 0;
    return opencl_check(
        state, clEnqueueFillBuffer(state->copy_queue, memory, &zero, sizeof zero, 0, bytes, 0, NULL, NULL),
        "clEnqueueFillBuffer", error);
}

tanda_status opencl_reserve(backend *backend, size_t rows, size_t width, buffer **result,
                            tanda_error *error) {
    opencl_backend_state *state = (opencl_backend_state *)backend;
    const size_t bytes = rows * width * sizeof(cl_float);
    cl_int code = CL_SUCCESS;
    buffer *made = NULL;
    tanda_status status = opencl_need_copy_queue(state, error);
    if (status == TANDA_OK) status = allocate(&made, 1, sizeof *made, "buffer", error);
    if (status != TANDA_OK) return status;
    made->rows = SIZE_MAX;
    made->memory = clCreateBuffer(state->context, CL_MEM_READ_WRITE, bytes, NULL, &code);
    status = opencl_check(state, code, "clCreateBuffer", error);
    if (status == TANDA_OK) status = clear_beside(state, made->memory, bytes, error);
    if (status == TANDA_OK) {
        *result = made;
        return TANDA_OK;
    }
    opencl_release(&made->memory);
    free(made);
    return status;
}

/*
 * The memory may still be that of an earlier step's arguments, which keep it. GPUs copy nothing where whole lines of the cache
 * are theirs, which rows on their way have behind them.
 */
static tanda_status lie_elsewhere(const opencl_backend_state *state, buffer *buffer, const void *values,
                                  size_t bytes, tanda_error *error) {
    cl_int code = CL_SUCCESS;
    const cl_mem made = clCreateBuffer(state->context, CL_MEM_READ_ONLY | CL_MEM_USE_HOST_PTR,
                                       round_up(bytes, CACHE_LINE), (void *)values, &code);
    const tanda_status status = opencl_check(state, code, "clCreateBuffer", error);
    if (status != TANDA_OK) return status;
    opencl_release(&buffer->memory);
    buffer->memory = made;
    return TANDA_OK;
}

/* What is queued so far over these rows is done by an event. */
static tanda_status mark_departure(const opencl_backend_state *state, buffer *const rows[ROW_ARRAYS],
                                   tanda_error *error) {
    cl_event event = NULL;
    const cl_int code = clEnqueueMarkerWithWaitList(state->queue, 0, NULL, &event);
    const tanda_status status = opencl_check(state, code, "clEnqueueMarkerWithWaitList", error);
    for (size_t i = 0; status == TANDA_OK && i < ROW_ARRAYS; i++) {
        if (rows[i] == NULL) continue;
        clRetainEvent(event);
        set_event(&rows[i]->departure, event);
        rows[i]->is_placed = false;
    }
    if (event != NULL) clReleaseEvent(event);
    return status;
}

/* The copy waits for what is queued over the rows before, whose queue has to be on its way. */
static tanda_status await_departure(const opencl_backend_state *state, buffer *buffer, tanda_error *error) {
    tanda_status status = TANDA_OK;
    if (buffer->is_placed) status = mark_departure(state, (struct buffer *[ROW_ARRAYS]){buffer}, error);
    if (status != TANDA_OK || buffer->departure == NULL) return status;
    return opencl_check(state, clFlush(state->queue), "clFlush", error);
}

tanda_status opencl_begin_arrival(const opencl_backend_state *state, buffer *buffer, tanda_error *error) {
    const tanda_status status = await_departure(state, buffer, error);
    if (status != TANDA_OK || buffer->departure == NULL) return status;
    return opencl_check(state, clEnqueueBarrierWithWaitList(state->copy_queue, 1, &buffer->departure, NULL),
                        "clEnqueueBarrierWithWaitList", error);
}

tanda_status opencl_end_arrival(const opencl_backend_state *state, buffer *buffer, tanda_error *error) {
    cl_event arrival = NULL;
    const cl_int code = clEnqueueMarkerWithWaitList(state->copy_queue, 0, NULL, &arrival);
    set_event(&buffer->arrival, arrival);
    const tanda_status status = opencl_check(state, code, "clEnqueueMarkerWithWaitList", error);
    return status == TANDA_OK ? opencl_check(state, clFlush(state->copy_queue), "clFlush", error) : status;
}

static tanda_status write_beside(const opencl_backend_state *state, buffer *buffer, const void *values,
                                 size_t bytes, tanda_error *error) {
    command command = {.transfer = "rows", .is_beside = true, .work.bytes = (double)bytes};
    cl_event arrival = NULL;
    if (!command_begin(state, &command)) return TANDA_OK;
    const cl_int code = clEnqueueWriteBuffer(state->copy_queue, buffer->memory, CL_FALSE, 0, bytes, values,
                                             buffer->departure != NULL,
                                             buffer->departure != NULL ? &buffer->departure : NULL, &arrival);
    if (command.event != NULL && arrival != NULL) {
        clRetainEvent(arrival);
        command.made = arrival;
    }
    set_event(&buffer->arrival, arrival);
    return command_end(state, &command, code, "clEnqueueWriteBuffer", error);
}

static tanda_status send(opencl_backend_state *state, buffer *buffer, const void *values, size_t bytes,
                         tanda_error *error) {
    tanda_status status = opencl_need_copy_queue(state, error);
    if (status == TANDA_OK) status = await_departure(state, buffer, error);
    if (status == TANDA_OK) status = write_beside(state, buffer, values, bytes, error);
    return status == TANDA_OK ? opencl_check(state, clFlush(state->copy_queue), "clFlush", error) : status;
}

tanda_status opencl_refill(backend *backend, buffer *buffer, const void *values, size_t rows, size_t width,
                           tanda_error *error) {
    opencl_backend_state *state = (opencl_backend_state *)backend;
    const size_t bytes = rows * width * sizeof(cl_float);
    if (!opencl_is_whole(buffer))
        return fail(error, TANDA_FAILED, "rows in several buffers are not exchanged");
    return state->base.copies_rows ? send(state, buffer, values, bytes, error)
                                   : lie_elsewhere(state, buffer, values, bytes, error);
}

/* Rows that lie in the host's memory are read as long as steps over them are queued. */
tanda_status opencl_settle(backend *backend, buffer *buffer, tanda_error *error) {
    const opencl_backend_state *state = (const opencl_backend_state *)backend;
    if (!state->base.copies_rows) return opencl_finish(state, error);
    if (buffer->arrival == NULL) return TANDA_OK;
    return opencl_check(state, clWaitForEvents(1, &buffer->arrival), "clWaitForEvents", error);
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

/* The rows before are free once what is queued is done. */
static tanda_status leave_rows(const opencl_backend_state *state, const program_options *options,
                               const program_rows *next, tanda_error *error) {
    buffer *const before[ROW_ARRAYS] = {options->features, options->labels, options->weights};
    if (!state->base.copies_rows || before[0] == next->features || !before[0]->is_placed) return TANDA_OK;
    return mark_departure(state, before, error);
}

static void note_place(const program_rows *rows) {
    buffer *const now[ROW_ARRAYS] = {rows->features, rows->labels, rows->weights};
    for (size_t i = 0; i < ROW_ARRAYS; i++)
        if (now[i] != NULL) now[i]->is_placed = true;
}

/* Rows that are copied on the device are free at once. */
static tanda_status take_home(const opencl_backend_state *state, program *program, program_rows *rows,
                              tanda_error *error) {
    buffer *const sent[ROW_ARRAYS] = {rows->features, rows->labels, rows->weights};
    tanda_status status = copy_homes(state, program, rows, error);
    if (status == TANDA_OK && state->base.copies_rows) status = mark_departure(state, sent, error);
    rows->features = program->homes[0];
    rows->labels = program->homes[1];
    rows->weights = program->homes[2];
    return status;
}

tanda_status opencl_place(backend *backend, program *program, const program_rows *rows, tanda_error *error) {
    const opencl_backend_state *state = (const opencl_backend_state *)backend;
    program_rows placed = *rows;
    tanda_status status = leave_rows(state, &program->options, rows, error);
    if (status == TANDA_OK) status = await_arrival(state, rows->features, error);
    if (status == TANDA_OK) status = await_arrival(state, rows->labels, error);
    if (status == TANDA_OK) status = await_arrival(state, rows->weights, error);
    if (status != TANDA_OK) return status;
    if (program->homes[0] != NULL)
        status = take_home(state, program, &placed, error);
    else
        note_place(&placed);
    program_options_take(&program->options, &placed);
    return status;
}
