/* OpenCL devices: finding, opening, building the kernels, memory. */
#include "backend/opencl/opencl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backend/opencl/cache.h"
#include "support/memory.h"

#define OPTIONS_SIZE 128
#define MOST_PLATFORMS 32
#define MOST_DEVICES 64

/* ---- finding ------------------------------------------------------------------------------------------ */

typedef struct found_device {
    cl_platform_id platform;
    cl_device_id device;
    unsigned platform_index, device_index;
    cl_device_type type;
} found_device;

/* Every device of every platform; a platform that fails or has none is passed over. */
static size_t find_devices(found_device found[MOST_DEVICES], unsigned *platform_count) {
    cl_platform_id platforms[MOST_PLATFORMS];
    cl_uint platforms_found = 0;
    size_t count = 0;
    *platform_count = 0;
    if (clGetPlatformIDs(MOST_PLATFORMS, platforms, &platforms_found) != CL_SUCCESS) return 0;
    if (platforms_found > MOST_PLATFORMS) platforms_found = MOST_PLATFORMS;
    *platform_count = platforms_found;
    for (cl_uint p = 0; p < platforms_found; p++) {
        cl_device_id devices[MOST_DEVICES];
        cl_uint devices_found = 0;
        if (clGetDeviceIDs(platforms[p], CL_DEVICE_TYPE_ALL, MOST_DEVICES, devices, &devices_found) !=
            CL_SUCCESS)
            continue;
        for (cl_uint d = 0; d < devices_found && d < MOST_DEVICES && count < MOST_DEVICES; d++) {
            found_device *entry = &found[count++];
            *entry = (found_device){platforms[p], devices[d], p, d, 0};
            clGetDeviceInfo(devices[d], CL_DEVICE_TYPE, sizeof entry->type, &entry->type, NULL);
        }
    }
    return count;
}

/* Device texts come with stray spaces. */
static void read_text(cl_device_id device, cl_device_info what, char *text, size_t size) {
    char raw[512] = "";
    if (clGetDeviceInfo(device, what, sizeof raw, raw, NULL) != CL_SUCCESS) raw[0] = '\0';
    raw[sizeof raw - 1] = '\0';
    size_t start = strspn(raw, " ");
    size_t length = strlen(raw + start);
    while (length > 0 && raw[start + length - 1] == ' ')
        length--;
    snprintf(text, size, "%.*s", (int)length, raw + start);
}

static void describe(const found_device *found, tanda_device_information *information) {
    char platform[64] = "", version[64] = "";
    memset(information, 0, sizeof *information);
    snprintf(information->backend, sizeof information->backend, "opencl");
    snprintf(information->id, sizeof information->id, "opencl:%u.%u", found->platform_index,
             found->device_index);
    read_text(found->device, CL_DEVICE_NAME, information->name, sizeof information->name);
    read_text(found->device, CL_DRIVER_VERSION, information->driver, sizeof information->driver);
    clGetPlatformInfo(found->platform, CL_PLATFORM_NAME, sizeof platform - 1, platform, NULL);
    read_text(found->device, CL_DEVICE_VERSION, version, sizeof version);
    snprintf(information->platform, sizeof information->platform, "%s, %s", platform, version);
    const char *kind = found->type & CL_DEVICE_TYPE_GPU           ? "GPU"
                       : found->type & CL_DEVICE_TYPE_ACCELERATOR ? "accelerator"
                                                                  : "CPU";
    snprintf(information->kind, sizeof information->kind, "%s", kind);
    cl_uint units = 0;
    cl_ulong memory = 0;
    clGetDeviceInfo(found->device, CL_DEVICE_MAX_COMPUTE_UNITS, sizeof units, &units, NULL);
    clGetDeviceInfo(found->device, CL_DEVICE_GLOBAL_MEM_SIZE, sizeof memory, &memory, NULL);
    information->compute_units = units;
    information->memory = memory;
}

