/*
 * Losses of rows of many outputs: a group has LOSS_ROWS neighbours, a work-item every LOSS_PARTS-th output of a row. Terms of
 * a sum are made by all, and added by one work-item a chunk (contract 2). The formulas are those of kernels/loss_rows.h;
 * OpenCL C only.
 */
#ifndef TANDA_KERNELS_GPU_GROUP_LOSS_H
#define TANDA_KERNELS_GPU_GROUP_LOSS_H

#include "kernels/gpu/loss_steps.h"

#define LOSS_PARTS (DENSE_ITEMS / LOSS_ROWS)
#define LOSS_CHUNKS 3                              /* whose terms local memory holds at a time, */
#define LOSS_PITCH (CHUNK * LOSS_ROWS + LOSS_ROWS) /* a chunk's so far apart: no two rows in a bank */

typedef struct loss_memory {
    local float *terms, *sums, *values; /* of chunks, and one a work-item */
    local int *numbers;
} loss_memory;

/* What terms are made of: EXPONENTIALS of z - maximum, DISTANCES maximum - z, or ELEMENTS, the losses of an output each. */
enum term_kind { EXPONENTIALS, DISTANCES, ELEMENTS };

typedef struct term_source {
    global const float *z;
    global float *kept; /* exponentials or deltas, where `keeps` is set */
    int keeps;
    float maximum;
    loss_rule rule;
    global const int *label; /* of the row */
} term_source;

INLINE uint part_of_item(void) {
    return (uint)get_local_id(0) / LOSS_ROWS;
}

ASIDE float element_term(loss_rule rule, float output, float y, global float *delta, int is_used) {
    float loss, d = element_deltas(rule, output, y, &loss);
    if (delta != 0) *delta = choose(is_used, d, 0.0f);
    return loss;
}

INLINE float target_of(loss_rule rule, global const int *label, uint output) {
    if (rule.is_class) return element_target(rule, label[0], output);
    return as_float(label[rule.targets > 1 ? output : 0]);
}

INLINE float term_of(const enum term_kind kind, row_place p, term_source s, uint c) {
    const ulong at = (ulong)c * p.width;
    const float z = s.z[at];
    if (kind == DISTANCES) return s.maximum - z;
    if (kind == ELEMENTS)
        return element_term(s.rule, z, target_of(s.rule, s.label, c), s.keeps ? s.kept + at : 0,
                            p.lane < p.rows);
    const float e = exact_exp_nonpositive(z - s.maximum);
    if (s.keeps) s.kept[at] = e;
    return e;
}

/* The sum over `outputs` of a row, in chunks that are added in their order. */
INLINE float sum_of_group(const enum term_kind kind, row_place p, uint outputs, term_source s, float zero,
                          loss_memory m) {
    const uint row = (uint)get_local_id(0) % LOSS_ROWS, part = part_of_item();
    float total = zero;
    for (uint from = 0; from < outputs; from += LOSS_CHUNKS * CHUNK) {
        const uint count = min(outputs - from, (uint)(LOSS_CHUNKS * CHUNK));
        for (uint i = part; i < count; i += LOSS_PARTS)
            m.terms[i / CHUNK * LOSS_PITCH + i % CHUNK * LOSS_ROWS + row] = term_of(kind, p, s, from + i);
        barrier(CLK_LOCAL_MEM_FENCE);
        const uint mine = part * CHUNK < count ? min(count - part * CHUNK, (uint)CHUNK) : 0;
        float sum = zero;
        for (uint i = 0; i < mine; i++)
            sum = sum + m.terms[part * LOSS_PITCH + i * LOSS_ROWS + row];
        if (part < LOSS_CHUNKS) m.sums[part * LOSS_ROWS + row] = sum;
        barrier(CLK_LOCAL_MEM_FENCE);
        for (uint chunk = 0; chunk * CHUNK < count; chunk++)
            total = total + m.sums[chunk * LOSS_ROWS + row];
    }
    return total;
}

/* find_maximum: the first output is every part's beginning, so that one that is NaN stays. */
INLINE float maximum_of_group(row_place p, global const float *z, loss_memory m, int *best) {
    const uint item = (uint)get_local_id(0);
    float maximum = z[0];
    int number = 0;
    for (uint c = part_of_item(); c < p.outputs; c += LOSS_PARTS) {
        const float value = z[(ulong)c * p.width];
        number = value > maximum ? (int)c : number;
        maximum = value > maximum ? value : maximum;
    }
    m.values[item] = maximum;
    m.numbers[item] = number;
    barrier(CLK_LOCAL_MEM_FENCE);
    for (uint other = item % LOSS_ROWS; other < DENSE_ITEMS; other += LOSS_ROWS) {
        const float value = m.values[other];
        const int at = m.numbers[other];
        const int is_first = value > maximum || (value == maximum && at < number);
        maximum = is_first ? value : maximum;
        number = is_first ? at : number;
    }
    barrier(CLK_LOCAL_MEM_FENCE);
    *best = number;
    return maximum;
}

