/* Op by op: each is one launch over a wave of tiles. It computes every plan, on every device. */
#include "backend/opencl/ops.h"

#include <stdlib.h>

#include "kernels/arguments/gather.h"
#include "support/memory.h"

/* The launchers of ops.c are those of all ops that there are. */
static bool fits(const backend *backend, const plan *plan, const program_options *options,
                 const char **lack) {
    (void)backend, (void)plan, (void)options, (void)lack;
    return true;
}

void opencl_cut_ops(const opencl_backend_state *state, program *program) {
    const size_t budget = state->shares_memory ? CPU_WAVE_BYTES : GPU_WAVE_BYTES;
    opencl_set_tiles(program, opencl_tile_lanes(&program->options), 0);
    program->sums.group = 1;
    program->sums.slots = opencl_wave_tiles(state, program->plan, &program->options,
                                            program->tiles.floats + program->sums.floats, budget);
    program->tiles.count = program->sums.slots;
}

static void cut(const opencl_backend_state *state, program *program) {
    opencl_cut_ops(state, program);
    opencl_store_tiles(state, program);
}

static tanda_status make_rows(const opencl_backend_state *state, const program *program, ops_program *own,
                              tanda_error *error) {
    const size_t positions = program->tiles.count * TILE_ROWS, targets = program->plan->labels.count;
    tanda_status status = opencl_make_memory(state, positions, sizeof(cl_ulong), &own->rows, error);
    if (status == TANDA_OK)
        status = opencl_make_memory(state, positions, targets * sizeof(cl_uint), &own->labels, error);
    if (status == TANDA_OK && program->plan->weighted)
        status = opencl_make_memory(state, positions, sizeof(float), &own->weights, error);
    return status;
}

tanda_status opencl_prepare_ops(const opencl_backend_state *state, const program *program, ops_program *own,
                                tanda_error *error) {
    tanda_status status =
        allocate(&own->variants, program->plan->op_count, sizeof *own->variants, "program", error);
    return status == TANDA_OK ? make_rows(state, program, own, error) : status;
}

void opencl_release_ops(ops_program *own) {
    opencl_release(&own->rows);
    opencl_release(&own->labels);
    opencl_release(&own->weights);
    free(own->variants);
}

/* ---- the fast mode ------------------------------------------------------------------------------------------- */

static bool uses_functions(const op *op) {
    return (op->kind == OP_activation_forward && op->activation_forward.function != ACTIVATION_RELU) ||
           op->kind == OP_softmax || op->kind == OP_loss_binary_crossentropy ||
           op->kind == OP_loss_categorical_crossentropy;
}

static variant candidate(const program *program, const op *op) {
    (void)program;
    return opencl_is_product(op) ? VARIANT_CLBLAST : uses_functions(op) ? VARIANT_NATIVE : VARIANT_EXACT;
}

static tanda_status run_one(const context *c, const op *op, const struct op **next) {
    *next = op + 1;
    return opencl_run_op(c, op);
}

static const variant_hands hands = {candidate, run_one};

/* ---- programs -------------------------------------------------------------------------------------------------- */

static tanda_status prepare(opencl_backend_state *state, program *program, tanda_error *error) {
    ops_program *own = NULL;
    tanda_status status = allocate(&own, 1, sizeof *own, "program", error);
    if (status != TANDA_OK) return status;
    program->own = own;
    status = opencl_prepare_ops(state, program, own, error);
    if (status != TANDA_OK || program->options.math == TANDA_MATH_EXACT) return status;
    status = opencl_build_native(state, error);
    return status == TANDA_OK ? opencl_choose_variants(state, program, &hands, error) : status;
}

static void release(program *program) {
    ops_program *own = ops_of(program);
    if (own == NULL) return;
    opencl_release_ops(own);
    free(own);
}

/* Of labels and weights those that are in these parts; NULL: none. */
static tanda_status order_part(const context *c, const buffer *labels, const buffer *weights) {
    const program *program = c->program;
    const ops_program *own = ops_of(program);
    const program_options *options = &program->options;
    const order_arguments arguments = {
        .first_position = c->wave->first_row,
        .order = order_of_rows(options),
        .rows = (uint)c->wave->rows,
        .labels = labels != NULL ? (row_part){labels->first, labels->rows} : (row_part){0},
        .weights = weights != NULL ? (row_part){weights->first, weights->rows} : (row_part){0},
        .targets = labels != NULL ? (uint)program->plan->labels.count : 0,
        .epoch = (uint)c->wave->epoch,
        .has_weights = weights != NULL};
    launch launch = launch_exact(c->state, KERNEL_order);
    give_memory(&launch, own->rows);
    give_memory(&launch, own->labels);
    give_memory(&launch, labels != NULL ? labels->memory : options->features->memory);
    give_memory(&launch, weights != NULL ? own->weights : own->labels);
    give_memory(&launch, weights != NULL ? weights->memory : options->features->memory);
    give_arguments(&launch, &arguments, sizeof arguments);
    launch.work.bytes = row_bytes(c, 2 + 2 * program->plan->labels.count + 2 * arguments.has_weights);
    return opencl_launch(&launch, round_up(c->wave->rows, TILE_LANES) / c->state->vector, 1, 1, c->error);
}

tanda_status opencl_run_order(const context *c) {
    const program *program = c->program;
    const buffer *labels = program->options.labels;
    const buffer *weights = program->plan->weighted ? program->options.weights : NULL;
    tanda_status status = TANDA_OK;
    do {
        status = order_part(c, labels, weights);
        labels = labels != NULL ? labels->next : NULL;
        weights = weights != NULL ? weights->next : NULL;
    } while (status == TANDA_OK && (labels != NULL || weights != NULL));
    return status;
}

/* Whether anything reads rows, labels or weights by position. */
static bool needs_order(const context *c) {
    const program *program = c->program;
    return shuffles(program) || program->plan->weighted ||
           (program->plan->loss != NULL && opencl_orders_labels(c->state, program));
}

static tanda_status partial(const context *c) {
    const plan *plan = c->program->plan;
    const op *end = plan->ops + plan->op_count;
    const bool is_stored = opencl_is_stored(c->program);
    tanda_status status = needs_order(c) ? opencl_run_order(c) : TANDA_OK;
    for (const op *op = plan->ops; status == TANDA_OK && op < end; op++)
        if (op->kind == OP_loss_sum && op + 1 < end && op[1].kind == OP_dense_gradient) {
            status = opencl_run_gradient_and_loss(c, op + 1, op);
            op++;
        } else if (op->kind != OP_gather || !is_stored)
            status = opencl_run_op(c, op);
    return status;
}

static const char *notes(const program *program) {
    return ops_of(program)->notes;
}

const opencl_executor opencl_ops = {
    .base = {.name = "ops", .fits = fits},
    .cut = cut,
    .prepare = prepare,
    .release = release,
    .partial = partial,
    .notes = notes,
};
