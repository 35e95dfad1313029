/* Blocks of weights of layers with 16 or more outputs, and what becomes of a block's sums. See network_block.h. */
#ifndef TANDA_KERNELS_NETWORK_WIDE_H
#define TANDA_KERNELS_NETWORK_WIDE_H

#include "kernels/apply.h"
#include "kernels/cpu/levels.h"
#include "kernels/cpu/network.h"

/*
 * Where the sums of a block go: into a slot, and into the parameters where is_update is set, and these into the panels of
 * the layer. What plain descent needs lies here too: all rules at the end of each block would take the
 * registers of its sums.
 */
typedef struct network_target {
    global float *slot, *parameters, *panels;
    const update_target *update;
    float inverse_rows, rate, l2;
    int is_update, is_plain, is_weight;
    int is_passing;  /* the derivatives of this step are not asked for */
    ulong floats;    /* of a slot before the loss */
    global uint *result; /* of the step */
} network_target;

/* Rules other than plain descent. */
APART void finish_by_rule(const network_target *target, const float16 *sum, ulong at) {
    float16 g = *sum;
    if (apply_update(*target->update, at, &g, (float16)(1.0f), target->is_weight)) target->result[2] = 1;
    if (!target->is_passing) store_16(g, 0, target->slot + at);
}

/* In bad all bits of lanes whose parameter is not finite are set. l2, which is 0, makes NaN of what was not before. */
INLINE void finish_vector(const network_target *target, float16 sum, ulong at, int16 *bad) {
    if (target->is_plain) {
        float16 w = load_16(0, target->parameters + at);
        float16 g = fma((float16)(target->l2), w, update_gradient(sum, (float16)(target->inverse_rows)));
        w = canonical(fma((float16)(-target->rate), g, w));
        *bad |= update_is_not_finite(w);
        store_16(w, 0, target->parameters + at);
        if (!target->is_passing) store_16(g, 0, target->slot + at);
    } else if (target->is_update) {
        finish_by_rule(target, &sum, at);
    } else {
        store_16(sum, 0, target->slot + at);
    }
}

/* `count` floats that lie `apart` floats apart; the other lanes are 0. */
static inline float16 load_scattered(global const float *from, uint apart, uint count) {
    float values[16];
    for (uint i = 0; i < 16; i++)
        values[i] = i < count ? from[i * apart] : 0.0f;
    return vload16(0, values);
}

static inline void store_scattered(float16 x, global float *to, uint apart, uint count) {
    float values[16];
    vstore16(x, 0, values);
    for (uint i = 0; i < count; i++)
        to[i * apart] = values[i];
}

/*
 * finish_vector for `count` single parameters that lie `apart` floats apart; weights are those of one output, from an input
 * on whose place in the panels is `panels`.
 */
APART void finish_scattered(const network_target *target, const float16 *of_block, ulong at, uint apart, uint count,
                            global float *panels) {
    float16 sum = *of_block;
    if (target->is_update) {
        update_target t = *target->update;
        float16 state[MOST_UPDATE_STATES], w = load_scattered(t.parameters + at, apart, count);
        for (uint i = 0; i < t.states; i++)
            state[i] = load_scattered(t.state + i * t.floats + at, apart, count);
        w = apply_rule(t, w, &sum, (float16)(1.0f), target->is_weight, state);
        store_scattered(w, t.parameters + at, apart, count);
        if (target->is_weight) store_scattered(w, panels, PANEL, count);
        for (uint i = 0; i < t.states; i++)
            store_scattered(state[i], t.state + i * t.floats + at, apart, count);
        int bad[16];
        vstore16(is_bad(t, w, sum), 0, bad);
        for (uint i = 0; i < count; i++)
            if (bad[i]) target->result[2] = 1;
    }
    if (!target->is_passing) store_scattered(sum, target->slot + at, apart, count);
}

/* A group of tiles of a layer: its inputs and its kept deltas. */
typedef struct network_share {
    global const float *a, *kept;
    ulong a_tile, kept_tile;
    uint width, column, rows, first_tile, tiles;
    float zero;
} network_share;

/*
 * INPUTS inputs from `first` on by 16 * VECTORS outputs from panel on, of one tile. One that reaches past the last input is
 * not `whole`, and computes that one again. Where `column` and `whole` are constants, so are the distances of loads.
 */
