/* Sums over the rows of a tile by a group: of bias gradients and losses (contract 3); OpenCL C only. */
#ifndef TANDA_KERNELS_GPU_SUMS_H
#define TANDA_KERNELS_GPU_SUMS_H

#include "kernels/tile.h"

/* Folds 16 neighbours in halves into the first of each (contract 3); by all work-items of a group. */
INLINE void fold_local(local float *values) {
    const uint item = (uint)get_local_id(0), lane = item % TILE_LANES;
    barrier(CLK_LOCAL_MEM_FENCE);
    for (uint half_lanes = TILE_LANES / 2; half_lanes > 0; half_lanes /= 2) {
        if (lane < half_lanes) values[item] = values[item] + values[item + half_lanes];
        barrier(CLK_LOCAL_MEM_FENCE);
    }
}

/* sums[i] = the sum of the `lanes` floats of line i of `count`, 16 work-items a line; scratch: a float a work-item. */
INLINE void sum_lines(global const float *lines, global float *sums, uint count, uint width, uint lanes,
                      local float *scratch, float zero) {
    const uint item = (uint)get_local_id(0), together = (uint)get_local_size(0) / TILE_LANES;
    for (uint first = 0; first < count; first += together) {
        const uint line = first + item / TILE_LANES;
        float sum = zero;
        if (line < count)
            for (uint lane = item % TILE_LANES; lane < lanes; lane += TILE_LANES)
                sum = sum + lines[(ulong)line * width + lane];
        scratch[item] = sum;
        fold_local(scratch);
        if (item % TILE_LANES == 0 && line < count) sums[line] = scratch[item];
        barrier(CLK_LOCAL_MEM_FENCE);
    }
}

#endif
