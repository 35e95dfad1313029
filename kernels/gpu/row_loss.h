/*
 * The loss of one row and its deltas, whose OUTPUTS outputs, fewer than a chunk, lie `apart` floats apart in local
 * memory; by the formulas and in the order of loss_rows.h. LOSS_OP says which op of loss.cl it is. OpenCL C only, VECTOR 1.
 */
#ifndef TANDA_KERNELS_GPU_ROW_LOSS_H
#define TANDA_KERNELS_GPU_ROW_LOSS_H

#include "kernels/activate.h"
#include "kernels/gpu/aside.h"
#include "kernels/loss_rows.h"
#include "kernels/weigh.h"

/* What a row's labels are: its class or its only target, in bits, or all targets; and its weight. */
typedef struct row_label {
    int bits;
    global const int *targets;
    float weight;
} row_label;

/* What a row's outputs are: logits through `function`, where the loss is not of these; whose way back may start there. */
typedef struct row_rule {
    loss_rule loss;
    uint with_loss, weighted, function, of_logits;
    float zero;
} row_rule;

/* What is made of a row, beside its deltas. */
typedef struct row_result {
    float loss;
    uint right;
} row_result;

#if LOSS_OP == LOSS_OP_BINARY
INLINE row_result row_loss(row_rule rule, row_label label, local float *z, uint apart) {
    float y = to_real(label.bits), from = *z, e = exp_decay(from);
    row_result made = {rule.zero, (from > 0.0f) == (label.bits == 1)};
    (void)apart;
    if (rule.loss.smooth)
        *z = binary_rows(from, y, rule.loss, &made.loss);
    else {
        *z = loss_binary_delta_from(from, y, e);
        if (rule.with_loss) made.loss = loss_binary_from(from, y, e);
    }
    return made;
}

#elif LOSS_OP == LOSS_OP_SQUARED
INLINE row_result row_loss(row_rule rule, row_label label, local float *z, uint apart) {
    row_result made;
    int right;
    (void)apart;
    *z = squared_rows(*z, label.bits, rule.loss, &made.loss, &right);
    made.right = (uint)right;
    return made;
}

#else
/* The greatest output and the first that it is. */
INLINE float greatest(local const float *z, uint apart, int *best) {
    float maximum = *z;
    *best = 0;
    for (int c = 1; c < OUTPUTS; c++) {
        float value = z[(uint)c * apart];
        *best = value > maximum ? c : *best;
        maximum = choose(value > maximum, value, maximum);
    }
    return maximum;
}

#if LOSS_OP == LOSS_OP_CATEGORICAL
INLINE row_result row_loss(row_rule rule, row_label label, local float *z, uint apart) {
    int best;
    float maximum = greatest(z, apart, &best), sum = rule.zero, all = rule.zero, true_logit = rule.zero;
    row_result made = {rule.zero, best == label.bits};
    for (int c = 0; c < OUTPUTS; c++) {
        float logit = z[(uint)c * apart], e = exact_exp_nonpositive(logit - maximum);
        sum = sum + e;
        all = all + (maximum - logit);
        true_logit = choose(label.bits == c, logit, true_logit);
        z[(uint)c * apart] = e;
    }
    float scale = exact_reciprocal(sum);
    for (int c = 0; c < OUTPUTS; c++)
        z[(uint)c * apart] = loss_categorical_delta(z[(uint)c * apart], scale,
                                                    choose(label.bits == c, rule.loss.on, rule.loss.off));
    if (!rule.with_loss) return made;
    if (rule.loss.off > 0.0f)
        made.loss = loss_categorical_smoothed(sum, maximum, true_logit, all, rule.loss.rest, rule.loss.off,
                                              rule.loss.entropy);
    else
        made.loss = loss_categorical(sum, maximum, true_logit);
    return made;
}

#else
/* The way back through the output's function, too: a weight comes before it. */
INLINE row_result row_loss(row_rule rule, row_label label, local float *z, uint apart) {
    row_result made = {rule.zero, 0};
    uint agree = 1;
    float sum = rule.zero, maximum = rule.zero;
    int best = 0;
    for (uint h = 0; h < OUTPUTS; h++) {
        float logit = z[h * apart], output = activate(rule.function, logit), loss, y = as_float(label.bits);
        if (rule.loss.is_class)
            y = element_target(rule.loss, label.bits, h);
        else if (rule.loss.targets > 1)
            y = as_float(label.targets[h]);
        float delta = element_deltas(rule.loss, output, y, &loss);
        sum = sum + loss;
        agree &= (output > 0.0f) == (y > 0x1p-1f);
        best = h > 0 && output > maximum ? (int)h : best;
        maximum = choose(h == 0 || output > maximum, output, maximum);
        if (rule.weighted) delta = weighed_delta(delta, label.weight);
        z[h * apart] = activate_backward(rule.function, delta, rule.of_logits ? logit : output);
    }
    made.loss = canonical(sum * rule.loss.mean);
    made.right = rule.loss.kind == LOSS_BINARY_CROSSENTROPY ? agree : 0;
    if (rule.loss.is_class)
        made.right = OUTPUTS == 1 ? (maximum > 0.0f) == (label.bits == 1) : best == label.bits;
    return made;
}
#endif
#endif

/* From a row's logits its deltas, in their place. */
ASIDE row_result row_deltas(row_rule rule, row_label label, local float *z, uint apart) {
    row_result made = row_loss(rule, label, z, apart);
    if (!rule.weighted) return made;
    made.loss = weighed_loss(made.loss, label.weight);
#if LOSS_OP != LOSS_OP_ELEMENTS
    for (uint h = 0; h < OUTPUTS; h++)
        z[h * apart] = weighed_delta(z[h * apart], label.weight);
#endif
    return made;
}

#endif
