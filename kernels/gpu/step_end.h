/* The end of a step, by the groups whose slot holds the sums of all its tiles; OpenCL C only. */
#ifndef TANDA_KERNELS_GPU_STEP_END_H
#define TANDA_KERNELS_GPU_STEP_END_H

#include "kernels/apply.h"
#include "kernels/arguments/gpu_dense.h"
#include "kernels/gpu/aside.h"

/* results has three words a step, see update.cl. */
typedef struct step_memories {
    global float *parameters, *state;
    global const update_rates *rates;
    global uint *results;
} step_memories;

/* A parameter, whose derivative takes the sum's place. */
ASIDE void update_one(update_target target, global float *slot, ulong at, int is_weight,
                      global uint *result) {
    float sum = slot[at];
    if (apply_update(target, at, &sum, 1.0f, is_weight)) result[2] = 1;
    slot[at] = sum;
}

/* `count` parameters from `first` on, by the work-items of the group, which has written their sums before a barrier. */
INLINE void update_range(global float *slot, step_memories memories, gpu_update_arguments a, ulong first,
                         uint count, int is_weight) {
    update_target target = {memories.parameters, memories.state, a.floats,
                            a.inverse_rows,      a.rule,         memories.rates[a.step]};
    for (uint i = (uint)get_local_id(0); i < count; i += (uint)get_local_size(0))
        update_one(target, slot, first + i, is_weight, memories.results + 3 * a.step);
}

INLINE void give_loss(global const float *loss, step_memories memories, gpu_update_arguments a) {
    if (get_local_id(0) == 0) memories.results[3 * a.step] = as_uint(*loss);
}

#endif