/* GPUs before accelerators before CPUs, each in the platforms' order. */
static int rank_of(const tanda_device_information *information) {
    return strcmp(information->kind, "GPU") == 0 ? 0 : strcmp(information->kind, "accelerator") == 0 ? 1 : 2;
}

static tanda_status list_opencl(tanda_device_information **devices, size_t *count, char *remark,
                                tanda_error *error) {
    found_device found[MOST_DEVICES];
    unsigned platforms = 0;
    size_t found_count = find_devices(found, &platforms);
    if (found_count == 0) {
        if (remark != NULL && platforms == 0) snprintf(remark, 256, "no OpenCL platform is installed");
        if (remark != NULL && platforms > 0)
            snprintf(remark, 256, "%u OpenCL platform%s, but none has a device", platforms,
                     platforms > 1 ? "s" : "");
        return TANDA_OK;
    }
    tanda_device_information *grown = realloc(*devices, (*count + found_count) * sizeof *grown);
    if (grown == NULL) return fail(error, TANDA_FAILED, "no memory for the list of devices");
    *devices = grown;
    for (int rank = 0; rank < 3; rank++)
        for (size_t i = 0; i < found_count; i++) {
            tanda_device_information information;
            describe(&found[i], &information);
            if (rank_of(&information) == rank) grown[(*count)++] = information;
        }
    return TANDA_OK;
}

/* ---- building ----------------------------------------------------------------------------------------- */

/* The first line of the build log that tells of an error, else its first line. */
static void first_error_line(const char *log, char *line, size_t size) {
    const char *start = strstr(log, "error");
    if (start == NULL) start = log;
    while (start > log && start[-1] != '\n')
        start--;
    snprintf(line, size, "%.*s", (int)strcspn(start, "\n"), start);
}

static tanda_status report_build(const opencl_backend_state *state, cl_program program, cl_int code,
                                 tanda_error *error) {
    size_t size = 0;
    char line[400] = "no build log";
    clGetProgramBuildInfo(program, state->device, CL_PROGRAM_BUILD_LOG, 0, NULL, &size);
    char *log = calloc(size + 1, 1);
    if (log != NULL && size > 1 &&
        clGetProgramBuildInfo(program, state->device, CL_PROGRAM_BUILD_LOG, size, log, NULL) == CL_SUCCESS)
        first_error_line(log, line, sizeof line);
    free(log);
    return fail(error, TANDA_DEVICE, "%s (%s): the kernels do not build (%d): %s", state->base.information.id,
                state->base.information.name, code, line);
}

static tanda_status build_text(const opencl_backend_state *state, const char *text, const char *options,
                               cl_program *program, tanda_error *error) {
    cl_int code = CL_SUCCESS;
    *program = clCreateProgramWithSource(state->context, 1, &text, NULL, &code);
    tanda_status status = opencl_check(state, code, "clCreateProgramWithSource", error);
    if (status != TANDA_OK) return status;
    code = clBuildProgram(*program, 1, &state->device, options, NULL, NULL);
    return code == CL_SUCCESS ? TANDA_OK : report_build(state, *program, code, error);
}

/* Both kinds of program are built with these, and more_options. */
static void write_options(size_t vector, const char *more_options, char options[OPTIONS_SIZE]) {
    snprintf(options, OPTIONS_SIZE, "-cl-std=CL1.2 -DVECTOR=%zu%s", vector, more_options);
}

tanda_status opencl_build_kernel(const opencl_backend_state *state, const char *name, size_t vector,
                                 cl_program *program, tanda_error *error) {
    char *text = NULL, options[OPTIONS_SIZE];
    tanda_status status = opencl_read_kernel(state->kernel_folder, name, &text, error);
    if (status != TANDA_OK) return status;
    write_options(vector, "", options);
    status = build_text(state, text, options, program, error);
    free(text);
    return status;
}

