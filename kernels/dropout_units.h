/* Dropout of units of VECTOR lanes; OpenCL C only. The functions are in dropout.h. */
#ifndef TANDA_KERNELS_DROPOUT_UNITS_H
#define TANDA_KERNELS_DROPOUT_UNITS_H

#include "kernels/dropout.h"
#include "kernels/tile.h"

#if VECTOR == 1
typedef ulong wide;
#define wide_lanes(lane) ((ulong)(lane))
#define narrowed(x) ((uint)(x))
#else
typedef JOINED(ulong, VECTOR) wide;
#define wide_lanes(lane) JOINED(convert_ulong, VECTOR)((natural)(lane) + as_natural(lane_numbers()))
#define narrowed(x) JOINED(convert_uint, VECTOR)(x)
#endif

/* What a mask depends on besides its element. */
typedef struct dropout_mask {
    ulong seed, position; /* of lane 0 in the batch */
    uint step, stream, units, threshold;
    float scale;
} dropout_mask;

/* The place of element (position + lane) * units + unit: its block's two words, and which word of the block it is. */
typedef struct dropout_place {
    natural low, high, shift;
} dropout_place;

static inline dropout_place find_place(dropout_mask mask, uint lane, uint unit) {
    wide element = ((wide)(mask.position) + wide_lanes(lane)) * (wide)(mask.units) + (wide)(unit);
    dropout_place place = {narrowed(element >> 2), narrowed(element >> 34), narrowed(element) & 3u};
    return place;
}

static inline lane_words next_block(dropout_mask mask, dropout_place *place) {
    lane_words counter = {place->low, place->high, (natural)(mask.step), (natural)(mask.stream)};
    place->low = place->low + 1u;
    place->high = choose_natural(place->low == 0u, place->high + 1u, place->high);
    return philox_lanes(counter, mask.seed);
}

/* One unit of VECTOR lanes; backward: of the delta. */
static inline void drop_unit(dropout_mask mask, int backward, natural word, global const float *source,
                             global float *target) {
    natural threshold = (natural)(mask.threshold);
    real value = load_real(source);
    if (backward)
        value = dropout_delta(value, word, threshold, splat(mask.scale));
    else
        value = dropout_value(value, word, threshold, splat(mask.scale));
    store_real(value, target);
}

/*
 * Units [first, end) of VECTOR lanes from `lane` on; a unit's lines are `apart` floats apart. Inlined by all means: a
 * call would put the mask into a GPU's local memory.
 */
__attribute__((always_inline)) static inline void drop_units(dropout_mask mask, int backward, uint lane,
                                                             uint first, uint end, ulong apart,
                                                             global const float *source,
                                                             global float *target) {
    dropout_place place = find_place(mask, lane, first);
    int aligned =
        (mask.units & 3u) == 0 && (first & 3u) == 0; /* every lane's four units then begin with a block */
    lane_words before = {place.low, place.low, place.low, place.low};
    if (!aligned) before = next_block(mask, &place);
    for (uint unit = first; unit < end; unit += 4) {
        lane_words block = next_block(mask, &place), words = block;
        if (!aligned) words = dropout_words(before, block, place.shift);
        before = block;
        drop_unit(mask, backward, words.x, source, target);
        if (unit + 1 < end) drop_unit(mask, backward, words.y, source + apart, target + apart);
        if (unit + 2 < end) drop_unit(mask, backward, words.z, source + 2 * apart, target + 2 * apart);
        if (unit + 3 < end) drop_unit(mask, backward, words.w, source + 3 * apart, target + 3 * apart);
        source += 4 * apart;
        target += 4 * apart;
    }
}

#endif
