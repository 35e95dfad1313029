/* What the kernel of synthetic.cl is told; shared by C17 and OpenCL C. */
#ifndef TANDA_KERNELS_ARGUMENTS_SYNTHETIC_H
#define TANDA_KERNELS_ARGUMENTS_SYNTHETIC_H

#include "kernels/synthetic.h"

typedef struct synthetic_arguments {
    synthetic data;
    ulong count;
} synthetic_arguments;

#endif
