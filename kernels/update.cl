/* The end of a step: the last pass of the tree, the parameter update and the loss. See step.c and update.c. */
#include "kernels/apply.h"
#include "kernels/merge.h"

/*
 * The at most FAN_IN slots that are left of a step become the gradient, which stays in the first, and update the
 * parameters, of which an evaluation has none. The loss lies behind them, 16 floats before a slot's end. results has three
 * words a step: the loss sum's bits, correct rows, whether a parameter is not finite. state: vectors like parameters.
 * biases: of each layer, where there is a penalty. squares: the sum of the squared gradients, where clip_norm is on.
 * Work-item (VECTOR floats of a slot).
 */
kernel void update(global float *parameters, global float *slots, global float *state,
                   global const update_rates *rates, global const bias_range *biases,
                   global const float *squares, global uint *results, update_arguments a) {
    uint index = (uint)get_global_id(0) * VECTOR, loss = (uint)a.merge.slot_floats - 16;
    if (index >= a.merge.slot_floats) return;
    real sum = merge_slots(slots, a.merge, 0, index);
    if (index < loss) {
        update_target target = {parameters, state, loss, a.inverse_rows, a.rule, rates[a.step]};
        real scale = (real)(1.0f);
        if (a.rule.constants.clip_norm > 0.0f)
            scale = update_norm_scale((real)(squares[0]), (real)(a.rule.constants.clip_norm));
        if (apply_update(target, index, &sum, scale, lies_in_weights(biases, a.bias_count, index)))
            results[3 * a.step + 2] = 1;
    }
    store_real(sum, slots + index);
    if (index == loss) results[3 * a.step] = as_uint(slots[index]);
}

/*
 * The first step of a norm (contract 5): squares[16 i] is the sum of the squared gradients of the i-th 256 floats, in
 * 16 lanes that are folded; the tree of merge_partials does the rest. Work-item (chunk).
 */
kernel void square_gradient(global const float *sums, global float *squares, square_arguments a) {
    uint chunk = (uint)get_global_id(0), first = chunk * SQUARES_CHUNK;
    if (first >= a.floats) return;
    uint end = a.floats - first < SQUARES_CHUNK ? a.floats : first + SQUARES_CHUNK;
#if VECTOR == 16
    real lanes = (real)(a.zero);
    for (uint i = first; i < end; i += 16) {
        real g = update_gradient(load_real(sums + i), (real)(a.inverse_rows));
        lanes = fused(g, g, lanes);
    }
    squares[16 * chunk] = fold_lanes(lanes);
#else
    float lanes[16];
    UNROLL_FOR (uint l = 0; l < 16; l++)
        lanes[l] = a.zero;
    for (uint i = first; i < end; i += 16)
        UNROLL_FOR (uint l = 0; l < 16; l++) {
            float g = update_gradient(sums[i + l], a.inverse_rows);
            lanes[l] = fused(g, g, lanes[l]);
        }
    float16 together =
        (float16)(lanes[0], lanes[1], lanes[2], lanes[3], lanes[4], lanes[5], lanes[6], lanes[7], lanes[8],
                  lanes[9], lanes[10], lanes[11], lanes[12], lanes[13], lanes[14], lanes[15]);
    squares[16 * chunk] = fold_lanes(together);
#endif
}
