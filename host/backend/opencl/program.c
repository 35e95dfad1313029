/*
 * Running a plan on an OpenCL device: each op is one launch over a wave of tiles; weights, tiles and partials
 * stay on the device, and the host waits for nothing between steps.
 */
#include <stdlib.h>
#include <string.h>

#include "backend/opencl/opencl.h"
#include "support/memory.h"

#define CPU_WAVE_BYTES ((size_t)32 << 20) /* about a last-level cache */
#define GPU_WAVE_BYTES ((size_t)512 << 20)
#define MOST_WAVE_TILES 1024
#define MERGE_FAN_IN 8 /* FAN_IN of reduce.cl */
#define STEPS_IN_FLIGHT 256

struct program {
    const plan *plan;
    program_options options;
    size_t width, wave_tiles;
    size_t workspace_floats; /* of one tile */
    size_t slot_floats;      /* packed parameters, then the loss sum, padded */
    size_t stack_levels;
    cl_mem workspace;     /* (wave_tiles, workspace_floats) */
    cl_mem slots;         /* (wave_tiles, slot_floats), then the stack (stack_levels, slot_floats) */
    cl_mem rows, labels;  /* (wave_tiles, TILE_ROWS): row number and label of each position */
    cl_mem stored;        /* the data set as tiles when the order never changes; else NULL */
    uint64_t stored_next; /* steps from 0 on whose tiles are made */
    cl_mem results;       /* three words a step, see update.cl */
    size_t result_count, result_capacity;
    uint64_t last_step;
    size_t last_gradient; /* offset in slots; SIZE_MAX before the first step */
};

/* Part of a step: tiles [first, first + tiles) of it. */
typedef struct wave {
    uint64_t epoch;
    size_t first_row; /* position in the epoch's order */
    size_t rows, tiles;
    size_t first_tile; /* of the stored tiles */
    size_t result;     /* index of the step in this run */
    bool gathered;
} wave;

/* A tensor of the wave: buffer, offset of its first float, floats between tiles. */
typedef struct place {
    cl_mem memory;
    size_t offset, tile;
} place;

/* ---- preparing ---------------------------------------------------------------------------------------- */

static size_t choose_wave(const opencl_backend_state *state, const program *program) {
    size_t tiles = 1, wave = program->options.wave_tiles;
    while (tiles < tiles_of(program->options.batch_rows))
        tiles *= 2;
    if (program->plan->keep) return tiles;
    if (wave == 0) {
        size_t budget = state->shares_memory ? CPU_WAVE_BYTES : GPU_WAVE_BYTES;
        size_t least = 1;
        while (least < 2 * state->base.information.compute_units && least < 8)
            least *= 2;
        wave = MOST_WAVE_TILES;
        while (wave > least &&
               wave * (program->workspace_floats + program->slot_floats) * sizeof(float) > budget)
            wave /= 2;
    }
    return wave < tiles ? wave : tiles;
}

static tanda_status make_memory(const opencl_backend_state *state, size_t count, size_t size, cl_mem *memory,
                                tanda_error *error) {
    size_t bytes = 0;
    cl_int code = CL_SUCCESS;
    if (multiply_overflows(count, size, &bytes))
        return fail(error, TANDA_FAILED, "%zu items of %zu bytes are more than this machine can address",
                    count, size);
    *memory = clCreateBuffer(state->context, CL_MEM_READ_WRITE, bytes, NULL, &code);
    if (code == CL_SUCCESS) {
        cl_uint zero = 0;
        code = clEnqueueFillBuffer(state->queue, *memory, &zero, sizeof zero, 0, bytes, 0, NULL, NULL);
    }
    if (code == CL_SUCCESS) return TANDA_OK;
    return fail(error, TANDA_DEVICE, "%s (%s): no device memory for %zu bytes (%d)",
                state->base.information.id, state->base.information.name, bytes, code);
}

