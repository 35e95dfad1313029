/*
 * Rows of a small net on GPUs, from the data set to the deltas of every layer. A work-group has ROWS rows; a tensor of
 * them in local memory is (units, ROWS). A work-item has chains of two rows by four outputs at a time. OpenCL C only.
 */
#ifndef TANDA_KERNELS_GPU_SMALL_ROWS_H
#define TANDA_KERNELS_GPU_SMALL_ROWS_H

#define ROW_SPACE local

#include "kernels/activate.h"
#include "kernels/arguments/gpu_small.h"
#include "kernels/dropout.h"
#include "kernels/gpu/aside.h"
#include "kernels/gpu/order.h"
#include "kernels/loss_rows.h"
#include "kernels/weigh.h"

#define ITEMS 256
#define PAIRS (ROWS / 2)
#define LOCAL_FLOATS 8000
#define STAGED 4 /* float4 of rows that a work-item has on their way */
#define SECTOR 8 /* words that a cache takes in at once, or some of them */

/* Terms of a chain whose factors are read before they are needed; groups of few rows are few, and their weights many. */
#define AHEAD_TERMS (ROWS == 16 ? 8 : 4)

/* What a group works with. scratch: inputs of the first layer, a chunk at a time; then derivatives of outputs. */
typedef struct small_rows {
    global const float *features, *parameters;
    global float *tile; /* from the group's first row on */
    local float *scratch, *outputs;
    local const uint *numbers; /* of its rows in the data set */
    uint t, used;              /* used: rows that are there */
    ulong position;            /* of the first row in its batch */
} small_rows;

/* Asks for some words one by one before they are needed: each layer would else wait for its own. Returns something of them. */
INLINE uint ask_for(global const uint *words, uint count, uint t) {
    uint seen = 0;
    for (uint i = t * SECTOR; i < count; i += ITEMS * SECTOR)
        seen |= words[i];
    return seen;
}

/* The number in the data set of a row of the wave; 0 of one that is not there. */
INLINE uint row_number(uint row, gpu_small_arguments a) {
    return row < a.rows ? (uint)row_order_at(built_order(a.order), a.epoch, a.first_row + row) : 0;
}

/* ---- chains ------------------------------------------------------------------------------------------------ */

INLINE void add_products(float2 value, float4 factors, float2 *sum) {
    sum[0] = fma(value, (float2)(factors.x), sum[0]);
    sum[1] = fma(value, (float2)(factors.y), sum[1]);
    sum[2] = fma(value, (float2)(factors.z), sum[2]);
    sum[3] = fma(value, (float2)(factors.w), sum[3]);
}

/* Four floats, of which `left` more than the first are there, the last of them for others. */
INLINE float4 four_at(global const float *w, int aligned, uint left) {
    if (aligned) return *(global const float4 *)w;
    return (float4)(w[0], w[min(left, 1u)], w[min(left, 2u)], w[min(left, 3u)]);
}

/* Chains of two rows and four outputs over `terms` inputs. */
INLINE void add_inputs(local const float2 *x, global const float *w, uint stride, uint terms,
                       const int aligned, uint left, float2 *sum) {
    for (; terms >= AHEAD_TERMS; terms -= AHEAD_TERMS) {
        float4 factors[AHEAD_TERMS];
        UNROLL_FOR (uint n = 0; n < AHEAD_TERMS; n++)
            factors[n] = four_at(w + n * stride, aligned, left);
        UNROLL_FOR (uint n = 0; n < AHEAD_TERMS; n++)
            add_products(x[n * PAIRS], factors[n], sum);
        x += AHEAD_TERMS * PAIRS;
        w += AHEAD_TERMS * stride;
    }
    for (; terms > 0; terms--, x += PAIRS, w += stride)
        add_products(*x, four_at(w, aligned, left), sum);
}

/* Chains of a layer over its inputs `from` to `to`, a chunk, whose first lies at `lines`; its totals are in `target`. */
INLINE void add_forward(small_rows r, gpu_small_layer layer, local const float *lines, uint from, uint to,
                        local float *target, float zero) {
    for (uint i = r.t; i < (layer.outputs + 3) / 4 * PAIRS; i += ITEMS) {
        uint pair = i % PAIRS, h = i / PAIRS * 4, left = layer.outputs - 1 - h;
        local const float2 *x = (local const float2 *)lines + pair;
        global const float *w = r.parameters + layer.weight + from * layer.stride + h;
        float2 sum[4];
        UNROLL_FOR (uint j = 0; j < 4; j++)
            sum[j] = (float2)(zero);
        if (layer.aligned)
            add_inputs(x, w, layer.stride, to - from, 1, left, sum);
        else
            add_inputs(x, w, layer.stride, to - from, 0, left, sum);
        UNROLL_FOR (uint j = 0; j < 4; j++)
            if (j <= left) {
                local float2 *total = (local float2 *)target + (h + j) * PAIRS + pair;
                float2 before = *total;
                if (from == 0) before = (float2)(r.parameters[layer.bias + h + j]);
                *total = before + sum[j];
            }
    }
}

