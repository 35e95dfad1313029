/* What the kernels of gather.cl are told; shared by C17 and OpenCL C. */
#ifndef TANDA_KERNELS_ARGUMENTS_GATHER_H
#define TANDA_KERNELS_ARGUMENTS_GATHER_H

#include "kernels/arguments/order.h"

/* Some successive rows of the data set, which a buffer holds. */
typedef struct row_part {
    ulong first, rows;
} row_part;

/* `rows` positions of an epoch, from first_position of its order on. */
typedef struct order_arguments {
    ulong first_position;
    row_order order;
    row_part labels, weights; /* that are here: others are left as they are */
    uint rows, targets, epoch, has_weights;
} order_arguments;

/*
 * Rows that the order names or, where in_order is set, those from first_row on; in_parts: of these, the ones in `part`
 * alone. A tile is stored as columns, (features, column), and mask is column - 1; where it is one column mask may be all
 * ones.
 */
typedef struct gather_arguments {
    ulong target, target_tile, first_row;
    row_part part;
    uint features, column, mask, rows, in_order, in_parts;
} gather_arguments;

#endif
