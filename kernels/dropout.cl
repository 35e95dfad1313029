/* Dropout, elementwise. Work-item (lanes, DROPOUT_UNITS units, tile). See dropout.c. */
#include "kernels/arguments/dropout.h"
#include "kernels/dropout_units.h"

INLINE void drop(const int backward, global const float *from, global float *to, dropout_arguments a) {
    uint first = (uint)get_global_id(1) * DROPOUT_UNITS(VECTOR), tile = (uint)get_global_id(2);
    uint lanes = lanes_of_tile(a.rows, tile), end = min(first + DROPOUT_UNITS(VECTOR), a.units);
    dropout_mask mask = {a.seed, a.position + (ulong)tile * TILE_ROWS, a.step, a.stream, a.units, a.threshold,
                         a.scale};
    for (uint lane = (uint)get_global_id(0) * VECTOR; lane < lanes; lane += (uint)get_global_size(0) * VECTOR)
        drop_units(mask, backward, lane, first, end, a.width,
                   from + a.source + tile * a.source_tile + (ulong)first * a.width + lane,
                   to + a.target + tile * a.target_tile + (ulong)first * a.width + lane);
}

kernel void dropout_forward(global const float *from, global float *to, dropout_arguments a) {
    drop(0, from, to, a);
}

kernel void dropout_backward(global const float *from, global float *to, dropout_arguments a) {
    drop(1, from, to, a);
}
