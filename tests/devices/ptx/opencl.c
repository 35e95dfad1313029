/*
 * An OpenCL device that runs the PTX code of kernels on this machine, in random order: what ptxas is given is what runs,
 * but for the register file. One device, one queue that runs everything at once, and no more of OpenCL than tanda calls.
 *
 *   TANDA_PTX_CACHE   folder for compiled kernels
 *   TANDA_PTX_SEED    number that the order of work-items, and what unwritten memory holds, depend on
 *   TANDA_PTX_UNITS   compute units that it says it has, 8 if not set
 *   TANDA_PTX_LOG     file that gets a line for each program, of its options; for each kernel in it; and for each kernel that runs
 *
 * A loader of OpenCL finds it by a file NAME.icd in the folder OCL_ICD_VENDORS that names this library.
 */
#include <stdio.h>
#include <stdlib.h>

#include "opencl.h"

static void write_log(const char *kind, const char *what) {
    const char *path = getenv("TANDA_PTX_LOG");
    FILE *file = path == NULL ? NULL : fopen(path, "a");
    if (file == NULL) return;
    fprintf(file, "%s %s\n", kind, what);
    fclose(file);
}

/* ---- programs ----------------------------------------------------------------------------------------------- */

static cl_program create_program(cl_context context, cl_uint count, const char **texts, const size_t *lengths,
                                 cl_int *code) {
    (void)context;
    cl_program program = make_object(sizeof *program, code);
    size_t size = 0;
    if (program == NULL) return NULL;
    FILE *all = open_memstream(&program->source, &size);
    for (cl_uint i = 0; i < count; i++)
        fwrite(texts[i], 1, lengths == NULL || lengths[i] == 0 ? strlen(texts[i]) : lengths[i], all);
    fclose(all);
    return program;
}

static cl_program create_program_with_binary(cl_context context, cl_uint count, const cl_device_id *devices,
                                             const size_t *lengths, const unsigned char **binaries,
                                             cl_int *codes, cl_int *code) {
    (void)context, (void)count, (void)devices, (void)lengths, (void)binaries, (void)codes;
    if (code != NULL) *code = CL_INVALID_BINARY;
    return NULL;
}

static cl_int build_program(cl_program program, cl_uint count, const cl_device_id *devices,
                            const char *options, void (*notify)(cl_program, void *), void *user) {
    (void)count, (void)devices, (void)notify, (void)user;
    if (options == NULL) options = "";
    write_log("program", options);
    program->kernels = compile_kernels(program->source, options, program->log, sizeof program->log);
    if (program->kernels == NULL) return CL_BUILD_PROGRAM_FAILURE;
    for (const kernel_code *code = program->kernels; code->name != NULL; code++)
        write_log("holds", code->name);
    return CL_SUCCESS;
}

static cl_int get_build_info(cl_program program, cl_device_id device, cl_program_build_info what, size_t size,
                             void *target, size_t *needed) {
    (void)device;
    if (what != CL_PROGRAM_BUILD_LOG) return CL_INVALID_VALUE;
    return answer_text(program->log, size, target, needed);
}

static cl_int get_program_info(cl_program program, cl_program_info what, size_t size, void *target,
                               size_t *needed) {
    (void)program;
    if (what != CL_PROGRAM_NUM_DEVICES) return CL_INVALID_VALUE;
    ANSWER(cl_uint, 1);
}

static cl_int release_program(cl_program program) {
    free(program->source);
    free(program);
    return CL_SUCCESS;
}

/* ---- kernels ------------------------------------------------------------------------------------------------ */

static cl_kernel create_kernel(cl_program program, const char *name, cl_int *code) {
    const kernel_code *found = program->kernels;
    while (found != NULL && found->name != NULL && strcmp(found->name, name) != 0)
        found++;
    if (found == NULL || found->name == NULL) {
        if (code != NULL) *code = found == NULL ? CL_INVALID_PROGRAM_EXECUTABLE : CL_INVALID_KERNEL_NAME;
        return NULL;
    }
    cl_kernel kernel = make_object(sizeof *kernel, code);
    if (kernel != NULL) kernel->code = found;
    return kernel;
}

