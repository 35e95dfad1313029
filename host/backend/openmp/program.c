/* Programs of the OpenMP backend: their memory, how a step is divided, and reading results back. step.c runs them. */
#include <stdlib.h>
#include <string.h>

#include "backend/executor.h"
#include "backend/openmp/state.h"
#include "support/memory.h"

#define SLOT_BYTES ((size_t)16 << 20) /* of gradient slots that a wave aims at */
#define MOST_WAVE_TILES 1024
/* Below this much work a thread, waiting for one another costs more than it saves. */
#define LEAST_WORK_PER_THREAD 3000000 /* multiplications and additions, some 15 microseconds */
/* Activations that are worked on together. More tiles of a group mean fewer passes over gradients and weights, which
 * counts more than the last-level cache (1024x4, B 1024: 378 GFLOP/s at 12 MiB, 418 at 48). */
#define SHARED_GROUP_BYTES ((size_t)48 << 20)
/* Data of a perceptron's group: some 40 microseconds of a core, by which threads may end apart. */
#define PERCEPTRON_GROUP_BYTES ((size_t)1 << 20)

/* ---- how a step is divided ------------------------------------------------------------------------------- */

static size_t power_of_two_from(size_t value) {
    size_t power = 1;
    while (power < value)
        power *= 2;
    return power;
}

/* The largest power of two that is at most `value`; 1 for 0. */
static size_t power_of_two_to(size_t value) {
    size_t power = 1;
    while (power <= value / 2)
        power *= 2;
    return power;
}

static size_t least(size_t a, size_t b) {
    return a < b ? a : b;
}

/* Threads that a step can feed. Memory weighs, too: for a row, and for its features. */
static size_t useful_threads(const program *program, size_t threads) {
    const plan *plan = program->plan;
    size_t each = 0, work = 0;
    const size_t rows = plan->keep && !plan->training ? program->options.rows : program->options.batch_rows;
    if (multiply_overflows(plan->parameter_count, 6, &each) ||
        add_overflows(each, 60 * plan->features + 2000, &each) || multiply_overflows(rows, each, &work))
        return threads;
    return least(work / LEAST_WORK_PER_THREAD + 1, threads);
}

static size_t choose_group(const program *program, size_t tiles) {
    const size_t tile_bytes = program->tile_floats * sizeof(float);
    if (program->plan->keep) return 1;
    if (program->shared) return power_of_two_to(SHARED_GROUP_BYTES / tile_bytes);
    /* Enough groups that threads end at about the same time. */
    size_t most =
        power_of_two_to((program->is_perceptron ? PERCEPTRON_GROUP_BYTES : OWN_CACHE_BYTES) / tile_bytes);
    return least(most, power_of_two_to(tiles / (4 * program->threads)));
}

static void divide_step(program *program) {
    const size_t tiles = tiles_of(program->options.batch_rows), whole = power_of_two_from(tiles);
    const size_t slot_bytes = program->slot_floats * sizeof(float);
    const size_t weight_bytes = program->plan->parameter_count * sizeof(float);
    size_t wave = program->options.wave_tiles;
    /* Weights that outgrow a core's own cache: threads share each op, and so the weights. */
    program->shared = !program->is_perceptron && program->threads > 1 && !program->plan->keep &&
                      (tiles < program->threads || weight_bytes > OWN_CACHE_BYTES);
    program->by_columns = !program->shared && weight_bytes <= OWN_CACHE_BYTES;
    size_t group = least(least(choose_group(program, tiles), MOST_GROUP_TILES), whole);
    if (wave == 0 && program->plan->keep) wave = whole;
    if (wave == 0 && program->shared) wave = group;
    if (wave == 0) {
        wave = group * power_of_two_to(SLOT_BYTES / slot_bytes);
        /* Threads wait for one another after each wave: with a perceptron's small slots one wave can be the step. */
        if (!program->is_perceptron && program->plan->training)
            wave = least(MOST_WAVE_TILES > group ? MOST_WAVE_TILES : group, wave);
        size_t fewest = group * power_of_two_from(program->threads);
        if (wave < fewest) wave = fewest;
    }
    program->wave_tiles = program->plan->keep ? whole : least(wave, whole);
    program->group_tiles = least(group, program->wave_tiles);
    if (program->shared) program->wave_tiles = program->group_tiles;
}

/* ---- memory ---------------------------------------------------------------------------------------------- */

