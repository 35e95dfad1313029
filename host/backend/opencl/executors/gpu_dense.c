/*
 * Networks of dense layers on GPUs, op by op with what follows element by element in the same launch. It computes every
 * plan of the ops that it knows. See kernels/gpu/dense.cl.
 */
#include "backend/opencl/executors/gpu_dense_parts.h"

#include <stdlib.h>

#include "support/memory.h"

static const op_set known = OP_SET(gather) | OP_SET(dense_forward) | OP_SET(activation_forward) |
                            OP_SET(dropout_forward) | OP_SET(softmax) | OP_SET(loss_binary_crossentropy) |
                            OP_SET(loss_categorical_crossentropy) | OP_SET(loss_mse) | OP_SET(loss_elements) |
                            OP_SET(weigh) | OP_SET(loss_sum) | OP_SET(dense_gradient) |
                            OP_SET(dense_backward) | OP_SET(dropout_backward) | OP_SET(activation_backward);

static bool fits(const backend *backend, const plan *plan, const program_options *options,
                 const char **lack) {
    return plan_is_within(plan, known, lack) && opencl_labels_are_whole(options, lack) &&
           opencl_gpu_fits(backend, lack);
}

/* Where somebody else is asked to multiply, he is to multiply all. */
static bool suits(const backend *backend, const plan *plan, const program_options *options) {
    const char *lack;
    return opencl_gpu_suits(backend, plan, options) && opencl_is_free(options, &lack);
}

/* Rows are read where they lie, unless that is several buffers, or the plan keeps them, or dropout changes them. */
static gpu_source choose_rows(const program *program) {
    const plan *plan = program->plan;
    if (!opencl_is_whole(program->options.features)) return GPU_TILES;
    if (plan->keep || plan->op_count < 2 || plan->ops[1].kind != OP_dense_forward) return GPU_TILES;
    return opencl_rows_are_aligned(&program->options, plan->features) ? GPU_ROWS : GPU_LOOSE;
}

/* ---- an op and what its launch does besides -------------------------------------------------------------------- */

static bool is_by_clblast(const program *program, const op *op) {
    return gpu_dense_of(program)->ops.variants[op - program->plan->ops] == VARIANT_CLBLAST;
}

/* Whether an op is left out, as another's launch does it. */
static bool is_done_elsewhere(const program *program, const op *op) {
    const gpu_dense_program *own = gpu_dense_of(program);
    return (op->kind == OP_gather && own->rows != GPU_TILES) ||
           (op->kind == OP_loss_sum && own->sums_loss != NULL && !is_by_clblast(program, own->sums_loss));
}

static tanda_status run_next(const context *c, const op *op, const struct op **next) {
    *next = op + 1;
    if (gpu_launch_of(c->program, op)->kernel != NULL && !is_by_clblast(c->program, op))
        return opencl_gpu_dense_run(c, op, next);
    return is_done_elsewhere(c->program, op) ? TANDA_OK : opencl_run_op(c, op);
}

/* In fast mode CLBlast may compute wide layers whose inputs are in tiles, and that one launch computes here. */
static variant candidate(const program *program, const op *op) {
    const bool forward = op->kind == OP_dense_forward, gradient = op->kind == OP_dense_gradient;
    const dense_shape *shape = forward    ? &op->dense_forward.shape
                               : gradient ? &op->dense_gradient.shape
                                          : &op->dense_backward.shape;
    const bool reads_input =
        (forward && op->dense_forward.inputs.is_input) || (gradient && op->dense_gradient.inputs.is_input);
    return opencl_is_product(op) && is_wide(shape) && gpu_launch_of(program, op)->chunks <= 1 &&
                   !(reads_input && gpu_dense_of(program)->rows != GPU_TILES)
               ? VARIANT_CLBLAST
               : VARIANT_EXACT;
}

static const variant_hands hands = {candidate, run_next};

/* ---- programs -------------------------------------------------------------------------------------------------- */

/* The gradient that takes longest of those that are wide, or not; NULL: none. */
static const dense_shape *largest_gradient(const plan *plan, bool wide) {
    const dense_shape *largest = NULL;
    for (size_t i = 0; i < plan->op_count; i++) {
        const dense_shape *shape = &plan->ops[i].dense_gradient.shape;
        if (plan->ops[i].kind == OP_dense_gradient && is_wide(shape) == wide &&
            (largest == NULL || shape->inputs * shape->stride > largest->inputs * largest->stride))
            largest = shape;
    }
    return largest;
}

