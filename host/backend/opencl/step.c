/*
 * A step on an OpenCL device: each op is one launch over a wave of tiles; weights, tiles and partials stay on
 * the device, and the host waits for nothing between steps.
 */
#include "backend/opencl/wave.h"
#include "kernels/arguments/gather.h"
#include "kernels/cpu/network.h"
#include "kernels/tree.h"
#include "support/memory.h"

#define STEPS_IN_FLIGHT 256

static tanda_status run_order(const context *c) {
    const program *program = c->program;
    const program_options *options = &program->options;
    const buffer *labels = options->labels;
    const bool weighted = program->plan->weighted;
    const order_arguments arguments = {.first_position = c->wave->first_row,
                                       .row_count = options->rows,
                                       .seed = options->seed,
                                       .rows = (uint)c->wave->rows,
                                       .targets = labels != NULL ? (uint)program->plan->targets : 0,
                                       .shuffle = shuffles(program),
                                       .epoch = (uint)c->wave->epoch,
                                       .has_weights = weighted};
    launch launch = launch_of(c->state, c->state->exact.kernels[KERNEL_order]);
    give_memory(&launch, program->rows);
    give_memory(&launch, program->labels);
    give_memory(&launch, labels != NULL ? labels->memory : options->features->memory);
    give_memory(&launch, weighted ? program->weights : program->labels);
    give_memory(&launch, weighted ? options->weights->memory : options->features->memory);
    give_arguments(&launch, &arguments, sizeof arguments);
    return opencl_launch(&launch, round_up(c->wave->rows, TILE_LANES) / c->state->vector, 1, 1, c->error);
}

static tanda_status run_ops(const context *c) {
    tanda_status status = run_order(c);
    for (size_t i = 0; status == TANDA_OK && i < c->program->plan->op_count; i++) {
        const op *op = &c->program->plan->ops[i];
        if (op->kind != OP_gather || !c->wave->gathered) status = opencl_run_op(c, op);
    }
    return status;
}

/* The kernels gather by themselves unless the tiles are stored. */
static tanda_status run_fused(const context *c) {
    const program *program = c->program;
    tanda_status status = TANDA_OK;
    if (program->stored != NULL && !c->wave->gathered) status = opencl_run_op(c, program->plan->gather);
    if (status != TANDA_OK) return status;
    if (program->is_perceptron) return opencl_run_perceptron(c);
    return opencl_is_whole(c->state, program) ? opencl_run_network_steps(c) : opencl_run_network(c);
}

static tanda_status run_wave(const context *c) {
    const bool is_fused = c->program->is_perceptron || c->program->is_network;
    return is_fused ? run_fused(c) : run_ops(c);
}

static tanda_status add_to_wave(const context *c, size_t partial) {
    const program *program = c->program;
    launch launch = launch_of(c->state, c->state->exact.kernels[KERNEL_add_partials]);
    const add_arguments arguments = {.sum = 0, .other = partial, .floats = program->slot_floats};
    give_memory(&launch, program->slots);
    give_arguments(&launch, &arguments, sizeof arguments);
    return opencl_launch(&launch, program->slot_floats / c->state->vector, 1, 1, c->error);
}

/* A wave's sum, in the first slot, goes through the tree (tree.h) of its step; what waits lies behind the slots. */
static tanda_status add_wave(const context *c, size_t index, bool is_last) {
    const program *program = c->program;
    const size_t waiting = program->wave_tiles * program->slot_floats;
    tanda_status status = TANDA_OK;
    uint level = 0;
    for (; status == TANDA_OK && tree_climbs(index, is_last, level); level++)
        if (tree_takes(index, level)) status = add_to_wave(c, waiting + level * program->slot_floats);
    if (status != TANDA_OK || is_last) return status;
    cl_int code = clEnqueueCopyBuffer(c->state->queue, program->slots, program->slots, 0,
                                      (waiting + level * program->slot_floats) * sizeof(float),
                                      program->slot_floats * sizeof(float), 0, NULL, NULL);
    return opencl_check(c->state, code, "clEnqueueCopyBuffer", c->error);
}

/* How many of the next `steps` steps one launch may do: it makes no tiles that are to be stored. */
static size_t steps_together(const opencl_backend_state *state, const program *program, size_t steps) {
    size_t most = 1;
    if (program->stored != NULL && program->stored_next < epoch_steps(program)) return 1;
    if (program->is_perceptron) most = opencl_perceptron_steps(program);
    if (opencl_is_whole(state, program)) most = opencl_network_steps(program);
    return steps < most ? steps : most;
}

