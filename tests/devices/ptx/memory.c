/* Contexts, queues, buffers and events. */
#include <stdlib.h>
#include <time.h>

#include "opencl.h"

uint64_t random_state;

/* ---- objects ------------------------------------------------------------------------------------------------ */

void *make_object(size_t size, cl_int *code) {
    cl_icd_dispatch **object = calloc(1, size);
    if (object != NULL) *object = &dispatch;
    if (code != NULL) *code = object == NULL ? CL_OUT_OF_HOST_MEMORY : CL_SUCCESS;
    return object;
}

cl_context create_context(const cl_context_properties *properties, cl_uint count, const cl_device_id *devices,
                          void (*notify)(const char *, const void *, size_t, void *), void *user,
                          cl_int *code) {
    (void)properties, (void)count, (void)devices, (void)notify, (void)user;
    const char *seed = getenv("TANDA_PTX_SEED");
    random_state = (seed == NULL ? 1 : strtoull(seed, NULL, 10)) * 0x9e3779b97f4a7c15u | 1;
    return make_object(sizeof(struct _cl_context), code);
}

cl_int release_context(cl_context context) {
    free(context);
    return CL_SUCCESS;
}

cl_command_queue create_queue(cl_context context, cl_device_id device, cl_command_queue_properties properties,
                              cl_int *code) {
    (void)context, (void)device, (void)properties;
    return make_object(sizeof(struct _cl_command_queue), code);
}

cl_int release_queue(cl_command_queue queue) {
    free(queue);
    return CL_SUCCESS;
}

cl_int finish(cl_command_queue queue) {
    (void)queue;
    return CL_SUCCESS;
}

cl_int release_memory(cl_mem memory) {
    free_guarded(memory->bytes, memory->size);
    free(memory);
    return CL_SUCCESS;
}

cl_mem create_buffer(cl_context context, cl_mem_flags flags, size_t size, void *contents, cl_int *code) {
    (void)context;
    if (size == 0) {
        *code = CL_INVALID_BUFFER_SIZE;
        return NULL;
    }
    cl_mem memory = make_object(sizeof *memory, code);
    if (memory == NULL) return NULL;
    memory->size = size;
    memory->bytes = guarded_memory(size, &random_state);
    if (memory->bytes == NULL) {
        release_memory(memory);
        *code = CL_MEM_OBJECT_ALLOCATION_FAILURE;
        return NULL;
    }
    if ((flags & (CL_MEM_COPY_HOST_PTR | CL_MEM_USE_HOST_PTR)) != 0) memcpy(memory->bytes, contents, size);
    return memory;
}

cl_int get_memory_info(cl_mem memory, cl_mem_info what, size_t size, void *target, size_t *needed) {
    if (what != CL_MEM_SIZE) return CL_INVALID_VALUE;
    return answer(&memory->size, sizeof memory->size, size, target, needed);
}

/* ---- events: everything has happened when a call returns ------------------------------------------------------ */

static cl_ulong now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (cl_ulong)time.tv_sec * 1000000000u + (cl_ulong)time.tv_nsec;
}

cl_int happened(cl_event *event) {
    cl_int code = CL_SUCCESS;
    if (event == NULL) return code;
    *event = make_object(sizeof **event, &code);
    if (*event != NULL) (*event)->time = now();
    return code;
}

cl_int wait_for_events(cl_uint count, const cl_event *events) {
    (void)count, (void)events;
    return CL_SUCCESS;
}

cl_int get_event_info(cl_event event, cl_event_info what, size_t size, void *target, size_t *needed) {
    (void)event;
    if (what != CL_EVENT_COMMAND_EXECUTION_STATUS) return CL_INVALID_VALUE;
    ANSWER(cl_int, CL_COMPLETE);
}

cl_int get_event_time(cl_event event, cl_profiling_info what, size_t size, void *target, size_t *needed) {
    (void)what;
    return answer(&event->time, sizeof event->time, size, target, needed);
}

cl_int release_event(cl_event event) {
    free(event);
    return CL_SUCCESS;
}

/* ---- memory ------------------------------------------------------------------------------------------------- */

static bool lies_within(cl_mem memory, size_t offset, size_t size) {
    return size > 0 && offset <= memory->size && size <= memory->size - offset;
}

cl_int read_buffer(cl_command_queue queue, cl_mem memory, cl_bool blocking, size_t offset, size_t size,
                   void *target, cl_uint count, const cl_event *wait, cl_event *event) {
    (void)queue, (void)blocking, (void)count, (void)wait;
    if (!lies_within(memory, offset, size)) return CL_INVALID_VALUE;
    memcpy(target, memory->bytes + offset, size);
    return happened(event);
}

cl_int write_buffer(cl_command_queue queue, cl_mem memory, cl_bool blocking, size_t offset, size_t size,
                    const void *source, cl_uint count, const cl_event *wait, cl_event *event) {
    (void)queue, (void)blocking, (void)count, (void)wait;
    if (!lies_within(memory, offset, size)) return CL_INVALID_VALUE;
    memcpy(memory->bytes + offset, source, size);
    return happened(event);
}

cl_int copy_buffer(cl_command_queue queue, cl_mem source, cl_mem target, size_t source_offset,
                   size_t target_offset, size_t size, cl_uint count, const cl_event *wait, cl_event *event) {
    (void)queue, (void)count, (void)wait;
    if (!lies_within(source, source_offset, size) || !lies_within(target, target_offset, size))
        return CL_INVALID_VALUE;
    memmove(target->bytes + target_offset, source->bytes + source_offset, size);
    return happened(event);
}

cl_int fill_buffer(cl_command_queue queue, cl_mem memory, const void *pattern, size_t pattern_size,
                   size_t offset, size_t size, cl_uint count, const cl_event *wait, cl_event *event) {
    (void)queue, (void)count, (void)wait;
    if (!lies_within(memory, offset, size) || size % pattern_size != 0) return CL_INVALID_VALUE;
    for (size_t i = 0; i < size; i += pattern_size)
        memcpy(memory->bytes + offset + i, pattern, pattern_size);
    return happened(event);
}

void *map_buffer(cl_command_queue queue, cl_mem memory, cl_bool blocking, cl_map_flags flags, size_t offset,
                 size_t size, cl_uint count, const cl_event *wait, cl_event *event, cl_int *code) {
    (void)queue, (void)blocking, (void)flags, (void)count, (void)wait;
    const cl_int result = lies_within(memory, offset, size) ? happened(event) : CL_INVALID_VALUE;
    if (code != NULL) *code = result;
    return result == CL_SUCCESS ? memory->bytes + offset : NULL;
}

cl_int unmap(cl_command_queue queue, cl_mem memory, void *mapped, cl_uint count, const cl_event *wait,
             cl_event *event) {
    (void)queue, (void)memory, (void)mapped, (void)count, (void)wait;
    return happened(event);
}