/* The tiles of a data set whose order never changes are made once, if the device has room. */
static void make_stored(const opencl_backend_state *state, program *program) {
    const program_options *options = &program->options;
    if ((options->shuffle && options->batch_rows < options->rows) || program->plan->keep ||
        !program->plan->training)
        return;
    size_t tiles = steps_per_epoch(options->rows, options->batch_rows) * tiles_of(options->batch_rows),
           floats = 0;
    cl_ulong most = 0;
    clGetDeviceInfo(state->device, CL_DEVICE_MAX_MEM_ALLOC_SIZE, sizeof most, &most, NULL);
    if (multiply_overflows(tiles, program->plan->features * program->width, &floats) ||
        floats > most / sizeof(float) / 2)
        return;
    if (make_memory(state, floats, sizeof(float), &program->stored, NULL) != TANDA_OK) program->stored = NULL;
}

static tanda_status make_memories(const opencl_backend_state *state, program *program, tanda_error *error) {
    const plan *plan = program->plan;
    size_t batch = program->options.batch_rows, positions = 0;
    program->width = batch < TILE_ROWS ? round_up(batch, TILE_LANES) : TILE_ROWS;
    program->workspace_floats = plan->workspace_units * program->width;
    program->slot_floats = plan->training ? plan->parameter_count + 16 : 16;
    program->wave_tiles = choose_wave(state, program);
    program->stack_levels = 1;
    for (size_t waves = tiles_of(batch) / program->wave_tiles; waves > 0; waves /= 2)
        program->stack_levels++;
    positions = program->wave_tiles * TILE_ROWS;
    tanda_status status = make_memory(state, program->wave_tiles, program->workspace_floats * sizeof(float),
                                      &program->workspace, error);
    if (status == TANDA_OK)
        status = make_memory(state, program->wave_tiles + program->stack_levels,
                             program->slot_floats * sizeof(float), &program->slots, error);
    if (status == TANDA_OK) status = make_memory(state, positions, sizeof(cl_ulong), &program->rows, error);
    if (status == TANDA_OK) status = make_memory(state, positions, sizeof(cl_uint), &program->labels, error);
    if (status == TANDA_OK) make_stored(state, program);
    return status;
}

tanda_status opencl_compile(backend *backend, const plan *plan, const program_options *options,
                            program **result, tanda_error *error) {
    program *made = NULL;
    tanda_status status = allocate(&made, 1, sizeof *made, "program", error);
    if (status != TANDA_OK) return status;
    made->plan = plan;
    made->options = *options;
    made->last_gradient = SIZE_MAX;
    status = make_memories((const opencl_backend_state *)backend, made, error);
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
    const cl_mem memories[] = {program->workspace, program->slots,  program->rows,
                               program->labels,    program->stored, program->results};
    for (size_t i = 0; i < sizeof memories / sizeof *memories; i++)
        if (memories[i] != NULL) clReleaseMemObject(memories[i]);
    free(program);
}

/* ---- tile ops, one launcher each ---------------------------------------------------------------------- */

typedef struct context {
    opencl_backend_state *state;
    program *program;
    const wave *wave;
    tanda_error *error;
} context;

/* The input, whose offset is 0, may lie among the stored tiles. */
static place place_of(const context *c, size_t offset) {
    const program *program = c->program;
    size_t input_tile = program->plan->features * program->width;
    if (offset == 0 && program->stored != NULL)
        return (place){program->stored, c->wave->first_tile * input_tile, input_tile};
    return (place){program->workspace, offset * program->width, program->workspace_floats};
}

static void give_place(launch *launch, const place *place) {
    give_memory(launch, place->memory);
    give_ulong(launch, place->offset);
    give_ulong(launch, place->tile);
}

/* Work-items along the lanes for kernels that loop over them. */
static size_t lane_items(const context *c) {
    return c->state->vector == 1 ? c->program->width : 1;
}

