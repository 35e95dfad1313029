/* Synthetic rows made on the device, by a program that is built only when it is asked for. */
#include <stdlib.h>

#include "backend/opencl/state.h"
#include "kernels/arguments/synthetic.h"
#include "support/memory.h"

/* What one call needs on the device. */
typedef struct generation {
    opencl_backend_state *state;
    cl_program program;
    cl_kernel kernel;
    cl_mem table, rows, features, labels, scratch;
} generation;

/* One row per work-item, so scalars. */
static tanda_status build(generation *work, tanda_error *error) {
    opencl_backend_state *state = work->state;
    cl_int code = CL_SUCCESS;
    tanda_status status = opencl_build_kernel(state, "synthetic.cl", 1, &work->program, error);
    if (status != TANDA_OK) return status;
    work->kernel = clCreateKernel(work->program, "synthetic_rows", &code);
    return opencl_check(state, code, "clCreateKernel synthetic_rows", error);
}

static tanda_status fetch(const generation *work, cl_mem memory, void *target, size_t bytes,
                          tanda_error *error) {
    return opencl_read_memory(work->state, memory, 0, target, bytes, error);
}

static tanda_status make_room(generation *work, const synthetic_source *source, size_t count,
                              tanda_error *error) {
    const opencl_backend_state *state = work->state;
    const size_t features = source->data.features;
    tanda_status status = opencl_make_memory(state, source->table_size, sizeof(float), &work->table, error);
    if (status == TANDA_OK) status = opencl_make_memory(state, count, sizeof(cl_ulong), &work->rows, error);
    if (status == TANDA_OK)
        status = opencl_make_memory(state, count, features * sizeof(float), &work->features, error);
    if (status == TANDA_OK) status = opencl_make_memory(state, count, sizeof(cl_uint), &work->labels, error);
    const size_t users = synthetic_needs_scratch(&source->data) ? count : 1;
    if (status == TANDA_OK)
        status = opencl_make_memory(state, users, SYNTHETIC_SCRATCH * sizeof(float), &work->scratch, error);
    return status;
}

/* The source's rows are the device's, less those that it skips. */
static tanda_status send_rows(const generation *work, const synthetic_source *source, const uint64_t *rows,
                              size_t count, tanda_error *error) {
    cl_ulong *places = NULL;
    tanda_status status = allocate(&places, count, sizeof *places, "rows", error);
    for (size_t i = 0; status == TANDA_OK && i < count; i++)
        places[i] = source->skip + rows[i];
    if (status == TANDA_OK)
        status = opencl_write_memory(work->state, work->rows, 0, places, count * sizeof *places, error);
    free(places);
    return status;
}

static tanda_status launch_rows(const generation *work, const synthetic_source *source, size_t count,
                                tanda_error *error) {
    launch launch = launch_of(work->state, work->kernel);
    const synthetic_arguments arguments = {.data = source->data, .count = count};
    give_memory(&launch, work->table);
    give_memory(&launch, work->rows);
    give_memory(&launch, work->features);
    give_memory(&launch, work->labels);
    give_memory(&launch, work->scratch);
    give_arguments(&launch, &arguments, sizeof arguments);
    launch.work.bytes = (double)count * (double)(source->data.features + 3) * sizeof(float);
    return opencl_launch(&launch, count, 1, 1, error);
}

static void release(generation *work) {
    const cl_mem memories[] = {work->table, work->rows, work->features, work->labels, work->scratch};
    for (size_t i = 0; i < sizeof memories / sizeof *memories; i++)
        if (memories[i] != NULL) clReleaseMemObject(memories[i]);
    if (work->kernel != NULL) clReleaseKernel(work->kernel);
    if (work->program != NULL) clReleaseProgram(work->program);
}

tanda_status opencl_generate(backend *backend, const synthetic_source *source, const uint64_t *rows,
                             size_t count, float *features, uint32_t *labels, tanda_error *error) {
    generation work = {.state = (opencl_backend_state *)backend};
    tanda_status status = build(&work, error);
    if (status == TANDA_OK) status = make_room(&work, source, count, error);
    if (status == TANDA_OK)
        status = opencl_write_memory(work.state, work.table, 0, source->table,
                                     source->table_size * sizeof(float), error);
    if (status == TANDA_OK) status = send_rows(&work, source, rows, count, error);
    if (status == TANDA_OK) status = launch_rows(&work, source, count, error);
    if (status == TANDA_OK)
        status = fetch(&work, work.features, features, count * source->data.features * sizeof(float), error);
    if (status == TANDA_OK) status = fetch(&work, work.labels, labels, count * sizeof(cl_uint), error);
    release(&work);
    return status;
}
