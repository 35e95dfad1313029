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

/* Rows of a slot: of `tiles` tiles from `tile` on, as far as there are some. */
INLINE uint rows_of_slot(uint rows, uint tile, uint tiles) {
    return min(rows - tile * TILE_ROWS, tiles * TILE_ROWS);
}

/*
 * Where sums of tile `index` of a slot go, of MOST_SLOT_TILES at most, by the tree (contract 4): the sum of tiles 0 and 1 is
 * in the slot, that of 2 and 3 goes on in `pairs` until it is whole.
 */
typedef struct tile_sum {
    global float *slot;
    local float *pairs;
    uint index;
    int is_last;
} tile_sum;

/* place: the work-item's own in pairs. */
INLINE void add_tile_sum(tile_sum to, ulong at, uint place, float sum) {
    if (to.index % 2 == 1) sum = to.pairs[place] + sum;
    to.pairs[place] = sum;
    if (to.index % 2 == 1 || to.is_last) to.slot[at] = to.index < 2 ? sum : to.slot[at] + sum;
}

/* Lines of the first of a slot's tiles, which have so many rows together. */
typedef struct tile_lines {
    global const float *first;
    ulong tile_floats;
    uint width, rows;
} tile_lines;

/*
 * sums[i] = the sum of line i of `count` over all rows, 16 work-items a line; the tiles' sums are added by the tree, as pairs
 * in a row. scratch: a float a work-item.
 */
INLINE void sum_lines(tile_lines lines, global float *sums, uint count, local float *scratch, float zero) {
    const uint item = (uint)get_local_id(0), together = (uint)get_local_size(0) / TILE_LANES;
    for (uint first = 0; first < count; first += together) {
        const uint line = first + item / TILE_LANES;
        float total = zero, pair = zero;
        uint tile = 0;
        do { /* once at least: PoCL repeats what follows a loop of barriers that may be left out */
            global const float *p = lines.first + tile * lines.tile_floats + (ulong)line * lines.width;
            const uint lanes = line < count ? lanes_of_tile(lines.rows, tile) : 0;
            float sum = zero;
            for (uint lane = item % TILE_LANES; lane < lanes; lane += TILE_LANES)
                sum = sum + p[lane];
            scratch[item] = sum;
            fold_local(scratch);
            pair = pair + scratch[item];
            if (tile % 2 == 1 || (tile + 1) * TILE_ROWS >= lines.rows) {
                total = total + pair;
                pair = zero;
            }
            barrier(CLK_LOCAL_MEM_FENCE);
            tile++;
        } while (tile * TILE_ROWS < lines.rows);
        if (item % TILE_LANES == 0 && line < count) sums[line] = total;
    }
}

#endif
