/*
 * Shuffling without an index array: the i-th row of the order is a bijection of [0, count), so any thread
 * or device computes any part of it by itself.
 *
 * A row number is split into low, its lower k bits, and high, a number below `highs`, where k is half of
 * count's bits and highs = ceil(count / 2^k). A Feistel network changes the two in turn, each by a keyed
 * hash of the other: low by exclusive or, high by addition modulo highs. What comes out beyond count goes
 * through the network again until it falls inside (cycle walking), which keeps the whole a bijection and
 * is rare, as highs * 2^k - count < 2^k. After Mitchell, Stokes, Frank and Holmes, "Bandwidth-optimal
 * random shuffling for GPUs" (2021, arXiv 2106.06161), whose network on whole bits walks up to every
 * second time.
 */
#ifndef TANDA_KERNELS_SHUFFLE_H
#define TANDA_KERNELS_SHUFFLE_H

#include "kernels/philox.h"

/* Twice PHILOX_WORDS. With 4, where two neighbours go is visibly dependent; with 8 no test sees it. */
#define SHUFFLE_ROUNDS 8

/* A kernel may define it as UNROLL_FOR, to keep a key in registers, which cannot be indexed. */
#ifndef ROUNDS_FOR
#define ROUNDS_FOR for
#endif

/* Made by shuffle_make_key, on the host or in a kernel. */
typedef struct shuffle_key {
    ulong count;
    uint low_bits;
    uint low_mask;
    uint low_shift; /* 31 - low_bits */
    uint highs;
    uint round_key[SHUFFLE_ROUNDS];
} shuffle_key;

SHARED void shuffle_take_words(uint *round_key, philox_words words) {
    round_key[0] = words.x;
    round_key[1] = words.y;
    round_key[2] = words.z;
    round_key[3] = words.w;
}

/*
 * The order of one epoch for 1 <= count <= 2^62 rows; stream is philox_stream(PURPOSE_SHUFFLE, 0), or
 * another purpose's.
 */
SHARED shuffle_key shuffle_make_key(ulong seed, uint epoch, uint stream, ulong count) {
    shuffle_key key;
    uint bits = 0;
    while ((count - 1) >> bits != 0)
        bits++;
    key.count = count;
    key.low_bits = bits / 2;
    key.low_mask = ((uint)1 << key.low_bits) - 1u;
    key.low_shift = 31u - key.low_bits;
    key.highs = (uint)((count - 1) >> key.low_bits) + 1u;
    /* Not a loop: compilers for GPUs keep an array in memory whose index is a variable. */
    shuffle_take_words(key.round_key, philox_block(seed, 0, epoch, stream));
    shuffle_take_words(key.round_key + PHILOX_WORDS, philox_block(seed, 1, epoch, stream));
    return key;
}

/*
 * A hash of x that key chooses; the upper bits are the good ones. Two rounds of multiply and shift with
 * the constants of Wellons' "lowbias32" (github.com/skeeto/hash-prospector, public domain).
 */
SHARED uint shuffle_hash(uint x, uint key) {
    x = (x ^ key) * 0x7feb352du;
    return (x ^ x >> 15) * 0x846ca68bu;
}

/* One pass of the network: a bijection of [0, highs * 2^low_bits), which holds count. */
SHARED ulong shuffle_pass(shuffle_key key, ulong i) {
    uint low = (uint)i & key.low_mask;
    uint high = (uint)(i >> key.low_bits);
    ROUNDS_FOR (uint round = 0; round < SHUFFLE_ROUNDS; round += 2) {
        high += multiply_high(shuffle_hash(low, key.round_key[round]), key.highs);
        high = high < key.highs ? high : high - key.highs;
        low ^= shuffle_hash(high, key.round_key[round + 1]) >> 1 >> key.low_shift;
    }
    return (ulong)high << key.low_bits | low;
}

/* The i-th row of the order, i < count. */
SHARED ulong shuffle_position(shuffle_key key, ulong i) {
    do
        i = shuffle_pass(key, i);
    while (i >= key.count);
    return i;
}

#ifndef __OPENCL_VERSION__
/* shuffle_position of first, first + 1, ..., first + count - 1; compilers vectorise the first loop. */
SHARED void shuffle_positions(const shuffle_key *key, ulong first, size_t count, ulong *positions) {
    for (size_t i = 0; i < count; i++)
        positions[i] = shuffle_pass(*key, first + i);
    for (size_t i = 0; i < count; i++)
        while (positions[i] >= key->count)
            positions[i] = shuffle_pass(*key, positions[i]);
}
#endif

#endif
