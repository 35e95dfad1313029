/* What the kernels of activation.cl are told; shared by C17 and OpenCL C. */
#ifndef TANDA_KERNELS_ARGUMENTS_ACTIVATION_H
#define TANDA_KERNELS_ARGUMENTS_ACTIVATION_H

#include "kernels/portable.h"

/* Offsets and distances count floats here and in all arguments; forward has no `from`. */
typedef struct activation_arguments {
    ulong source, from, target, tile_floats;
    uint width, rows;
} activation_arguments;

#endif