static cl_int create_kernels(cl_program program, cl_uint size, cl_kernel *kernels, cl_uint *count) {
    cl_uint found = 0;
    if (program->kernels == NULL) return CL_INVALID_PROGRAM_EXECUTABLE;
    for (; program->kernels[found].name != NULL; found++)
        if (kernels != NULL && found < size)
            kernels[found] = create_kernel(program, program->kernels[found].name, NULL);
    if (count != NULL) *count = found;
    return CL_SUCCESS;
}

static cl_int release_kernel(cl_kernel kernel) {
    free(kernel);
    return CL_SUCCESS;
}

static cl_int get_kernel_info(cl_kernel kernel, cl_kernel_info what, size_t size, void *target,
                              size_t *needed) {
    if (what != CL_KERNEL_FUNCTION_NAME) return CL_INVALID_VALUE;
    return answer_text(kernel->code->name, size, target, needed);
}

static cl_int get_group_info(cl_kernel kernel, cl_device_id device, cl_kernel_work_group_info what,
                             size_t size, void *target, size_t *needed) {
    (void)kernel, (void)device;
    switch (what) {
    case CL_KERNEL_WORK_GROUP_SIZE:
        ANSWER(size_t, 1024);
    case CL_KERNEL_PREFERRED_WORK_GROUP_SIZE_MULTIPLE:
        ANSWER(size_t, 32);
    default:
        return CL_INVALID_VALUE;
    }
}

static cl_int set_argument(cl_kernel kernel, cl_uint index, size_t size, const void *value) {
    if (index >= MOST_ARGUMENTS) return CL_INVALID_ARG_INDEX;
    argument *argument = &kernel->arguments[index];
    if (size == 0 || (value != NULL && size > sizeof argument->value)) return CL_INVALID_ARG_SIZE;
    argument->size = size;
    argument->is_null = value == NULL;
    if (value != NULL) memcpy(argument->value, value, size);
    return CL_SUCCESS;
}

/* What the kernel takes for an argument: of buffers their address. That of local memory comes with the group. */
static cl_int put_argument(const argument *argument, const kernel_parameter *parameter, launch *launch) {
    if (argument->size == 0) return CL_INVALID_KERNEL_ARGS;
    if ((parameter->kind == PARAMETER_LOCAL) != argument->is_null) return CL_INVALID_KERNEL_ARGS;
    if (argument->is_null) {
        launch->local_pointers[launch->local_pointer_count++] =
            (local_pointer){parameter->offset, (uint32_t)launch->local_bytes};
        launch->local_bytes += (argument->size + 15) / 16 * 16;
        return CL_SUCCESS;
    }
    if (argument->size != parameter->size) return CL_INVALID_ARG_SIZE;
    unsigned char *at = launch->parameters + parameter->offset;
    memcpy(at, argument->value, parameter->size);
    if (parameter->kind == PARAMETER_GLOBAL) {
        cl_mem memory; /* which may be none */
        memcpy(&memory, at, sizeof memory);
        const uint64_t address = memory == NULL ? 0 : (uint64_t)memory->bytes;
        memcpy(at, &address, sizeof address);
    }
    return CL_SUCCESS;
}

static cl_int put_arguments(cl_kernel kernel, launch *launch) {
    cl_int code = CL_SUCCESS;
    launch->local_bytes = (kernel->code->local_bytes + 15) / 16 * 16;
    for (uint32_t i = 0; code == CL_SUCCESS && i < kernel->code->parameter_count; i++)
        code = put_argument(&kernel->arguments[i], &kernel->code->parameters[i], launch);
    return code == CL_SUCCESS && launch->local_bytes > LOCAL_BYTES ? CL_OUT_OF_RESOURCES : code;
}

static cl_int set_size(launch *launch, cl_uint dimensions, const size_t *items, const size_t *group) {
    size_t of_group = 1;
    for (cl_uint i = 0; i < 3; i++) {
        const size_t all = i < dimensions ? items[i] : 1;
        const size_t one = i < dimensions && group != NULL ? group[i] : 1;
        if (one == 0 || all == 0 || all % one != 0) return CL_INVALID_WORK_GROUP_SIZE;
        launch->items[i] = (uint32_t)one;
        launch->groups[i] = (uint32_t)(all / one);
        of_group *= one;
    }
    return of_group > 1024 ? CL_INVALID_WORK_GROUP_SIZE : CL_SUCCESS;
}

