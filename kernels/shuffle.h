/*
 * Shuffling without an index array: the i-th row of the order is a bijection of [0, count), so any thread
 * or device computes any part of it by itself. The first half of this file is the bijection, the second what
 * orders of an epoch are made of it: all rows, or blocks of rows and then rows within windows of blocks.
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

#include "kernels/arguments/order.h"
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
 * The key number `number` of an epoch and stream, for 1 <= count <= 2^62; stream is philox_stream(PURPOSE_SHUFFLE,
 * 0), or another.
 */
SHARED void shuffle_number_key(ulong seed, ulong number, uint epoch, uint stream, ulong count,
                               shuffle_key *key) {
    uint bits = 0;
    while ((count - 1) >> bits != 0)
        bits++;
    key->count = count;
    key->low_bits = bits / 2;
    key->low_mask = ((uint)1 << key->low_bits) - 1u;
    key->low_shift = 31u - key->low_bits;
    key->highs = (uint)((count - 1) >> key->low_bits) + 1u;
    /* Not a loop: compilers for GPUs keep an array in memory whose index is a variable. */
    shuffle_take_words(key->round_key, philox_block(seed, 2 * number, epoch, stream));
    shuffle_take_words(key->round_key + PHILOX_WORDS, philox_block(seed, 2 * number + 1, epoch, stream));
}