/* Whether all outputs of a row lie on their targets' side. */
INLINE int group_agrees(row_place p, uint outputs, term_source s, loss_memory m) {
    const uint item = (uint)get_local_id(0);
    int agree = p.lane < p.rows;
    for (uint c = part_of_item(); c < outputs; c += LOSS_PARTS)
        agree &= (s.z[(ulong)c * p.width] > 0.0f) == (target_of(s.rule, s.label, c) > 0x1p-1f);
    m.numbers[item] = agree;
    barrier(CLK_LOCAL_MEM_FENCE);
    for (uint other = item % LOSS_ROWS; other < DENSE_ITEMS; other += LOSS_ROWS)
        agree &= m.numbers[other];
    return agree;
}

/* As categorical_rows. distances: their sum, where labels are smoothed. */
INLINE float categorical_loss(row_place p, term_source s, int class, float sum, float distances, float zero) {
    float true_logit = zero;
    if ((uint) class < p.outputs) true_logit = s.z[(ulong) class * p.width];
    if (!(s.rule.off > 0.0f)) return loss_categorical(sum, s.maximum, true_logit);
    return loss_categorical_smoothed(sum, s.maximum, true_logit, distances, s.rule.rest, s.rule.off,
                                     s.rule.entropy);
}

ASIDE float delta_of_logit(uint function, float delta, float value) {
    return activate_backward(function, delta, value);
}

/* What each work-item makes of the outputs that it has: probabilities, and deltas from exponentials, weighed, of logits. */
INLINE void finish_outputs(row_place p, loss_steps a, term_source s, int class, float scale, float weight) {
    const int is_categorical = a.loss == LOSS_OP_CATEGORICAL, is_used = p.lane < p.rows;
    global float *tile = p.tile + p.lane;
    for (uint c = part_of_item(); c < p.outputs; c += LOSS_PARTS) {
        const ulong at = (ulong)c * p.width;
        const float e = is_categorical && a.with_delta ? s.kept[at] : 0.0f;
        if (a.has_softmax) s.kept[at] = choose(is_used, canonical(s.kept[at] * scale), 0.0f);
        if (!a.with_delta) continue;
        float d = tile[a.delta + at];
        if (is_categorical)
            d = choose(is_used, loss_categorical_delta(e, scale, class == (int)c ? s.rule.on : s.rule.off),
                       0.0f);
        if (a.weighted) d = weighed_delta(d, weight);
        tile[a.delta + at] = d;
        if (a.function != ACTIVATION_IDENTITY)
            tile[a.result + at] = delta_of_logit(a.function, d, tile[a.from + at]);
    }
}

/*
 * As run_loss_steps, by all work-items of a group, for losses of many outputs. What is not asked for has no outputs: PoCL
 * compiles what follows a barrier in a branch twice. The softmax is of what a categorical loss is of.
 */
INLINE void run_group_loss(row_place p, loss_steps a, global const int *labels, global const float *weights,
                           global uint *results, loss_memory m) {
    const int is_categorical = a.loss == LOSS_OP_CATEGORICAL, is_elements = a.loss == LOSS_OP_ELEMENTS;
    const int smooths = is_categorical && a.rule.off > 0.0f;
    global const int *label = labels + p.number * a.rule.targets;
    const term_source elements = {.z = p.tile + a.source + p.lane,
                                  .kept = p.tile + a.delta + p.lane,
                                  .keeps = (int)a.with_delta,
                                  .rule = a.rule,
                                  .label = label};
    term_source logits = elements;
    if (a.has_softmax) {
        logits.z = p.tile + a.logits + p.lane;
        logits.kept = p.tile + a.softmax + p.lane;
        logits.keeps = 1;
    }
    int best;
    logits.maximum = maximum_of_group(p, logits.z, m, &best);
    const float sum =
        sum_of_group(EXPONENTIALS, p, is_categorical || a.has_softmax ? p.outputs : 0, logits, a.zero, m);
    const float distances = sum_of_group(DISTANCES, p, smooths ? p.outputs : 0, logits, a.zero, m);
    const float total = sum_of_group(ELEMENTS, p, is_elements ? p.outputs : 0, elements, a.zero, m);
    const int agree = group_agrees(p, is_elements ? p.outputs : 0, elements, m);
    if (p.outputs == 0) return;
    const int is_used = p.lane < p.rows, class = a.loss != LOSS_OP_NONE ? label[0] : 0;
    const float weight = a.weighted && is_used ? weights[p.number] : 0.0f;
    finish_outputs(p, a, logits, class, exact_reciprocal(sum), weight);
    if (a.loss == LOSS_OP_NONE || part_of_item() != 0) return;
    float loss = is_categorical ? categorical_loss(p, logits, class, sum, distances, a.zero)
                                : canonical(total * a.rule.mean);
    loss = choose(is_used, loss, 0.0f);
    p.tile[a.losses + p.lane] = a.weighted ? weighed_loss(loss, weight) : loss;
    const int right =
        is_categorical || a.rule.is_class ? best == class : a.rule.kind == LOSS_BINARY_CROSSENTROPY && agree;
    if (right && is_used)
        atomic_add(results + 3 * a.step + 1, 1u); /* an integer: the order does not matter */
}

#endif
