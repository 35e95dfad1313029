/* The rows of a wave by their numbers in the data set; OpenCL C only. */
#ifndef TANDA_KERNELS_GPU_ROWS_H
#define TANDA_KERNELS_GPU_ROWS_H

#include "kernels/arguments/gpu_dense.h"
#include "kernels/shuffle.h"
#include "kernels/tile.h"

/* Numbers of `count` positions of the wave from `first` on, by the work-items of a group; none reads before a barrier. */
INLINE void number_rows(row_source order, uint first, uint count, local ulong *numbers) {
    shuffle_key key = {0};
    if (order.shuffle)
        key = shuffle_make_key(order.seed, order.epoch, philox_stream(PURPOSE_SHUFFLE, 0), order.row_count);
    for (uint i = (uint)get_local_id(0); i < count; i += (uint)get_local_size(0)) {
        ulong position = order.first_position + first + i;
        numbers[i] = order.shuffle ? shuffle_position(key, position) : position;
    }
}

#endif
