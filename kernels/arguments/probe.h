/* What the kernel of probe.cl is told; shared by C17 and OpenCL C. */
#ifndef TANDA_KERNELS_ARGUMENTS_PROBE_H
#define TANDA_KERNELS_ARGUMENTS_PROBE_H

#include "kernels/portable.h"

typedef struct probe_arguments {
    uint count, function;
} probe_arguments;

#endif
