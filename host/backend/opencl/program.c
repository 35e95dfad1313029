/* Programs of the OpenCL backend: their memory on the device, and reading it back. */
#include "backend/executor.h"
#include "backend/opencl/wave.h"

#include <stdio.h>
#include <stdlib.h>

#include "support/memory.h"
#include "support/text.h"

#define CPU_WAVE_BYTES ((size_t)32 << 20) /* about a last-level cache */
#define NETWORK_WAVE_BYTES \
    ((size_t)96 << 20) /* its tensors are read in the order of memory: fewer launches count more */
#define GPU_WAVE_BYTES ((size_t)512 << 20)
#define MOST_WAVE_TILES 1024

static size_t choose_wave(const opencl_backend_state *state, const program *program) {
    size_t tiles = 1, wave = program->options.wave_tiles;
    while (tiles < tiles_of(program->options.batch_rows))
        tiles *= 2;
    if (program->plan->keep) return tiles;
    if (wave == 0) {
        size_t budget = state->shares_memory ? CPU_WAVE_BYTES : GPU_WAVE_BYTES;
        size_t least = 1, floats = program->workspace_floats + program->slot_floats;
        if (program->is_network) {
            budget = NETWORK_WAVE_BYTES;
            floats = program->workspace_floats; /* its slots are of groups of tiles */
        }
        while (least < 2 * state->base.information.compute_units && least < 8)
            least *= 2;
        wave = MOST_WAVE_TILES;
        while (wave > least && wave * floats * sizeof(float) > budget)
            wave /= 2;
    }
    return wave < tiles ? wave : tiles;
}

/* The tiles of a data set whose order never changes are made once, if the device has room. */
static void make_stored(const opencl_backend_state *state, program *program) {
    const program_options *options = &program->options;
    if (shuffles(program) || program->plan->keep || !program->plan->training) return;
    size_t tiles = steps_per_epoch(options->rows, options->batch_rows) * tiles_of(options->batch_rows),
           floats = 0;
    if (multiply_overflows(tiles, program->plan->features * program->width, &floats) ||
        floats > state->most_bytes / sizeof(float) / 2)
        return;
    if (opencl_make_memory(state, floats, sizeof(float), &program->stored, NULL) != TANDA_OK)
        program->stored = NULL;
}

static tanda_status make_memories(const opencl_backend_state *state, program *program, tanda_error *error) {
    const plan *plan = program->plan;
    size_t batch = program->options.batch_rows, positions = 0;
    program->width = batch < TILE_ROWS ? round_up(batch, TILE_LANES) : TILE_ROWS;
    program->workspace_floats = plan->workspace_units * program->width;
    program->slot_floats = plan->training ? plan->parameter_count + 16 : 16;
    program->group = 1;
    opencl_choose_perceptron(state, program);
    opencl_choose_network(state, program);
    program->wave_tiles = choose_wave(state, program);
    make_stored(state, program);
    if (program->is_perceptron) opencl_choose_groups(state, program, CPU_WAVE_BYTES);
    if (program->is_network) opencl_choose_network_groups(state, program);
    program->stack_levels = 1;
    for (size_t waves = tiles_of(batch) / (program->wave_tiles * program->group); waves > 0; waves /= 2)
        program->stack_levels++;
    size_t tiles = program->wave_tiles * program->group;
    if (program->is_perceptron || program->is_tiled) tiles = program->wave_tiles; /* one a work-item */
    if (program->is_perceptron && program->stored != NULL) tiles = 1;
    positions = program->is_perceptron ? 1 : tiles * TILE_ROWS;
    tanda_status status = opencl_make_memory(state, tiles, program->workspace_floats * sizeof(float),
                                             &program->workspace, error);
    if (status == TANDA_OK)
        status = opencl_make_memory(state, program->wave_tiles + program->stack_levels,
                                    program->slot_floats * sizeof(float), &program->slots, error);
    if (status == TANDA_OK)
        status = opencl_make_memory(state, positions, sizeof(cl_ulong), &program->rows, error);
    if (status == TANDA_OK)
        status =
            opencl_make_memory(state, positions, plan->targets * sizeof(cl_uint), &program->labels, error);
    if (status == TANDA_OK && plan->weighted)
        status = opencl_make_memory(state, positions, sizeof(float), &program->weights, error);
    if (status == TANDA_OK) status = opencl_make_update(state, program, error);
    if (status == TANDA_OK && program->is_network) status = opencl_make_network(state, program, error);
    if (status == TANDA_OK && program->scratch_floats > 0)
        status = opencl_make_memory(state, program->wave_tiles, program->scratch_floats * sizeof(float),
                                    &program->scratch, error);
    return status;
}

