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
    int is_passing;      /* the derivatives of this step are not asked for */
    ulong floats;        /* of a slot before the loss */
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
APART void finish_scattered(const network_target *target, const float16 *of_block, ulong at, uint apart,
                            uint count, global float *panels) {
    float16 sum = *of_block;
    if (target->is_update) {
        update_target t = *target->update;
        float16 state[MOST_UPDATE_STATES], w = load_scattered(t.parameters + at, apart, count);
        for (uint i = 0; i < t.rule.states; i++)
            state[i] = load_scattered(t.state + i * t.floats + at, apart, count);
        w = apply_rule(t, w, &sum, (float16)(1.0f), target->is_weight, state);
        store_scattered(w, t.parameters + at, apart, count);
        if (target->is_weight) store_scattered(w, panels, PANEL, count);
        for (uint i = 0; i < t.rule.states; i++)
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

/* Copies new weights into the panels: of `count` inputs from `first` on by some outputs, of which four lie in one panel. */
static inline void store_in_panels(const network_target *target, global const network_layer *layer,
                                   uint first, uint count, uint output, uint outputs) {
    for (uint end = output + outputs; output < end; output += 4) {
        global const float *from = target->parameters + layer->weight + first * layer->stride + output;
        global float *to = target->panels + panel_at((uint)layer->inputs, first, output);
        for (uint k = 0; k < count; k++, from += layer->stride, to += PANEL)
            *(global float4 *)to = *(global const float4 *)from;
    }
}

#define VECTORS 1
#include "kernels/cpu/wide_strip.inc"

#define VECTORS 2
#include "kernels/cpu/wide_strip.inc"

#endif
