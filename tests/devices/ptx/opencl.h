/*
 * What the files of the device share: its objects, of which OpenCL's loader wants a table of functions first, and the
 * functions of that table, which OpenCL describes.
 */
#ifndef TANDA_TESTS_PTX_OPENCL_H
#define TANDA_TESTS_PTX_OPENCL_H

#include <CL/cl_icd.h>
#include <stdbool.h>
#include <string.h>

#include "compiler.h"
#include "groups.h"

#define MOST_ARGUMENTS 32
#define ARGUMENT_BYTES 1024
#define WHY_SIZE 1200
#define LOCAL_BYTES ((cl_ulong)48 << 10)

extern cl_icd_dispatch dispatch;
extern uint64_t random_state; /* begins with each context */

struct _cl_platform_id {
    cl_icd_dispatch *dispatch;
};
struct _cl_device_id {
    cl_icd_dispatch *dispatch;
};
struct _cl_context {
    cl_icd_dispatch *dispatch;
};
struct _cl_command_queue {
    cl_icd_dispatch *dispatch;
};
struct _cl_event {
    cl_icd_dispatch *dispatch;
    cl_ulong time;
};
struct _cl_mem {
    cl_icd_dispatch *dispatch;
    unsigned char *bytes;
    size_t size;
};
struct _cl_program {
    cl_icd_dispatch *dispatch;
    char *source, log[WHY_SIZE];
    const kernel_code *kernels; /* NULL before it is built */
};
typedef struct argument {
    size_t size; /* 0: not set */
    bool is_null;
    unsigned char value[ARGUMENT_BYTES];
} argument;
struct _cl_kernel {
    cl_icd_dispatch *dispatch;
    const kernel_code *code;
    argument arguments[MOST_ARGUMENTS];
};

/* ---- answers ------------------------------------------------------------------------------------------------- */

static inline cl_int answer(const void *value, size_t bytes, size_t size, void *target, size_t *needed) {
    if (needed != NULL) *needed = bytes;
    if (target != NULL && size < bytes) return CL_INVALID_VALUE;
    if (target != NULL) memcpy(target, value, bytes);
    return CL_SUCCESS;
}

static inline cl_int answer_text(const char *text, size_t size, void *target, size_t *needed) {
    return answer(text, strlen(text) + 1, size, target, needed);
}

#define ANSWER(type, value) return answer(&(type){value}, sizeof(type), size, target, needed)

/* ---- questions.c --------------------------------------------------------------------------------------------- */

cl_int get_platform_ids(cl_uint size, cl_platform_id *platforms, cl_uint *count);
cl_int get_platform_info(cl_platform_id platform, cl_platform_info what, size_t size, void *target,
                         size_t *needed);
cl_int get_device_ids(cl_platform_id platform, cl_device_type type, cl_uint size, cl_device_id *devices,
                      cl_uint *count);
cl_int get_device_info(cl_device_id device, cl_device_info what, size_t size, void *target, size_t *needed);

/* ---- memory.c ------------------------------------------------------------------------------------------------- */

/* An object of OpenCL, of zeros but for its table. */
void *make_object(size_t size, cl_int *code);

/* Makes the event that is asked for, of something that has happened. */
cl_int happened(cl_event *event);

cl_context create_context(const cl_context_properties *properties, cl_uint count, const cl_device_id *devices,
                          void (*notify)(const char *, const void *, size_t, void *), void *user,
                          cl_int *code);
cl_int release_context(cl_context context);
cl_command_queue create_queue(cl_context context, cl_device_id device, cl_command_queue_properties properties,
                              cl_int *code);
cl_int release_queue(cl_command_queue queue);
cl_int finish(cl_command_queue queue);
cl_int release_memory(cl_mem memory);
cl_mem create_buffer(cl_context context, cl_mem_flags flags, size_t size, void *contents, cl_int *code);
cl_int wait_for_events(cl_uint count, const cl_event *events);
cl_int get_event_info(cl_event event, cl_event_info what, size_t size, void *target, size_t *needed);
cl_int get_event_time(cl_event event, cl_profiling_info what, size_t size, void *target, size_t *needed);
cl_int release_event(cl_event event);
cl_int read_buffer(cl_command_queue queue, cl_mem memory, cl_bool blocking, size_t offset, size_t size,
                   void *target, cl_uint count, const cl_event *wait, cl_event *event);
cl_int write_buffer(cl_command_queue queue, cl_mem memory, cl_bool blocking, size_t offset, size_t size,
                    const void *source, cl_uint count, const cl_event *wait, cl_event *event);
cl_int copy_buffer(cl_command_queue queue, cl_mem source, cl_mem target, size_t source_offset,
                   size_t target_offset, size_t size, cl_uint count, const cl_event *wait, cl_event *event);
cl_int fill_buffer(cl_command_queue queue, cl_mem memory, const void *pattern, size_t pattern_size,
                   size_t offset, size_t size, cl_uint count, const cl_event *wait, cl_event *event);
cl_int get_memory_info(cl_mem memory, cl_mem_info what, size_t size, void *target, size_t *needed);
void *map_buffer(cl_command_queue queue, cl_mem memory, cl_bool blocking, cl_map_flags flags, size_t offset,
                 size_t size, cl_uint count, const cl_event *wait, cl_event *event, cl_int *code);
cl_int unmap(cl_command_queue queue, cl_mem memory, void *mapped, cl_uint count, const cl_event *wait,
             cl_event *event);

#endif
