/* An OpenCL device: opening and closing it, its memory, its probe. */
#include "backend/opencl/state.h"
#include "kernels/arguments/probe.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backend/opencl/find.h"
#include "backend/opencl/query.h"
#include "support/memory.h"
#include "support/text.h"

static void close_opencl(backend *backend) {
    opencl_backend_state *state = (opencl_backend_state *)backend;
    opencl_free_meter(state);
    opencl_free_profile(state);
    opencl_release_set(&state->exact);
    opencl_release_set(&state->native);
    opencl_release_single(state);
    if (state->copy_queue != NULL) clReleaseCommandQueue(state->copy_queue);
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
    made->rows = SIZE_MAX;
    cl_int code = CL_SUCCESS;
    cl_mem_flags flags = CL_MEM_READ_WRITE;
    if (contents != NULL)
        flags = state->shares_memory ? CL_MEM_READ_ONLY | CL_MEM_USE_HOST_PTR
                                     : CL_MEM_READ_ONLY | CL_MEM_COPY_HOST_PTR;
    char call[64];
    text_put(call, sizeof call, "clCreateBuffer of %zu bytes", bytes);
    if (contents == NULL) bytes = round_up(bytes, sizeof(cl_uint));
    made->memory = clCreateBuffer(state->context, flags, bytes, (void *)contents, &code);
    status = opencl_check(state, code, call, error);
    if (status == TANDA_OK && contents == NULL) {
        status = opencl_clear_memory(state, made->memory, 0, bytes, error);
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
    while (buffer != NULL) {
        struct buffer *next = buffer->next;
        opencl_forget_events(buffer);
        opencl_release(&buffer->memory);
        free(buffer);
        buffer = next;
    }
}

/* Rows of a part: all or, if one memory does not hold them, a power of two, so that no wave of some lies in two parts. */
static size_t rows_of_part(const opencl_backend_state *state, size_t rows, size_t row_bytes) {
    size_t part = 1;
    if (rows * row_bytes <= state->most_bytes) return rows;
    while (2 * part * row_bytes <= state->most_bytes)
        part *= 2;
    return part;
}

static tanda_status make_rows(backend *backend, const void *values, size_t rows, size_t width, bool moved,
                              buffer **result, tanda_error *error) {
    const size_t row_bytes = width * sizeof(cl_float);
    const size_t most = rows_of_part((opencl_backend_state *)backend, rows, row_bytes);
    buffer *made = NULL, **end = &made;
    (void)moved;
    for (size_t first = 0; first < rows; first += most, end = &(*end)->next) {
        const size_t part = rows - first < most ? rows - first : most;
        const tanda_status status =
            make_buffer(backend, part * row_bytes, (const char *)values + first * row_bytes, end, error);
        if (status != TANDA_OK) {
            free_buffer(backend, made);
            return status;
        }
        (*end)->first = first;
        if (part < rows) (*end)->rows = part;
    }
    *result = made;
    return TANDA_OK;
}

static tanda_status upload(backend *backend, buffer *target, const void *source, size_t bytes,
                           tanda_error *error) {
    opencl_backend_state *state = (opencl_backend_state *)backend;
    return opencl_write_memory(state, target->memory, 0, source, bytes, error);
}

static tanda_status download(backend *backend, buffer *source, void *target, size_t bytes,
                             tanda_error *error) {
    opencl_backend_state *state = (opencl_backend_state *)backend;
    return opencl_read_memory(state, source->memory, 0, target, bytes, error);
}

static tanda_status write_parameters(backend *backend, const plan *plan, buffer *parameters,
                                     const float *packed, tanda_error *error) {
    return upload(backend, parameters, packed, plan->parameter_count * sizeof *packed, error);
}

static tanda_status read_parameters(backend *backend, const plan *plan, buffer *parameters, float *packed,
                                    tanda_error *error) {
    return download(backend, parameters, packed, plan->parameter_count * sizeof *packed, error);
}

static tanda_status finish(backend *backend, tanda_error *error) {
    return opencl_finish((opencl_backend_state *)backend, error);
}

static tanda_status run_probe(opencl_backend_state *state, unsigned function, size_t count,
                              buffer *const parts[4], tanda_error *error) {
    launch launch = launch_exact(state, KERNEL_probe);
    for (int i = 0; i < 4; i++)
        give_memory(&launch, parts[i]->memory);
    const probe_arguments arguments = {(uint)count, function};
    give_arguments(&launch, &arguments, sizeof arguments);
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
    .rows = make_rows,
    .refill = opencl_refill,
    .reserve = opencl_reserve,
    .settle = opencl_settle,
    .maker = opencl_maker,
    .maker_free = opencl_maker_free,
    .make_rows = opencl_make_rows,
    .room = opencl_room,
    .room_free = opencl_room_free,
    .buffer_free = free_buffer,
    .write_parameters = write_parameters,
    .read_parameters = read_parameters,
    .executors = opencl_executors,
    .programs.make = opencl_compile,
    .programs.free = opencl_program_free,
    .programs.notes = opencl_notes,
    .programs.place = opencl_place,
    .programs.run = opencl_run,
    .programs.results = opencl_results,
    .programs.partial = opencl_partial,
    .programs.apply = opencl_apply,
    .programs.part = opencl_part,
    .programs.read = opencl_read,
    .programs.sweep = opencl_sweep,
    .programs.read_gradient = opencl_read_gradient,
    .programs.read_state = opencl_read_state,
    .programs.write_state = opencl_write_state,
    .probe = probe,
    .generate = opencl_generate,
    .finish = finish,
    .limits = opencl_limits,
    .profile_begin = opencl_profile_begin,
    .profile_end = opencl_profile_end,
    .profiles_spans = true,
};

static tanda_status ask_wave(opencl_backend_state *state, tanda_error *error) {
    const launch update = launch_exact(state, KERNEL_update);
    tanda_status status = opencl_check(state, update.code, update.call, error);
    if (status != TANDA_OK) return status;
    const cl_int code =
        clGetKernelWorkGroupInfo(update.kernel, state->device, CL_KERNEL_PREFERRED_WORK_GROUP_SIZE_MULTIPLE,
                                 sizeof state->wave, &state->wave, NULL);
    return opencl_check(state, code, "clGetKernelWorkGroupInfo", error);
}

static tanda_status set_up(opencl_backend_state *state, tanda_error *error) {
    cl_int code = CL_SUCCESS;
    state->context = clCreateContext(NULL, 1, &state->device, NULL, NULL, &code);
    tanda_status status = opencl_check(state, code, "clCreateContext", error);
    if (status != TANDA_OK) return status;
    state->queue = clCreateCommandQueue(state->context, state->device, 0, &code);
    status = opencl_check(state, code, "clCreateCommandQueue", error);
    if (status == TANDA_OK) status = opencl_build_exact(state, error);
    if (status == TANDA_OK) status = ask_wave(state, error);
    return status == TANDA_OK ? opencl_check_layout(state, error) : status;
}

/* What the kernels and buffers are laid out by. */
static tanda_status ask_device(opencl_backend_state *state, cl_device_type type, tanda_error *error) {
    const cl_device_id device = state->device;
    cl_bool unified = CL_FALSE;
    cl_uint preferred = 1;
    cl_device_local_mem_type local = CL_GLOBAL;
    tanda_status status = DEVICE_VALUE(device, CL_DEVICE_PREFERRED_VECTOR_WIDTH_FLOAT, &preferred, error);
    if (status == TANDA_OK) status = DEVICE_VALUE(device, CL_DEVICE_HOST_UNIFIED_MEMORY, &unified, error);
    if (status == TANDA_OK)
        status = DEVICE_VALUE(device, CL_DEVICE_MAX_MEM_ALLOC_SIZE, &state->most_bytes, error);
    if (status == TANDA_OK)
        status = DEVICE_VALUE(device, CL_DEVICE_LOCAL_MEM_SIZE, &state->local_bytes, error);
    if (status == TANDA_OK)
        status = DEVICE_VALUE(device, CL_DEVICE_MAX_WORK_GROUP_SIZE, &state->most_group, error);
    if (status == TANDA_OK) status = DEVICE_VALUE(device, CL_DEVICE_LOCAL_MEM_TYPE, &local, error);
    if (status == TANDA_OK) status = DEVICE_VALUE(device, CL_DEVICE_VENDOR_ID, &state->vendor, error);
    state->is_cpu = (type & CL_DEVICE_TYPE_CPU) != 0;
    state->vector = state->is_cpu && preferred >= 4 ? 16 : 1;
    state->group = state->vector == 16 ? 1 : SCALAR_GROUP;
    state->shares_memory = state->is_cpu && unified;
    state->base.copies_rows = !unified;
    state->has_local = local == CL_LOCAL;
    return status;
}

static tanda_status open_found(const found_device *found, const tanda_device_options *options,
                               backend **result, tanda_error *error) {
    opencl_backend_state *made = NULL;
    tanda_error failure;
    tanda_status status = allocate(&made, 1, sizeof *made, "device", error);
    if (status != TANDA_OK) return status;
    made->base.interface = &interface;
    made->base.information = found->information;
    made->device = found->device;
    status = ask_device(made, found->type, &failure);
    if (status != TANDA_OK) fail(error, status, "%s: %s", found->information.id, failure.message);
    const char *folder = options->kernel_folder != NULL ? options->kernel_folder : getenv("TANDA_KERNELS");
    if (status == TANDA_OK) status = copy_text(&made->kernel_folder, folder, error);
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
    device_remarks remarks = {0};
    char why[256];
    const size_t count = opencl_find_devices(found, &remarks);
    for (size_t i = 0; i < count; i++)
        if (strcmp(found[i].information.id, id) == 0) return open_found(&found[i], options, result, error);
    remarks_join(&remarks, false, why, sizeof why);
    return fail(error, TANDA_DEVICE, "%s: no such device%s%s", id, why[0] != '\0' ? "; " : "", why);
}

const backend_kind opencl_backend = {.list = opencl_list, .open = open_opencl};
