/* The OpenCL functions that tanda calls. Creators tell their error through a pointer, the others return it. */
#define CL_TARGET_OPENCL_VERSION 120
#define CL_USE_DEPRECATED_OPENCL_1_2_APIS
#include <CL/cl.h>
#include <pthread.h>
#include <stddef.h>
#include <unistd.h>

#include "faults.h"

static void *refuse(cl_int *code) {
    if (code != NULL) *code = fault_code(CL_OUT_OF_RESOURCES);
    return NULL;
}

#define RETURNING(name, parameters, arguments) \
    FAILING(#name, cl_int, fault_code(CL_OUT_OF_RESOURCES), name, parameters, arguments)
#define CREATING(type, name, parameters, arguments) \
    FAILING(#name, type, refuse(code), name, parameters, arguments)

RETURNING(clGetPlatformIDs, (cl_uint capacity, cl_platform_id *platforms, cl_uint *count),
          (capacity, platforms, count))
RETURNING(clGetPlatformInfo,
          (cl_platform_id platform, cl_platform_info key, size_t size, void *value, size_t *needed),
          (platform, key, size, value, needed))
RETURNING(clGetDeviceIDs,
          (cl_platform_id platform, cl_device_type type, cl_uint capacity, cl_device_id *devices,
           cl_uint *count),
          (platform, type, capacity, devices, count))
#define INFO_PARAMETERS (cl_device_id device, cl_device_info key, size_t size, void *value, size_t *needed)

cl_int clGetDeviceInfo INFO_PARAMETERS {
    static cl_int(*next) INFO_PARAMETERS;
    if (next == NULL) next = fault_next("clGetDeviceInfo");
    if (fault_is_due("clGetDeviceInfo", CALLER)) return fault_code(CL_OUT_OF_RESOURCES);
    const cl_int code = next(device, key, size, value, needed);
    if (key == CL_DEVICE_MAX_MEM_ALLOC_SIZE && code == CL_SUCCESS && value != NULL && fault_largest() != 0)
        *(cl_ulong *)value = fault_largest();
    if (key == CL_DEVICE_HOST_UNIFIED_MEMORY && code == CL_SUCCESS && value != NULL && fault_is_apart())
        *(cl_bool *)value = CL_FALSE;
    return code;
}

CREATING(cl_context, clCreateContext,
         (const cl_context_properties *properties, cl_uint count, const cl_device_id *devices,
          void(CL_CALLBACK *notify)(const char *, const void *, size_t, void *), void *data, cl_int *code),
         (properties, count, devices, notify, data, code))
RETURNING(clReleaseContext, (cl_context context), (context))
CREATING(cl_command_queue, clCreateCommandQueue,
         (cl_context context, cl_device_id device, cl_command_queue_properties properties, cl_int *code),
         (context, device, properties, code))
RETURNING(clReleaseCommandQueue, (cl_command_queue queue), (queue))
RETURNING(clFlush, (cl_command_queue queue), (queue))
RETURNING(clFinish, (cl_command_queue queue), (queue))

CREATING(cl_program, clCreateProgramWithSource,
         (cl_context context, cl_uint count, const char **texts, const size_t *lengths, cl_int *code),
         (context, count, texts, lengths, code))
CREATING(cl_program, clCreateProgramWithBinary,
         (cl_context context, cl_uint count, const cl_device_id *devices, const size_t *lengths,
          const unsigned char **binaries, cl_int *status, cl_int *code),
         (context, count, devices, lengths, binaries, status, code))
RETURNING(clBuildProgram,
          (cl_program program, cl_uint count, const cl_device_id *devices, const char *options,
           void(CL_CALLBACK *notify)(cl_program, void *), void *data),
          (program, count, devices, options, notify, data))
RETURNING(clGetProgramInfo,
          (cl_program program, cl_program_info key, size_t size, void *value, size_t *needed),
          (program, key, size, value, needed))
RETURNING(clGetProgramBuildInfo,
          (cl_program program, cl_device_id device, cl_program_build_info key, size_t size, void *value,
           size_t *needed),
          (program, device, key, size, value, needed))
RETURNING(clReleaseProgram, (cl_program program), (program))

CREATING(cl_kernel, clCreateKernel, (cl_program program, const char *kernel, cl_int *code),
         (program, kernel, code))
RETURNING(clSetKernelArg, (cl_kernel kernel, cl_uint index, size_t size, const void *value),
          (kernel, index, size, value))
RETURNING(clReleaseKernel, (cl_kernel kernel), (kernel))
RETURNING(clEnqueueNDRangeKernel,
          (cl_command_queue queue, cl_kernel kernel, cl_uint dimensions, const size_t *offset,
           const size_t *global, const size_t *local, cl_uint count, const cl_event *events, cl_event *event),
          (queue, kernel, dimensions, offset, global, local, count, events, event))

#define BUFFER_PARAMETERS (cl_context context, cl_mem_flags flags, size_t size, void *data, cl_int *code)

cl_mem clCreateBuffer BUFFER_PARAMETERS {
    static cl_mem(*next) BUFFER_PARAMETERS;
    if (next == NULL) next = fault_next("clCreateBuffer");
    if (!fault_is_too_large(size) && !fault_is_due("clCreateBuffer", CALLER))
        return next(context, flags, size, data, code);
    return refuse(code);
}

RETURNING(clReleaseMemObject, (cl_mem memory), (memory))
RETURNING(clEnqueueReadBuffer,
          (cl_command_queue queue, cl_mem buffer, cl_bool blocking, size_t offset, size_t size, void *data,
           cl_uint count, const cl_event *events, cl_event *event),
          (queue, buffer, blocking, offset, size, data, count, events, event))
RETURNING(clEnqueueCopyBuffer,
          (cl_command_queue queue, cl_mem from, cl_mem to, size_t from_offset, size_t to_offset, size_t size,
           cl_uint count, const cl_event *events, cl_event *event),
          (queue, from, to, from_offset, to_offset, size, count, events, event))
RETURNING(clEnqueueFillBuffer,
          (cl_command_queue queue, cl_mem buffer, const void *pattern, size_t pattern_size, size_t offset,
           size_t size, cl_uint count, const cl_event *events, cl_event *event),
          (queue, buffer, pattern, pattern_size, offset, size, count, events, event))
RETURNING(clEnqueueMarkerWithWaitList,
          (cl_command_queue queue, cl_uint count, const cl_event *events, cl_event *event),
          (queue, count, events, event))
RETURNING(clWaitForEvents, (cl_uint count, const cl_event *events), (count, events))

#define MAP_PARAMETERS \
    (cl_command_queue queue, cl_mem buffer, cl_bool blocking, cl_map_flags flags, size_t offset, \
     size_t size, cl_uint count, const cl_event *events, cl_event *event, cl_int *code)
CREATING(void *, clEnqueueMapBuffer, MAP_PARAMETERS,
         (queue, buffer, blocking, flags, offset, size, count, events, event, code))

/* ---- what is late ------------------------------------------------------------------------------------------------ */

#define LATE_MICROSECONDS 10000
#define MOST_EVENTS 8

static void *open_gate(void *gate) {
    usleep(LATE_MICROSECONDS);
    clSetUserEventStatus(gate, CL_COMPLETE);
    clReleaseEvent(gate);
    return NULL;
}

/* The events, and with them one that comes after a while; returns how many. */
static cl_uint add_gate(cl_command_queue queue, cl_uint count, const cl_event *events,
                        cl_event all[MOST_EVENTS]) {
    cl_context context = NULL;
    pthread_t thread;
    clGetCommandQueueInfo(queue, CL_QUEUE_CONTEXT, sizeof context, &context, NULL);
    for (cl_uint i = 0; i < count; i++)
        all[i] = events[i];
    all[count] = clCreateUserEvent(context, NULL);
    clRetainEvent(all[count]);
    if (pthread_create(&thread, NULL, open_gate, all[count]) == 0) pthread_detach(thread);
    return count + 1;
}

#define WRITE_PARAMETERS \
    (cl_command_queue queue, cl_mem buffer, cl_bool blocking, size_t offset, size_t size, const void *data, \
     cl_uint count, const cl_event *events, cl_event *event)

cl_int clEnqueueWriteBuffer WRITE_PARAMETERS {
    static cl_int(*next) WRITE_PARAMETERS;
    cl_event all[MOST_EVENTS];
    const bool is_late = !blocking && fault_is_late("copies");
    if (next == NULL) next = fault_next("clEnqueueWriteBuffer");
    if (fault_is_due("clEnqueueWriteBuffer", CALLER)) return fault_code(CL_OUT_OF_RESOURCES);
    if (is_late) count = add_gate(queue, count, events, all);
    const cl_int code =
        next(queue, buffer, blocking, offset, size, data, count, is_late ? all : events, event);
    if (is_late) clReleaseEvent(all[count - 1]);
    return code;
}

#define BARRIER_PARAMETERS (cl_command_queue queue, cl_uint count, const cl_event *events, cl_event *event)

cl_int clEnqueueBarrierWithWaitList BARRIER_PARAMETERS {
    static cl_int(*next) BARRIER_PARAMETERS;
    cl_event all[MOST_EVENTS];
    const bool is_late = fault_is_late("steps");
    if (next == NULL) next = fault_next("clEnqueueBarrierWithWaitList");
    if (fault_is_due("clEnqueueBarrierWithWaitList", CALLER)) return fault_code(CL_OUT_OF_RESOURCES);
    if (is_late) count = add_gate(queue, count, events, all);
    const cl_int code = next(queue, count, is_late ? all : events, event);
    if (is_late) clReleaseEvent(all[count - 1]);
    return code;
}