/* Lanes of one block of a dense kernel, and which of the three shapes it is. */
static size_t block_lanes(const context *c, size_t lanes, kernel_index large, cl_kernel *kernel,
                          size_t *outputs) {
    size_t vectors = lanes / c->state->vector;
    size_t shape = vectors % 4 == 0 ? 0 : vectors % 2 == 0 ? 1 : 2;
    if (c->state->vector == 1) shape = 2; /* a GPU hides latency with work-items, not with registers */
    *kernel = c->state->kernels[large + shape];
    *outputs = c->state->vector == 1 ? 8 : shape == 0 ? 6 : 12; /* LARGE_OUTPUTS, SMALL_OUTPUTS of dense.cl */
    return c->state->vector * (shape == 0 ? 4 : shape == 1 ? 2 : 1);
}

static tanda_status run_gather(const context *c, const op *op) {
    const program *program = c->program;
    place target = place_of(c, op->target);
    launch launch = launch_of(c->state, c->state->kernels[KERNEL_gather]);
    give_memory(&launch, program->options.features->memory);
    give_uint(&launch, program->plan->features);
    give_memory(&launch, program->rows);
    give_place(&launch, &target);
    give_uint(&launch, program->width);
    give_uint(&launch, c->wave->rows);
    size_t vector = c->state->vector;
    return opencl_launch(&launch, (program->plan->features + vector - 1) / vector, program->width / vector,
                         c->wave->tiles, c->error);
}

static tanda_status run_dense_forward(const context *c, const op *op) {
    const program *program = c->program;
    place source = place_of(c, op->source), target = place_of(c, op->target);
    cl_kernel kernel = NULL;
    size_t outputs = 0, lanes = block_lanes(c, program->width, KERNEL_dense_forward_large, &kernel, &outputs);
    launch launch = launch_of(c->state, kernel);
    give_place(&launch, &source);
    give_place(&launch, &target);
    give_uint(&launch, program->width);
    give_uint(&launch, c->wave->rows);
    give_memory(&launch, program->options.parameters->memory);
    give_ulong(&launch, op->weight);
    give_ulong(&launch, op->bias);
    give_uint(&launch, op->stride);
    give_uint(&launch, op->inputs);
    give_uint(&launch, op->outputs);
    give_float(&launch, 0.0f);
    return opencl_launch(&launch, program->width / lanes, (op->outputs + outputs - 1) / outputs,
                         c->wave->tiles, c->error);
}

static tanda_status run_dense_backward(const context *c, const op *op) {
    const program *program = c->program;
    place source = place_of(c, op->source), target = place_of(c, op->target);
    cl_kernel kernel = NULL;
    size_t outputs = 0,
           lanes = block_lanes(c, program->width, KERNEL_dense_backward_large, &kernel, &outputs);
    launch launch = launch_of(c->state, kernel);
    give_place(&launch, &source);
    give_place(&launch, &target);
    give_uint(&launch, program->width);
    give_uint(&launch, c->wave->rows);
    give_memory(&launch, program->options.parameters->memory);
    give_ulong(&launch, op->weight);
    give_uint(&launch, op->stride);
    give_uint(&launch, op->inputs);
    give_uint(&launch, op->outputs);
    give_float(&launch, 0.0f);
    return opencl_launch(&launch, program->width / lanes, (op->inputs + outputs - 1) / outputs,
                         c->wave->tiles, c->error);
}

static tanda_status run_activation(const context *c, const op *op, cl_kernel kernel, bool backward) {
    const program *program = c->program;
    launch launch = launch_of(c->state, kernel);
    give_memory(&launch, program->workspace);
    give_ulong(&launch, op->source * program->width);
    if (backward) give_ulong(&launch, op->other * program->width);
    give_ulong(&launch, op->target * program->width);
    give_ulong(&launch, program->workspace_floats);
    give_uint(&launch, program->width);
    give_uint(&launch, c->wave->rows);
    return opencl_launch(&launch, lane_items(c), op->outputs, c->wave->tiles, c->error);
}

static tanda_status run_activation_forward(const context *c, const op *op) {
    return run_activation(c, op, c->state->activation_forward[op->activation], false);
}

static tanda_status run_activation_backward(const context *c, const op *op) {
    return run_activation(c, op, c->state->activation_backward[op->activation], true);
}

