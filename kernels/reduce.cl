/* The tree over the tiles of a wave. See update.c. */
#include "kernels/merge.h"

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
