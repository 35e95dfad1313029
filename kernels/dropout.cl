/* Dropout, elementwise. Work-item (lanes, DROPOUT_UNITS units, tile). See dropout.c; the functions are in dropout.h. */
#include "kernels/dropout.h"
#include "kernels/tile.h"

#if VECTOR == 1
#define DROPOUT_UNITS 4
#define natural_of_lane(lane) (lane)
#else
#define DROPOUT_UNITS 32
#define natural_of_lane(lane) ((natural)(lane) + as_natural(lane_numbers()))
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

static inline dropout_place find_place(dropout_mask mask, natural lane, uint unit) {
    ulong base = mask.position * mask.units + unit;
    natural offset = lane * (natural)(mask.units), upper = high_product(lane, (natural)(mask.units));
    natural low = offset + (natural)((uint)base);
    natural high = upper + (natural)((uint)(base >> 32));
    high = choose_natural(low < offset, high + 1u, high);
    dropout_place place = {low >> 2u | high << 30u, high >> 2u, low & 3u};
    return place;
}

static inline lane_words next_block(dropout_mask mask, dropout_place *place) {
    lane_words counter = {place->low, place->high, (natural)(mask.step), (natural)(mask.stream)};
    place->low = place->low + 1u;
    place->high = choose_natural(place->low == 0u, place->high + 1u, place->high);
    return philox_lanes(counter, mask.seed);
}

/*
 * Units [first, end) of VECTOR lanes from `lane` on, of a tensor or, where `backward` is set, of its delta; a unit's
 * lines are `apart` floats apart.
 */
static inline void drop_units(dropout_mask mask, int backward, uint lane, uint first, uint end, uint apart,
                              global const float *source, global float *target) {
    dropout_place place = find_place(mask, natural_of_lane(lane), first);
    int aligned = (mask.units & 3u) == 0 && (first & 3u) == 0; /* every lane's four units then begin with a block */
    natural threshold = (natural)(mask.threshold);
    lane_words before = {place.low, place.low, place.low, place.low};
    if (!aligned) before = next_block(mask, &place);
    for (uint unit = first; unit < end; unit += 4) {
        lane_words block = next_block(mask, &place), words = block;
        if (!aligned) words = dropout_words(before, block, place.shift);
        before = block;
        natural word[4] = {words.x, words.y, words.z, words.w};
#pragma unroll
        for (uint u = 0; u < 4; u++) {
            if (unit + u >= end) break;
            ulong at = (ulong)(unit + u) * apart;
            real value = load_real(source + at);
            value = backward ? dropout_delta(value, word[u], threshold, splat(mask.scale))
                             : dropout_value(value, word[u], threshold, splat(mask.scale));
            store_real(value, target + at);
        }
    }
}

#define DEFINE_DROPOUT(name, backward)                                                                               \
    kernel void dropout_##name(global const float *from, ulong source, ulong source_tile, global float *to,          \
                               ulong target, ulong target_tile, uint width, uint rows, uint units, uint threshold,   \
                               float scale, ulong seed, ulong position, uint step, uint stream) {                    \
        uint first = (uint)get_global_id(1) * DROPOUT_UNITS, tile = (uint)get_global_id(2);                          \
        uint lanes = lanes_of_tile(rows, tile), end = first + DROPOUT_UNITS < units ? first + DROPOUT_UNITS : units; \
        dropout_mask mask = {seed, position + (ulong)tile * TILE_ROWS, step, stream, units, threshold, scale};       \
        for (uint lane = (uint)get_global_id(0) * VECTOR; lane < lanes; lane += (uint)get_global_size(0) * VECTOR)   \
            drop_units(mask, backward, lane, first, end, width, from + source + tile * source_tile + lane,           \
                       to + target + tile * target_tile + lane);                                                     \
    }

DEFINE_DROPOUT(forward, 0)
DEFINE_DROPOUT(backward, 1)