/* One step, or `steps` of them that a single launch does. */
static tanda_status run_step(opencl_backend_state *state, program *program, uint64_t index, size_t steps,
                             size_t result, bool with_loss, tanda_error *error) {
    const program_options *options = &program->options;
    size_t per_epoch = epoch_steps(program), batch = (size_t)(index % per_epoch), distance = 1;
    size_t rows = batch_size(options->rows, options->batch_rows, batch), tiles = tiles_of(rows);
    tanda_status status = TANDA_OK;
    wave wave = {
        .step = index, .epoch = index / per_epoch, .result = result, .steps = steps, .with_loss = with_loss};
    wave.gathered = program->stored != NULL && program->stored_next >= per_epoch;
    wave.updates = ((program->is_network && !program->is_tiled) || program->is_perceptron) &&
                   tiles <= program->group && program->squares == NULL;
    context c = {state, program, &wave, error};
    const size_t most = program->wave_tiles * program->group;
    for (size_t first = 0; status == TANDA_OK && first < tiles; first += most) {
        wave.tiles = tiles - first < most ? tiles - first : most;
        wave.slots = (wave.tiles + program->group - 1) / program->group;
        wave.position = first * TILE_ROWS;
        wave.first_row = batch * options->batch_rows + wave.position;
        wave.rows = rows - first * TILE_ROWS;
        if (wave.rows > wave.tiles * TILE_ROWS) wave.rows = wave.tiles * TILE_ROWS;
        wave.first_tile = batch * tiles_of(options->batch_rows) + first;
        status = run_wave(&c);
        if (status == TANDA_OK && !wave.updates)
            status = opencl_merge(&c, program->slots, wave.slots, program->slot_floats,
                                  tiles > most || program->squares != NULL, &distance);
        if (status == TANDA_OK && tiles > most)
            status = add_wave(&c, first / most, first + wave.tiles == tiles);
    }
    if (batch == program->stored_next) program->stored_next++; /* also from a later step on: see --resume */
    program->has_gradient = true;
    if (status != TANDA_OK || wave.updates) return status;
    const bool is_merged = tiles > most || program->squares != NULL;
    return opencl_run_update(&c, is_merged ? 1 : wave.slots, is_merged ? 1 : distance, rows);
}

static void release(cl_mem *memory) {
    if (*memory != NULL) clReleaseMemObject(*memory);
    *memory = NULL;
}

static tanda_status make_results(opencl_backend_state *state, program *program, size_t steps,
                                 tanda_error *error) {
    release(&program->results);
    release(&program->turns);
    program->result_capacity = 0;
    tanda_status status = opencl_make_memory(state, steps, 3 * sizeof(cl_uint), &program->results, error);
    if (status == TANDA_OK && opencl_is_whole(state, program))
        status = opencl_make_memory(state, steps, NETWORK_TURNS * sizeof(cl_uint), &program->turns, error);
    if (status == TANDA_OK) program->result_capacity = steps;
    return status;
}

tanda_status opencl_clear_results(opencl_backend_state *state, program *program, size_t steps,
                                  tanda_error *error) {
    tanda_status status =
        steps > program->result_capacity ? make_results(state, program, steps, error) : TANDA_OK;
    if (status != TANDA_OK) return status;
    const cl_uint zero = 0;
    cl_int code = clEnqueueFillBuffer(state->queue, program->results, &zero, sizeof zero, 0,
                                      steps * 3 * sizeof(cl_uint), 0, NULL, NULL);
    if (code == CL_SUCCESS && program->turns != NULL)
        code = clEnqueueFillBuffer(state->queue, program->turns, &zero, sizeof zero, 0,
                                   steps * NETWORK_TURNS * sizeof(cl_uint), 0, NULL, NULL);
    return opencl_check(state, code, "clEnqueueFillBuffer", error);
}

tanda_status opencl_run(backend *backend, program *program, uint64_t first_step, size_t steps,
                        const update_rates *rates, bool with_loss, tanda_error *error) {
    opencl_backend_state *state = (opencl_backend_state *)backend;
    tanda_status status = opencl_clear_results(state, program, steps, error);
    if (status == TANDA_OK) status = opencl_set_rates(state, program, rates, steps, error);
    program->result_count = steps;
    program->last_step = first_step + steps - 1;
    program->kept_is_fresh = false;
    for (size_t s = 0, together = 0, launches = 1; status == TANDA_OK && s < steps;
         s += together, launches++) {
        together = steps_together(state, program, steps - s);
        status = run_step(state, program, first_step + s, together, s, with_loss, error);
        if (status == TANDA_OK && launches % STEPS_IN_FLIGHT == 0)
            status = opencl_check(state, clFinish(state->queue), "clFinish", error);
    }
    return status == TANDA_OK ? opencl_check(state, clFlush(state->queue), "clFlush", error) : status;
}
