/* The parameter update, and the loss of the step. Work-item (parameters). See update.c. */
#include "kernels/tile.h"
#include "kernels/update.h"

/* Where the parameters of a layer's bias lie, which no penalty is put on. */
typedef struct bias_range {
    ulong first, end;
} bias_range;

static inline int is_weight(global const bias_range *biases, uint count, uint index) {
    int found = 0;
    for (uint i = 0; i < count; i++)
        found |= index >= biases[i].first && index < biases[i].end;
    return !found;
}

/*
 * results has three words a step: the loss sum's bits, correct rows, whether a parameter is not finite. state:
 * `states` vectors of so many floats. squares: the sum of the squared gradients, where clip_norm is on. biases: of
 * each layer, where there is a penalty.
 */
kernel void update(global float *parameters, global float *sums, ulong sum, uint floats, float inverse_rows,
                   uint rule, uint states, global float *state, global const update_constants *constants, float rate,
                   float decay, global const bias_range *biases, uint bias_count, global const float *squares,
                   global uint *results, uint step) {
    uint index = (uint)get_global_id(0) * VECTOR;
    if (index >= floats) return;
    update_constants c = *constants;
    update_rates r = {rate, decay};
    real memory[MOST_UPDATE_STATES];
#pragma unroll
    for (uint i = 0; i < MOST_UPDATE_STATES; i++)
        memory[i] = i < states ? load_real(state + (ulong)i * floats + index) : (real)(0.0f);
    real w = load_real(parameters + index);
    real g = update_gradient(load_real(sums + sum + index), (real)(inverse_rows));
    real scale = (real)(1.0f);
    if (c.clip_norm > 0.0f) scale = update_norm_scale((real)(squares[0]), (real)(c.clip_norm));
    g = update_derivative(w, g, scale, c, is_weight(biases, bias_count, index));
    w = update_by_rule(rule, w, g, c, r, memory);
    store_real(g, sums + sum + index);
    store_real(w, parameters + index);
#pragma unroll
    for (uint i = 0; i < MOST_UPDATE_STATES; i++)
        if (i < states) store_real(memory[i], state + (ulong)i * floats + index);
    if (is_any(update_is_not_finite(rule == UPDATE_nothing ? g : w))) results[3 * step + 2] = 1;
}

#define SQUARES_CHUNK 256 /* SQUARES_CHUNK of plan.h */

/*
 * The first step of a norm (contract 5): squares[16 i] is the sum of the squared gradients of the i-th 256 floats, in
 * 16 lanes that are folded; the tree of merge_partials does the rest. Work-item (chunk).
 */
kernel void square_gradient(global const float *sums, ulong sum, uint floats, float inverse_rows, float zero,
                            global float *squares) {
    uint chunk = (uint)get_global_id(0), first = chunk * SQUARES_CHUNK;
    if (first >= floats) return;
    uint end = floats - first < SQUARES_CHUNK ? floats : first + SQUARES_CHUNK;
#if VECTOR == 16
    real lanes = (real)(zero);
    for (uint i = first; i < end; i += 16) {
        real g = update_gradient(load_real(sums + sum + i), (real)(inverse_rows));
        lanes = fused(g, g, lanes);
    }
    squares[16 * chunk] = fold_lanes(lanes);
#else
    float lanes[16];
#pragma unroll
    for (uint l = 0; l < 16; l++)
        lanes[l] = zero;
    for (uint i = first; i < end; i += 16)
#pragma unroll
        for (uint l = 0; l < 16; l++) {
            float g = update_gradient(sums[sum + i + l], inverse_rows);
            lanes[l] = fused(g, g, lanes[l]);
        }
#pragma unroll
    for (uint apart = 8; apart > 0; apart /= 2)
#pragma unroll
        for (uint l = 0; l < apart; l++)
            lanes[l] = lanes[l] + lanes[l + apart];
    squares[16 * chunk] = lanes[0];
#endif
}

/* One work-item; those that fill up its work-group do nothing. */
kernel void keep_loss(global const float *sums, ulong loss, global uint *results, uint step) {
    if (get_global_id(0) > 0) return;
    results[3 * step] = as_uint(sums[loss]);
}
