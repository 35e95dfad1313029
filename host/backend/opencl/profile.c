/*
 * The account of an OpenCL device's commands: each has an event, and the queue tells when it began and ended. The events
 * are asked when the host waits anyway, or when there are many.
 */
#include "backend/profile.h"

#include <stdlib.h>

#include "backend/opencl/command.h"
#include "support/clock.h"
#include "support/memory.h"
#include "support/text.h"

#define MOST_PENDING 16384

/* A command whose event is not asked yet. */
typedef struct pending_command {
    cl_event event;
    size_t line;
    double flop, bytes;
    bool is_beside;
    double queued; /* on the host's clock */
} pending_command;

typedef struct opencl_profile {
    device_profile made;
    double start;         /* on the host's clock */
    double clocks_differ; /* the device's clock less the host's, by the command that was queued quickest */
    bool is_set;
    size_t count;
    pending_command pending[MOST_PENDING];
} opencl_profile;

/* ---- times -------------------------------------------------------------------------------------------------- */

static double time_of(cl_event event, cl_profiling_info what) {
    cl_ulong nanoseconds = 0;
    clGetEventProfilingInfo(event, what, sizeof nanoseconds, &nanoseconds, NULL);
    return 1e-9 * (double)nanoseconds;
}

/* The host notes the time before it queues: so the least difference is nearest to that of the clocks. */
static void set_clocks(opencl_profile *profile) {
    for (size_t i = 0; i < profile->count; i++) {
        const pending_command *at = &profile->pending[i];
        const double differ = time_of(at->event, CL_PROFILING_COMMAND_QUEUED) - at->queued;
        if (!profile->is_set || differ < profile->clocks_differ) profile->clocks_differ = differ;
        profile->is_set = true;
    }
}

/* Asks all events, which are done. */
static void settle(opencl_profile *profile) {
    if (!profile->is_set) set_clocks(profile);
    for (size_t i = 0; i < profile->count; i++) {
        const pending_command *at = &profile->pending[i];
        const double begin = time_of(at->event, CL_PROFILING_COMMAND_START);
        (at->is_beside ? profile_add_beside : profile_add)(
            &profile->made, at->line, begin - profile->clocks_differ - profile->start,
            time_of(at->event, CL_PROFILING_COMMAND_END) - begin, at->flop, at->bytes);
        clReleaseEvent(at->event);
    }
    profile->count = 0;
}

/* ---- adding ------------------------------------------------------------------------------------------------- */

static size_t line_of(device_profile *profile, const command *command) {
    char name[PROFILE_NAME_SIZE] = "";
    if (command->transfer != NULL) return profile_line_of(profile, command->transfer, PROFILE_TRANSFERS);
    if (command->library != NULL) return profile_line_of(profile, command->library, PROFILE_COMPUTES);
    if (clGetKernelInfo(command->kernel, CL_KERNEL_FUNCTION_NAME, sizeof name, name, NULL) != CL_SUCCESS)
        text_put(name, sizeof name, "kernel");
    return profile_line_of(profile, name, PROFILE_COMPUTES);
}

static cl_int finish_queues(const opencl_backend_state *state) {
    const cl_int code = clFinish(state->queue);
    const cl_int beside = state->copy_queue != NULL ? clFinish(state->copy_queue) : CL_SUCCESS;
    return code != CL_SUCCESS ? code : beside;
}

void opencl_profile_add(const opencl_backend_state *state, const command *command, double end) {
    opencl_profile *profile = state->profile;
    const size_t line = line_of(&profile->made, command);
    profile->pending[profile->count++] = (pending_command){
        command->made, line, command->work.flop, command->work.bytes, command->is_beside, command->begin};
    if (line != SIZE_MAX)
        profile_add_host(&profile->made, line, command->begin - profile->start, end - command->begin);
    if (profile->count < MOST_PENDING) return;
    (void)finish_queues(state);
    opencl_profile_wait(state, end);
}

void opencl_profile_wait(const opencl_backend_state *state, double begin) {
    opencl_profile *profile = state->profile;
    profile_add_host(&profile->made, PROFILE_WAIT, begin - profile->start, seconds_now() - begin);
    settle(profile);
}

void opencl_profile_build(const opencl_backend_state *state, double begin) {
    opencl_profile *profile = state->profile;
    profile_add_host(&profile->made, PROFILE_COMPILE, begin - profile->start, seconds_now() - begin);
}

tanda_status opencl_finish(const opencl_backend_state *state, tanda_error *error) {
    const double begin = seconds_now();
    const cl_int code = finish_queues(state);
    if (state->profile != NULL) opencl_profile_wait(state, begin);
    return opencl_check(state, code, "clFinish", error);
}

/* ---- begin and end ------------------------------------------------------------------------------------------ */

/* Whether a queue tells times is settled when it is made. NULL stays NULL. */
static tanda_status replace_queue(const opencl_backend_state *state, cl_command_queue *at,
                                  cl_command_queue_properties properties, tanda_error *error) {
    cl_int code = CL_SUCCESS;
    if (*at == NULL) return TANDA_OK;
    cl_command_queue queue = clCreateCommandQueue(state->context, state->device, properties, &code);
    tanda_status status = opencl_check(state, code, "clCreateCommandQueue", error);
    if (status != TANDA_OK) return status;
    clReleaseCommandQueue(*at);
    *at = queue;
    return TANDA_OK;
}

static tanda_status replace_queues(opencl_backend_state *state, cl_command_queue_properties properties,
                                   tanda_error *error) {
    const tanda_status status = replace_queue(state, &state->queue, properties, error);
    return status == TANDA_OK ? replace_queue(state, &state->copy_queue, properties, error) : status;
}

void opencl_free_profile(opencl_backend_state *state) {
    opencl_profile *profile = state->profile;
    if (profile == NULL) return;
    for (size_t i = 0; i < profile->count; i++)
        clReleaseEvent(profile->pending[i].event);
    profile_free(&profile->made);
    free(profile);
    state->profile = NULL;
}

tanda_status opencl_profile_begin(backend *backend, tanda_error *error) {
    opencl_backend_state *state = (opencl_backend_state *)backend;
    opencl_profile *made = NULL;
    tanda_status status = opencl_finish(state, error);
    if (status == TANDA_OK) status = allocate(&made, 1, sizeof *made, "profile", error);
    if (status == TANDA_OK) status = replace_queues(state, CL_QUEUE_PROFILING_ENABLE, error);
    if (status != TANDA_OK) {
        free(made);
        return status;
    }
    made->start = seconds_now();
    state->profile = made;
    return TANDA_OK;
}

tanda_status opencl_profile_end(backend *backend, device_profile *result, tanda_error *error) {
    opencl_backend_state *state = (opencl_backend_state *)backend;
    opencl_profile *profile = state->profile;
    tanda_status status = opencl_finish(state, error);
    if (status == TANDA_OK) status = replace_queues(state, 0, error);
    if (status != TANDA_OK) return status;
    profile_finish(&profile->made);
    profile->made.compile_seconds = state->build_seconds;
    *result = profile->made;
    profile->made = (device_profile){0};
    opencl_free_profile(state);
    return TANDA_OK;
}
