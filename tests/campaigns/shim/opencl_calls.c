/* The OpenCL functions that tanda calls. Creators tell their error through a pointer, the others return it. */
#define CL_TARGET_OPENCL_VERSION 120
#define CL_USE_DEPRECATED_OPENCL_1_2_APIS
#include <CL/cl.h>
#include <stddef.h>

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
RETURNING(clEnqueueWriteBuffer,
          (cl_command_queue queue, cl_mem buffer, cl_bool blocking, size_t offset, size_t size,
           const void *data, cl_uint count, const cl_event *events, cl_event *event),
          (queue, buffer, blocking, offset, size, data, count, events, event))
RETURNING(clEnqueueCopyBuffer,
          (cl_command_queue queue, cl_mem from, cl_mem to, size_t from_offset, size_t to_offset, size_t size,
           cl_uint count, const cl_event *events, cl_event *event),
          (queue, from, to, from_offset, to_offset, size, count, events, event))
RETURNING(clEnqueueFillBuffer,
          (cl_command_queue queue, cl_mem buffer, const void *pattern, size_t pattern_size, size_t offset,
           size_t size, cl_uint count, const cl_event *events, cl_event *event),
          (queue, buffer, pattern, pattern_size, offset, size, count, events, event))
