/*
 * The loss of one row and its deltas, whose OUTPUTS outputs a work-item has in registers, and so fewer than a chunk; by
 * the formulas and in the order of loss_rows.h. LOSS_OP says which op of loss.cl it is. OpenCL C only, VECTOR 1.
 */
#ifndef TANDA_KERNELS_GPU_ROW_LOSS_H
#define TANDA_KERNELS_GPU_ROW_LOSS_H

#include "kernels/activate.h"
#include "kernels/loss_rows.h"
#include "kernels/weigh.h"

#define LOSS_OP_BINARY 0
#define LOSS_OP_SQUARED 1
#define LOSS_OP_CATEGORICAL 2
#define LOSS_OP_ELEMENTS 3

/* What a row's labels are: its class or its only target, in bits, or all targets; and its weight. */
typedef struct row_label {
    int bits;
    global const int *targets;
    float weight;
} row_label;

/* What is made of a row, beside its deltas. */
typedef struct row_result {
    float loss;
    uint right;
} row_result;

#if LOSS_OP == LOSS_OP_BINARY
INLINE row_result row_loss(loss_rule rule, int with_loss, row_label label, float zero, float *z) {
    row_result made = {zero, (z[0] > 0.0f) == (label.bits == 1)};
    float y = to_real(label.bits), from = z[0], e = exp_decay(from);
    if (rule.smooth) {
        z[0] = binary_rows(from, y, rule, &made.loss);
        return made;
    }
    z[0] = loss_binary_delta_from(from, y, e);
    if (with_loss) made.loss = loss_binary_from(from, y, e);
    return made;
}

#elif LOSS_OP == LOSS_OP_SQUARED
INLINE row_result row_loss(loss_rule rule, int with_loss, row_label label, float zero, float *z) {
    row_result made = {zero, 0};
    float y = rule.is_class ? to_real(label.bits) : as_float(label.bits);
    float output = rule.sigmoid ? activation_sigmoid(z[0]) : z[0];
    if (rule.is_class) made.right = (z[0] > (rule.sigmoid ? 0.0f : 0x1p-1f)) == (label.bits == 1);
    made.loss = loss_squared(output, y);
    float delta = loss_squared_delta(output, y);
    z[0] = flush_tiny(rule.sigmoid ? activation_sigmoid_backward(delta, output) : delta);
    return made;
}

#else
/* The greatest output and the first that it is. */
INLINE float greatest(const float *z, int *best) {
    float maximum = z[0];
    *best = 0;
    UNROLL_FOR (int c = 1; c < OUTPUTS; c++) {
        *best = z[c] > maximum ? c : *best;
        maximum = choose(z[c] > maximum, z[c], maximum);
    }
    return maximum;
}

#if LOSS_OP == LOSS_OP_CATEGORICAL
INLINE float categorical_loss(loss_rule rule, const float *z, float sum, float maximum, int class,
                              float zero) {
    float all = zero, true_logit = zero;
    UNROLL_FOR (int c = 0; c < OUTPUTS; c++) {
        all = all + (maximum - z[c]);
        true_logit = choose(class == c, z[c], true_logit);
    }
    if (rule.off > 0.0f)
        return loss_categorical_smoothed(sum, maximum, true_logit, all, rule.rest, rule.off, rule.entropy);
    return loss_categorical(sum, maximum, true_logit);
}

INLINE row_result row_loss(loss_rule rule, int with_loss, row_label label, float zero, float *z) {
    row_result made = {zero, 0};
    float e[OUTPUTS], sum = zero;
    int best;
    float maximum = greatest(z, &best);
    made.right = best == label.bits;
    UNROLL_FOR (int c = 0; c < OUTPUTS; c++) {
        e[c] = exact_exp_nonpositive(z[c] - maximum);
        sum = sum + e[c];
    }
    if (with_loss) made.loss = categorical_loss(rule, z, sum, maximum, label.bits, zero);
    float scale = exact_reciprocal(sum);
    UNROLL_FOR (int c = 0; c < OUTPUTS; c++)
        z[c] = loss_categorical_delta(e[c], scale, choose(label.bits == c, rule.on, rule.off));
    return made;
}

#else
INLINE row_result row_loss(loss_rule rule, int with_loss, row_label label, float zero, float *z) {
    row_result made = {zero, 0};
    uint agree = 1;
    float sum = zero, loss, first = z[0];
    int best;
    float maximum = greatest(z, &best);
    UNROLL_FOR (int h = 0; h < OUTPUTS; h++) {
        float y = as_float(label.bits);
        if (rule.is_class)
            y = element_target(rule, label.bits, (uint)h);
        else if (rule.targets > 1)
            y = as_float(label.targets[h]);
        agree &= (z[h] > 0.0f) == (y > 0x1p-1f);
        z[h] = element_deltas(rule, z[h], y, &loss);
        sum = sum + loss;
    }
    made.loss = canonical(sum * rule.mean);
    made.right = rule.kind == LOSS_BINARY_CROSSENTROPY ? agree : 0;
    if (rule.is_class) made.right = OUTPUTS == 1 ? (first > 0.0f) == (label.bits == 1) : best == label.bits;
    return made;
}
#endif
#endif

/* From a row's logits its deltas, in their place, through the output's function where the loss is of that. */
INLINE row_result row_deltas(loss_rule rule, int with_loss, uint function, uint of_logits, int weighted,
                             row_label label, float zero, float *z) {
#if LOSS_OP == LOSS_OP_ELEMENTS
    float from[OUTPUTS];
    UNROLL_FOR (int h = 0; h < OUTPUTS; h++) {
        from[h] = z[h];
        z[h] = activate(function, z[h]);
        if (!of_logits) from[h] = z[h];
    }
#endif
    row_result made = row_loss(rule, with_loss, label, zero, z);
    if (weighted) {
        made.loss = weighed_loss(made.loss, label.weight);
        UNROLL_FOR (int h = 0; h < OUTPUTS; h++)
            z[h] = weighed_delta(z[h], label.weight);
    }
#if LOSS_OP == LOSS_OP_ELEMENTS
    UNROLL_FOR (int h = 0; h < OUTPUTS; h++)
        z[h] = activate_backward(function, z[h], from[h]);
#endif
    return made;
}

#endif