static bool fits_all(const backend *backend, const plan *plan, const program_options *options,
                     const char **lack) {
    (void)backend, (void)plan, (void)options, (void)lack;
    return true;
}

static const executor any = {.name = "any", .fits = fits_all};
const executor *const opencl_executors[] = {&any, NULL};

tanda_status opencl_compile(backend *backend, const plan *plan, const program_options *options,
                            const executor *executor, program **result, tanda_error *error) {
    (void)executor;
    program *made = NULL;
    tanda_status status = allocate(&made, 1, sizeof *made, "program", error);
    if (status != TANDA_OK) return status;
    made->plan = plan;
    made->options = *options;
    status = allocate(&made->variants, plan->op_count, sizeof *made->variants, "program", error);
    if (status == TANDA_OK) status = make_memories((const opencl_backend_state *)backend, made, error);
    const bool is_fused = made->is_perceptron || made->is_network, is_fast = options->math == TANDA_MATH_FAST;
    if (is_fast && is_fused)
        text_put(made->notes, sizeof made->notes, "fast: the exact kernels, fused, are the quickest here");
    if (status == TANDA_OK && is_fast && !is_fused)
        status = opencl_choose_variants((opencl_backend_state *)backend, made, error);
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
    const cl_mem memories[] = {program->workspace, program->slots,  program->rows,    program->labels,
                               program->weights,   program->stored, program->results, program->scratch,
                               program->layers,    program->state,  program->biases,  program->squares,
                               program->turns,     program->rates,  program->panels};
    for (size_t i = 0; i < sizeof memories / sizeof *memories; i++)
        if (memories[i] != NULL) clReleaseMemObject(memories[i]);
    free(program->variants);
    free(program->kept);
    free(program);
}

const char *opencl_notes(const program *program) {
    return program->notes;
}

static tanda_status read_floats(opencl_backend_state *state, cl_mem memory, size_t offset, size_t count,
                                void *target, tanda_error *error) {
    cl_int code = clEnqueueReadBuffer(state->queue, memory, CL_TRUE, offset * sizeof(float),
                                      count * sizeof(float), target, 0, NULL, NULL);
    return opencl_check(state, code, "clEnqueueReadBuffer", error);
}

tanda_status opencl_results(backend *backend, program *program, step_result *results, tanda_error *error) {
    _Static_assert(sizeof(step_result) == 3 * sizeof(cl_uint), "a step's result is three words");
    return read_floats((opencl_backend_state *)backend, program->results, 0, 3 * program->result_count,
                       results, error);
}

/* All tensors of the latest step at once: who reads one reads the others too, and each transfer costs a wait. */
static tanda_status read_kept(opencl_backend_state *state, program *program, size_t rows,
                              tanda_error *error) {
    if (program->kept_is_fresh) return TANDA_OK;
    tanda_status status = TANDA_OK;
    if (program->kept == NULL)
        status = allocate(&program->kept, program->wave_tiles, program->workspace_floats * sizeof(float),
                          "tensors", error);
    if (status == TANDA_OK)
        status = read_floats(state, program->workspace, 0, tiles_of(rows) * program->workspace_floats,
                             program->kept, error);
    program->kept_is_fresh = status == TANDA_OK;
    return status;
}

tanda_status opencl_read(backend *backend, program *program, const tensor *tensor, float *values,
                         tanda_error *error) {
    const program_options *options = &program->options;
    if (!program->plan->keep) return fail(error, TANDA_FAILED, "tensors are read from plans made with keep");
    size_t rows =
        batch_size(options->rows, options->batch_rows,
                   (size_t)(program->last_step % steps_per_epoch(options->rows, options->batch_rows)));
    tanda_status status = read_kept((opencl_backend_state *)backend, program, rows, error);
    for (size_t row = 0; status == TANDA_OK && row < rows; row++) {
        const float *tile = program->kept + row / TILE_ROWS * program->workspace_floats +
                            tensor->place.offset * program->width;
        for (size_t unit = 0; unit < tensor->units; unit++)
            values[row * tensor->units + unit] = tile[unit * program->width + row % TILE_ROWS];
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
    if (!program->plan->training || !program->has_gradient)
        return fail(error, TANDA_FAILED, "there is no gradient to read");
    return read_floats((opencl_backend_state *)backend, program->slots, 0, program->plan->parameter_count,
                       packed, error);
}
