/* What the kernels of dropout.cl are told; shared by C17 and OpenCL C. */
#ifndef TANDA_KERNELS_ARGUMENTS_DROPOUT_H
#define TANDA_KERNELS_ARGUMENTS_DROPOUT_H

#include "kernels/portable.h"

/* position: of the wave in the batch; step: since the start of the training. */
typedef struct dropout_arguments {
    ulong source, source_tile, target, target_tile, seed, position;
    uint width, rows, units, threshold, step, stream, reserved;
    float scale;
} dropout_arguments;

#endif
