/* A wave of a program's tiles, and what is launched over it. */
#ifndef TANDA_OPENCL_WAVE_H
#define TANDA_OPENCL_WAVE_H

#include "backend/opencl/program.h"
#include "kernels/arguments/loss.h"
#include "kernels/arguments/update.h"

/* Part of a step: tiles [first, first + tiles) of it. */
typedef struct wave {
    uint64_t step, epoch;
    size_t first_row; /* position in the epoch's order */
    size_t position;  /* and in the batch */
    size_t rows, tiles, slots;
    size_t first_tile; /* of the stored tiles */
    size_t result;     /* index of the step in this run */
    bool is_first;     /* of those that are computed of the step */
    bool with_loss;
} wave;

/* What every launch of a wave needs. */
struct context {
    opencl_backend_state *state;
    program *program;
    const wave *wave;
    tanda_error *error;
};

/* A tensor of the wave: buffer, offset of its first float, floats between tiles. */
typedef struct place {
    cl_mem memory;
    size_t offset, tile;
} place;

/* The input may lie among the stored tiles. */
static inline place place_of(const context *c, tensor_place at) {
    const program *program = c->program;
    size_t input_tile = program->plan->features * program->tiles.width;
    if (at.is_input && program->stored.memory != NULL)
        return (place){program->stored.memory, c->wave->first_tile * input_tile, input_tile};
    return (place){program->tiles.memory, at.offset * program->tiles.width, program->tiles.floats};
}

/* Work-items along the lanes for kernels that loop over them. */
static inline size_t lane_items(const context *c) {
    return c->state->vector == 1 ? c->program->tiles.width : 1;
}

/*
 * For a launch's work: bytes of so many floats of each of the wave's rows, of so many of each of its slots, and FLOP and
 * traffic of a product of its rows with a layer's weight, or of the weight's gradient.
 */
static inline double row_bytes(const context *c, size_t floats) {
    return (double)sizeof(float) * (double)c->wave->rows * (double)floats;
}

static inline double slot_bytes(const context *c, size_t floats) {
    return (double)sizeof(float) * (double)c->wave->slots * (double)floats;
}

static inline double product_flop(const context *c, const dense_shape *shape) {
    return 2.0 * (double)c->wave->rows * (double)shape->inputs * (double)shape->outputs;
}

static inline launch_work product_work(const context *c, const dense_shape *shape, size_t chain) {
    return (launch_work){product_flop(c, shape),
                         row_bytes(c, shape->inputs + shape->outputs) +
                             (double)sizeof(float) * (double)((shape->inputs + 1) * shape->stride),
                         (double)chain};
}

/* FLOP of all products of the plan's ops of a set, over the wave's rows. */
static inline double products_of(const context *c, op_set ops) {
    const plan *plan = c->program->plan;
    double flop = 0.0;
    for (size_t i = 0; i < plan->op_count; i++) {
        const op *op = &plan->ops[i];
        if ((ops >> op->kind & 1) == 0) continue;
        flop += op->kind == OP_dense_forward    ? product_flop(c, &op->dense_forward.shape)
                : op->kind == OP_dense_backward ? product_flop(c, &op->dense_backward.shape)
                : op->kind == OP_dense_gradient ? product_flop(c, &op->dense_gradient.shape)
                                                : 0.0;
    }
    return flop;
}

/* Operations of a dense layer's longest chain in rows, summed over the plan's ops of a set. */
static inline double chains_of(const context *c, op_set ops) {
    const plan *plan = c->program->plan;
    double chain = 0.0;
    for (size_t i = 0; i < plan->op_count; i++) {
        const op *op = &plan->ops[i];
        if ((ops >> op->kind & 1) == 0) continue;
        chain += op->kind == OP_dense_forward    ? (double)op->dense_forward.shape.inputs
                 : op->kind == OP_dense_backward ? (double)op->dense_backward.shape.outputs
                                                 : 0.0;
    }
    return chain;
}

/* One layer's row pass: rows are read once, from logits to gradients; so many steps, each of the wave's rows. */
static inline launch_work row_pass_work(const context *c, size_t steps) {
    const packed_layer *layer = &c->program->plan->layers[0];
    const size_t targets = c->program->plan->labels.count + c->program->plan->weighted;
    const double products = (double)c->wave->rows * (double)layer->inputs * (double)layer->outputs;
    return (launch_work){4.0 * (double)steps * products,
                         (double)steps *
                             (row_bytes(c, layer->inputs + targets) + slot_bytes(c, c->program->sums.floats)),
                         0.0};
}

/* What kernels want to know of a loss. */
static inline loss_rule loss_rule_of(const program *program, const loss_op *loss) {
    const loss_constants *constants = &loss->constants;
    return (loss_rule){.outputs = (uint)loss->outputs,
                       .targets = (uint)loss->targets,
                       .is_class = program->plan->labels.are_classes != 0,
                       .sigmoid = loss->output_function == ACTIVATION_SIGMOID,
                       .smooth = constants->smooth,
                       .half_smoothing = constants->half,
                       .on = constants->on,
                       .off = constants->off,
                       .rest = constants->rest,
                       .entropy = constants->entropy,
                       .kind = loss->loss,
                       .parameter = constants->parameter,
                       .mean = constants->mean};
}

/* And of the update. */
static inline rule_arguments rule_of(const program *program) {
    const update_settings *update = &program->options.update;
    return (rule_arguments){update->constants, update->rule, (uint)update_state_count(update->rule)};
}

/* ---- tensors.c ------------------------------------------------------------------------------------------- */

/* Whether the tiles of all batches are stored. */
bool opencl_is_stored(const program *program);

/* Assembles the wave's rows; `order` names them, unless they come in order. */
tanda_status opencl_gather(const context *c, cl_mem order);

/* Assembles them where they are to be stored and are not yet. */
tanda_status opencl_store_wave(const context *c);

/* ---- sums.c ---------------------------------------------------------------------------------------------- */

/* Passes of the tree over `count` slots, `floats` apart. */
tanda_status opencl_merge(const context *c, cl_mem slots, size_t count, size_t floats, bool whole,
                          size_t *distance);

/* The tree over waves: the first slot takes in what waits on a level, or waits there. */
tanda_status opencl_add_waiting(const context *c, unsigned level);
tanda_status opencl_keep_waiting(const context *c, unsigned level);

/* ---- update.c -------------------------------------------------------------------------------------------- */

/* The update from `slots` slots, `distance` apart, of a step of so many rows. */
tanda_status opencl_run_update(const context *c, size_t slots, size_t distance, size_t rows);

#endif