/* See gradient.c and perceptron.c for what lies there. */
static size_t count_scratch(const program *program) {
    const plan *plan = program->plan;
    const size_t levels = MOST_LEVELS + 1;
    size_t widest = 0;
    for (size_t i = 0; i < plan->layer_count; i++) {
        size_t floats = plan->layers[i].inputs * least(plan->layers[i].stride, 2 * PANEL);
        if (floats > widest) widest = floats;
    }
    if (program->is_perceptron) return (plan->features + 2 * TILE_LANES) * (TILE_LANES + 1 + levels);
    return 2 * TILE_ROWS * PANEL + (program->group_tiles > 1 ? levels * widest : 0);
}

static size_t count_workspaces(const program *program) {
    if (program->plan->keep) /* a sweep has one for each thread */
        return program->wave_tiles > program->threads ? program->wave_tiles : program->threads;
    if (program->is_perceptron && uses_tiles(program)) return 0;
    return (program->shared ? 1 : program->threads) * program->group_tiles;
}

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

static tanda_status allocate_program(program *program, tanda_error *error) {
    const size_t groups = program->wave_tiles / program->group_tiles;
    const size_t positions = program->group_tiles * TILE_ROWS;
    const size_t slot_bytes = program->slot_floats * sizeof(float);
    program->scratch_floats = round_up(count_scratch(program), 16);
    program->stack_levels = 1;
    for (size_t waves = tiles_of(program->options.batch_rows) / program->wave_tiles; waves > 0; waves /= 2)
        program->stack_levels++;
    tanda_status status = allocate(&program->workspaces, count_workspaces(program),
                                   program->tile_floats * sizeof(float), "activations", error);
    if (status == TANDA_OK)
        status = allocate(&program->parameters, program->plan->parameter_count, sizeof(float), "parameters",
                          error);
    if (status == TANDA_OK) status = allocate_state(program, error);
    if (status == TANDA_OK) status = allocate(&program->slots, groups, slot_bytes, "gradients", error);
    if (status == TANDA_OK)
        status = allocate(&program->stack, program->stack_levels, slot_bytes, "gradients", error);
    if (status == TANDA_OK) status = allocate(&program->correct, groups, sizeof(uint32_t), "counts", error);
    if (status == TANDA_OK)
        status = allocate(&program->scratches, program->threads, program->scratch_floats * sizeof(float),
                          "scratch", error);
    if (status == TANDA_OK)
        status = allocate(&program->rows, program->threads, positions * sizeof(uint64_t), "rows", error);
    if (status == TANDA_OK)
        status = allocate(&program->labels, program->threads,
                          positions * program->plan->targets * sizeof(float), "labels", error);
    if (status == TANDA_OK && program->plan->weighted)
        status = allocate(&program->weights, program->threads, positions * sizeof(float), "weights", error);
    return status;
}

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

static bool adds_over_rows(const op *op) {
    return op->kind == OP_loss_sum || op->kind == OP_dense_gradient;
}

/* The plan's ops, where a ReLU becomes part of what its layer stores: a pass over activations less, each way. */
static tanda_status fuse_ops(program *program, tanda_error *error) {
    const plan *plan = program->plan;
    tanda_status status = allocate(&program->ops, plan->op_count, sizeof *program->ops, "plan", error);
    for (size_t i = 0; status == TANDA_OK && i < plan->op_count; i++) {
        const op *of_plan = &plan->ops[i];
        op *made = &program->ops[program->op_count++];
        *made = *of_plan;
        if (of_plan == plan->gather) program->gather = made;
        if (of_plan == plan->output_forward) program->output_forward = made;
        if (of_plan == plan->loss) program->loss = made;
        if (i + 1 < plan->op_count && takes_in_relu(made, of_plan + 1)) i++;
    }
    while (program->row_ops < program->op_count && !adds_over_rows(&program->ops[program->row_ops]))
        program->row_ops++;
    return status;
}

/* What perceptron.c computes, or what is done before it. */
static bool is_known(const op *op) {
    switch (op->kind) {
    case OP_gather:
    case OP_dense_forward:
    case OP_loss_binary_crossentropy:
    case OP_loss_mse:
    case OP_loss_elements:
    case OP_weigh:
    case OP_loss_sum:
    case OP_dense_gradient:
        return true;
    case OP_activation_forward:
    case OP_dropout_forward:
    case OP_softmax:
    case OP_loss_categorical_crossentropy:
    case OP_dense_backward:
    case OP_dropout_backward:
    case OP_activation_backward:
    case TILE_OP_COUNT:
        return false;
    }
    return false;
}

/* One output, no hidden layer, and nothing asked for but loss and gradient. */
static bool is_perceptron(const program *program) {
    const plan *plan = program->plan;
    bool known = true;
    for (size_t i = 0; i < program->op_count; i++)
        known = known && is_known(&program->ops[i]);
    return plan->layer_count == 1 && plan->layers[0].outputs == 1 && !plan->keep && program->loss != NULL &&
           known;
}