static tanda_status run_softmax(const context *c, const op *op) {
    const program *program = c->program;
    launch launch = launch_of(c->state, c->state->kernels[KERNEL_softmax]);
    give_memory(&launch, program->workspace);
    give_ulong(&launch, op->source * program->width);
    give_ulong(&launch, op->target * program->width);
    give_ulong(&launch, program->workspace_floats);
    give_uint(&launch, program->width);
    give_uint(&launch, c->wave->rows);
    give_uint(&launch, op->outputs);
    give_float(&launch, 0.0f);
    return opencl_launch(&launch, lane_items(c), c->wave->tiles, 1, c->error);
}

/* The arguments that every loss begins with. */
static launch loss_launch(const context *c, const op *op, kernel_index kernel) {
    const program *program = c->program;
    launch launch = launch_of(c->state, c->state->kernels[kernel]);
    give_memory(&launch, program->workspace);
    give_ulong(&launch, op->source * program->width);
    give_ulong(&launch, op->other * program->width);
    give_ulong(&launch, op->target * program->width);
    give_ulong(&launch, program->workspace_floats);
    give_uint(&launch, program->width);
    give_uint(&launch, c->wave->rows);
    give_memory(&launch, program->labels);
    give_uint(&launch, op->with_delta);
    give_memory(&launch, program->results);
    give_uint(&launch, c->wave->result);
    return launch;
}

static tanda_status run_loss_binary_crossentropy(const context *c, const op *op) {
    launch launch = loss_launch(c, op, KERNEL_loss_binary_crossentropy);
    return opencl_launch(&launch, lane_items(c), c->wave->tiles, 1, c->error);
}

static tanda_status run_loss_categorical_crossentropy(const context *c, const op *op) {
    launch launch = loss_launch(c, op, KERNEL_loss_categorical_crossentropy);
    give_uint(&launch, op->outputs);
    give_float(&launch, 0.0f);
    return opencl_launch(&launch, lane_items(c), c->wave->tiles, 1, c->error);
}

static tanda_status run_loss_mse(const context *c, const op *op) {
    launch launch = loss_launch(c, op, KERNEL_loss_mse);
    give_uint(&launch, c->program->plan->classes);
    give_uint(&launch, op->activation == ACTIVATION_SIGMOID);
    return opencl_launch(&launch, lane_items(c), c->wave->tiles, 1, c->error);
}

/* slots[target + i] = sum over the rows of line i of a tensor */
static tanda_status run_sum_rows(const context *c, size_t source, size_t target, size_t lines) {
    const program *program = c->program;
    launch launch = launch_of(c->state, c->state->kernels[KERNEL_sum_rows]);
    give_memory(&launch, program->workspace);
    give_ulong(&launch, source * program->width);
    give_ulong(&launch, program->workspace_floats);
    give_uint(&launch, program->width);
    give_uint(&launch, c->wave->rows);
    give_memory(&launch, program->slots);
    give_ulong(&launch, program->slot_floats);
    give_ulong(&launch, target);
    give_uint(&launch, lines);
    give_float(&launch, 0.0f);
    return opencl_launch(&launch, lines, c->wave->tiles, 1, c->error);
}

static tanda_status run_loss_sum(const context *c, const op *op) {
    return run_sum_rows(c, op->source, c->program->slot_floats - 16, 1);
}

static tanda_status run_transpose_delta(const context *c, const op *op) {
    const program *program = c->program;
    launch launch = launch_of(c->state, c->state->kernels[KERNEL_transpose_delta]);
    give_memory(&launch, program->workspace);
    give_ulong(&launch, op->source * program->width);
    give_ulong(&launch, op->scratch * program->width);
    give_ulong(&launch, program->workspace_floats);
    give_uint(&launch, program->width);
    give_uint(&launch, c->wave->rows);
    give_uint(&launch, op->outputs);
    give_uint(&launch, op->stride);
    return opencl_launch(&launch, program->width, c->wave->tiles, 1, c->error);
}

