/* What the kernels of gpu/dense.cl are told; shared by C17 and OpenCL C. */
#ifndef TANDA_KERNELS_ARGUMENTS_GPU_DENSE_H
#define TANDA_KERNELS_ARGUMENTS_GPU_DENSE_H

#include "kernels/portable.h"

/* The rows of a wave as the data set has them: positions of an epoch's order from first_position on. */
typedef struct row_source {
    ulong first_position, row_count, seed;
    uint features, shuffle, epoch, reserved;
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

/* Forward, from tiles or from the rows, and backward to the input, which has no bias. target: in a tile. */
typedef struct gpu_layer_arguments {
    row_source order;
    dense_tail tail;
    ulong source, source_tile, target, tile_floats, weight, bias;
    uint width, rows, stride, inputs, outputs;
    float zero;
} gpu_layer_arguments;

/* Gradients of weights from a delta and the inputs, tiles or rows; of the bias; and the loss sum, where sums_loss is set. */
typedef struct gpu_gradient_arguments {
    row_source order;
    ulong source, source_tile, delta, tile_floats, slot_floats, weight, bias, losses, loss;
    uint width, rows, stride, inputs, outputs, sums_loss, reserved;
    float zero;
} gpu_gradient_arguments;

#endif