static tanda_status prepare(program *program, const openmp_backend_state *state, tanda_error *error) {
    const plan *plan = program->plan;
    const program_options *options = &program->options;
    program->functions = state->functions;
    program->threads = useful_threads(program, state->threads);
    tanda_status status = fuse_ops(program, error);
    if (status != TANDA_OK) return status;
    program->is_perceptron = is_perceptron(program);
    program->tile_floats =
        program->is_perceptron
            ? plan->features * TILE_ROWS
            : plan->workspace_units * least(round_up(options->batch_rows, COLUMN_LANES), TILE_ROWS);
    program->slot_floats = plan->training ? plan->parameter_count + 16 : 16;
    if (order_is_fixed(options) && plan->training && !plan->keep &&
        (options->batch_rows >= options->rows || options->batch_rows % TILE_ROWS == 0))
        layout_make_tiles(program);
    if (options->features->tiles == options->features->data && !uses_tiles(program))
        return fail(error, TANDA_FAILED, "the rows of the data are in use as tiles by another program");
    divide_step(program);
    return allocate_program(program, error);
}

static bool fits_all(const backend *backend, const plan *plan, const program_options *options,
                     const char **lack) {
    (void)backend, (void)plan, (void)options, (void)lack;
    return true;
}

static const executor any = {.name = "any", .fits = fits_all};
const executor *const openmp_executors[] = {&any, NULL};

tanda_status openmp_compile(backend *backend, const plan *plan, const program_options *options,
                            const executor *executor, program **result, tanda_error *error) {
    (void)executor;
    program *made = NULL;
    tanda_status status = allocate(&made, 1, sizeof *made, "program", error);
    if (status != TANDA_OK) return status;
    made->plan = plan;
    made->options = *options;
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
    free(program->ops);
    free(program->workspaces);
    free(program->parameters);
    free(program->state);
    free(program->squares);
    free(program->slots);
    free(program->stack);
    free(program->correct);
    free(program->scratches);
    free(program->rows);
    free(program->labels);
    free(program->weights);
    free(program->results);
    free(program);
}

/* ---- results --------------------------------------------------------------------------------------------- */

tanda_status openmp_results(backend *backend, program *program, step_result *results, tanda_error *error) {
    (void)backend, (void)error;
    memcpy(results, program->results, program->result_count * sizeof *results);
    return TANDA_OK;
}

void tile_read(const program *program, const tensor *tensor, const float *workspace, size_t rows,
               float *values) {
    for (size_t row = 0; row < rows; row++) {
        const float *column =
            workspace +
            (row / COLUMN_LANES * program->plan->workspace_units + tensor->place.offset) * COLUMN_LANES;
        for (size_t unit = 0; unit < tensor->units; unit++)
            values[row * tensor->units + unit] = column[unit * COLUMN_LANES + row % COLUMN_LANES];
    }
}

tanda_status openmp_read(backend *backend, program *program, const tensor *tensor, float *values,
                         tanda_error *error) {
    (void)backend;
    const program_options *options = &program->options;
    if (!program->plan->keep) return fail(error, TANDA_FAILED, "tensors are read from plans made with keep");
    size_t batch = (size_t)(program->last_step % steps_per_epoch(options->rows, options->batch_rows));
    size_t rows = batch_size(options->rows, options->batch_rows, batch);
    for (size_t row = 0; row < rows; row += TILE_ROWS)
        tile_read(program, tensor, program->workspaces + row / TILE_ROWS * program->tile_floats,
                  least(rows - row, TILE_ROWS), values + row * tensor->units);
    return TANDA_OK;
}

tanda_status openmp_read_gradient(backend *backend, program *program, float *packed, tanda_error *error) {
    (void)backend;
    if (!program->plan->training || program->last_gradient == NULL)
        return fail(error, TANDA_FAILED, "there is no gradient to read");
    memset(packed, 0, program->plan->parameter_count * sizeof *packed);
    layout_from_panels(program->plan, program->last_gradient, packed, 0, 1);
    return TANDA_OK;
}

tanda_status openmp_read_state(backend *backend, program *program, size_t index, float *packed,
                               tanda_error *error) {
    (void)backend, (void)error;
    const size_t count = program->plan->parameter_count;
    memset(packed, 0, count * sizeof *packed);
    layout_from_panels(program->plan, program->state + index * count, packed, 0, 1);
    return TANDA_OK;
}

tanda_status openmp_write_state(backend *backend, program *program, size_t index, const float *packed,
                                tanda_error *error) {
    (void)backend, (void)error;
    layout_to_panels(program->plan, packed, program->state + index * program->plan->parameter_count, 0, 1);
    return TANDA_OK;
}