static tanda_status make_kernel(const opencl_backend_state *state, cl_program program, const char *name,
                                cl_kernel *kernel, tanda_error *error) {
    cl_int code = CL_SUCCESS;
    char call[96];
    *kernel = clCreateKernel(program, name, &code);
    snprintf(call, sizeof call, "clCreateKernel %s", name);
    return opencl_check(state, code, call, error);
}

static tanda_status make_kernels(const opencl_backend_state *state, kernel_set *set, tanda_error *error) {
#define KERNEL_NAME(name) #name,
#define ACTIVATION_FORWARD(name, NAME, FROM) "activation_forward_" #name,
#define ACTIVATION_BACKWARD(name, NAME, FROM) "activation_backward_" #name,
    static const char *const names[] = {KERNEL_LIST(KERNEL_NAME)};
    static const char *const of_vectors[] = {VECTOR_KERNEL_LIST(KERNEL_NAME)};
    static const char *const forward[] = {ACTIVATION_LIST(ACTIVATION_FORWARD)};
    static const char *const backward[] = {ACTIVATION_LIST(ACTIVATION_BACKWARD)};
    tanda_status status = TANDA_OK;
    for (size_t i = 0; status == TANDA_OK && i < KERNEL_COUNT; i++)
        status = make_kernel(state, set->program, names[i], &set->kernels[i], error);
    for (size_t i = 0; status == TANDA_OK && i < ACTIVATION_SOFTMAX; i++) {
        status = make_kernel(state, set->program, forward[i], &set->activation_forward[i], error);
        if (status == TANDA_OK)
            status = make_kernel(state, set->program, backward[i], &set->activation_backward[i], error);
    }
    for (size_t i = 0; status == TANDA_OK && state->vector == 16 && i < VECTOR_KERNEL_COUNT; i++)
        status = make_kernel(state, set->program, of_vectors[i], &set->of_vectors[i], error);
    return status;
}

static void release_kernels(cl_kernel *kernels, size_t count) {
    for (size_t i = 0; i < count; i++)
        if (kernels[i] != NULL) clReleaseKernel(kernels[i]);
}

static void release_set(kernel_set *set) {
    release_kernels(set->kernels, KERNEL_COUNT);
    release_kernels(set->activation_forward, ACTIVATION_SOFTMAX);
    release_kernels(set->activation_backward, ACTIVATION_SOFTMAX);
    release_kernels(set->of_vectors, VECTOR_KERNEL_COUNT);
    if (set->program != NULL) clReleaseProgram(set->program);
    *set = (kernel_set){0};
}

static tanda_status build_set_from_text(const opencl_backend_state *state, const char *text,
                                        const char *options, kernel_set *set, tanda_error *error) {
    tanda_status status = build_text(state, text, options, &set->program, error);
    if (status == TANDA_OK) status = make_kernels(state, set, error);
    if (status != TANDA_OK) release_set(set);
    return status;
}

static bool load_set(const opencl_backend_state *state, const opencl_cache *cache, const char *options,
                     kernel_set *set) {
    set->program = opencl_cache_load(cache, state->context, state->device, options);
    if (set->program != NULL && make_kernels(state, set, NULL) == TANDA_OK) return true;
    release_set(set);
    return false;
}

/* Kernels from a folder are somebody's trial: they are neither kept nor found. */
static tanda_status build_set(const opencl_backend_state *state, const char *more_options, kernel_set *set,
                              tanda_error *error) {
    char *text = NULL;
    char options[OPTIONS_SIZE];
    opencl_cache cache;
    tanda_status status = opencl_read_kernels(state->kernel_folder, &text, error);
    if (status != TANDA_OK) return status;
    write_options(state->vector, more_options, options);
    bool cached = state->kernel_folder == NULL && opencl_cache_find(state->device, text, options, &cache);
    if (!cached || !load_set(state, &cache, options, set)) {
        status = build_set_from_text(state, text, options, set, error);
        if (cached && status == TANDA_OK) opencl_cache_keep(&cache, set->program);
    }
    free(text);
    return status;
}

