/* The tree over the tiles of a wave. See update.c. */
#include "kernels/merge.h"

/* One pass takes FAN_IN slots into the first of them. Work-item (parameters, group). */
kernel void merge_partials(global float *slots, merge_arguments a) {
    uint index = (uint)get_global_id(0) * VECTOR, first = (uint)get_global_id(1) * FAN_IN * a.distance;
    if (index >= a.slot_floats) return;
    store_real(merge_slots(slots, a, first, index), slots + first * a.slot_floats + index);
}

/* sum += other. Work-item (parameters). */
kernel void add_partials(global float *values, add_arguments a) {
    uint index = (uint)get_global_id(0) * VECTOR;
    if (index >= a.floats) return;
    store_real(load_real(values + a.sum + index) + load_real(values + a.other + index),
               values + a.sum + index);
}