static tanda_status run_wide_gradient(const context *c, const op *op) {
    const program *program = c->program;
    tanda_status status = run_transpose_delta(c, op);
    if (status != TANDA_OK) return status;
    place a = place_of(c, op->other);
    cl_kernel kernel = NULL;
    size_t inputs = 0, lanes = block_lanes(c, op->stride, KERNEL_dense_gradient_large, &kernel, &inputs);
    launch launch = launch_of(c->state, kernel);
    give_memory(&launch, program->workspace);
    give_ulong(&launch, op->scratch * program->width);
    give_ulong(&launch, program->workspace_floats);
    give_place(&launch, &a);
    give_uint(&launch, program->width);
    give_uint(&launch, c->wave->rows);
    give_memory(&launch, program->slots);
    give_ulong(&launch, program->slot_floats);
    give_ulong(&launch, op->weight);
    give_uint(&launch, op->stride);
    give_uint(&launch, op->inputs);
    give_float(&launch, 0.0f);
    return opencl_launch(&launch, op->stride / lanes, (op->inputs + inputs - 1) / inputs, c->wave->tiles,
                         c->error);
}

static tanda_status run_narrow_gradient(const context *c, const op *op) {
    const program *program = c->program;
    place a = place_of(c, op->other);
    launch launch = launch_of(c->state, c->state->kernels[KERNEL_narrow_gradient]);
    give_memory(&launch, program->workspace);
    give_ulong(&launch, op->source * program->width);
    give_ulong(&launch, program->workspace_floats);
    give_place(&launch, &a);
    give_uint(&launch, program->width);
    give_uint(&launch, c->wave->rows);
    give_memory(&launch, program->slots);
    give_ulong(&launch, program->slot_floats);
    give_ulong(&launch, op->weight);
    give_uint(&launch, op->stride);
    give_uint(&launch, op->inputs);
    give_float(&launch, 0.0f);
    return opencl_launch(&launch, op->inputs, op->outputs, c->wave->tiles, c->error);
}

static tanda_status run_dense_gradient(const context *c, const op *op) {
    tanda_status status = op->outputs >= WIDE_OUTPUTS ? run_wide_gradient(c, op) : run_narrow_gradient(c, op);
    return status == TANDA_OK ? run_sum_rows(c, op->source, op->bias, op->outputs) : status;
}

#define RUN_ENTRY(name) [OP_##name] = run_##name,
static tanda_status (*const run_op[TILE_OP_COUNT])(const context *c,
                                                   const op *op) = {TILE_OP_LIST(RUN_ENTRY)};

/* ---- a step ------------------------------------------------------------------------------------------- */

static tanda_status run_order(const context *c) {
    const program *program = c->program;
    const program_options *options = &program->options;
    const buffer *labels = options->labels;
    launch launch = launch_of(c->state, c->state->kernels[KERNEL_order]);
    give_memory(&launch, program->rows);
    give_memory(&launch, program->labels);
    give_memory(&launch, labels != NULL ? labels->memory : options->features->memory);
    give_ulong(&launch, c->wave->first_row);
    give_uint(&launch, c->wave->rows);
    give_ulong(&launch, options->rows);
    give_uint(&launch, labels != NULL);
    give_uint(&launch, options->shuffle && options->batch_rows < options->rows);
    give_ulong(&launch, options->seed);
    give_uint(&launch, c->wave->epoch);
    return opencl_launch(&launch, c->wave->tiles * TILE_ROWS, 1, 1, c->error);
}

static tanda_status merge_wave(const context *c) {
    const program *program = c->program;
    for (size_t distance = 1; distance < c->wave->tiles; distance *= MERGE_FAN_IN) {
        size_t groups = (c->wave->tiles + distance * MERGE_FAN_IN - 1) / (distance * MERGE_FAN_IN);
        launch launch = launch_of(c->state, c->state->kernels[KERNEL_merge_partials]);
        give_memory(&launch, program->slots);
        give_ulong(&launch, program->slot_floats);
        give_uint(&launch, c->wave->tiles);
        give_uint(&launch, distance);
        give_uint(&launch, program->slot_floats);
        tanda_status status =
            opencl_launch(&launch, program->slot_floats / c->state->vector, groups, 1, c->error);
        if (status != TANDA_OK) return status;
    }
    return TANDA_OK;
}

