/* Rows of a section that the device makes itself, beside its steps, as a copy of them would come. */
#include <stdlib.h>

#include "backend/opencl/state.h"
#include "kernels/arguments/synthetic.h"
#include "support/memory.h"

#define CHUNK_ROWS 16384 /* rows of a launch, where each needs scratch */

struct row_maker {
    section_arguments arguments; /* but for place, count and labels */
    bool as_reals;
    size_t launch_rows;
    cl_kernel kernel;
    cl_mem table, scaling, scratch;
};

static tanda_status send_scaling(const opencl_backend_state *state, const row_recipe *recipe, row_maker *made,
                                 tanda_error *error) {
    const size_t features = recipe->data.features, size = features * sizeof(float);
    tanda_status status = opencl_make_memory(state, 2 * features, sizeof(float), &made->scaling, error);
    if (status != TANDA_OK || recipe->center == NULL) return status;
    status = opencl_write_memory(state, made->scaling, 0, recipe->center, size, error);
    return status == TANDA_OK ? opencl_write_memory(state, made->scaling, size, recipe->factor, size, error)
                              : status;
}

static tanda_status send_table(const opencl_backend_state *state, const row_recipe *recipe, row_maker *made,
                               tanda_error *error) {
    tanda_status status = opencl_make_memory(state, recipe->table_size, sizeof(float), &made->table, error);
    return status == TANDA_OK ? opencl_write_memory(state, made->table, 0, recipe->table,
                                                    recipe->table_size * sizeof(float), error)
                              : status;
}

static tanda_status make_kernel(opencl_backend_state *state, row_maker *made, tanda_error *error) {
    cl_program program = NULL;
    const tanda_status status = opencl_single_program(state, "synthetic.cl", "", &program, error);
    return status == TANDA_OK ? opencl_make_kernel(state, program, "synthetic_section", &made->kernel, error)
                              : status;
}

static tanda_status make_parts(opencl_backend_state *state, const row_recipe *recipe, row_maker *made,
                               tanda_error *error) {
    const bool needs_scratch = synthetic_needs_scratch(&recipe->data);
    made->launch_rows = needs_scratch ? CHUNK_ROWS : SIZE_MAX;
    tanda_status status = opencl_need_copy_queue(state, error);
    if (status == TANDA_OK) status = make_kernel(state, made, error);
    if (status == TANDA_OK) status = send_table(state, recipe, made, error);
    if (status == TANDA_OK) status = send_scaling(state, recipe, made, error);
    if (status == TANDA_OK)
        status = opencl_make_memory(state, needs_scratch ? CHUNK_ROWS : 1, SYNTHETIC_SCRATCH * sizeof(float),
                                    &made->scratch, error);
    return status == TANDA_OK ? opencl_finish(state, error)
                              : status; /* it is there for the other queue, too */
}

tanda_status opencl_maker(backend *backend, const row_recipe *recipe, const row_order *order,
                          row_maker **result, tanda_error *error) {
    row_maker *made = NULL;
    tanda_status status = allocate(&made, 1, sizeof *made, "maker of rows", error);
    if (status != TANDA_OK) return status;
    made->arguments = (section_arguments){
        .data = recipe->data, .order = *order, .skip = recipe->first, .is_scaled = recipe->center != NULL};
    made->as_reals = recipe->as_reals;
    status = make_parts((opencl_backend_state *)backend, recipe, made, error);
    if (status == TANDA_OK)
        *result = made;
    else
        opencl_maker_free(backend, made);
    return status;
}

void opencl_maker_free(backend *backend, row_maker *maker) {
    (void)backend;
    opencl_release(&maker->table);
    opencl_release(&maker->scaling);
    opencl_release(&maker->scratch);
    if (maker->kernel != NULL) clReleaseKernel(maker->kernel);
    free(maker);
}

static tanda_status launch_section(opencl_backend_state *state, row_maker *maker, cl_mem features,
                                   cl_mem labels, size_t rows, tanda_error *error) {
    launch launch = launch_of(state, maker->kernel);
    launch.is_beside = true;
    give_memory(&launch, maker->table);
    give_memory(&launch, maker->scaling);
    give_memory(&launch, features);
    give_memory(&launch, labels);
    give_memory(&launch, maker->scratch);
    give_arguments(&launch, &maker->arguments, sizeof maker->arguments);
    launch.work.bytes = (double)rows * (double)(maker->arguments.data.features + 1) * sizeof(float);
    return opencl_launch(&launch, rows, 1, 1, error);
}

/* All buffers of a section are placed and left together, so the events of one are those of all. */
tanda_status opencl_make_rows(backend *backend, row_maker *maker, uint64_t epoch, size_t first, size_t rows,
                              buffer *features, buffer *labels, tanda_error *error) {
    opencl_backend_state *state = (opencl_backend_state *)backend;
    section_arguments *arguments = &maker->arguments;
    arguments->epoch = (uint)epoch;
    arguments->first = first;
    arguments->count = rows;
    arguments->labels = labels == NULL ? MADE_NONE : maker->as_reals ? MADE_REAL : MADE_OWN;
    tanda_status status = opencl_begin_arrival(state, features, error);
    for (size_t from = 0, some; status == TANDA_OK && from < rows; from += some) {
        const size_t left = rows - from;
        some = left < maker->launch_rows ? left : maker->launch_rows;
        arguments->from = from;
        status = launch_section(state, maker, features->memory,
                                labels != NULL ? labels->memory : maker->scratch, some, error);
    }
    return status == TANDA_OK ? opencl_end_arrival(state, features, error) : status;
}
