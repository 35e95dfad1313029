/* The kernels of a device, built from their text or found in the cache. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backend/opencl/cache.h"
#include "backend/opencl/command.h"
#include "support/clock.h"
#include "support/memory.h"
#include "support/text.h"

#define OPTIONS_SIZE 256

/* The first line of the build log that tells of an error, else its first line. */
static void first_error_line(const char *log, char *line, size_t size) {
    const char *start = strstr(log, "error");
    if (start == NULL) start = log;
    while (start > log && start[-1] != '\n')
        start--;
    text_put(line, size, "%.*s", (int)strcspn(start, "\n"), start);
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
    text_put(options, OPTIONS_SIZE, "-cl-std=CL1.2 -DVECTOR=%zu%s", vector, more_options);
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

tanda_status opencl_make_kernel(const opencl_backend_state *state, cl_program program, const char *name,
                                cl_kernel *kernel, tanda_error *error) {
    cl_int code = CL_SUCCESS;
    char call[96];
    *kernel = clCreateKernel(program, name, &code);
    text_put(call, sizeof call, "clCreateKernel %s", name);
    return opencl_check(state, code, call, error);
}

#define CREATION "clCreateKernel "

/* call: CREATION and the kernel's name. */
static launch launch_made(opencl_backend_state *state, const kernel_set *set, cl_kernel *place,
                          const char *call) {
    cl_int code = CL_SUCCESS;
    if (*place == NULL) *place = clCreateKernel(set->program, call + strlen(CREATION), &code);
    launch made = launch_of(state, *place);
    if (code != CL_SUCCESS) {
        made.code = code;
        made.call = call;
    }
    return made;
}

static const char *creation_call(kernel_index index) {
#define CREATION_CALL(name) CREATION #name,
    static const char *const calls[] = {KERNEL_LIST(CREATION_CALL) VECTOR_KERNEL_LIST(CREATION_CALL)};
    return calls[index];
}

static const char *kernel_name(kernel_index index) {
    return creation_call(index) + strlen(CREATION);
}

launch launch_from(opencl_backend_state *state, kernel_set *set, kernel_index index) {
    return launch_made(state, set, &set->kernels[index], creation_call(index));
}

launch launch_activation(opencl_backend_state *state, kernel_set *set, activation function, bool backward) {
#define FORWARD_CALL(name, NAME, FROM) CREATION "activation_forward_" #name,
#define BACKWARD_CALL(name, NAME, FROM) CREATION "activation_backward_" #name,
    static const char *const forward_calls[] = {ACTIVATION_LIST(FORWARD_CALL)};
    static const char *const backward_calls[] = {ACTIVATION_LIST(BACKWARD_CALL)};
    return backward ? launch_made(state, set, &set->activation_backward[function], backward_calls[function])
                    : launch_made(state, set, &set->activation_forward[function], forward_calls[function]);
}

static void release_kernels(cl_kernel *kernels, size_t count) {
    for (size_t i = 0; i < count; i++)
        if (kernels[i] != NULL) clReleaseKernel(kernels[i]);
}

void opencl_release_set(kernel_set *set) {
    release_kernels(set->kernels, KERNEL_COUNT);
    release_kernels(set->activation_forward, ACTIVATION_SOFTMAX);
    release_kernels(set->activation_backward, ACTIVATION_SOFTMAX);
    if (set->program != NULL) clReleaseProgram(set->program);
    *set = (kernel_set){0};
}

/* From the cache; NULL where nothing of it is of use. */
static cl_program load_program(const opencl_backend_state *state, const opencl_cache *cache,
                               const char *options) {
    cl_uint kernels = 0;
    cl_program program = opencl_cache_load(cache, state->context, state->device, options);
    if (program == NULL || clCreateKernelsInProgram(program, 0, NULL, &kernels) == CL_SUCCESS) return program;
    clReleaseProgram(program);
    return NULL;
}

/* Found or built. Kernels from a folder are somebody's trial: they are neither kept nor found. */
static tanda_status make_program(const opencl_backend_state *state, const char *text, const char *options,
                                 cl_program *program, tanda_error *error) {
    opencl_cache cache;
    const bool cached =
        state->kernel_folder == NULL && opencl_cache_find(state->device, text, options, &cache);
    *program = cached ? load_program(state, &cache, options) : NULL;
    if (*program != NULL) return TANDA_OK;
    const tanda_status status = build_text(state, text, options, program, error);
    if (cached && status == TANDA_OK) opencl_cache_keep(&cache, *program);
    return status;
}

static tanda_status build_set(const opencl_backend_state *state, const char *more_options, kernel_set *set,
                              tanda_error *error) {
    char *text = NULL, options[OPTIONS_SIZE];
    tanda_status status = opencl_read_kernels(state->kernel_folder, state->vector, &text, error);
    if (status != TANDA_OK) return status;
    write_options(state->vector, more_options, options);
    status = make_program(state, text, options, &set->program, error);
    if (status != TANDA_OK) opencl_release_set(set);
    free(text);
    return status;
}

/* Accounts for building, or loading, from `begin` on. */
static void count_build(opencl_backend_state *state, double begin) {
    state->build_seconds += seconds_now() - begin;
    if (state->profile != NULL) opencl_profile_build(state, begin);
}

tanda_status opencl_build_exact(opencl_backend_state *state, tanda_error *error) {
    const double begin = seconds_now();
    const tanda_status status = build_set(state, "", &state->exact, error);
    count_build(state, begin);
    return status;
}

tanda_status opencl_build_native(opencl_backend_state *state, tanda_error *error) {
    if (state->native.program != NULL) return TANDA_OK;
    const double begin = seconds_now();
    const tanda_status status = build_set(state, " -DTANDA_NATIVE", &state->native, error);
    count_build(state, begin);
    return status;
}

/* ---- programs of one file ---------------------------------------------------------------------------------- */

static tanda_status build_single(opencl_backend_state *state, const char *name, size_t vector,
                                 const char *more_options, cl_program *program, tanda_error *error) {
    char *text = NULL, options[OPTIONS_SIZE];
    tanda_status status = opencl_read_kernel(state->kernel_folder, name, &text, error);
    if (status != TANDA_OK) return status;
    write_options(vector, more_options, options);
    status = make_program(state, text, options, program, error);
    free(text);
    return status;
}

static tanda_status keep_single(opencl_backend_state *state, const char *name, size_t vector,
                                const char *options, cl_program *program, tanda_error *error) {
    char key[OPTIONS_SIZE + 64];
    size_t i = 0;
    text_put(key, sizeof key, "%s%s", name, options);
    while (i < MOST_SINGLE_PROGRAMS - 1 && state->single[i].key != NULL &&
           strcmp(state->single[i].key, key) != 0)
        i++;
    single_program *place = &state->single[i];
    if (place->key == NULL || strcmp(place->key, key) != 0) {
        if (place->key != NULL) return fail(error, TANDA_FAILED, "kernel file %s: too many programs", name);
        const double begin = seconds_now();
        tanda_status status = build_single(state, name, vector, options, &place->program, error);
        count_build(state, begin);
        if (status == TANDA_OK) status = copy_text(&place->key, key, error);
        if (status != TANDA_OK) {
            if (place->program != NULL) clReleaseProgram(place->program);
            place->program = NULL;
            return status;
        }
    }
    *program = place->program;
    return TANDA_OK;
}

tanda_status opencl_single_program(opencl_backend_state *state, const char *name, const char *options,
                                   cl_program *program, tanda_error *error) {
    return keep_single(state, name, 1, options, program, error);
}

tanda_status opencl_build_fused(opencl_backend_state *state, const char *file, kernel_index first,
                                kernel_index last, tanda_error *error) {
    cl_program program = NULL;
    tanda_status status = keep_single(state, file, state->vector, "", &program, error);
    for (kernel_index i = first; status == TANDA_OK && i <= last; i++)
        if (state->exact.kernels[i] == NULL)
            status = opencl_make_kernel(state, program, kernel_name(i), &state->exact.kernels[i], error);
    return status;
}

void opencl_release_single(opencl_backend_state *state) {
    for (size_t i = 0; i < MOST_SINGLE_PROGRAMS; i++) {
        if (state->single[i].program != NULL) clReleaseProgram(state->single[i].program);
        free(state->single[i].key);
        state->single[i] = (single_program){0};
    }
}