static tanda_status run_wave(const context *c) {
    tanda_status status = run_order(c);
    for (size_t i = 0; status == TANDA_OK && i < c->program->plan->op_count; i++) {
        const op *op = &c->program->plan->ops[i];
        if (op->kind == OP_gather && c->wave->gathered) continue;
        status = run_op[op->kind](c, op);
    }
    return status == TANDA_OK ? merge_wave(c) : status;
}

/* The stack of partials lies behind the slots. */
static size_t stack_at(const program *program, size_t level) {
    return (program->wave_tiles + level) * program->slot_floats;
}

static tanda_status fold_stack(const context *c, size_t *top) {
    const program *program = c->program;
    launch launch = launch_of(c->state, c->state->kernels[KERNEL_add_partials]);
    give_memory(&launch, program->slots);
    give_ulong(&launch, stack_at(program, *top - 2));
    give_ulong(&launch, stack_at(program, *top - 1));
    give_uint(&launch, program->slot_floats);
    *top -= 1;
    return opencl_launch(&launch, program->slot_floats / c->state->vector, 1, 1, c->error);
}

/* The binary counter of design 2.4; levels[] counts merged full waves, a ragged one never merges early. */
static tanda_status push_wave(const context *c, int *levels, size_t *top) {
    const program *program = c->program;
    size_t bytes = program->slot_floats * sizeof(float);
    cl_int code = clEnqueueCopyBuffer(c->state->queue, program->slots, program->slots, 0,
                                      stack_at(program, *top) * sizeof(float), bytes, 0, NULL, NULL);
    tanda_status status = opencl_check(c->state, code, "clEnqueueCopyBuffer", c->error);
    levels[(*top)++] = c->wave->tiles == program->wave_tiles ? 0 : -1;
    while (status == TANDA_OK && *top >= 2 && levels[*top - 1] == levels[*top - 2]) {
        status = fold_stack(c, top);
        levels[*top - 1]++;
    }
    return status;
}

static tanda_status run_update(const context *c, size_t sum, size_t rows, size_t result) {
    program *program = c->program;
    tanda_status status = TANDA_OK;
    program->last_gradient = sum;
    if (program->plan->training) {
        launch update = launch_of(c->state, c->state->kernels[KERNEL_update]);
        give_memory(&update, program->options.parameters->memory);
        give_memory(&update, program->slots);
        give_ulong(&update, sum);
        give_uint(&update, program->plan->parameter_count);
        give_float(&update, (float)(1.0 / (double)rows));
        give_float(&update, program->options.learning_rate);
        give_memory(&update, program->results);
        give_uint(&update, result);
        status = opencl_launch(&update, program->plan->parameter_count / c->state->vector, 1, 1, c->error);
    }
    if (status != TANDA_OK) return status;
    launch keep = launch_of(c->state, c->state->kernels[KERNEL_keep_loss]);
    give_memory(&keep, program->slots);
    give_ulong(&keep, sum + program->slot_floats - 16);
    give_memory(&keep, program->results);
    give_uint(&keep, result);
    return opencl_launch(&keep, 1, 1, 1, c->error);
}

