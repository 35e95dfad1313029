/* A block of parameters of a small network: its sums over a group of tiles, and their update. See network.cl. */
#ifndef TANDA_KERNELS_NETWORK_BLOCK_H
#define TANDA_KERNELS_NETWORK_BLOCK_H

#include "kernels/cpu/network_wide.h"

/* fold_lanes of 16 vectors at once, which are overwritten: each step folds two of them into one. */
static inline float16 fold_sixteen(float16 *x) {
    UNROLL_FOR (int i = 0; i < 8; i++)
        x[i] = (float16)(x[2 * i].lo, x[2 * i + 1].lo) + (float16)(x[2 * i].hi, x[2 * i + 1].hi);
    UNROLL_FOR (int i = 0; i < 4; i++)
        x[i] = (float16)(x[2 * i].s012389ab, x[2 * i + 1].s012389ab) +
               (float16)(x[2 * i].s4567cdef, x[2 * i + 1].s4567cdef);
    UNROLL_FOR (int i = 0; i < 2; i++)
        x[i] = (float16)(x[2 * i].s014589cd, x[2 * i + 1].s014589cd) +
               (float16)(x[2 * i].s2367abef, x[2 * i + 1].s2367abef);
    return (float16)(x[0].even, x[1].even) + (float16)(x[0].odd, x[1].odd);
}

#define INPUTS 4
#define OUTPUTS 6
#include "kernels/cpu/narrow.inc"

#define INPUTS 4
#define OUTPUTS 4
#include "kernels/cpu/narrow.inc"

#define INPUTS 8
#define OUTPUTS 2
#include "kernels/cpu/narrow.inc"

#define INPUTS 16
#define OUTPUTS 1
#include "kernels/cpu/narrow.inc"

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
            sum = sum +
                  load_16(0, d + (lane & ~(s.column - 1)) * outputs + h * s.column + (lane & (s.column - 1)));
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
static inline void network_block(network_share s, network_target target, global const network_layer *layer,
                                 uint block, global const float *losses) {
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
static inline void network_item(network_tensors t, network_target target, uint item, uint first_tile,
                                uint tiles) {
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
static inline void aim(network_target *target, const update_target *update, global float *panels,
                       global float *slot, int is_update, global uint *result) {
    target->slot = slot;
    target->panels = panels;
    target->parameters = update->parameters;
    target->update = update;
    target->inverse_rows = update->inverse_rows;
    target->rate = update->rates.rate;
    target->l2 = update->rule.constants.l2;
    target->is_update = is_update;
    target->is_plain = is_update && is_plain(update->rule);
    target->is_weight = 1;
    target->is_passing = 0;
    target->floats = update->floats;
    target->result = result;
}

#endif
