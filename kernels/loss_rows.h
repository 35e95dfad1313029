/* Losses and deltas of VECTOR rows, one lane a row, for all kernels that need them; OpenCL C only. */
#ifndef TANDA_KERNELS_LOSS_ROWS_H
#define TANDA_KERNELS_LOSS_ROWS_H

#include "kernels/activation.h"
#include "kernels/arguments/loss.h"
#include "kernels/loss.h"
#include "kernels/tile.h"

/* Where a row's outputs and deltas lie. */
#ifndef ROW_SPACE
#define ROW_SPACE global
#endif

/* How many lanes are true; a sum of conditions counts as often. */
#if VECTOR == 1
static inline uint count_true(integer condition) {
    return condition != 0;
}
#else
static inline uint count_true(integer condition) {
    int8 by_8 = condition.lo + condition.hi;
    int4 by_4 = by_8.lo + by_8.hi;
    int2 by_2 = by_4.lo + by_4.hi;
    return (uint)(-(by_2.lo + by_2.hi)); /* a true lane is -1 */
}
#endif

/* Counts are integers, so their order does not matter. */
static inline void add_correct(global uint *results, uint step, integer condition) {
    uint correct = count_true(condition);
    if (correct > 0) atomic_add(results + 3 * step + 1, correct);
}

/* All bits (a vector) or 1 (a scalar) in the lanes that hold a row. */
static inline integer holds_row(uint lane, uint rows) {
    return (integer)((int)lane) + lane_numbers() < (integer)((int)rows);
}

/* Losses and deltas of VECTOR rows of two classes, y 0 or 1. */
static inline real binary_rows(real z, real y, loss_rule rule, real *losses) {
    if (rule.smooth) {
        *losses = loss_binary_smoothed(z, y, (real)(rule.half_smoothing));
        return loss_binary_delta(z, loss_binary_label(y, (real)(rule.half_smoothing)));
    }
    *losses = loss_binary(z, y);
    return loss_binary_delta(z, y);
}

/* The same of the squared error of one output, whose labels are the bits of `bits` or, of classes, that number. */
static inline real squared_rows(real z, integer bits, loss_rule rule, real *losses, integer *right) {
    real y = rule.is_class ? to_real(bits) : as_real(bits), output = rule.sigmoid ? activation_sigmoid(z) : z;
    real threshold = (real)(rule.sigmoid ? 0.0f : 0x1p-1f);
    *losses = loss_squared(output, y);
    *right = rule.is_class ? (z > threshold) == (bits == 1) : (integer)(0);
    real delta = loss_squared_delta(output, y);
    return flush_tiny(rule.sigmoid ? activation_sigmoid_backward(delta, output) : delta);
}

/* maximum over the classes and the first class that has it. */
static inline real find_maximum(ROW_SPACE const float *z, uint outputs, uint width, integer *best) {
    real maximum = load_real(z);
    *best = (integer)(0);
    for (uint c = 1; c < outputs; c++) {
        real value = load_real(z + (ulong)c * width);
        integer greater = value > maximum;
        maximum = choose(greater, value, maximum);
        *best = greater ? (integer)((int)c) : *best;
    }
    return maximum;
}

/* Sum over classes of exp(z - maximum), in chunks like a dense sum; the terms go to `terms` unless keep is 0. */
static inline real sum_exponentials(ROW_SPACE const float *z, ROW_SPACE float *terms, int keep, uint outputs,
                                    uint width, real maximum, float zero) {
    real total = (real)(zero);
    for (uint from = 0; from < outputs; from += CHUNK) {
        uint to = from + CHUNK < outputs ? from + CHUNK : outputs;
        real sum = (real)(zero);
        for (uint c = from; c < to; c++) {
            real e = exact_exp_nonpositive(load_real(z + (ulong)c * width) - maximum);
            sum = sum + e;
            if (keep) store_real(e, terms + (ulong)c * width);
        }
        total = total + sum;
    }
    return total;
}

/* Sum over classes of maximum - z, in chunks. */
static inline real sum_distances(ROW_SPACE const float *z, uint outputs, uint width, real maximum,
                                 float zero) {
    real total = (real)(zero);
    for (uint from = 0; from < outputs; from += CHUNK) {
        uint to = from + CHUNK < outputs ? from + CHUNK : outputs;
        real sum = (real)(zero);
        for (uint c = from; c < to; c++)
            sum = sum + (maximum - load_real(z + (ulong)c * width));
        total = total + sum;
    }
    return total;
}

