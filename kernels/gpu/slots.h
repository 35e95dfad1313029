/* Slots are added up by the tree, and the parameters updated, by one group of work-items. OpenCL C only. */
#ifndef TANDA_KERNELS_GPU_SLOTS_H
#define TANDA_KERNELS_GPU_SLOTS_H

#include "kernels/apply.h"
#include "kernels/arguments/gpu_perceptron.h"
#include "kernels/gpu/aside.h"
#include "kernels/gpu/strip.h"

/* What crosses groups within a launch goes by atomics: OpenCL 1.2 promises nothing of others. */
INLINE void write_shared(global float *p, float value, int crosses) {
    if (crosses)
        atomic_xchg((volatile global uint *)p, as_uint(value));
    else
        *p = value;
}

INLINE float read_shared(global float *p, int crosses) {
    return crosses ? as_float(atomic_or((volatile global uint *)p, 0u)) : *p;
}

/* The new value of a parameter, from the tree's sum, which its derivative replaces in the first slot. */
ASIDE float updated(update_target target, float w, float sum, ulong at, int is_weight, global float *slots,
                    int crosses, global uint *result) {
    float state[MOST_UPDATE_STATES];
    UNROLL_FOR (uint i = 0; i < MOST_UPDATE_STATES; i++)
        state[i] = i < target.rule.states ? target.state[i * target.floats + at] : 0.0f;
    w = apply_rule(target, w, &sum, 1.0f, is_weight, state);
    write_shared(target.parameters + at, w, crosses);
    UNROLL_FOR (uint i = 0; i < MOST_UPDATE_STATES; i++)
        if (i < target.rule.states) target.state[i * target.floats + at] = state[i];
    write_shared(slots + at, sum, crosses);
    if (is_bad(target, w, sum)) result[2] = 1;
    return w;
}

#define COLUMNS 8
#define PARTS (ITEMS / COLUMNS)
#define BLOCK 8        /* slots that are read together, */
#define BLOCK_LEVELS 3 /* of the tree over the blocks of a part, 8 at most */

/* The tree over BLOCK values. */
INLINE float block_sum(float *v) {
    UNROLL_FOR (uint apart = 1; apart < BLOCK; apart *= 2)
        UNROLL_FOR (uint i = 0; i < BLOCK; i += 2 * apart)
            v[i] = v[i] + v[i + apart];
    return v[0];
}

/*
 * The sum of a part of the slots, a power of two of them, block by block as the carries of a binary counter (tree.h). A
 * slot that is not there counts as zero, which changes no bit.
 */
ASIDE float part_sum(global float *slots, uint part, gpu_perceptron_arguments a) {
    float v[BLOCK], waiting[BLOCK_LEVELS], sum = 0.0f;
    for (uint first = 0; first < a.part_slots; first += BLOCK) {
        int carries = 1;
        UNROLL_FOR (uint i = 0; i < BLOCK; i++) {
            uint slot = part * a.part_slots + first + i;
            v[i] = 0.0f;
            if (first + i < a.part_slots && slot < a.slots)
                v[i] = read_shared(slots + slot * a.slot_floats, a.merges);
        }
        sum = block_sum(v);
        UNROLL_FOR (uint level = 0; level < BLOCK_LEVELS; level++) {
            int takes = first / BLOCK >> level & 1;
            if (carries && takes) sum = waiting[level] + sum;
            if (carries && !takes) waiting[level] = sum;
            carries = carries && takes;
        }
    }
    return sum;
}

/* The tree over all slots and the update, for COLUMNS of their floats; `parts` is (PARTS, COLUMNS). */
INLINE void merge_columns(global float *slots, ulong first, uint t, local float *parts, update_target target,
                          global uint *result, gpu_perceptron_arguments a) {
    uint part = t / COLUMNS;
    ulong at = first + t % COLUMNS;
    barrier(CLK_LOCAL_MEM_FENCE);
    parts[t] = part_sum(slots + at, part, a);
    for (uint apart = 1; apart < PARTS; apart *= 2) {
        barrier(CLK_LOCAL_MEM_FENCE);
        if (part % (2 * apart) == 0) parts[t] = parts[t] + parts[t + apart * COLUMNS];
    }
    if (part > 0) return;
    if (at < target.floats)
        updated(target, read_shared(target.parameters + at, a.merges), parts[t], at, at < a.bias, slots,
                a.merges, result);
    else if (at == target.floats) {
        write_shared(slots + at, parts[t], a.merges);
        result[0] = as_uint(parts[t]);
    }
}

INLINE update_target target_of(global float *parameters, global float *state, update_rates rates, uint rows,
                               gpu_perceptron_arguments a) {
    float inverse = rows == a.batch_rows ? a.inverse_rows : a.last_inverse_rows;
    return (update_target){parameters, state, a.slot_floats - 16, inverse, a.update, rates};
}

#endif
