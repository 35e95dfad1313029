/* Assembling in vectors; see gather.cl in the folder above, whose kernel takes the same. */
#include "kernels/cpu/assemble.h"

/* Work-item (feature block of 16, group of 16 lanes, tile). */
kernel void gather(global const float *features, uint feature_count, global const ulong *row, global float *target,
                   ulong target_offset, ulong target_tile, uint column, uint mask, uint rows, int in_order,
                   ulong first_row) {
    uint feature = (uint)get_global_id(0) * 16, lane = (uint)get_global_id(1) * 16, tile = (uint)get_global_id(2);
    uint used = rows_of_tile(rows, tile), left = feature_count - feature;
    float16 lines[16];
#pragma unroll
    for (int i = 0; i < 16; i++) {
        lines[i] = (float16)(0.0f);
        if (lane + i >= used) continue;
        ulong position = (ulong)tile * TILE_ROWS + lane + i, found = first_row + position;
        if (!in_order) found = row[position];
        global const float *source = features + found * feature_count + feature;
        if (left >= 16) {
            lines[i] = load_16(0, source);
        } else {
            float values[16];
            for (int k = 0; k < 16; k++)
                values[k] = k < left ? source[k] : 0.0f;
            lines[i] = vload16(0, values);
        }
    }
    transpose(lines);
    global float *to = target + target_offset + tile * target_tile + (ulong)(lane & ~mask) * feature_count +
                       (ulong)feature * column + (lane & mask);
#pragma unroll
    for (int k = 0; k < 16; k++)
        if (k < left) store_16(lines[k], 0, to + (ulong)k * column);
}
