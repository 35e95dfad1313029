/* Programs of the OpenMP backend: their memory, how a step is divided, and reading results back. step.c runs them. */
#include <stdlib.h>
#include <string.h>

#include "backend/openmp/worker.h"
#include "support/arithmetic.h"
#include "support/memory.h"

/* ---- how a step is divided ---------------------------------------------------------------------------------- */

#define SLOT_BYTES ((size_t)16 << 20) /* of gradient slots that a wave aims at */
/* Below this much work a thread, waiting for one another costs more than it saves. */
#define LEAST_WORK_PER_THREAD 3000000 /* multiplications and additions, some 15 microseconds */

static size_t power_of_two_from(size_t value) {
    size_t power = 1;
    while (power < value)
        power *= 2;
    return power;
}

/* Memory weighs, too: for a row, and for its features. */ size_t
useful_threads(const plan *plan, const program_options *options, size_t threads) {
    size_t each = 0, work = 0;
    const size_t rows = plan->keep && !plan->training ? options->rows : options->batch_rows;
    if (multiply_overflows(plan->parameter_count, 6, &each) ||
        add_overflows(each, 60 * plan->features + 2000, &each) || multiply_overflows(rows, each, &work))
        return threads;
    return least(work / LEAST_WORK_PER_THREAD + 1, threads);
}

void divide_workspaces(program *program, size_t units) {
    const size_t lanes = least(round_up(program->options.batch_rows, COLUMN_LANES), TILE_ROWS);
    program->division.column_floats = units * COLUMN_LANES;
    program->division.tile_floats = units * lanes;
}

static size_t tiles_of_step(const program *program) {
    return tiles_of(program->options.batch_rows);
}

size_t group_of_bytes(const program *program, size_t bytes) {
    const size_t most = power_of_two_to(bytes / (program->division.tile_floats * sizeof(float)));
    return least(least(most, MOST_GROUP_TILES), power_of_two_from(tiles_of_step(program)));
}

void divide_for_threads(program *program, size_t group_bytes, size_t most_wave_tiles) {
    const size_t group = least(group_of_bytes(program, group_bytes),
                               power_of_two_to(tiles_of_step(program) / (4 * program->threads)));
    const size_t slots = power_of_two_to(SLOT_BYTES / (program->sums.slot_floats * sizeof(float)));
    const size_t fewest = group * power_of_two_from(program->threads);
    const size_t wave = least(most_wave_tiles > group ? most_wave_tiles : group, group * slots);
    divide_waves(program, group, wave < fewest ? fewest : wave);
}

void divide_waves(program *program, size_t group_tiles, size_t wave_tiles) {
    const size_t whole = power_of_two_from(tiles_of_step(program)), wanted = program->options.wave_tiles;
    program->division.wave_tiles = least(wanted != 0 ? wanted : wave_tiles, whole);
    program->division.group_tiles = least(group_tiles, program->division.wave_tiles);
}

size_t scratch_of_ops(const program *program) {
    const plan *plan = program->plan;
    size_t widest = 0;
    for (size_t i = 0; i < plan->layer_count; i++) {
        const size_t floats = plan->layers[i].inputs * least(plan->layers[i].stride, 2 * PANEL);
        if (floats > widest) widest = floats;
    }
    return 2 * TILE_ROWS * PANEL + (program->division.group_tiles > 1 ? (MOST_LEVELS + 1) * widest : 0);
}

/* ---- memory ---------------------------------------------------------------------------------------------- */

/* What the optimizer keeps. */
static tanda_status allocate_state(program *program, tanda_error *error) {
    const size_t count = program->plan->parameter_count,
                 states = update_state_count(program->options.update.rule);
    if (!program->plan->training) return TANDA_OK;
    tanda_status status = TANDA_OK;
    if (states > 0)
        status = allocate(&program->state, states, count * sizeof(float), "optimizer state", error);
    if (status == TANDA_OK && program->options.update.constants.clip_norm > 0.0f)
        status = allocate(&program->squares, count / SQUARES_CHUNK + 1, sizeof(float), "norm", error);
    return status;
}