INLINE void add_derivatives(local const float2 *delta, const float4 *w, float2 *sum) {
    UNROLL_FOR (uint j = 0; j < 4; j++) {
        sum[j] = fma(delta[0], (float2)(w[j].x), sum[j]);
        sum[j] = fma(delta[PAIRS], (float2)(w[j].y), sum[j]);
        sum[j] = fma(delta[2 * PAIRS], (float2)(w[j].z), sum[j]);
        sum[j] = fma(delta[3 * PAIRS], (float2)(w[j].w), sum[j]);
    }
}

/* Chains over outputs `from` to `to` of a layer, a chunk, for four of its inputs, whose weights lie at w + at[]. */
INLINE void add_backward(gpu_small_layer layer, local const float2 *delta, global const float *w,
                         const uint *at, uint from, uint to, float2 *sum) {
    uint h = from;
    for (; layer.aligned && h + 4 <= to; h += 4) {
        float4 factors[4];
        UNROLL_FOR (uint j = 0; j < 4; j++)
            factors[j] = *(global const float4 *)(w + at[j] + h);
        add_derivatives(delta + h * PAIRS, factors, sum);
    }
    for (; h < to; h++)
        UNROLL_FOR (uint j = 0; j < 4; j++)
            sum[j] = fma(delta[h * PAIRS], (float2)(w[at[j] + h]), sum[j]);
}

/* From a layer's deltas to the derivatives of its inputs, in scratch. */
INLINE void backward(small_rows r, gpu_small_layer layer, float zero) {
    for (uint i = r.t; i < (layer.inputs + 3) / 4 * PAIRS; i += ITEMS) {
        uint pair = i % PAIRS, k = i / PAIRS * 4, left = layer.inputs - 1 - k, at[4];
        local const float2 *delta = (local const float2 *)(r.outputs + layer.place * ROWS) + pair;
        float2 total[4], sum[4];
        UNROLL_FOR (uint j = 0; j < 4; j++) {
            at[j] = (k + min(left, j)) * layer.stride;
            total[j] = (float2)(zero);
        }
        for (uint from = 0; from < layer.outputs; from += CHUNK) {
            UNROLL_FOR (uint j = 0; j < 4; j++)
                sum[j] = (float2)(zero);
            add_backward(layer, delta, r.parameters + layer.weight, at, from,
                         min(layer.outputs, from + CHUNK), sum);
            UNROLL_FOR (uint j = 0; j < 4; j++)
                total[j] = total[j] + sum[j];
        }
        UNROLL_FOR (uint j = 0; j < 4; j++)
            if (j <= left)
                ((local float2 *)r.scratch)[(k + j) * PAIRS + pair] =
                    (float2)(flush_tiny(total[j].x), flush_tiny(total[j].y));
    }
}

/* ---- functions --------------------------------------------------------------------------------------------- */

ASIDE float activated(uint function, float z) {
    return activate(function, z);
}

ASIDE float derived(uint function, float delta, float from) {
    return activate_backward(function, delta, from);
}

/* ---- elements ---------------------------------------------------------------------------------------------- */

/* The random word that drops or keeps an input of layer l. */
INLINE uint dropout_word(small_rows r, gpu_small_layer layer, uint l, uint row, uint unit,
                         gpu_small_arguments a) {
    ulong element = (r.position + row) * layer.inputs + unit;
    return philox_word(a.order.seed, element, a.training_step, philox_stream(PURPOSE_DROPOUT, l));
}

/* An input of layer l, as it and its gradient read it. */
INLINE float leave_input(small_rows r, gpu_small_layer layer, uint l, uint row, uint unit, float value,
                         gpu_small_arguments a) {
    if (layer.threshold > 0)
        value = dropout_value(value, dropout_word(r, layer, l, row, unit, a), layer.threshold, layer.scale);
    r.tile[(layer.source + unit) * a.width + row] = value;
    return value;
}

/* Four features of a row from k on, of which `left` more than the first are there; +0 of a row that is not. */
INLINE float4 four_features(small_rows r, uint features, uint row, uint k, uint left) {
    global const float *x = r.features + (ulong)r.numbers[row] * features + k;
    if (row >= r.used) return (float4)(0.0f);
    return four_at(x, features % 4 == 0, left);
}

