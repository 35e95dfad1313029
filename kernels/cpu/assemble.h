/* Rows of the data set as lanes, 16 at a time. */
#ifndef TANDA_KERNELS_ASSEMBLE_H
#define TANDA_KERNELS_ASSEMBLE_H

#include "kernels/shuffle.h"
#include "kernels/tile.h"

#define INTERLEAVE_LOW(a, b) \
    (float16)(a.s0, b.s0, a.s1, b.s1, a.s2, b.s2, a.s3, b.s3, a.s4, b.s4, a.s5, b.s5, a.s6, b.s6, a.s7, b.s7)
#define INTERLEAVE_HIGH(a, b) \
    (float16)(a.s8, b.s8, a.s9, b.s9, a.sa, b.sa, a.sb, b.sb, a.sc, b.sc, a.sd, b.sd, a.se, b.se, a.sf, b.sf)

/* One round of a perfect shuffle of the 256 values; four rounds transpose them. */
static inline void interleave_round(const float16 *from, float16 *to) {
    UNROLL_FOR (int i = 0; i < 8; i++) {
        to[2 * i] = INTERLEAVE_LOW(from[i], from[8 + i]);
        to[2 * i + 1] = INTERLEAVE_HIGH(from[i], from[8 + i]);
    }
}

static inline void transpose(float16 *lines) {
    float16 turned[16];
    interleave_round(lines, turned);
    interleave_round(turned, lines);
    interleave_round(lines, turned);
    interleave_round(turned, lines);
}

/* The upper halves of 64-bit products. */
static inline uint16 multiply_high_sixteen(uint16 a, uint b) {
    return (uint16)(convert_uint8(convert_ulong8(a.lo) * (ulong8)(b) >> 32),
                    convert_uint8(convert_ulong8(a.hi) * (ulong8)(b) >> 32));
}

static inline uint16 shuffle_hash_sixteen(uint16 x, uint key) {
    x = (x ^ key) * 0x7feb352du;
    return (x ^ x >> 15) * 0x846ca68bu;
}

/* row[n] = shuffle_position of the number in lane n of low and high, 0 from `used` on: shuffle_pass in vectors. */
static inline void pass_sixteen(const shuffle_key *key, uint16 low, uint16 high, int used, ulong *row) {
    for (uint round = 0; round < SHUFFLE_ROUNDS; round += 2) {
        high += multiply_high_sixteen(shuffle_hash_sixteen(low, key->round_key[round]), key->highs);
        high = high < (uint16)(key->highs) ? high : high - key->highs;
        low ^= shuffle_hash_sixteen(high, key->round_key[round + 1]) >> 1 >> key->low_shift;
    }
    vstore16(convert_ulong16(high) << key->low_bits | convert_ulong16(low), 0, row);
    for (int i = 0; i < 16; i++) {
        if (i >= used) row[i] = 0;
        while (row[i] >= key->count)
            row[i] = shuffle_pass(*key, row[i]);
    }
}

/* row[n] = shuffle_position(key, first + n) for n < 16, 0 from `used` on. */
static inline void shuffle_sixteen(const shuffle_key *key, ulong first, int used, ulong *row) {
    uint16 low = (uint16)((uint)first & key->low_mask) + as_uint16(lane_numbers());
    uint16 high = (uint16)((uint)(first >> key->low_bits)) + (low >> key->low_bits);
    pass_sixteen(key, low & key->low_mask, high, used, row);
}

/* The same of row[n], and back there. */
static inline void shuffle_each(const shuffle_key *key, int used, ulong *row) {
    ulong16 from = vload16(0, row);
    pass_sixteen(key, convert_uint16(from) & key->low_mask, convert_uint16(from >> key->low_bits), used, row);
}

/* 16 places of one window. */
static inline void find_in_window(const row_order *order, const order_keys *keys, ulong first, int used,
                                  ulong *row) {
    ulong offset[16];
    shuffle_sixteen(&keys->window.key, first - keys->window.first, used, row);
    for (int i = 0; i < 16; i++) {
        ulong place = padded_place(&keys->epoch, keys->window.first + row[i]);
        row[i] = divide_by(place, order->block, order->block_inverse);
        offset[i] = place - row[i] * order->block;
    }
    shuffle_each(&keys->epoch.key, used, row);
    vstore16(vload16(0, row) * order->block + vload16(0, offset), 0, row);
}

/* row[n] = the row at place first + n of an epoch's order, n < 16, 0 or another row from `used` on. */
static inline void find_sixteen(const row_order *order, order_keys *keys, uint epoch, ulong first, int used,
                                ulong *row) {
    order_seek_epoch(*order, keys, epoch);
    if (order->kind == SHUFFLE_FULL) {
        shuffle_sixteen(&keys->epoch.key, first, used, row);
        return;
    }
    if (order->kind == SHUFFLE_WINDOW && used > 0) {
        ulong last = first + (ulong)(min(used, 16) - 1);
        order_seek_window(*order, keys, first);
        if (is_in_window(&keys->window, last)) {
            find_in_window(order, keys, first, used, row);
            return;
        }
    }
    for (int i = 0; i < 16; i++)
        row[i] = i < used ? order_find_row(*order, keys, first + i) : 0;
}

/* Asks for a row that will be assembled, and for its label. */
static inline void ask_for_row(global const float *features, uint count, global const int *labels,
                               ulong row) {
    global const float *line = features + row * count;
    for (uint k = 0; k < count; k += 16)
        ASK_FOR(line + k);
    ASK_FOR(line + count - 1);
    ASK_FOR(labels + row);
}

/*
 * 16 rows as 16 lanes, features apart `apart` floats; those from `used` on become +0. The last 16 features overlap those
 * before where their number is no multiple.
 */
static inline void assemble_rows(global const float *features, uint count, const ulong *row, int used,
                                 uint apart, global float *target) {
    for (uint k = 0; count < 16 && k < count; k++) {
        float values[16];
        for (int i = 0; i < 16; i++)
            values[i] = i < used ? features[row[i] * count + k] : 0.0f;
        store_16(vload16(0, values), 0, target + (ulong)k * apart);
    }
    for (uint next = 0; count >= 16 && next < count; next += 16) {
        uint first = next + 16 <= count ? next : count - 16;
        float16 lines[16];
        UNROLL_FOR (int i = 0; i < 16; i++) {
            lines[i] = (float16)(0.0f);
            if (i < used) lines[i] = load_16(0, features + row[i] * count + first);
        }
        transpose(lines);
        UNROLL_FOR (int k = 0; k < 16; k++)
            store_16(lines[k], 0, target + (ulong)(first + k) * apart);
    }
}

#endif