tanda_status opencl_build_native(opencl_backend_state *state, tanda_error *error) {
    return state->native.program != NULL ? TANDA_OK
                                         : build_set(state, " -DTANDA_NATIVE", &state->native, error);
}

/* ---- the device --------------------------------------------------------------------------------------- */

static void close_opencl(backend *backend) {
    opencl_backend_state *state = (opencl_backend_state *)backend;
    opencl_free_meter(state);
    release_set(&state->exact);
    release_set(&state->native);
    if (state->queue != NULL) clReleaseCommandQueue(state->queue);
    if (state->context != NULL) clReleaseContext(state->context);
    free(state->kernel_folder);
    free(state);
}

static tanda_status make_buffer(backend *backend, size_t bytes, const void *contents, buffer **result,
                                tanda_error *error) {
    opencl_backend_state *state = (opencl_backend_state *)backend;
    buffer *made = NULL;
    tanda_status status = allocate(&made, 1, sizeof *made, "buffer", error);
    if (status != TANDA_OK) return status;
    cl_int code = CL_SUCCESS;
    cl_mem_flags flags = CL_MEM_READ_WRITE;
    if (contents != NULL)
        flags = state->shares_memory ? CL_MEM_READ_ONLY | CL_MEM_USE_HOST_PTR
                                     : CL_MEM_READ_ONLY | CL_MEM_COPY_HOST_PTR;
    char call[64];
    snprintf(call, sizeof call, "clCreateBuffer of %zu bytes", bytes);
    if (contents == NULL) bytes = round_up(bytes, sizeof(cl_uint));
    made->memory = clCreateBuffer(state->context, flags, bytes, (void *)contents, &code);
    status = opencl_check(state, code, call, error);
    if (status == TANDA_OK && contents == NULL) {
        cl_uint zero = 0;
        code = clEnqueueFillBuffer(state->queue, made->memory, &zero, sizeof zero, 0, bytes, 0, NULL, NULL);
        status = opencl_check(state, code, "clEnqueueFillBuffer", error);
        if (status != TANDA_OK) clReleaseMemObject(made->memory);
    }
    if (status != TANDA_OK) {
        free(made);
        return status;
    }
    *result = made;
    return TANDA_OK;
}

static void free_buffer(backend *backend, buffer *buffer) {
    (void)backend;
    clReleaseMemObject(buffer->memory);
    free(buffer);
}

static tanda_status upload(backend *backend, buffer *target, const void *source, size_t bytes,
                           tanda_error *error) {
    opencl_backend_state *state = (opencl_backend_state *)backend;
    return opencl_write_memory(state, target->memory, source, bytes, error);
}

static tanda_status download(backend *backend, buffer *source, void *target, size_t bytes,
                             tanda_error *error) {
    opencl_backend_state *state = (opencl_backend_state *)backend;
    cl_int code = clEnqueueReadBuffer(state->queue, source->memory, CL_TRUE, 0, bytes, target, 0, NULL, NULL);
    return opencl_check(state, code, "clEnqueueReadBuffer", error);
}

static tanda_status finish(backend *backend, tanda_error *error) {
    opencl_backend_state *state = (opencl_backend_state *)backend;
    return opencl_check(state, clFinish(state->queue), "clFinish", error);
}

static tanda_status run_probe(opencl_backend_state *state, unsigned function, size_t count,
                              buffer *const parts[4], tanda_error *error) {
    launch launch = launch_of(state, state->exact.kernels[KERNEL_probe]);
    for (int i = 0; i < 4; i++)
        give_memory(&launch, parts[i]->memory);
    give_uint(&launch, count);
    give_uint(&launch, function);
    return opencl_launch(&launch, (count + state->vector - 1) / state->vector, 1, 1, error);
}

