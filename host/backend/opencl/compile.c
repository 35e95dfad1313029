/* Programs of the OpenCL backend are compiled, and read back. */
#include "backend/opencl/program.h"

#include <stdlib.h>

#include "backend/step.h"
#include "support/memory.h"
#include "support/text.h"

const executor *const opencl_executors[] = {&opencl_gpu_perceptron.base,
                                            &opencl_gpu_perceptron_one.base,
                                            &opencl_gpu_small.base,
                                            &opencl_gpu_dense.base,
                                            &opencl_perceptron.base,
                                            &opencl_steps.base,
                                            &opencl_tiles.base,
                                            &opencl_network.base,
                                            &opencl_ops.base,
                                            NULL};

/* ---- programs ------------------------------------------------------------------------------------------------ */

static tanda_status make_parts(opencl_backend_state *state, program *program, tanda_error *error) {
    program->sums.floats = program->plan->training ? program->plan->parameter_count + 16 : 16;
    tanda_status status = opencl_make_homes(state, program, error);
    if (status == TANDA_OK) status = opencl_make_update(state, program, error);
    return status == TANDA_OK ? opencl_make_wave(state, program, error) : status;
}

tanda_status opencl_compile(backend *backend, const plan *plan, const program_options *options,
                            const executor *executor, program **result, tanda_error *error) {
    program *made = NULL;
    tanda_status status = allocate(&made, 1, sizeof *made, "program", error);
    if (status != TANDA_OK) return status;
    made->plan = plan;
    made->options = *options;
    made->most_rows = options->rows;
    made->executor = (const opencl_executor *)executor;
    status = make_parts((opencl_backend_state *)backend, made, error);
    if (status != TANDA_OK) {
        opencl_program_free(backend, made);
        return status;
    }
    *result = made;
    return TANDA_OK;
}

void opencl_program_free(backend *backend, program *program) {
    (void)backend;
    if (program == NULL) return;
    opencl_release_wave(program);
    opencl_free_update(program);
    opencl_release(&program->results.memory);
    opencl_free_homes(program);
    free(program->kept.values);
    free(program);
}

const char *opencl_notes(const program *program) {
    return program->notes;
}

tanda_status opencl_results(backend *backend, program *program, step_result *results, tanda_error *error) {
    _Static_assert(sizeof(step_result) == 3 * sizeof(cl_uint), "a step's result is three words");
    return opencl_read_floats((opencl_backend_state *)backend, program->results.memory, 0,
                              3 * program->results.count, results, error);
}

/* All tensors of the latest step at once: who reads one reads the others too, and each transfer costs a wait. */
static tanda_status read_kept(opencl_backend_state *state, program *program, size_t rows,
                              tanda_error *error) {
    if (program->kept.is_fresh) return TANDA_OK;
    tanda_status status = TANDA_OK;
    if (program->kept.values == NULL)
        status = allocate(&program->kept.values, program->tiles.count, program->tiles.floats * sizeof(float),
                          "tensors", error);
    if (status == TANDA_OK)
        status = opencl_read_floats(state, program->tiles.memory, 0, tiles_of(rows) * program->tiles.floats,
                                    program->kept.values, error);
    program->kept.is_fresh = status == TANDA_OK;
    return status;
}

tanda_status opencl_read(backend *backend, program *program, const tensor *tensor, float *values,
                         tanda_error *error) {
    const program_options *options = &program->options;
    if (!program->plan->keep) return fail(error, TANDA_FAILED, "tensors are read from plans made with keep");
    const size_t rows = batch_of(options, program->results.last_step).rows;
    tanda_status status = read_kept((opencl_backend_state *)backend, program, rows, error);
    for (size_t row = 0; status == TANDA_OK && row < rows; row++) {
        const float *tile = program->kept.values + row / TILE_ROWS * program->tiles.floats +
                            tensor->place.offset * program->tiles.width;
        for (size_t unit = 0; unit < tensor->units; unit++)
            values[row * tensor->units + unit] = tile[unit * program->tiles.width + row % TILE_ROWS];
    }
    return status;
}

tanda_status opencl_sweep(backend *backend, program *program, const tensor *tensor, size_t first_row,
                          size_t rows, float *values, tanda_error *error) {
    const size_t batch_rows = program->options.batch_rows;
    tanda_status status = TANDA_OK;
    for (size_t row = 0; status == TANDA_OK && row < rows; row += batch_rows) {
        status = opencl_run(backend, program, (first_row + row) / batch_rows, 1, NULL, false, error);
        if (status == TANDA_OK)
            status = opencl_read(backend, program, tensor, values + row * tensor->units, error);
    }
    return status;
}

tanda_status opencl_read_gradient(backend *backend, program *program, float *packed, tanda_error *error) {
    if (!program->plan->training || !program->results.has_gradient)
        return fail(error, TANDA_FAILED, "there is no gradient to read");
    return opencl_read_floats((opencl_backend_state *)backend, program->sums.memory, 0,
                              program->plan->parameter_count, packed, error);
}
