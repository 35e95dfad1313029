/* A pass of the tree over slots; OpenCL C only. */
#ifndef TANDA_KERNELS_MERGE_H
#define TANDA_KERNELS_MERGE_H

#include "kernels/arguments/update.h"
#include "kernels/tile.h"
#include "kernels/tree.h"

/*
 * The sum of VECTOR parameters over FAN_IN slots from `first` on: FAN_LEVELS levels of the tree.
 * A slot that is not there counts as zero, which changes no bit.
 */
static inline real merge_slots(global const float *slots, merge_arguments a, uint first, uint index) {
    real value[FAN_IN];
    UNROLL_FOR (uint i = 0; i < FAN_IN; i++) {
        uint slot = first + i * a.distance;
        value[i] = (real)(0.0f);
        if (slot < a.count) value[i] = load_real(slots + slot * a.slot_floats + index);
    }
    UNROLL_FOR (uint i = 0; i < FAN_IN; i++)
        UNROLL_FOR (uint level = 0; level < FAN_LEVELS; level++)
            if (tree_climbs(i, 0, level))
                value[tree_place(i, level + 1)] =
                    value[tree_place(i, level + 1)] + value[tree_place(i, level)];
    return value[0];
}

#endif