/* Groups of narrow layers have little to do: where a slot holds the whole step they may be few. */
static bool narrow_has_enough(const opencl_backend_state *state, const program *program, size_t together) {
    const dense_shape *narrow = largest_gradient(program->plan, false);
    const size_t slots = program->tiles.count / together;
    return narrow == NULL || slots == 1 ||
           (blocks_of(narrow->inputs, NARROW_INPUTS) + 1) * slots >= state->base.information.compute_units;
}

/* Tiles whose sums a slot holds: as many as leave enough groups; one in fast mode, as CLBlast may compute it. */
static size_t tiles_together(const opencl_backend_state *state, const program *program) {
    const dense_shape *wide = largest_gradient(program->plan, true);
    const size_t tiles = program->tiles.count;
    size_t together = wide == NULL || program->options.math == TANDA_MATH_FAST ? 1 : MOST_SLOT_TILES;
    while (together > 1 && (together > tiles || program->tiles.floats > UINT32_MAX ||
                            !gpu_block_makes_enough(state, wide->inputs, wide->stride, tiles, together) ||
                            !narrow_has_enough(state, program, together)))
        together /= 2;
    return together;
}

static void cut(const opencl_backend_state *state, program *program) {
    opencl_cut_ops(state, program);
    program->sums.group = tiles_together(state, program);
    program->sums.slots /= program->sums.group;
}

static tanda_status prepare(opencl_backend_state *state, program *program, tanda_error *error) {
    const plan *plan = program->plan;
    gpu_dense_program *own = NULL;
    tanda_status status = allocate(&own, 1, sizeof *own, "program", error);
    if (status != TANDA_OK) return status;
    program->own = own;
    own->rows = choose_rows(program);
    status = opencl_prepare_ops(state, program, &own->ops, error);
    if (status == TANDA_OK)
        status = allocate(&own->launches, plan->op_count, sizeof *own->launches, "program", error);
    if (status == TANDA_OK) status = opencl_gpu_dense_kernels(state, program, error);
    return status == TANDA_OK && program->options.math == TANDA_MATH_FAST
               ? opencl_choose_variants(state, program, &hands, error)
               : status;
}

static void release(program *program) {
    gpu_dense_program *own = gpu_dense_of(program);
    if (own == NULL) return;
    for (size_t i = 0; own->launches != NULL && i < program->plan->op_count; i++) {
        if (own->launches[i].kernel != NULL) clReleaseKernel(own->launches[i].kernel);
        if (own->launches[i].adds_chunks != NULL) clReleaseKernel(own->launches[i].adds_chunks);
    }
    free(own->launches);
    opencl_release(&own->partials);
    opencl_release_ops(&own->ops);
    free(own);
}

/* The gradient of a layer comes behind the backward op that reads its weights, which it may change. */
static tanda_status run_in_turn(const context *c, const op *op, const struct op *end,
                                const struct op **next) {
    const bool is_before = op->kind == OP_dense_gradient && is_wide(&op->dense_gradient.shape) &&
                           op + 1 < end && op[1].kind == OP_dense_backward;
    const struct op *behind;
    if (!is_before) return run_next(c, op, next);
    const tanda_status status = run_next(c, op + 1, next);
    return status == TANDA_OK ? run_next(c, op, &behind) : status;
}

static tanda_status partial(const context *c) {
    const plan *plan = c->program->plan;
    const op *end = plan->ops + plan->op_count, *next = NULL;
    /* Losses and layers number the rows for themselves. */
    tanda_status status = gpu_dense_of(c->program)->rows == GPU_TILES ? opencl_run_order(c) : TANDA_OK;
    for (const op *at = plan->ops; status == TANDA_OK && at < end; at = next)
        status = run_in_turn(c, at, end, &next);
    return status;
}

/* A step whose sums are one slot's, unless all of them are wanted before the update, for their norm. */
static size_t most_steps(const program *program, size_t tiles) {
    return program->options.math == TANDA_MATH_EXACT && program->plan->training &&
           tiles <= program->sums.group && program->update.squares == NULL;
}

static tanda_status whole(const context *c, size_t steps) {
    gpu_dense_program *own = gpu_dense_of(c->program);
    (void)steps; /* one */
    own->is_whole = true;
    const tanda_status status = partial(c);
    own->is_whole = false;
    return status;
}

static const char *notes(const program *program) {
    return gpu_dense_of(program)->ops.notes;
}

const opencl_executor opencl_gpu_dense = {
    .base = {.name = "gpu_dense", .family = GPU_FAMILY, .fits = fits, .suits = suits},
    .cut = cut,
    .prepare = prepare,
    .release = release,
    .partial = partial,
    .most_steps = most_steps,
    .whole = whole,
    .notes = notes,
    .binds_rows = true,
};
