/* Dropout, elementwise. Work-item (lanes, DROPOUT_UNITS units, tile). See dropout.c. */
#include "kernels/dropout_units.h"

#define DEFINE_DROPOUT(name, backward)                                                                               \
    kernel void dropout_##name(global const float *from, ulong source, ulong source_tile, global float *to,          \
                               ulong target, ulong target_tile, uint width, uint rows, uint units, uint threshold,   \
                               float scale, ulong seed, ulong position, uint step, uint stream) {                    \
        uint first = (uint)get_global_id(1) * DROPOUT_UNITS(VECTOR), tile = (uint)get_global_id(2);                  \
        uint lanes = lanes_of_tile(rows, tile), end = min(first + DROPOUT_UNITS(VECTOR), units);                     \
        dropout_mask mask = {seed, position + (ulong)tile * TILE_ROWS, step, stream, units, threshold, scale};       \
        for (uint lane = (uint)get_global_id(0) * VECTOR; lane < lanes; lane += (uint)get_global_size(0) * VECTOR)   \
            drop_units(mask, backward, lane, first, end, width,                                                      \
                       from + source + tile * source_tile + (ulong)first * width + lane,                             \
                       to + target + tile * target_tile + (ulong)first * width + lane);                              \
    }

DEFINE_DROPOUT(forward, 0)
DEFINE_DROPOUT(backward, 1)
