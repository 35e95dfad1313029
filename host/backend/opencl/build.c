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

static tanda_status make_kernels(const opencl_backend_state *state, kernel_set *set, tanda_error *error) {
#define KERNEL_NAME(name) #name,
    static const char *const names[] = {KERNEL_LIST(KERNEL_NAME)};
    static const char *const of_vectors[] = {VECTOR_KERNEL_LIST(KERNEL_NAME)};
    tanda_status status = TANDA_OK;
    for (size_t i = 0; status == TANDA_OK && i < KERNEL_COUNT; i++)
        status = opencl_make_kernel(state, set->program, names[i], &set->kernels[i], error);
    for (size_t i = 0; status == TANDA_OK && state->vector == 16 && i < VECTOR_KERNEL_COUNT; i++)
        status = opencl_make_kernel(state, set->program, of_vectors[i], &set->of_vectors[i], error);
    return status;
}

tanda_status opencl_activation_kernel(const opencl_backend_state *state, kernel_set *set, activation function,
                                      bool backward, cl_kernel *kernel, tanda_error *error) {
#define ACTIVATION_NAME(name, NAME, FROM) #name,
    static const char *const names[] = {ACTIVATION_LIST(ACTIVATION_NAME)};
    cl_kernel *place = backward ? &set->activation_backward[function] : &set->activation_forward[function];
    tanda_status status = TANDA_OK;
    if (*place == NULL) {
        char name[64];
        text_put(name, sizeof name, "activation_%s_%s", backward ? "backward" : "forward", names[function]);
        status = opencl_make_kernel(state, set->program, name, place, error);
    }
    *kernel = *place;
    return status;
}

static void release_kernels(cl_kernel *kernels, size_t count) {
    for (size_t i = 0; i < count; i++)
        if (kernels[i] != NULL) clReleaseKernel(kernels[i]);
}

void opencl_release_set(kernel_set *set) {
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
    if (status != TANDA_OK) opencl_release_set(set);
    return status;
}

static bool load_set(const opencl_backend_state *state, const opencl_cache *cache, const char *options,
                     kernel_set *set) {
    set->program = opencl_cache_load(cache, state->context, state->device, options);
    if (set->program != NULL && make_kernels(state, set, NULL) == TANDA_OK) return true;
    opencl_release_set(set);
    return false;
}

/* Kernels from a folder are somebody's trial: they are neither kept nor found. */
static tanda_status build_set(const opencl_backend_state *state, const char *more_options, kernel_set *set,
                              tanda_error *error) {
    char *text = NULL;
    char options[OPTIONS_SIZE];
    opencl_cache cache;
    tanda_status status = opencl_read_kernels(state->kernel_folder, state->vector, &text, error);
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

static tanda_status build_single(opencl_backend_state *state, const char *name, const char *more_options,
                                 cl_program *program, tanda_error *error) {
    char *text = NULL, options[OPTIONS_SIZE];
    opencl_cache cache;
    cl_uint kernels = 0;
    tanda_status status = opencl_read_kernel(state->kernel_folder, name, &text, error);
    if (status != TANDA_OK) return status;
    write_options(1, more_options, options);
    const bool cached =
        state->kernel_folder == NULL && opencl_cache_find(state->device, text, options, &cache);
    *program = cached ? opencl_cache_load(&cache, state->context, state->device, options) : NULL;
    if (*program != NULL && clCreateKernelsInProgram(*program, 0, NULL, &kernels) != CL_SUCCESS) {
        clReleaseProgram(*program);
        *program = NULL;
    }
    if (*program == NULL) {
        status = build_text(state, text, options, program, error);
        if (cached && status == TANDA_OK) opencl_cache_keep(&cache, *program);
    }
    free(text);
    return status;
}

tanda_status opencl_single_program(opencl_backend_state *state, const char *name, const char *options,
                                   cl_program *program, tanda_error *error) {
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
        tanda_status status = build_single(state, name, options, &place->program, error);
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

void opencl_release_single(opencl_backend_state *state) {
    for (size_t i = 0; i < MOST_SINGLE_PROGRAMS; i++) {
        if (state->single[i].program != NULL) clReleaseProgram(state->single[i].program);
        free(state->single[i].key);
        state->single[i] = (single_program){0};
    }
}
