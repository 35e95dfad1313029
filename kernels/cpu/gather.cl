/* Assembling in vectors; see gather.cl in the folder above, whose kernel takes the same. */
#include "kernels/arguments/gather.h"
#include "kernels/cpu/assemble.h"

/* Work-item (feature block of 16, group of 16 lanes, tile). */
kernel void gather(global const float *features, global const ulong *row, global float *target,
                   gather_arguments a) {
    uint feature = (uint)get_global_id(0) * 16, lane = (uint)get_global_id(1) * 16,
         tile = (uint)get_global_id(2);
    uint used = rows_of_tile(a.rows, tile), left = a.features - feature;
    float16 lines[16];
    int here[16]; /* all ones: a lane's row is in the part, or there is none */
    UNROLL_FOR (int i = 0; i < 16; i++) {
        lines[i] = (float16)(0.0f);
        here[i] = -1;
        if (lane + i >= used) continue;
        ulong position = (ulong)tile * TILE_ROWS + lane + i, found = a.first_row + position;
        if (!a.in_order) found = row[position];
        found -= a.part.first;
        here[i] = -(int)(found < a.part.rows);
        if (here[i] == 0) continue;
        global const float *source = features + found * a.features + feature;
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
    global float *to = target + a.target + tile * a.target_tile + (ulong)(lane & ~a.mask) * a.features +
                       (ulong)feature * a.column + (lane & a.mask);
    UNROLL_FOR (int k = 0; k < 16; k++) {
        if (k >= left) continue;
        if (a.in_parts) lines[k] = select(load_16(0, to + (ulong)k * a.column), lines[k], vload16(0, here));
        store_16(lines[k], 0, to + (ulong)k * a.column);
    }
}