static cl_int enqueue(cl_command_queue queue, cl_kernel kernel, cl_uint dimensions, const size_t *offset,
                      const size_t *items, const size_t *group, cl_uint count, const cl_event *wait,
                      cl_event *event) {
    (void)queue, (void)count, (void)wait;
    launch launch = {0};
    if (offset != NULL) return CL_INVALID_GLOBAL_OFFSET;
    cl_int code = set_size(&launch, dimensions, items, group);
    if (code == CL_SUCCESS) code = put_arguments(kernel, &launch);
    if (code != CL_SUCCESS) return code;
    write_log("runs", kernel->code->name);
    const char *wrong = run_groups(kernel->code, &launch, &random_state);
    if (wrong == NULL) return happened(event);
    fprintf(stderr, "PTX: kernel %s: %s\n", kernel->code->name, wrong);
    return CL_OUT_OF_RESOURCES;
}

/* ---- the loader's way in -------------------------------------------------------------------------------------- */

cl_icd_dispatch dispatch = {
    .clGetPlatformIDs = get_platform_ids,
    .clGetPlatformInfo = get_platform_info,
    .clGetDeviceIDs = get_device_ids,
    .clGetDeviceInfo = get_device_info,
    .clCreateContext = create_context,
    .clReleaseContext = release_context,
    .clCreateCommandQueue = create_queue,
    .clReleaseCommandQueue = release_queue,
    .clFlush = finish,
    .clFinish = finish,
    .clCreateBuffer = create_buffer,
    .clReleaseMemObject = release_memory,
    .clGetMemObjectInfo = get_memory_info,
    .clEnqueueMapBuffer = map_buffer,
    .clEnqueueUnmapMemObject = unmap,
    .clEnqueueReadBuffer = read_buffer,
    .clEnqueueWriteBuffer = write_buffer,
    .clEnqueueCopyBuffer = copy_buffer,
    .clEnqueueFillBuffer = fill_buffer,
    .clCreateProgramWithSource = create_program,
    .clCreateProgramWithBinary = create_program_with_binary,
    .clBuildProgram = build_program,
    .clGetProgramInfo = get_program_info,
    .clGetProgramBuildInfo = get_build_info,
    .clReleaseProgram = release_program,
    .clCreateKernel = create_kernel,
    .clCreateKernelsInProgram = create_kernels,
    .clGetKernelInfo = get_kernel_info,
    .clGetKernelWorkGroupInfo = get_group_info,
    .clSetKernelArg = set_argument,
    .clReleaseKernel = release_kernel,
    .clEnqueueNDRangeKernel = enqueue,
    .clWaitForEvents = wait_for_events,
    .clGetEventInfo = get_event_info,
    .clGetEventProfilingInfo = get_event_time,
    .clReleaseEvent = release_event,
};

static void lacking(void) {
    fprintf(stderr, "PTX: a function of OpenCL is called that this device does not have: see opencl.c\n");
    abort();
}

/* Nobody jumps to nowhere. */
__attribute__((constructor)) static void fill_dispatch(void) {
    void (*places[sizeof dispatch / sizeof(void (*)(void))])(void);
    memcpy(places, &dispatch, sizeof places);
    for (size_t i = 0; i < sizeof places / sizeof *places; i++)
        if (places[i] == NULL) places[i] = lacking;
    memcpy(&dispatch, places, sizeof places);
}

#define EXPORTED __attribute__((visibility("default")))

EXPORTED cl_int clIcdGetPlatformIDsKHR(cl_uint size, cl_platform_id *platforms, cl_uint *count) {
    return get_platform_ids(size, platforms, count);
}

EXPORTED void *clGetExtensionFunctionAddress(const char *name) {
    return strcmp(name, "clIcdGetPlatformIDsKHR") == 0 ? (void *)clIcdGetPlatformIDsKHR : NULL;
}

EXPORTED cl_int clGetPlatformInfo(cl_platform_id platform, cl_platform_info what, size_t size, void *target,
                                  size_t *needed) {
    return get_platform_info(platform, what, size, target, needed);
}
