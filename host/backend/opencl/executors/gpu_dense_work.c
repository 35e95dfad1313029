/* What the launches of `gpu_dense` do at least: that of the ops that each of them does. */
#include "backend/opencl/executors/gpu_dense_parts.h"

/* Operations that take as long as a load of what another work-item has just stored. */
#define LOAD_CHAIN 40

static void add(launch_work *work, double flop, double bytes, double chain) {
    work->flop += flop;
    work->bytes += bytes;
    work->chain += chain;
}

/* ---- ops ---------------------------------------------------------------------------------------------------- */

/* Chunks that groups of their own make leave as many sums, each of a chunk's terms. */
static void add_product(const context *c, const op *op, size_t terms, size_t units, launch_work *work) {
    const size_t chunks = gpu_launch_of(c->program, op)->chunks;
    const dense_shape *shape =
        op->kind == OP_dense_forward ? &op->dense_forward.shape : &op->dense_backward.shape;
    const launch_work product = product_work(c, shape, chunks > 1 ? CHUNK : terms);
    add(work, product.flop, product.bytes, product.chain);
    if (chunks > 1) add(work, 0.0, row_bytes(c, (chunks - 1) * units), 0.0);
}

/*
 * Of a narrow layer rows lie in lanes, and four outputs are made at a time. A whole step's parameters are read and written,
 * with their states.
 */
static void add_gradient(const context *c, const dense_shape *shape, launch_work *work) {
    const size_t chain = is_wide(shape) ? TILE_ROWS : TILE_ROWS / TILE_LANES * blocks_of(shape->outputs, 4);
    const size_t group = c->program->sums.group, tiles = c->wave->tiles < group ? c->wave->tiles : group;
    const size_t states = update_state_count(c->program->options.update.rule);
    const size_t floats = (shape->inputs + 1) * shape->stride;
    const double rows = row_bytes(c, shape->inputs + shape->outputs);
    add(work, product_flop(c, shape), rows + slot_bytes(c, floats), (double)(chain * tiles));
    if (gpu_dense_of(c->program)->is_whole) add(work, 0.0, slot_bytes(c, (2 + 2 * states) * floats), 0.0);
}

/* Which is done before the sums are stored. */
static size_t in_turn_of(const context *c, activation function, size_t in_turn) {
    return function == ACTIVATION_RELU && !c->program->plan->keep ? 1 : in_turn;
}

/* So many tensors are read or written, besides what the launch has just made; by a work-item so many units of them. */
static void add_elements(const context *c, size_t tensors, size_t units, size_t in_turn, launch_work *work) {
    add(work, 0.0, row_bytes(c, tensors * units), (double)(LOAD_CHAIN * in_turn));
}

static void add_loss(const context *c, const loss_op *loss, launch_work *work) {
    const size_t terms = loss->outputs < CHUNK ? loss->outputs : CHUNK; /* added one by one */
    add(work, 0.0, row_bytes(c, 2 * loss->outputs + 1 + loss->targets), (double)terms);
}

/* in_turn: units that a work-item takes one after the other in what follows a dense op. */
static void add_op(const context *c, const op *op, size_t in_turn, launch_work *work) {
    switch (op->kind) {
    case OP_dense_forward:
        add_product(c, op, op->dense_forward.shape.inputs, op->dense_forward.shape.outputs, work);
        break;
    case OP_dense_backward:
        add_product(c, op, op->dense_backward.shape.outputs, op->dense_backward.shape.inputs, work);
        break;
    case OP_dense_gradient:
        add_gradient(c, &op->dense_gradient.shape, work);
        break;
    case OP_activation_forward:
        add_elements(c, 1, op->activation_forward.units,
                     in_turn_of(c, op->activation_forward.function, in_turn), work);
        break;
    case OP_activation_backward:
        add_elements(c, 2, op->activation_backward.units,
                     in_turn_of(c, op->activation_backward.function, in_turn), work);
        break;
    case OP_dropout_forward:
    case OP_dropout_backward:
        add_elements(c, 1, op->dropout.units, in_turn, work);
        break;
    case OP_softmax:
        add(work, 0.0, row_bytes(c, op->softmax.outputs), 3.0 * (double)op->softmax.outputs);
        break;
    default:
        if (opencl_loss_op_of(op) != LOSS_OP_NONE) add_loss(c, &op->loss, work);
    }
}

static void add_ops(const context *c, const op *first, const op *end, size_t in_turn, launch_work *work) {
    for (const op *at = first; at < end; at++)
        add_op(c, at, in_turn, work);
}

/* ---- launches ----------------------------------------------------------------------------------------------- */

/* A work-item's part of a block; of a narrow layer forward, a row of the outputs, and backward some inputs of a row. */
static size_t units_in_turn(const op *op, const gpu_launch *made) {
    if (op->kind == OP_dense_gradient) return NARROW_INPUTS;
    return made->block_m > 0 ? made->block_m * made->block_n / made->items : op->dense_forward.shape.outputs;
}

launch_work opencl_gpu_dense_work(const context *c, const op *op, const struct op *end) {
    const gpu_launch *made = gpu_launch_of(c->program, op);
    launch_work work = {0};
    add_ops(c, op, made->chunks > 1 ? op + 1 : end, units_in_turn(op, made), &work);
    return work;
}

launch_work opencl_gpu_adding_work(const context *c, const op *op, const struct op *end, size_t in_turn) {
    const size_t chunks = gpu_launch_of(c->program, op)->chunks;
    const size_t units =
        op->kind == OP_dense_forward ? op->dense_forward.shape.outputs : op->dense_backward.shape.inputs;
    launch_work work = {.bytes = row_bytes(c, (chunks + 1) * units),
                        .chain = (double)(blocks_of(in_turn, CHUNK_UNITS) * chunks)};
    add_ops(c, op + 1, end, in_turn, &work);
    return work;
}
