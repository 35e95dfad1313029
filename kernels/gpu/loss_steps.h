/* From the outputs of one row to its deltas; OpenCL C only. */
#ifndef TANDA_KERNELS_GPU_LOSS_STEPS_H
#define TANDA_KERNELS_GPU_LOSS_STEPS_H

#include "kernels/activate.h"
#include "kernels/arguments/gpu_dense.h"
#include "kernels/gpu/aside.h"
#include "kernels/loss_rows.h"
#include "kernels/weigh.h"

/* A row in its tile: the data set's number of it, and whether there is one; else it is any, and gives +0. */
typedef struct row_place {
    global float *tile;
    uint lane, rows, width, outputs;
    ulong number;
} row_place;

INLINE void softmax_row(row_place p, loss_steps a) {
    global const float *z = p.tile + a.logits + p.lane;
    global float *result = p.tile + a.softmax + p.lane;
    int best;
    float maximum = find_maximum(z, p.outputs, p.width, &best);
    float sum = sum_exponentials(z, result, 1, p.outputs, p.width, maximum, a.zero);
    float scale = exact_reciprocal(sum);
    for (uint c = 0; c < p.outputs; c++) {
        float probability = canonical(result[(ulong)c * p.width] * scale);
        result[(ulong)c * p.width] = clear_unused(probability, p.lane, p.rows);
    }
}

/* The loss, and the deltas in their place; whether the row was right. */
INLINE float loss_of_row(row_place p, loss_steps a, global const int *label, int *right) {
    global const float *z = p.tile + a.source + p.lane;
    global float *delta = p.tile + a.delta + p.lane;
    const int is_used = p.lane < p.rows;
    float loss, d;
    if (a.loss == LOSS_OP_CATEGORICAL) {
        categorical_rows(a.rule, z, delta, a.with_delta, p.width, label[0], is_used, &loss, right, a.zero);
        return loss;
    }
    if (a.loss == LOSS_OP_ELEMENTS) {
        element_rows(a.rule, z, delta, a.with_delta, p.width, label, label[0], is_used, &loss, right, a.zero);
        return loss;
    }
    if (a.loss == LOSS_OP_SQUARED)
        d = squared_rows(*z, label[0], a.rule, &loss, right);
    else {
        d = binary_rows(*z, to_real(label[0]), a.rule, &loss);
        *right = (*z > 0.0f) == (label[0] == 1);
    }
    *right &= is_used;
    if (a.with_delta) *delta = choose(is_used, d, 0.0f);
    return choose(is_used, loss, 0.0f);
}

/* All that is asked for of a row. */
ASIDE void run_loss_steps(row_place p, loss_steps a, global const int *labels, global const float *weights,
                          global uint *results) {
    global float *delta = p.tile + a.delta + p.lane;
    int right;
    if (a.has_softmax) softmax_row(p, a);
    if (a.loss == LOSS_OP_NONE) return;
    float loss = loss_of_row(p, a, labels + p.number * a.rule.targets, &right);
    if (right) atomic_add(results + 3 * a.step + 1, 1u); /* an integer: the order does not matter */
    if (a.weighted) {
        const float weight = p.lane < p.rows ? weights[p.number] : 0.0f;
        loss = weighed_loss(loss, weight);
        for (uint unit = 0; unit < p.outputs; unit++)
            delta[(ulong)unit * p.width] = weighed_delta(delta[(ulong)unit * p.width], weight);
    }
    p.tile[a.losses + p.lane] = loss;
    if (a.function == ACTIVATION_IDENTITY) return;
    global const float *from = p.tile + a.from + p.lane;
    global float *result = p.tile + a.result + p.lane;
    for (uint unit = 0; unit < p.outputs; unit++) {
        const ulong at = (ulong)unit * p.width;
        result[at] = activate_backward(a.function, delta[at], from[at]);
    }
}

#endif
