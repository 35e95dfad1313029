/* What the kernels of limits.cl are told; shared by C17 and OpenCL C. */
#ifndef TANDA_KERNELS_ARGUMENTS_LIMITS_H
#define TANDA_KERNELS_ARGUMENTS_LIMITS_H

#include "kernels/portable.h"

typedef struct read_arguments {
    ulong start, step, reads;
} read_arguments;

typedef struct fma_arguments {
    ulong rounds;
    float by, more;
} fma_arguments;

typedef struct atomic_arguments {
    ulong rounds;
} atomic_arguments;

#endif