/* Losses and, with_delta, deltas of VECTOR rows, whose classes lie `width` floats apart, and which class was right. */
static inline void categorical_rows(loss_rule rule, ROW_SPACE const float *z, ROW_SPACE float *delta,
                                    int with_delta, uint width, integer class, integer is_used, real *losses,
                                    integer *right, float zero) {
    uint outputs = rule.outputs;
    integer best;
    real maximum = find_maximum(z, outputs, width, &best);
    real sum = sum_exponentials(z, delta, with_delta, outputs, width, maximum, zero);
    real scale = exact_reciprocal(sum), true_logit = (real)(zero);
    for (uint c = 0; c < outputs; c++) {
        integer is_true = class == (integer)((int)c);
        true_logit = choose(is_true, load_real(z + (ulong)c * width), true_logit);
        if (!with_delta) continue;
        real e = load_real(delta + (ulong)c * width);
        real d = loss_categorical_delta(e, scale, choose(is_true, rule.on, rule.off));
        store_real(choose(is_used, d, 0.0f), delta + (ulong)c * width);
    }
    real loss;
    if (rule.off > 0.0f)
        loss = loss_categorical_smoothed(sum, maximum, true_logit,
                                         sum_distances(z, outputs, width, maximum, zero), (real)(rule.rest),
                                         (real)(rule.off), (real)(rule.entropy));
    else
        loss = loss_categorical(sum, maximum, true_logit);
    *losses = choose(is_used, loss, 0.0f);
    *right = (best == class) & is_used;
}

#define ELEMENT_CASE(name, NAME, op) \
    case LOSS_##NAME: \
        *losses = element_##name(output, y, (real)(rule.parameter)); \
        return flush_tiny(element_##name##_delta(output, y, (real)(rule.parameter)) * (real)(rule.mean));

/* The losses of VECTOR outputs, and their deltas. */
static inline real element_deltas(loss_rule rule, real output, real y, real *losses) {
    switch (rule.kind) { ELEMENT_LOSS_LIST(ELEMENT_CASE) }
    return output;
}

/* Target `h` of VECTOR rows that have `targets` each. */
static inline real load_target(global const int *label, uint targets, uint h) {
#if VECTOR == 1
    return as_float(label[h]);
#else
    float values[VECTOR];
    for (uint i = 0; i < VECTOR; i++)
        values[i] = as_float(label[i * targets + h]);
    return JOINED(vload, VECTOR)(0, values);
#endif
}

/* What the rows' labels say of output h: for classes 1 for the row's own, and -1 (hinge) or 0 for any other. */
static inline real element_target(loss_rule rule, integer class, uint h) {
    int is_hinge = rule.kind == LOSS_HINGE || rule.kind == LOSS_SQUARED_HINGE;
    integer own = class == (integer)(rule.outputs == 1 ? 1 : (int)h);
    return choose(own, 0x1p+0f, is_hinge ? -0x1p+0f : 0.0f);
}

/*
 * Losses and, with_delta, deltas of VECTOR rows, whose outputs lie `width` floats apart, and which class, or
 * whose labels all, were right. A row's loss is the mean over its outputs, whose sum goes in chunks. Without classes the
 * targets are in label, unless that is NULL: then the only one is the bits of label_bits, which are the classes otherwise.
 */
static inline void element_rows(loss_rule rule, ROW_SPACE const float *output, ROW_SPACE float *delta,
                                int with_delta, uint width, global const int *label, integer label_bits,
                                integer is_used, real *losses, integer *right, float zero) {
    uint outputs = rule.outputs;
    real total = (real)(zero);
    integer agree = is_used;
    for (uint from = 0; from < outputs; from += CHUNK) {
        uint to = from + CHUNK < outputs ? from + CHUNK : outputs;
        real sum = (real)(zero);
        for (uint h = from; h < to; h++) {
            real o = load_real(output + (ulong)h * width), loss_of_output, y = as_real(label_bits);
            if (rule.is_class)
                y = element_target(rule, label_bits, h);
            else if (rule.targets > 1)
                y = load_target(label, rule.targets, h);
            real d = element_deltas(rule, o, y, &loss_of_output);
            sum = sum + loss_of_output;
            agree = agree & ((o > 0.0f) == (y > (real)(0x1p-1f)));
            if (with_delta) store_real(choose(is_used, d, 0.0f), delta + (ulong)h * width);
        }
        total = total + sum;
    }
    *losses = choose(is_used, canonical(total * (real)(rule.mean)), 0.0f);
    *right = rule.kind == LOSS_BINARY_CROSSENTROPY ? agree : (integer)(0);
    if (!rule.is_class) return;
    integer best;
    if (outputs == 1)
        *right = ((load_real(output) > 0.0f) == (label_bits == 1)) & is_used;
    else {
        find_maximum(output, outputs, width, &best);
        *right = (best == label_bits) & is_used;
    }
}

#endif
