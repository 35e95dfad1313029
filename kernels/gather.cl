/* Assembling: the rows of a batch become a wave of tiles. See gather.c. */
#include "kernels/shuffle.h"
#include "kernels/tile.h"

/*
 * row[position] and label[position], `targets` values each, for the `rows` positions of a wave that starts at
 * first_position of the epoch's order; the positions that fill up the last group of lanes get row 0 and label 0, which
 * nothing uses, and weight 0. Labels are copied as 32 bits, be they classes or targets. Work-item (VECTOR positions): it
 * makes the epoch's key once.
 */
kernel void order(global ulong *row, global uint *label, global const uint *labels, ulong first_position, uint rows,
                  ulong row_count, uint targets, int shuffle, ulong seed, uint epoch, global float *weight,
                  global const float *weights, int has_weights) {
    uint first = (uint)get_global_id(0) * VECTOR;
    if (first >= (rows + TILE_LANES - 1) / TILE_LANES * TILE_LANES) return;
    shuffle_key key = {0};
    if (shuffle) key = shuffle_make_key(seed, epoch, philox_stream(PURPOSE_SHUFFLE, 0), row_count);
    for (uint position = first; position < first + VECTOR; position++) {
        ulong found = position < rows ? first_position + position : 0;
        if (shuffle && position < rows) found = shuffle_position(key, found);
        row[position] = found;
        for (uint t = 0; t < targets; t++)
            label[(ulong)position * targets + t] = position < rows ? labels[found * targets + t] : 0;
        if (has_weights) weight[position] = position < rows ? weights[found] : 0.0f;
    }
}

#if VECTOR == 1 /* else cpu/gather.cl */

/*
 * Takes row[position], or, where in_order is set, first_row + position. A tile is stored as columns, (features, column),
 * and mask is column - 1; where it is one column mask may be all ones. Work-item (feature, lane, tile).
 */
kernel void gather(global const float *features, uint feature_count, global const ulong *row, global float *target,
                   ulong target_offset, ulong target_tile, uint column, uint mask, uint rows, int in_order,
                   ulong first_row) {
    uint feature = (uint)get_global_id(0), lane = (uint)get_global_id(1), tile = (uint)get_global_id(2);
    if (feature >= feature_count) return;
    float value = 0.0f;
    ulong position = (ulong)tile * TILE_ROWS + lane, found = first_row + position;
    if (lane < rows_of_tile(rows, tile)) {
        if (!in_order) found = row[position];
        value = features[found * feature_count + feature];
    }
    target[target_offset + tile * target_tile + (ulong)feature * column + lane] = value;
}

#endif
