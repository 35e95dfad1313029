/* Functions that GPUs want inlined and PoCL need not compile once more in every kernel; OpenCL C only. */
#ifndef TANDA_KERNELS_GPU_ASIDE_H
#define TANDA_KERNELS_GPU_ASIDE_H

#include "kernels/tile.h"

/* They ask for no work-item's number, and have no barrier. */
#ifdef POCL_DEVICE_ADDRESS_BITS
#define ASIDE APART
#else
#define ASIDE INLINE
#endif

#endif
