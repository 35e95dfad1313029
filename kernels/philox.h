/*
 * Random numbers: Philox4x32-10 of Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1,
 * 2, 3" (SC 2011). A number is a function of where it is used, so any thread or device makes any of them.
 *
 *   key      the 64-bit seed, low word first
 *   counter  {element low, element high, step or epoch, purpose << 16 | layer}
 *
 * An element is position in batch * units + unit (dropout), input * outputs + output (initial weights) or
 * row * columns + column (data). One counter makes four words, for the elements 4c, 4c + 1, 4c + 2, 4c +
 * 3.
 */
#ifndef TANDA_KERNELS_PHILOX_H
#define TANDA_KERNELS_PHILOX_H

#include "kernels/portable.h"

#define PHILOX_ROUNDS 10
#define PHILOX_WORDS 4 /* per counter */

/* The values reach files and results: never renumber, only append. */
enum random_purpose {
    PURPOSE_INIT,
    PURPOSE_SHUFFLE,
    PURPOSE_SPLIT,
    PURPOSE_DROPOUT,
    PURPOSE_DATA,
    PURPOSE_SURFACE
};

typedef struct philox_words {
    uint x, y, z, w;
} philox_words;

/* The last word of the counter; layer < 65536. */
SHARED uint philox_stream(enum random_purpose purpose, uint layer) {
    return (uint)purpose << 16 | layer;
}

/*
 * The rounds on a counter of four words, for a single one or as many at once as a `word` holds: splat(x) has the uint x
 * in each, high and low are the halves of a product.
 */
#define DEFINE_PHILOX(name, words, word, splat, high, low) \
    SHARED words name(words c, ulong seed) { \
        uint key_low = (uint)seed, key_high = (uint)(seed >> 32); \
        for (uint round = 0; round < PHILOX_ROUNDS; round++) { \
            word high_x = high(splat(0xd2511f53u), c.x), low_x = low(splat(0xd2511f53u), c.x); \
            word high_z = high(splat(0xcd9e8d57u), c.z), low_z = low(splat(0xcd9e8d57u), c.z); \
            c.x = high_z ^ c.y ^ splat(key_low); \
            c.y = low_z; \
            c.z = high_x ^ c.w ^ splat(key_high); \
            c.w = low_x; \
            key_low += 0x9e3779b9u; \
            key_high += 0xbb67ae85u; \
        } \
        return c; \
    }

#define multiply_low(a, b) ((a) * (b))

DEFINE_PHILOX(philox_rounds, philox_words, uint, (uint), multiply_high, multiply_low)

/*
 * The four words of one counter, whose first two words are `block`: elements 4 * block and the three
 * after.
 */
SHARED philox_words philox_block(ulong seed, ulong block, uint step, uint stream) {
    philox_words counter = {(uint)block, (uint)(block >> 32), step, stream};
    return philox_rounds(counter, seed);
}

/* Word number `index` of a block, 0 to 3. */
SHARED uint philox_pick(philox_words words, uint index) {
    uint low = index & 1u ? words.y : words.x;
    uint high = index & 1u ? words.w : words.z;
    return index & 2u ? high : low;
}

/*
 * The word of one element. Where elements follow one another, philox_block makes four for the same price.
 */
SHARED uint philox_word(ulong seed, ulong element, uint step, uint stream) {
    return philox_pick(philox_block(seed, element >> 2, step, stream), (uint)element & 3u);
}

/* The word's upper 24 bits as a number of [0, 1), a multiple of 2^-24. */
SHARED float uniform(uint word) {
    return (float)(word >> 8) * 0x1p-24f;
}

#endif
