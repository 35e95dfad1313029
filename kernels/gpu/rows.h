/* The rows of a wave by their numbers in the data set; OpenCL C only. */
#ifndef TANDA_KERNELS_GPU_ROWS_H
#define TANDA_KERNELS_GPU_ROWS_H

#include "kernels/arguments/gpu_dense.h"
#include "kernels/gpu/aside.h"
#include "kernels/gpu/order.h"
#include "kernels/tile.h"

/* The row at a position of the wave. */
ASIDE ulong number_of(row_source order, ulong position) {
    return row_order_at(built_order(order.order), order.epoch, order.first_position + position);
}

/* The number of the row in a lane; of a lane without one, the wave's first, which is read and not used. */
INLINE ulong number_of_lane(row_source order, uint tile, uint lane, uint rows) {
    return number_of(order, lane < rows ? tile * TILE_ROWS + lane : 0);
}

/* Numbers of `count` positions of the wave from `first` on, by the work-items of a group; none reads before a barrier. */
INLINE void number_rows(row_source order, uint first, uint count, local ulong *numbers) {
    for (uint i = (uint)get_local_id(0); i < count; i += (uint)get_local_size(0))
        numbers[i] = number_of(order, first + i);
}

#endif
