/* The order of rows that a program is built for, so that its kind is known to the compiler. OpenCL C only. */
#ifndef TANDA_KERNELS_GPU_ORDER_H
#define TANDA_KERNELS_GPU_ORDER_H

#define ROUNDS_FOR UNROLL_FOR /* keys stay in registers */

#include "kernels/shuffle.h"
#include "kernels/tile.h"

#ifndef WINDOWS /* 1: of windows, whose keys take registers that other orders have better uses for */
#define WINDOWS 0
#endif

INLINE row_order built_order(row_order order) {
    if (order.kind != SHUFFLE_NONE) order.kind = WINDOWS ? SHUFFLE_WINDOW : SHUFFLE_FULL;
    return order;
}

#endif
