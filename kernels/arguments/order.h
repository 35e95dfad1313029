/* The order of rows, as kernels are told of it; shared by C17 and OpenCL C. What is done with it: kernels/shuffle.h. */
#ifndef TANDA_KERNELS_ARGUMENTS_ORDER_H
#define TANDA_KERNELS_ARGUMENTS_ORDER_H

#include "kernels/portable.h"

/*
 * Rows as they lie; all rows mixed; or windows. For windows, rows lie in blocks, the last of which may be shorter.
 * An epoch has its blocks in a mixed order of their own, and each window, so many successive blocks of it, has its
 * rows mixed: what has to be read for a window are whole blocks, wherever they lie. The values reach kernels.
 */
enum shuffle_kind { SHUFFLE_NONE, SHUFFLE_FULL, SHUFFLE_WINDOW };

/*
 * The orders of all epochs. block, window: in rows, a window being a multiple of a block. blocks: how many there are.
 * The inverses are 2^64 / size, see divide_by; all of these are 0 but for windows.
 */
typedef struct row_order {
    ulong rows, seed, block, window, blocks, block_inverse, window_inverse;
    uint kind, reserved;
} row_order;

#endif
