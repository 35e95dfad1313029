/* A block of parameters of a small network: its sums over a group of tiles, and their update. See network.cl. */
#ifndef TANDA_KERNELS_NETWORK_BLOCK_H
#define TANDA_KERNELS_NETWORK_BLOCK_H

#include "kernels/apply.h"
#include "kernels/network.h"
#include "kernels/tile.h"

#if VECTOR == 16

/* fold_lanes of 16 vectors at once, which are overwritten: each step folds two of them into one. */
static inline float16 fold_sixteen(float16 *x) {
#pragma unroll
    for (int i = 0; i < 8; i++)
        x[i] = (float16)(x[2 * i].lo, x[2 * i + 1].lo) + (float16)(x[2 * i].hi, x[2 * i + 1].hi);
#pragma unroll
    for (int i = 0; i < 4; i++)
        x[i] = (float16)(x[2 * i].s012389ab, x[2 * i + 1].s012389ab) +
               (float16)(x[2 * i].s4567cdef, x[2 * i + 1].s4567cdef);
#pragma unroll
    for (int i = 0; i < 2; i++)
        x[i] = (float16)(x[2 * i].s014589cd, x[2 * i + 1].s014589cd) +
               (float16)(x[2 * i].s2367abef, x[2 * i + 1].s2367abef);
    return (float16)(x[0].even, x[1].even) + (float16)(x[0].odd, x[1].odd);
}

#define MOST_LEVELS 6 /* a group has at most 2^6 tiles */

/* Takes the sums of a tile of a group into its tree, as add_to_tree of perceptron.cl; the last leaves it in value. */
static inline void add_block(float16 *value, float16 *levels, uint count, uint index, int last) {
    uint level = 0;
    for (; last ? index >> level != 0 : index >> level & 1; level++)
        if (index >> level & 1)
            for (uint i = 0; i < count; i++)
                value[i] = levels[level * count + i] + value[i];
    for (uint i = 0; !last && i < count; i++)
        levels[level * count + i] = value[i];
}

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

/*
 * The sums over a tile's lanes, in 16 lanes each, of INPUTS inputs by OUTPUTS outputs; sums[h * 16 + k]. A block of 16
 * inputs that reaches past the last is not `whole`, and computes that one again: left are the inputs from this one on.
 */
