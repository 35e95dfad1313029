/* The tree over the tiles of a wave. See update.c. */
#include "kernels/tile.h"
#include "kernels/tree.h"

/*
 * The sum of VECTOR parameters over FAN_IN slots, `distance` slots apart from `first` on: FAN_LEVELS levels of the tree.
 * A slot that is not there counts as zero, which changes no bit.
 */
static inline real merge_slots(global const float *slots, ulong slot_floats, uint count, uint first, uint distance,
                               uint index) {
    real value[FAN_IN];
#pragma unroll
    for (uint i = 0; i < FAN_IN; i++) {
        uint slot = first + i * distance;
        value[i] = (real)(0.0f);
        if (slot < count) value[i] = load_real(slots + slot * slot_floats + index);
    }
#pragma unroll
    for (uint i = 0; i < FAN_IN; i++)
#pragma unroll
        for (uint level = 0; level < FAN_LEVELS; level++)
            if (tree_climbs(i, 0, level))
                value[tree_place(i, level + 1)] = value[tree_place(i, level + 1)] + value[tree_place(i, level)];
    return value[0];
}

/* One pass takes FAN_IN slots into the first of them. Work-item (parameters, group). */
kernel void merge_partials(global float *slots, ulong slot_floats, uint count, uint distance, uint floats) {
    uint index = (uint)get_global_id(0) * VECTOR, first = (uint)get_global_id(1) * FAN_IN * distance;
    if (index >= floats) return;
    store_real(merge_slots(slots, slot_floats, count, first, distance, index), slots + first * slot_floats + index);
}

/* sum += other. Work-item (parameters). */
kernel void add_partials(global float *values, ulong sum, ulong other, uint floats) {
    uint index = (uint)get_global_id(0) * VECTOR;
    if (index >= floats) return;
    store_real(load_real(values + sum + index) + load_real(values + other + index), values + sum + index);
}