static tanda_status run_step(opencl_backend_state *state, program *program, uint64_t index, size_t result,
                             tanda_error *error) {
    const program_options *options = &program->options;
    size_t per_epoch = steps_per_epoch(options->rows, options->batch_rows),
           batch = (size_t)(index % per_epoch), top = 0;
    size_t rows = batch_size(options->rows, options->batch_rows, batch), tiles = tiles_of(rows);
    int levels[48];
    tanda_status status = TANDA_OK;
    wave wave = {.epoch = index / per_epoch, .result = result};
    wave.gathered = program->stored != NULL && program->stored_next >= per_epoch;
    context c = {state, program, &wave, error};
    for (size_t first = 0; status == TANDA_OK && first < tiles; first += program->wave_tiles) {
        wave.tiles = tiles - first < program->wave_tiles ? tiles - first : program->wave_tiles;
        wave.first_row = batch * options->batch_rows + first * TILE_ROWS;
        wave.rows = rows - first * TILE_ROWS;
        if (wave.rows > wave.tiles * TILE_ROWS) wave.rows = wave.tiles * TILE_ROWS;
        wave.first_tile = batch * tiles_of(options->batch_rows) + first;
        status = run_wave(&c);
        if (status == TANDA_OK && tiles > program->wave_tiles) status = push_wave(&c, levels, &top);
    }
    while (status == TANDA_OK && top > 1)
        status = fold_stack(&c, &top);
    if (index == program->stored_next) program->stored_next++;
    if (status != TANDA_OK) return status;
    return run_update(&c, tiles > program->wave_tiles ? stack_at(program, 0) : 0, rows, result);
}

static tanda_status clear_results(opencl_backend_state *state, program *program, size_t steps,
                                  tanda_error *error) {
    if (steps > program->result_capacity) {
        if (program->results != NULL) clReleaseMemObject(program->results);
        program->results = NULL;
        program->result_capacity = 0;
        tanda_status status = make_memory(state, steps, 3 * sizeof(cl_uint), &program->results, error);
        if (status != TANDA_OK) return status;
        program->result_capacity = steps;
    }
    cl_uint zero = 0;
    cl_int code = clEnqueueFillBuffer(state->queue, program->results, &zero, sizeof zero, 0,
                                      steps * 3 * sizeof(cl_uint), 0, NULL, NULL);
    return opencl_check(state, code, "clEnqueueFillBuffer", error);
}

tanda_status opencl_run(backend *backend, program *program, uint64_t first_step, size_t steps,
                        tanda_error *error) {
    opencl_backend_state *state = (opencl_backend_state *)backend;
    tanda_status status = clear_results(state, program, steps, error);
    program->result_count = steps;
    program->last_step = first_step + steps - 1;
    for (size_t s = 0; status == TANDA_OK && s < steps; s++) {
        status = run_step(state, program, first_step + s, s, error);
        if (status == TANDA_OK && s % STEPS_IN_FLIGHT == STEPS_IN_FLIGHT - 1)
            status = opencl_check(state, clFinish(state->queue), "clFinish", error);
    }
    return status == TANDA_OK ? opencl_check(state, clFlush(state->queue), "clFlush", error) : status;
}

/* ---- reading ------------------------------------------------------------------------------------------ */

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

tanda_status opencl_read(backend *backend, program *program, const tensor *tensor, float *values,
                         tanda_error *error) {
    opencl_backend_state *state = (opencl_backend_state *)backend;
    const program_options *options = &program->options;
    if (!program->plan->keep) return fail(error, TANDA_FAILED, "tensors are read from plans made with keep");
    size_t rows =
        batch_size(options->rows, options->batch_rows,
                   (size_t)(program->last_step % steps_per_epoch(options->rows, options->batch_rows)));
    float *tile = NULL;
    tanda_status status = allocate(&tile, tensor->units * program->width, sizeof *tile, "tensor", error);
    for (size_t row = 0; status == TANDA_OK && row < rows; row++) {
        size_t lane = row % TILE_ROWS;
        if (lane == 0)
            status =
                read_floats(state, program->workspace,
                            row / TILE_ROWS * program->workspace_floats + tensor->offset * program->width,
                            tensor->units * program->width, tile, error);
        for (size_t unit = 0; unit < tensor->units; unit++)
            values[row * tensor->units + unit] = tile[unit * program->width + lane];
    }
    free(tile);
    return status;
}

tanda_status opencl_read_gradient(backend *backend, program *program, float *packed, tanda_error *error) {
    if (!program->plan->training || program->last_gradient == SIZE_MAX)
        return fail(error, TANDA_FAILED, "there is no gradient to read");
    return read_floats((opencl_backend_state *)backend, program->slots, program->last_gradient,
                       program->plan->parameter_count, packed, error);
}