/* Features `from` to `to` of the group's rows; some are on their way while others are stored. */
INLINE void stage(small_rows r, uint features, uint from, uint to) {
    uint row = r.t % ROWS, step = ITEMS / ROWS * 4;
    for (uint k = from + r.t / ROWS * 4; k < to; k += STAGED * step) {
        float4 held[STAGED];
        UNROLL_FOR (uint i = 0; i < STAGED; i++)
            if (k + i * step < to)
                held[i] = four_features(r, features, row, k + i * step, to - 1 - k - i * step);
        UNROLL_FOR (uint i = 0; i < STAGED; i++) {
            float each[4] = {held[i].x, held[i].y, held[i].z, held[i].w};
            UNROLL_FOR (uint j = 0; j < 4; j++)
                if (k + i * step + j < to) r.scratch[(k + i * step + j - from) * ROWS + row] = each[j];
        }
    }
}

/* They go through dropout, and to the tile. */
INLINE void leave_features(small_rows r, gpu_small_layer layer, uint from, uint to, gpu_small_arguments a) {
    for (uint i = r.t; i < (to - from) * ROWS; i += ITEMS)
        r.scratch[i] = leave_input(r, layer, 0, i % ROWS, from + i / ROWS, r.scratch[i], a);
}

/* From totals to outputs, which are the inputs of layer l + 1, where there is one: `above`. */
INLINE void activate_outputs(small_rows r, gpu_small_layer layer, gpu_small_layer above, uint l,
                             gpu_small_arguments a) {
    local float *outputs = r.outputs + layer.place * ROWS;
    for (uint i = r.t; i < layer.outputs * ROWS; i += ITEMS) {
        uint row = i % ROWS, unit = i / ROWS;
        float z = canonical(outputs[i]), y = activated(layer.activation, z);
        if (layer.from != GPU_SMALL_NOWHERE)
            r.tile[(layer.from + unit) * a.width + row] = layer.of_logits ? z : y;
        outputs[i] = l + 1 < a.layer_count ? leave_input(r, above, l + 1, row, unit, y, a) : y;
    }
}

/* From the derivatives in scratch to deltas, in the place of the outputs. */
INLINE void activate_deltas(small_rows r, gpu_small_layer layer, gpu_small_layer above, uint l,
                            gpu_small_arguments a) {
    local float *outputs = r.outputs + layer.place * ROWS;
    for (uint i = r.t; i < layer.outputs * ROWS; i += ITEMS) {
        uint row = i % ROWS, unit = i / ROWS;
        float d = r.scratch[i], from = outputs[i];
        if (layer.from != GPU_SMALL_NOWHERE) from = r.tile[(layer.from + unit) * a.width + row];
        if (l + 1 < a.layer_count && above.threshold > 0)
            d = dropout_delta(d, dropout_word(r, above, l + 1, row, unit, a), above.threshold, above.scale);
        d = derived(layer.activation, d, from);
        outputs[i] = d;
        r.tile[(layer.delta + unit) * a.width + row] = d;
    }
}

/* ---- the loss ---------------------------------------------------------------------------------------------- */

/* The loss of a row and, in scratch, the derivatives of its outputs; whether it was right. By the kernels of loss.cl. */
ASIDE float row_loss(gpu_small_arguments a, local const float *z, local float *delta, global const int *label,
                     int is_used, int *right) {
    int bits = is_used && a.rule.targets == 1 ? label[0] : 0;
    float loss = a.zero;
    *right = 0;
    switch (a.loss) {
    case LOSS_OP_BINARY:
        *right = ((z[0] > 0.0f) == (bits == 1)) & is_used;
        delta[0] = choose(is_used, binary_rows(z[0], to_real(bits), a.rule, &loss), 0.0f);
        break;
    case LOSS_OP_SQUARED:
        delta[0] = choose(is_used, squared_rows(z[0], bits, a.rule, &loss, right), 0.0f);
        *right &= is_used;
        break;
    case LOSS_OP_CATEGORICAL:
        categorical_rows(a.rule, z, delta, 1, ROWS, bits, is_used, &loss, right, a.zero);
        break;
    default:
        element_rows(a.rule, z, delta, 1, ROWS, label, bits, is_used, &loss, right, a.zero);
    }
    return choose(is_used, loss, 0.0f);
}

INLINE void lose(small_rows r, gpu_small_layer last, global const int *labels, global const float *weights,
                 local uint *correct, gpu_small_arguments a) {
    int right;
    if (r.t >= ROWS) return;
    local float *delta = r.scratch + r.t;
    ulong number = r.numbers[r.t];
    float loss = row_loss(a, r.outputs + last.place * ROWS + r.t, delta, labels + number * a.rule.targets,
                          r.t < r.used, &right);
    if (a.weighted) {
        float weight = r.t < r.used ? weights[number] : 0.0f;
        loss = weighed_loss(loss, weight);
        for (uint h = 0; h < last.outputs; h++)
            delta[h * ROWS] = weighed_delta(delta[h * ROWS], weight);
    }
    r.tile[a.losses * a.width + r.t] = loss;
    if (right) atomic_inc(correct);
}

#endif