static tanda_status allocate_sums(program *program, tanda_error *error) {
    sum_memory *sums = &program->sums;
    const division *division = &program->division;
    const size_t groups = division->wave_tiles / division->group_tiles;
    const size_t waves = tiles_of(program->options.batch_rows) / division->wave_tiles;
    const size_t slot_bytes = sums->slot_floats * sizeof(float);
    tanda_status status = allocate(&sums->slots, groups, slot_bytes, "gradients", error);
    if (status == TANDA_OK)
        status = allocate(&sums->waiting, step_levels(waves), slot_bytes, "gradients", error);
    return status == TANDA_OK ? allocate(&sums->correct, groups, sizeof(uint32_t), "counts", error) : status;
}

static tanda_status allocate_program(program *program, tanda_error *error) {
    division *division = &program->division;
    division->scratch_floats = round_up(division->scratch_floats, 16);
    tanda_status status = allocate(&program->workspaces, division->workspaces,
                                   division->tile_floats * sizeof(float), "activations", error);
    if (status == TANDA_OK)
        status = allocate(&program->scratches, program->threads, division->scratch_floats * sizeof(float),
                          "scratch", error);
    if (status == TANDA_OK) status = allocate_state(program, error);
    if (status == TANDA_OK) status = allocate_sums(program, error);
    if (status != TANDA_OK) return status;
    lane_data *lanes = &program->lanes;
    const size_t threads = program->threads, count = program->division.group_tiles * TILE_ROWS;
    status = allocate(&lanes->rows, threads, count * sizeof *lanes->rows, "rows", error);
    if (status == TANDA_OK)
        status = allocate(&lanes->labels, threads,
                          count * program->plan->labels.count * sizeof *lanes->labels, "labels", error);
    return status == TANDA_OK && program->plan->weighted
               ? allocate(&lanes->weights, threads, count * sizeof *lanes->weights, "weights", error)
               : status;
}

/* ---- preparing ------------------------------------------------------------------------------------------- */

/* A ReLU in place right after a dense op, forward or backward, becomes part of what that stores. */
static bool takes_in_relu(op *dense, const op *next) {
    if (dense->kind == OP_dense_forward && next->kind == OP_activation_forward) {
        dense_forward_op *forward = &dense->dense_forward;
        const activation_forward_op *relu = &next->activation_forward;
        forward->through_relu = relu->function == ACTIVATION_RELU &&
                                same_place(relu->logits, forward->logits) &&
                                same_place(relu->output, forward->logits);
        return forward->through_relu;
    }
    if (dense->kind == OP_dense_backward && next->kind == OP_activation_backward) {
        dense_backward_op *backward = &dense->dense_backward;
        const activation_backward_op *relu = &next->activation_backward;
        backward->through_relu = relu->function == ACTIVATION_RELU &&
                                 same_place(relu->output_delta, backward->inputs_delta) &&
                                 same_place(relu->delta, backward->inputs_delta);
        backward->relu_output = relu->from;
        return backward->through_relu;
    }
    return false;
}

static tanda_status prepare(program *program, const openmp_backend_state *state, tanda_error *error) {
    const plan *plan = program->plan;
    const tanda_status status =
        allocate(&program->list.ops, plan->op_count, sizeof *program->list.ops, "plan", error);
    if (status != TANDA_OK) return status;
    /* A ReLU becomes part of what its layer stores: a pass over activations less, each way. */
    for (size_t i = 0; i < plan->op_count; i++) {
        const op *of_plan = &plan->ops[i];
        op *made = &program->list.ops[program->list.count++];
        *made = *of_plan;
        if (of_plan == plan->gather) program->list.gather = made;
        if (of_plan == plan->output_forward) program->list.output_forward = made;
        if (of_plan == plan->loss) program->list.loss = made;
        if (i + 1 < plan->op_count && takes_in_relu(made, of_plan + 1)) i++;
    }
    program->functions = state->functions;
    program->threads = useful_threads(plan, &program->options, state->threads);
    program->sums.loss_index = plan->training ? plan->parameter_count : 0;
    program->sums.slot_floats = program->sums.loss_index + 16;
    if (plan->training && is_of_tiles(program)) layout_make_tiles(program);
    program->executor->divide(program);
    return allocate_program(program, error);
}

