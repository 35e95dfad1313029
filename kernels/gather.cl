/* Assembling: the rows of a batch become a wave of tiles. See gather.c. */
#include "kernels/arguments/gather.h"
#include "kernels/shuffle.h"
#include "kernels/tile.h"

/*
 * row[position] and label[position], `targets` values each, for the `rows` positions of a wave that starts at
 * first_position of the epoch's order; the positions that fill up the last group of lanes get row 0 and label 0, which
 * nothing uses, and weight 0. Labels are copied as 32 bits, be they classes or targets. Work-item (VECTOR positions): it
 * makes the epoch's key once, and those of the windows that it meets.
 */
kernel void order(global ulong *row, global uint *label, global const uint *labels, global float *weight,
                  global const float *weights, order_arguments a) {
    uint first = (uint)get_global_id(0) * VECTOR;
    if (first >= (a.rows + TILE_LANES - 1) / TILE_LANES * TILE_LANES) return;
    order_keys keys = {.is_known = 0};
    order_seek_epoch(a.order, &keys, a.epoch);
    for (uint position = first; position < first + VECTOR; position++) {
        ulong found = position < a.rows ? a.first_position + position : 0;
        if (position < a.rows) found = order_find_row(a.order, &keys, found);
        row[position] = found;
        ulong labelled = found - a.labels.first, weighted = found - a.weights.first;
        for (uint t = 0; t < a.targets && labelled < a.labels.rows; t++)
            label[(ulong)position * a.targets + t] = position < a.rows ? labels[labelled * a.targets + t] : 0;
        if (a.has_weights && weighted < a.weights.rows)
            weight[position] = position < a.rows ? weights[weighted] : 0.0f;
    }
}

#if VECTOR == 1 /* else cpu/gather.cl */

/* Work-item (feature, lane, tile). */
kernel void gather(global const float *features, global const ulong *row, global float *target,
                   gather_arguments a) {
    uint feature = (uint)get_global_id(0), lane = (uint)get_global_id(1), tile = (uint)get_global_id(2);
    if (feature >= a.features) return;
    float value = 0.0f;
    ulong position = (ulong)tile * TILE_ROWS + lane, found = a.first_row + position;
    if (lane < rows_of_tile(a.rows, tile)) {
        if (!a.in_order) found = row[position];
        found -= a.part.first;
        if (found >= a.part.rows) return;
        value = features[found * a.features + feature];
    }
    target[a.target + tile * a.target_tile + (ulong)feature * a.column + lane] = value;
}

#endif