SHARED shuffle_key shuffle_make_key(ulong seed, uint epoch, uint stream, ulong count) {
    shuffle_key key;
    shuffle_number_key(seed, 0, epoch, stream, count, &key);
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

/* A pass backwards: shuffle_pass_back(key, shuffle_pass(key, i)) is i. */
SHARED ulong shuffle_pass_back(shuffle_key key, ulong i) {
    uint low = (uint)i & key.low_mask;
    uint high = (uint)(i >> key.low_bits);
    ROUNDS_FOR (uint round = SHUFFLE_ROUNDS; round > 0; round -= 2) {
        low ^= shuffle_hash(high, key.round_key[round - 1]) >> 1 >> key.low_shift;
        uint added = multiply_high(shuffle_hash(low, key.round_key[round - 2]), key.highs);
        high = high < added ? high + key.highs - added : high - added;
    }
    return (ulong)high << key.low_bits | low;
}

/* Where row i comes in the order: shuffle_position(key, shuffle_place(key, i)) is i, i < count. */
SHARED ulong shuffle_place(shuffle_key key, ulong i) {
    do
        i = shuffle_pass_back(key, i);
    while (i >= key.count);
    return i;
}

/* ---- the order of an epoch ------------------------------------------------------------------------------- */

/* The layers of PURPOSE_SHUFFLE. */
enum shuffle_layer { SHUFFLE_ROWS, SHUFFLE_BLOCKS, SHUFFLE_WINDOW_ROWS };

/*
 * Of one epoch: the key of its rows or blocks. Where the last block is shorter, by `missing` rows, `cut` is how many
 * rows come up to its end. "Padded" places are those of an epoch whose last block is as long as the others.
 */
typedef struct epoch_order {
    shuffle_key key;
    ulong cut, missing;
    uint epoch, reserved;
} epoch_order;

/* A window of an epoch: place key.count of them from `first` on. */
typedef struct order_window {
    shuffle_key key;
    ulong first;
} order_window;

/* i / size by inverse = (2^64 - 1) / size: the product's upper half is the quotient or 1 less. */
SHARED ulong divide_by(ulong i, ulong size, ulong inverse) {
    ulong quotient = multiply_high_long(i, inverse);
    return i - quotient * size < size ? quotient : quotient + 1;
}

SHARED ulong padded_place(const epoch_order *epoch, ulong place) {
    return place < epoch->cut ? place : place + epoch->missing;
}

/* The other way, for a place at which a block begins. */
SHARED ulong unpadded_place(const epoch_order *epoch, ulong place) {
    return place < epoch->cut ? place : place - epoch->missing;
}

SHARED __attribute__((always_inline)) epoch_order epoch_order_of(row_order order, uint epoch) {
    const int has_windows = order.kind == SHUFFLE_WINDOW;
    epoch_order made;
    made.key = shuffle_make_key(order.seed, epoch,
                                philox_stream(PURPOSE_SHUFFLE, has_windows ? SHUFFLE_BLOCKS : SHUFFLE_ROWS),
                                has_windows ? order.blocks : order.rows);
    made.cut = made.missing = 0;
    made.epoch = epoch;
    made.reserved = 0;
    if (!has_windows) return made;
    made.missing = order.blocks * order.block - order.rows;
    made.cut = (shuffle_place(made.key, order.blocks - 1) + 1) * order.block - made.missing;
    return made;
}

/*
 * Window v of an epoch. By a pointer: a struct that is returned in a loop is more than oclgrind's compiler can take
 * (llvm.experimental.noalias.scope.decl).
 */
SHARED __attribute__((always_inline)) void order_make_window(row_order order, const epoch_order *epoch,
                                                             ulong v, order_window *made) {
    ulong end = (v + 1) * order.window, all = order.blocks * order.block;
    made->first = unpadded_place(epoch, v * order.window);
    shuffle_number_key(order.seed, v, epoch->epoch, philox_stream(PURPOSE_SHUFFLE, SHUFFLE_WINDOW_ROWS),
                       unpadded_place(epoch, end < all ? end : all) - made->first, &made->key);
}

/* The window that has place i of an epoch. */
SHARED void order_find_window(row_order order, const epoch_order *epoch, ulong i, order_window *found) {
    order_make_window(order, epoch, divide_by(padded_place(epoch, i), order.window, order.window_inverse),
                      found);
}

SHARED int is_in_window(const order_window *window, ulong i) {
    return i - window->first < window->key.count;
}

/* The row at a place of an epoch's blocks, before windows mix their rows. */
SHARED ulong row_of_blocks(row_order order, const epoch_order *epoch, ulong place) {
    ulong padded = padded_place(epoch, place);
    ulong block = divide_by(padded, order.block, order.block_inverse);
    return shuffle_position(epoch->key, block) * order.block + (padded - block * order.block);
}

/* The row at place i, which is in the window. */
SHARED __attribute__((always_inline)) ulong row_of_window(row_order order, const epoch_order *epoch,
                                                          const order_window *window, ulong i) {
    ulong mixed = window->first + shuffle_position(window->key, i - window->first);
    return row_of_blocks(order, epoch, mixed);
}

/* The row at place i < rows of an epoch, where nothing is known yet. */
SHARED __attribute__((always_inline)) ulong row_order_at(row_order order, uint epoch, ulong i) {
    if (order.kind == SHUFFLE_NONE) return i;
    epoch_order keys = epoch_order_of(order, epoch);
    if (order.kind == SHUFFLE_FULL) return shuffle_position(keys.key, i);
    order_window window;
    order_find_window(order, &keys, i, &window);
    return row_of_window(order, &keys, &window, i);
}

/* ---- one who asks for many places ------------------------------------------------------------------------ */

/* The keys of the latest epoch and window: derived anew where another is asked for. */
typedef struct order_keys {
    epoch_order epoch;
    order_window window;
    uint is_known, reserved;
} order_keys;

SHARED void order_seek_epoch(row_order order, order_keys *keys, uint epoch) {
    if (order.kind == SHUFFLE_NONE || (keys->is_known && keys->epoch.epoch == epoch)) return;
    keys->epoch = epoch_order_of(order, epoch);
    keys->window.key.count = 0;
    keys->is_known = 1;
}

/* After order_seek_epoch. */
SHARED void order_seek_window(row_order order, order_keys *keys, ulong i) {
    if (!is_in_window(&keys->window, i)) order_find_window(order, &keys->epoch, i, &keys->window);
}

/* The row at place i. After order_seek_epoch. */
SHARED ulong order_find_row(row_order order, order_keys *keys, ulong i) {
    if (order.kind == SHUFFLE_NONE) return i;
    if (order.kind == SHUFFLE_FULL) return shuffle_position(keys->epoch.key, i);
    order_seek_window(order, keys, i);
    return row_of_window(order, &keys->epoch, &keys->window, i);
}

#ifndef __OPENCL_VERSION__

/* Cycle walking: what passes of the network gave goes on until it is a position. */
SHARED void shuffle_walk(const shuffle_key *key, size_t count, ulong *positions) {
    for (size_t i = 0; i < count; i++)
        while (positions[i] >= key->count)
            positions[i] = shuffle_pass(*key, positions[i]);
}

/* shuffle_position of first, first + 1, ..., first + count - 1; compilers vectorise the loop. */
SHARED void shuffle_positions(const shuffle_key *key, ulong first, size_t count, ulong *positions) {
    for (size_t i = 0; i < count; i++)
        positions[i] = shuffle_pass(*key, first + i);
    shuffle_walk(key, count, positions);
}

/* The orders of `rows` rows; block and window are read for windows alone: at least 1, the second a multiple of the first. */
SHARED row_order row_order_make(enum shuffle_kind kind, ulong seed, ulong rows, ulong block, ulong window) {
    row_order made = {.rows = rows, .seed = seed, .kind = kind};
    if (kind != SHUFFLE_WINDOW) return made;
    if (block > rows) block = rows; /* the same order */
    made.block = block;
    made.blocks = rows / block + (rows % block != 0);
    made.window = window < made.blocks * block ? window : made.blocks * block;
    made.block_inverse = ~0ul / block;
    made.window_inverse = ~0ul / made.window;
    return made;
}

/* How many windows an epoch has. */
SHARED ulong order_windows(const row_order *order) {
    const ulong blocks = order->window / order->block;
    return order->blocks / blocks + (order->blocks % blocks != 0);
}

/* The blocks of an epoch come in this order: the number of the one at a place, place < order.blocks. */
SHARED ulong order_block(const epoch_order *epoch, ulong place) {
    return shuffle_position(epoch->key, place);
}

SHARED ulong order_block_rows(const row_order *order, ulong block) {
    const ulong left = order->rows - block * order->block;
    return left < order->block ? left : order->block;
}

/*
 * Row j of a window lies at place q of its blocks, counted through them in their order; the window's blocks are at the
 * places from v * window / block on, as many as its rows fill.
 */
SHARED ulong order_window_place(const order_window *window, ulong j) {
    return shuffle_position(window->key, j);
}

#define ORDER_CHUNK 128 /* rows at a time, so that each loop is one that compilers vectorise */

/* The rows at places first to first + count - 1, which are in the window of the keys; count <= ORDER_CHUNK. */
SHARED void order_find_in_window(const row_order *order, const order_keys *keys, ulong first, size_t count,
                                 ulong *rows) {
    const epoch_order *epoch = &keys->epoch;
    const order_window *window = &keys->window;
    ulong offset[ORDER_CHUNK];
    shuffle_positions(&window->key, first - window->first, count, rows);
    for (size_t i = 0; i < count; i++) {
        const ulong place = padded_place(epoch, window->first + rows[i]);
        rows[i] = divide_by(place, order->block, order->block_inverse);
        offset[i] = place - rows[i] * order->block;
    }
    for (size_t i = 0; i < count; i++)
        rows[i] = shuffle_pass(epoch->key, rows[i]);
    shuffle_walk(&epoch->key, count, rows);
    for (size_t i = 0; i < count; i++)
        rows[i] = rows[i] * order->block + offset[i];
}

/* The rows at places first to first + count - 1 of an epoch, for whose windows as many keys are derived as needed. */
SHARED void order_find_rows(const row_order *order, order_keys *keys, uint epoch, ulong first, size_t count,
                            ulong *rows) {
    order_seek_epoch(*order, keys, epoch);
    if (order->kind == SHUFFLE_FULL) {
        shuffle_positions(&keys->epoch.key, first, count, rows);
        return;
    }
    for (size_t i = 0; order->kind == SHUFFLE_NONE && i < count; i++)
        rows[i] = first + i;
    for (size_t done = 0, some; order->kind == SHUFFLE_WINDOW && done < count; done += some) {
        order_seek_window(*order, keys, first + done);
        const ulong left = keys->window.first + keys->window.key.count - (first + done);
        some = left < count - done ? left : count - done;
        some = some < ORDER_CHUNK ? some : ORDER_CHUNK;
        order_find_in_window(order, keys, first + done, some, rows + done);
    }
}
#endif

#endif