#define DEFINE_NARROW_BLOCK(INPUTS, OUTPUTS)                                                                         \
    INLINE void narrow_lanes_##OUTPUTS(global const float *a, global const float *d, uint lanes, uint inputs,        \
                                       uint outputs, const uint column, const int whole, uint left, float zero,      \
                                       float16 *sums) {                                                              \
        float16 sum[OUTPUTS][INPUTS];                                                                                \
        uint line[INPUTS];                                                                                           \
        _Pragma("unroll") for (int k = 0; k < INPUTS; k++) {                                                         \
            line[k] = (whole || k < left ? k : left - 1) * column;                                                   \
            _Pragma("unroll") for (int h = 0; h < OUTPUTS; h++) sum[h][k] = (float16)(zero);                         \
        }                                                                                                            \
        for (uint from = 0; from < lanes; from += column, a += (ulong)column * inputs, d += column * outputs)        \
            for (uint lane = 0; lane < column && from + lane < lanes; lane += 16) {                                  \
                float16 delta[OUTPUTS];                                                                              \
                _Pragma("unroll") for (int h = 0; h < OUTPUTS; h++) delta[h] = load_16(0, d + h * column + lane);    \
                _Pragma("unroll") for (int k = 0; k < INPUTS; k++) {                                                 \
                    float16 value = load_16(0, a + line[k] + lane);                                                  \
                    _Pragma("unroll") for (int h = 0; h < OUTPUTS; h++) sum[h][k] =                                  \
                        fma(value, delta[h], sum[h][k]);                                                             \
                }                                                                                                    \
            }                                                                                                        \
        _Pragma("unroll") for (int h = 0; h < OUTPUTS; h++)                                                          \
            _Pragma("unroll") for (int k = 0; k < INPUTS; k++) sums[h * 16 + k] = sum[h][k];                         \
    }                                                                                                                \
                                                                                                                     \
    /* value[h]: 16 inputs from `first` on, or as many as there are, by output number output + h, of one tile. */    \
    static inline void narrow_block_##OUTPUTS(network_share s, uint tile, uint inputs, uint first, uint outputs,     \
                                              uint output, float16 *value) {                                         \
        global const float *a = s.a + tile * s.a_tile + first * s.column;                                            \
        global const float *d = s.kept + tile * s.kept_tile + output * s.column;                                     \
        uint lanes = lanes_of_tile(s.rows, tile), left = inputs - first;                                             \
        float16 sums[OUTPUTS * 16];                                                                                  \
        if (left < 16)                                                                                               \
            for (uint i = 0; i < OUTPUTS * 16; i++)                                                                  \
                sums[i] = (float16)(0.0f);                                                                           \
        for (uint k = 0; k < 16 && k < left; k += INPUTS)                                                            \
            if (k + INPUTS > left)                                                                                   \
                narrow_lanes_##OUTPUTS(a + k * s.column, d, lanes, inputs, outputs, s.column, 0, left - k, s.zero,   \
                                       sums + k);                                                                    \
            else if (s.column == 32)                                                                                 \
                narrow_lanes_##OUTPUTS(a + k * 32, d, lanes, inputs, outputs, 32, 1, INPUTS, s.zero, sums + k);      \
            else                                                                                                     \
                narrow_lanes_##OUTPUTS(a + k * 16, d, lanes, inputs, outputs, 16, 1, INPUTS, s.zero, sums + k);      \
        for (uint h = 0; h < OUTPUTS; h++)                                                                           \
            value[h] = fold_sixteen(sums + h * 16);                                                                  \
    }                                                                                                                \
                                                                                                                     \
    static inline void narrow_blocks_##OUTPUTS(network_share s, network_target target,                               \
                                               global const network_layer *layer, uint first, uint output) {         \
        uint count = layer->inputs - first < 16 ? layer->inputs - first : 16;                                        \
        float16 value[OUTPUTS], levels[MOST_LEVELS * OUTPUTS];                                                           \
        for (uint i = 0; i < s.tiles; i++) {                                                                         \
            narrow_block_##OUTPUTS(s, s.first_tile + i, layer->inputs, first, layer->outputs, output, value);        \
            add_block(value, levels, OUTPUTS, i, i + 1 == s.tiles);                                                  \
        }                                                                                                            \
        for (uint h = 0; h < OUTPUTS; h++)                                                                           \
            finish_scattered(&target, value + h, layer->weight + first * layer->stride + output + h, layer->stride,  \
                             count, target.panels + panel_at(layer->inputs, first, output + h));                     \
    }

DEFINE_NARROW_BLOCK(4, 6)
DEFINE_NARROW_BLOCK(4, 4)
DEFINE_NARROW_BLOCK(8, 2)
DEFINE_NARROW_BLOCK(16, 1)

/* The bias gradients of 16 outputs, or of all of a narrow layer, of one tile: sums over the rows in lanes. */
static inline float16 bias_block(network_share s, uint tile, uint outputs, uint stride, uint panel) {
    global const float *d = s.kept + tile * s.kept_tile;
    uint lanes = lanes_of_tile(s.rows, tile);
    if (stride >= 16) {
        float16 sum[16];
        d += (ulong)panel * s.width * 16;
        for (uint l = 0; l < 16; l++)
            sum[l] = (float16)(s.zero);
        for (uint row = 0; row < lanes; row += 16)
            for (uint l = 0; l < 16; l++)
                sum[l] = sum[l] + load_16(row + l, d);
        for (uint apart = 8; apart > 0; apart /= 2)
            for (uint l = 0; l < apart; l++)
                sum[l] = sum[l] + sum[l + apart];
        return sum[0];
    }
    float sums[16];
    for (uint h = 0; h < 16; h++)
        sums[h] = 0.0f;
    for (uint h = 0; h < outputs; h++) {
        float16 sum = (float16)(s.zero);
        for (uint lane = 0; lane < lanes; lane += 16)
            sum = sum + load_16(0, d + (lane & ~(s.column - 1)) * outputs + h * s.column + (lane & (s.column - 1)));
        sums[h] = fold_lanes(sum);
    }
    return vload16(0, sums);
}

static inline void narrow_gradients(network_share s, network_target target, global const network_layer *layer,
                                    uint first) {
    uint h = 0;
    for (; h + 6 <= layer->outputs; h += 6)
        narrow_blocks_6(s, target, layer, first, h);
    for (; h + 4 <= layer->outputs; h += 4)
        narrow_blocks_4(s, target, layer, first, h);
    for (; h + 2 <= layer->outputs; h += 2)
        narrow_blocks_2(s, target, layer, first, h);
    for (; h < layer->outputs; h++)
        narrow_blocks_1(s, target, layer, first, h);
}