static tanda_status probe(backend *backend, unsigned function, size_t count, const float *a, const float *b,
                          const float *c, float *result, tanda_error *error) {
    opencl_backend_state *state = (opencl_backend_state *)backend;
    const float *sources[3] = {a, b, c};
    buffer *parts[4] = {NULL};
    tanda_status status = TANDA_OK;
    for (int i = 0; status == TANDA_OK && i < 4; i++)
        status = make_buffer(backend, round_up(count, 16) * sizeof(float), NULL, &parts[i], error);
    for (int i = 0; status == TANDA_OK && i < 3; i++)
        status = upload(backend, parts[i], sources[i], count * sizeof(float), error);
    if (status == TANDA_OK) status = run_probe(state, function, count, parts, error);
    if (status == TANDA_OK) status = download(backend, parts[3], result, count * sizeof(float), error);
    for (int i = 0; i < 4; i++)
        if (parts[i] != NULL) free_buffer(backend, parts[i]);
    return status;
}

static const backend_interface interface = {
    .close = close_opencl,
    .buffer = make_buffer,
    .buffer_free = free_buffer,
    .upload = upload,
    .download = download,
    .compile = opencl_compile,
    .program_free = opencl_program_free,
    .notes = opencl_notes,
    .run = opencl_run,
    .results = opencl_results,
    .read = opencl_read,
    .read_gradient = opencl_read_gradient,
    .read_state = opencl_read_state,
    .write_state = opencl_write_state,
    .probe = probe,
    .generate = opencl_generate,
    .finish = finish,
    .limits = opencl_limits,
};

static tanda_status set_up(opencl_backend_state *state, tanda_error *error) {
    cl_int code = CL_SUCCESS;
    state->context = clCreateContext(NULL, 1, &state->device, NULL, NULL, &code);
    tanda_status status = opencl_check(state, code, "clCreateContext", error);
    if (status != TANDA_OK) return status;
    state->queue = clCreateCommandQueue(state->context, state->device, 0, &code);
    status = opencl_check(state, code, "clCreateCommandQueue", error);
    return status == TANDA_OK ? build_set(state, "", &state->exact, error) : status;
}

static tanda_status open_found(const found_device *found, const tanda_device_options *options,
                               backend **result, tanda_error *error) {
    opencl_backend_state *made = NULL;
    tanda_status status = allocate(&made, 1, sizeof *made, "device", error);
    if (status != TANDA_OK) return status;
    cl_bool unified = CL_FALSE;
    cl_uint preferred = 1;
    bool is_cpu = (found->type & CL_DEVICE_TYPE_CPU) != 0;
    clGetDeviceInfo(found->device, CL_DEVICE_PREFERRED_VECTOR_WIDTH_FLOAT, sizeof preferred, &preferred,
                    NULL);
    clGetDeviceInfo(found->device, CL_DEVICE_HOST_UNIFIED_MEMORY, sizeof unified, &unified, NULL);
    made->base.interface = &interface;
    made->device = found->device;
    made->vector = preferred >= 4 ? 16 : 1;
    made->group = made->vector == 16 ? 1 : 64;
    made->is_cpu = is_cpu;
    made->shares_memory = is_cpu && unified;
    describe(found, &made->base.information);
    const char *folder = options->kernel_folder != NULL ? options->kernel_folder : getenv("TANDA_KERNELS");
    status = copy_text(&made->kernel_folder, folder, error);
    if (status == TANDA_OK) status = set_up(made, error);
    if (status != TANDA_OK) {
        close_opencl(&made->base);
        return status;
    }
    *result = &made->base;
    return TANDA_OK;
}

static tanda_status open_opencl(const char *id, const tanda_device_options *options, backend **result,
                                tanda_error *error) {
    found_device found[MOST_DEVICES];
    unsigned platforms = 0;
    size_t count = find_devices(found, &platforms);
    for (size_t i = 0; i < count; i++) {
        tanda_device_information information;
        describe(&found[i], &information);
        if (strcmp(information.id, id) == 0) return open_found(&found[i], options, result, error);
    }
    return fail(error, TANDA_DEVICE, "%s: no such device", id);
}

const backend_kind opencl_backend = {.list = list_opencl, .open = open_opencl};
