/* What the kernels of dense.cl are told; shared by C17 and OpenCL C. */
#ifndef TANDA_KERNELS_ARGUMENTS_DENSE_H
#define TANDA_KERNELS_ARGUMENTS_DENSE_H

#include "kernels/portable.h"

/* Forward, and backward to the input, which has no bias. */
typedef struct dense_arguments {
    ulong source, source_tile, target, target_tile, weight, bias;
    uint width, rows, stride, inputs, outputs;
    float zero;
} dense_arguments;

/* Weight gradients: of the delta, which the wide kernels of vectors want transposed, and the inputs a. */
typedef struct gradient_arguments {
    ulong delta, delta_tile, a, a_tile, slot_floats, weight;
    uint width, rows, stride, inputs, outputs;
    float zero;
} gradient_arguments;

typedef struct transpose_arguments {
    ulong delta, transposed, tile_floats;
    uint width, rows, outputs, stride;
} transpose_arguments;

/* Of `outputs` lines of a delta from `source` on and, where has_losses is set, of the line of the losses behind them. */
typedef struct sum_arguments {
    ulong source, losses, tile_floats, slot_floats, target;
    uint width, rows, outputs, has_losses, reserved;
    float zero;
} sum_arguments;

typedef struct bias_arguments {
    ulong target, target_tile, bias;
    uint width, reserved;
} bias_arguments;

#endif