const executor *const openmp_executors[] = {&openmp_perceptron.base, &openmp_shared.base,
                                            &openmp_columns.base, NULL};

tanda_status openmp_compile(backend *backend, const plan *plan, const program_options *options,
                            const executor *executor, program **result, tanda_error *error) {
    program *made = NULL;
    tanda_status status = allocate(&made, 1, sizeof *made, "program", error);
    if (status != TANDA_OK) return status;
    made->plan = plan;
    made->options = *options;
    made->executor = (const openmp_executor *)executor;
    status = prepare(made, (const openmp_backend_state *)backend, error);
    if (status != TANDA_OK) {
        openmp_program_free(backend, made);
        return status;
    }
    *result = made;
    return TANDA_OK;
}

void openmp_program_free(backend *backend, program *program) {
    (void)backend;
    if (program == NULL) return;
    free(program->list.ops);
    free(program->workspaces);
    free(program->scratches);
    free(program->lanes.rows);
    free(program->lanes.labels);
    free(program->lanes.weights);
    free(program->sums.slots);
    free(program->sums.waiting);
    free(program->sums.correct);
    free(program->state);
    free(program->squares);
    free(program->run.results);
    free(program);
}

/* ---- results --------------------------------------------------------------------------------------------- */

tanda_status openmp_results(backend *backend, program *program, step_result *results, tanda_error *error) {
    (void)backend, (void)error;
    memcpy(results, program->run.results, program->run.steps * sizeof *results);
    return TANDA_OK;
}

void tile_read(const program *program, const tensor *tensor, const float *workspace, size_t rows,
               float *values) {
    for (size_t row = 0; row < rows; row++) {
        const float *column = workspace + row / COLUMN_LANES * program->division.column_floats +
                              tensor->place.offset * COLUMN_LANES;
        for (size_t unit = 0; unit < tensor->units; unit++)
            values[row * tensor->units + unit] = column[unit * COLUMN_LANES + row % COLUMN_LANES];
    }
}

tanda_status openmp_read(backend *backend, program *program, const tensor *tensor, float *values,
                         tanda_error *error) {
    (void)backend;
    const program_options *options = &program->options;
    if (!program->plan->keep) return fail(error, TANDA_FAILED, "tensors are read from plans made with keep");
    const uint64_t last = program->run.first_step + program->run.steps - 1;
    const size_t rows = batch_of(options, last).rows;
    for (size_t row = 0; row < rows; row += TILE_ROWS)
        tile_read(program, tensor, program->workspaces + row / TILE_ROWS * program->division.tile_floats,
                  rows - row < TILE_ROWS ? rows - row : TILE_ROWS, values + row * tensor->units);
    return TANDA_OK;
}

tanda_status openmp_read_gradient(backend *backend, program *program, float *packed, tanda_error *error) {
    (void)backend;
    if (!program->plan->training || program->run.gradient == NULL)
        return fail(error, TANDA_FAILED, "there is no gradient to read");
    layout_read_panels(program->plan, program->run.gradient, packed);
    return TANDA_OK;
}

tanda_status openmp_read_state(backend *backend, program *program, size_t index, float *packed,
                               tanda_error *error) {
    (void)backend, (void)error;
    layout_read_panels(program->plan, program->state + index * program->plan->parameter_count, packed);
    return TANDA_OK;
}

tanda_status openmp_write_state(backend *backend, program *program, size_t index, const float *packed,
                                tanda_error *error) {
    (void)backend, (void)error;
    layout_to_panels(program->plan, packed, program->state + index * program->plan->parameter_count, 0, 1);
    return TANDA_OK;
}