#define DEFINE_WIDE_ROWS(INPUTS, VECTORS)                                                                            \
    INLINE void wide_rows_##INPUTS##_##VECTORS(network_share s, uint tile, uint inputs, uint first, uint panel,      \
                                               const uint column, const int whole, float16 *value) {                 \
        global const float *a = s.a + tile * s.a_tile + first * column;                                              \
        global const float *d = s.kept + tile * s.kept_tile + (ulong)panel * s.width * 16;                           \
        uint used = rows_of_tile(s.rows, tile), line[INPUTS];                                                        \
        float16 sum[INPUTS][VECTORS];                                                                                \
        _Pragma("unroll") for (int o = 0; o < INPUTS; o++) {                                                         \
            line[o] = (whole || first + o < inputs ? o : inputs - 1 - first) * column;                               \
            _Pragma("unroll") for (int v = 0; v < VECTORS; v++) sum[o][v] = (float16)(s.zero);                       \
        }                                                                                                            \
        for (uint from = 0; from < used; from += column) {                                                           \
            uint count = from + column < used ? column : used - from;                                                \
            global const float *factors = a + (ulong)from * inputs, *lines = d + from * 16;                          \
            for (uint row = 0; row < count; row++, factors++) {                                                      \
                float16 terms[VECTORS];                                                                              \
                _Pragma("unroll") for (int v = 0; v < VECTORS; v++) terms[v] =                                       \
                    load_16(row + v * s.width, lines);                                                               \
                _Pragma("unroll") for (int o = 0; o < INPUTS; o++)                                                   \
                    _Pragma("unroll") for (int v = 0; v < VECTORS; v++) sum[o][v] =                                  \
                        fma(terms[v], (float16)(factors[line[o]]), sum[o][v]);                                       \
            }                                                                                                        \
        }                                                                                                            \
        _Pragma("unroll") for (int o = 0; o < INPUTS; o++)                                                           \
            _Pragma("unroll") for (int v = 0; v < VECTORS; v++) value[o * VECTORS + v] = canonical(sum[o][v]);       \
    }

/* Copies new weights into the panels: of `count` inputs from `first` on by some outputs, of which four lie in one panel. */
static inline void store_in_panels(const network_target *target, global const network_layer *layer, uint first, uint count,
                                   uint output, uint outputs) {
    for (uint end = output + outputs; output < end; output += 4) {
        global const float *from = target->parameters + layer->weight + first * layer->stride + output;
        global float *to = target->panels + panel_at((uint)layer->inputs, first, output);
        for (uint k = 0; k < count; k++, from += layer->stride, to += PANEL)
            *(global float4 *)to = *(global const float4 *)from;
    }
}

/*
 * Of some of the next inputs, whose number it returns; and a strip of inputs from `first` on by these outputs: the deltas of
 * a tile stay in the cache for all its blocks. A block may reach past a strip's last input.
 */
#define STRIP_VECTORS(VECTORS) ((NETWORK_STRIP_INPUTS + 4) * VECTORS)
#define DEFINE_WIDE_STRIP(VECTORS)                                                                                   \
    DEFINE_WIDE_ROWS(12, VECTORS)                                                                                    \
    DEFINE_WIDE_ROWS(8, VECTORS)                                                                                     \
    DEFINE_WIDE_ROWS(4, VECTORS)                                                                                     \
    static inline uint wide_block_##VECTORS(network_share s, uint tile, uint inputs, uint first, uint panel,         \
                                            float16 *value) {                                                        \
        uint left = inputs - first;                                                                                  \
        if (s.column == 32 && left >= 12)                                                                            \
            wide_rows_12_##VECTORS(s, tile, inputs, first, panel, 32, 1, value);                                     \
        else if (left >= 12)                                                                                         \
            wide_rows_12_##VECTORS(s, tile, inputs, first, panel, 16, 1, value);                                     \
        else if (s.column == 32 && left >= 8)                                                                        \
            wide_rows_8_##VECTORS(s, tile, inputs, first, panel, 32, 1, value);                                      \
        else if (s.column == 32 && left >= 4)                                                                        \
            wide_rows_4_##VECTORS(s, tile, inputs, first, panel, 32, 1, value);                                      \
        else                                                                                                         \
            wide_rows_4_##VECTORS(s, tile, inputs, first, panel, s.column, 0, value);                                \
        return left >= 12 ? 12 : left >= 8 && s.column == 32 ? 8 : 4;                                                \
    }                                                                                                                \
                                                                                                                     \
    APART void wide_strip_##VECTORS(const network_share *of_layer, const network_target *target,                     \
                                    global const network_layer *layer, uint first, uint panel) {                     \
        network_share s = *of_layer;                                                                                 \
        float16 value[STRIP_VECTORS(VECTORS)], levels[MOST_LEVELS * STRIP_VECTORS(VECTORS)];                         \
        int16 bad = (int16)(0);                                                                                      \
        uint inputs = (uint)layer->inputs - first;                                                                   \
        if (inputs > layer->block) inputs = (uint)layer->block;                                                      \
        for (uint i = 0; i < s.tiles; i++) {                                                                         \
            for (uint k = 0; k < inputs;)                                                                            \
                k += wide_block_##VECTORS(s, s.first_tile + i, layer->inputs, first + k, panel, value + k * VECTORS); \
            add_block(value, levels, inputs * VECTORS, i, i + 1 == s.tiles);                                         \
        }                                                                                                            \
        for (uint k = 0; k < inputs; k++)                                                                            \
            for (uint v = 0; v < VECTORS; v++)                                                                       \
                finish_vector(target, value[k * VECTORS + v],                                                        \
                              layer->weight + (first + k) * layer->stride + (panel + v) * 16, &bad);                 \
        if (target->is_update) store_in_panels(target, layer, first, inputs, panel * 16, VECTORS * 16);              \
        if (is_any(bad)) target->result[2] = 1;                                                                      \
    }

DEFINE_WIDE_STRIP(1)
DEFINE_WIDE_STRIP(2)

#endif
