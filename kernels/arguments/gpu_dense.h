/* What the kernels of gpu/dense.cl are told; shared by C17 and OpenCL C. */
#ifndef TANDA_KERNELS_ARGUMENTS_GPU_DENSE_H
#define TANDA_KERNELS_ARGUMENTS_GPU_DENSE_H

#include "kernels/arguments/loss.h"
#include "kernels/arguments/order.h"
#include "kernels/arguments/update.h"

#define DENSE_ITEMS 128 /* of a group */
#define NARROW_ROWS \
    32 /* that a group of a narrow layer takes forward: a work-item has four outputs of a row */
#define NARROW_INPUTS 32  /* that one takes backward: a work-item has four inputs of a lane */
#define MOST_SLOT_TILES 4 /* whose sums a group of gradients adds */
#define LOSS_ROWS 8       /* that a group takes from many outputs to their deltas */
#define CHUNK_ITEMS 64    /* of a group that adds chunks: a lane each, */
#define CHUNK_UNITS 4     /* and so many units of it */

/* The rows of a wave as the data set has them: positions of an epoch's order from first_position on. */
typedef struct row_source {
    row_order order;
    ulong first_position;
    uint features, epoch;
} row_source;

/*
 * Ops that follow a dense one element by element, on places of a tile. Forward: the activation, whose result goes to
 * `result`, then dropout, to `dropped`. Backward: dropout, to `dropped`, then the activation, to `result`, whose
 * derivative is computed from `from`. function: identity for none. position: of the wave in the batch.
 */
typedef struct dense_tail {
    ulong result, from, dropped, seed, position;
    uint function, drops, threshold, step, stream;
    float scale;
} dense_tail;

/*
 * Forward, from tiles or from the rows, and backward to the input, which has no bias. target: in a tile. chunks: of
 * groups of their own, or at most 1; then their numbers begin at bit chunk_shift of a group's. through_relu: what is stored
 * goes through the ReLU that follows, backward by its outputs at tail.from; the tail then has it no more.
 */
typedef struct gpu_layer_arguments {
    row_source order;
    dense_tail tail;
    ulong source, source_tile, target, tile_floats, weight, bias;
    uint width, rows, stride, inputs, outputs, tiles, chunks, chunk_shift, through_relu;
    float zero;
} gpu_layer_arguments;

/*
 * The end of a step whose sums are all in one slot, which is_whole says: the update of `floats` parameters, of which each
 * launch makes those of its gradients. step: whose rates and results are meant.
 */
typedef struct gpu_update_arguments {
    ulong floats;
    rule_arguments rule;
    uint is_whole, step;
    float inverse_rows;
} gpu_update_arguments;

/*
 * Gradients of weights from a delta and the inputs, tiles or rows; of the bias; and the loss sum, where sums_loss is set.
 * tiles: whose sums a slot holds, MOST_SLOT_TILES at most. tile_apart: floats from a line's end in a tile to the next one's.
 */
typedef struct gpu_gradient_arguments {
    row_source order;
    ulong source, source_tile, delta, tile_floats, slot_floats, weight, bias, losses, loss;
    gpu_update_arguments update;
    uint width, rows, stride, inputs, outputs, sums_loss, tiles, tile_apart, reserved;
    float zero;
} gpu_gradient_arguments;

/*
 * From the last layer's logits or outputs, at `source`, to its deltas: its softmax, at `softmax`; the loss, at `losses`,
 * with its delta; what weights make of both; and the delta of the logits, at `result`, where the loss was of outputs,
 * whose activation's derivative is computed from `from`. step: whose results are meant.
 */
typedef struct loss_steps {
    ulong logits, softmax, source, losses, delta, from, result;
    uint has_softmax, loss, with_delta, weighted, function, step;
    loss_rule rule;
    float zero;
} loss_steps;

/* Rows of the last layer's outputs, which are many. */
typedef struct gpu_loss_arguments {
    row_source order;
    loss_steps steps;
    ulong tile_floats;
    uint width, rows, outputs, reserved;
} gpu_loss_arguments;

/* Narrow layers: forward with the loss, if it is the last; first the layer `before`, where its chunks are to be added. */
typedef struct gpu_output_arguments {
    gpu_layer_arguments before, layer;
    loss_steps steps;
} gpu_output_arguments;

/* And gradients, with the delta of the inputs at layer.target where with_target is set. */
typedef struct gpu_narrow_arguments {
    gpu_layer_arguments layer;
    ulong delta, slot_floats, losses, loss;
    gpu_update_arguments update;
    uint with_target, sums_loss, tiles;
    float zero;
} gpu_narrow_arguments;

#endif