static inline void bias_gradients(network_share s, network_target target, global const network_layer *layer) {
    int16 bad = (int16)(0);
    for (uint panel = 0; panel * 16 < layer->stride; panel++) {
        float16 value, levels[MOST_LEVELS];
        for (uint i = 0; i < s.tiles; i++) {
            value = bias_block(s, s.first_tile + i, layer->outputs, layer->stride, panel);
            add_block(&value, levels, 1, i, i + 1 == s.tiles);
        }
        if (layer->stride >= 16)
            finish_vector(&target, value, layer->bias + panel * 16, &bad);
        else
            finish_scattered(&target, &value, layer->bias, 1, layer->outputs, target.panels);
    }
    if (is_any(bad)) target.result[2] = 1;
}

/* The sums of the losses, as those of a bias. */
static inline void sum_losses(network_share s, network_target target, global const float *losses) {
    float16 value, levels[MOST_LEVELS];
    for (uint i = 0; i < s.tiles; i++) {
        uint tile = s.first_tile + i;
        value = (float16)(sum_over_rows(losses + tile * s.kept_tile, lanes_of_tile(s.rows, tile), s.zero));
        add_block(&value, levels, 1, i, i + 1 == s.tiles);
    }
    target.slot[target.floats] = value.s0;
    if (target.is_update) target.result[0] = as_uint(value.s0);
}

/* A block of a layer's parameters; its last is its bias, and with that go the losses unless they are NULL. */
static inline void network_block(network_share s, network_target target, global const network_layer *layer, uint block,
                                 global const float *losses) {
    uint size = (uint)layer->block;
    target.panels += layer->panels;
    if (block * size >= layer->inputs) {
        target.is_weight = 0;
        bias_gradients(s, target, layer);
        if (losses != NULL) sum_losses(s, target, losses);
    } else if (layer->stride >= 16) {
        uint panels = layer->stride / 16, panel = 0;
        for (; panel + 2 <= panels; panel += 2)
            wide_strip_2(&s, &target, layer, block * size, panel);
        if (panel < panels) wide_strip_1(&s, &target, layer, block * size, panel);
    } else {
        narrow_gradients(s, target, layer, block * size);
    }
}

/* The tensors of a step from which all blocks of parameters make their sums. */
typedef struct network_tensors {
    global const float *input, *workspace;
    ulong input_tile, workspace_tile;
    uint width, column, rows;
    global const network_layer *layers;
    uint layer_count;
    ulong losses;
    float zero;
} network_tensors;

/* Block number `item` of all layers' blocks, over `tiles` tiles from first_tile on. */
static inline void network_item(network_tensors t, network_target target, uint item, uint first_tile, uint tiles) {
    uint l = 0;
    while (l + 1 < t.layer_count && t.layers[l + 1].first_item <= item)
        l++;
    global const network_layer *layer = t.layers + l;
    network_share s = {.a = t.workspace + layer->source * t.width,
                       .kept = t.workspace + layer->kept * t.width,
                       .a_tile = t.workspace_tile,
                       .kept_tile = t.workspace_tile,
                       .width = t.width,
                       .column = t.column,
                       .rows = t.rows,
                       .first_tile = first_tile,
                       .tiles = tiles,
                       .zero = t.zero};
    if (l == 0 && layer->threshold == 0) {
        s.a = t.input;
        s.a_tile = t.input_tile;
    }
    network_block(s, target, layer, item - (uint)layer->first_item,
                  l + 1 == t.layer_count ? t.workspace + t.losses * t.width : NULL);
}

/* Where the sums of a group go, and the update where they are all of a step's. */
static inline void aim(network_target *target, const update_target *update, global float *panels, global float *slot,
                       int is_update, global uint *result) {
    target->slot = slot;
    target->panels = panels;
    target->parameters = update->parameters;
    target->update = update;
    target->inverse_rows = update->inverse_rows;
    target->rate = update->rates.rate;
    target->l2 = update->constants.l2;
    target->is_update = is_update;
    target->is_plain = is_update && is_plain(update->rule, update->constants);
    target->is_weight = 1;
    target->is_passing = 0;
    target->floats = update->floats;
    target->result = result;
}

#endif

#endif
