/* The order of rows is docs/exactness.md's, rule 10: written again here from its text, without kernels/shuffle.h. */
#include <criterion/criterion.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#include "kernels/shuffle.h"

#define SEED 0x123456789abcdefu

/* ---- rule 10, again ---------------------------------------------------------------------------------------- */

static void draw_words(uint64_t seed, uint64_t number, uint32_t epoch, uint32_t last, uint32_t *words) {
    uint32_t key[2] = {(uint32_t)seed, (uint32_t)(seed >> 32)};
    uint32_t c[4] = {(uint32_t)number, (uint32_t)(number >> 32), epoch, last};
    for (int round = 0; round < 10; round++) {
        const uint64_t a = 0xd2511f53ull * c[0], b = 0xcd9e8d57ull * c[2];
        const uint32_t next[4] = {(uint32_t)(b >> 32) ^ c[1] ^ key[0], (uint32_t)b,
                                  (uint32_t)(a >> 32) ^ c[3] ^ key[1], (uint32_t)a};
        for (int i = 0; i < 4; i++)
            c[i] = next[i];
        key[0] += 0x9e3779b9u;
        key[1] += 0xbb67ae85u;
    }
    for (int i = 0; i < 4; i++)
        words[i] = c[i];
}

static uint32_t mix(uint32_t x, uint32_t key) {
    x = (x ^ key) * 0x7feb352du;
    return (x ^ (x >> 15)) * 0x846ca68bu;
}

/* P(i) over `count`, with round keys of numbers 2 * number and after. */
static uint64_t bijection(uint64_t count, uint64_t number, uint32_t epoch, uint32_t layer, uint64_t i) {
    uint32_t keys[8], bits = 0;
    for (uint32_t half = 0; half < 2; half++)
        draw_words(SEED, 2 * number + half, epoch, 1u << 16 | layer, keys + 4 * half);
    while (bits < 64 && ((uint64_t)1 << bits) < count)
        bits++;
    const uint32_t k = bits / 2;
    const uint64_t highs = (count + ((uint64_t)1 << k) - 1) >> k;
    do {
        uint64_t high = i >> k, low = i & (((uint64_t)1 << k) - 1);
        for (int r = 0; r < 8; r += 2) {
            high = (high + ((mix((uint32_t)low, keys[r]) * highs) >> 32)) % highs;
            low ^= k > 0 ? mix((uint32_t)high, keys[r + 1]) >> (32 - k) : 0;
        }
        i = high << k | low;
    } while (i >= count);
    return i;
}

/* All rows of an epoch in their order: block by block, window by window. */
static void write_order(uint64_t n, uint64_t block, uint64_t window, uint32_t epoch, uint64_t *rows) {
    const uint64_t blocks = (n + block - 1) / block;
    uint64_t *through = calloc(n, sizeof *through),
             done = 0; /* rows of the window's blocks, in their order */
    for (uint64_t v = 0; v * (window / block) < blocks; v++) {
        uint64_t count = 0;
        for (uint64_t p = v * (window / block); p < (v + 1) * (window / block) && p < blocks; p++) {
            const uint64_t first = bijection(blocks, 0, epoch, 1, p) * block;
            for (uint64_t row = first; row < first + block && row < n; row++)
                through[count++] = row;
        }
        for (uint64_t j = 0; j < count; j++)
            rows[done + j] = through[bijection(count, v, epoch, 2, j)];
        done += count;
    }
    cr_assert_eq(done, n);
    free(through);
}

/* ---- the same places --------------------------------------------------------------------------------------- */

static const struct shape {
    uint64_t rows, block, window;
} shapes[] = {
    {1, 1, 1},        {1, 8, 8},       {2, 1, 1},       {10, 16, 16},     {10, 10, 10},     {100, 1, 7},
    {1000, 64, 256},  {1000, 7, 21},   {1000, 10, 50},  {1000, 64, 64},   {1000, 999, 999}, {1024, 64, 128},
    {1025, 64, 1024}, {777, 32, 4096}, {4099, 16, 528}, {4099, 64, 4160},
};
#define SHAPES (sizeof shapes / sizeof *shapes)

static row_order order_of(const struct shape *s) {
    return row_order_make(SHUFFLE_WINDOW, SEED, s->rows, s->block, s->window);
}

Test(order, of_windows_is_that_of_the_document) {
    static const uint32_t epochs[] = {0, 1, 5};
    for (size_t s = 0; s < SHAPES; s++)
        for (size_t e = 0; e < 3; e++) {
            const uint64_t n = shapes[s].rows;
            uint64_t *expected = calloc(n, sizeof *expected);
            write_order(n, shapes[s].block, shapes[s].window, epochs[e], expected);
            for (uint64_t i = 0; i < n; i++)
                cr_assert_eq(row_order_at(order_of(&shapes[s]), epochs[e], i), expected[i],
                             "shape %zu, epoch %u, place %lu", s, epochs[e], i);
            free(expected);
        }
}

Test(order, of_all_rows_is_that_of_the_document) {
    const row_order order = row_order_make(SHUFFLE_FULL, SEED, 1000, 0, 0);
    for (uint64_t i = 0; i < 1000; i++)
        cr_assert_eq(row_order_at(order, 3, i), bijection(1000, 0, 3, 0, i), "place %lu", i);
    const row_order none = row_order_make(SHUFFLE_NONE, SEED, 1000, 0, 0);
    cr_assert_eq(row_order_at(none, 3, 999), 999);
}

/* Ranges that begin anywhere and cross windows, with keys that another epoch and window left. */
Test(order, many_at_once_are_the_same) {
    static const enum shuffle_kind kinds[] = {SHUFFLE_NONE, SHUFFLE_FULL, SHUFFLE_WINDOW};
    for (size_t s = 0; s < SHAPES; s++)
        for (size_t k = 0; k < 3; k++) {
            const uint64_t n = shapes[s].rows;
            const row_order order = row_order_make(kinds[k], SEED, n, shapes[s].block, shapes[s].window);
            order_keys keys = {0};
            for (uint32_t epoch = 2; epoch-- > 0;)
                for (uint64_t first = 0; first < n; first += n / 3 + 1) {
                    const uint64_t count = n - first < 700 ? n - first : 700;
                    uint64_t found[700];
                    order_find_rows(&order, &keys, epoch, first, count, found);
                    for (uint64_t i = 0; i < count; i++)
                        cr_assert_eq(found[i], row_order_at(order, epoch, first + i), "shape %zu, place %lu",
                                     s, first + i);
                }
        }
}

/* What streams are told: the windows of an epoch, their blocks, and where in them each row lies. */
Test(order, of_windows_is_made_of_whole_blocks) {
    for (size_t s = 0; s < SHAPES; s++) {
        const row_order order = order_of(&shapes[s]);
        const epoch_order epoch = epoch_order_of(order, 4);
        uint64_t done = 0;
        for (uint64_t v = 0; v < order_windows(&order); v++) {
            order_window window;
            order_make_window(order, &epoch, v, &window);
            uint64_t place = v * (order.window / order.block), at = 0;
            cr_assert_eq(window.first, done);
            uint64_t *rows = calloc(window.key.count, sizeof *rows);
            for (; at < window.key.count; place++)
                for (uint64_t r = 0, block = order_block(&epoch, place); r < order_block_rows(&order, block);
                     r++)
                    rows[at++] = block * order.block + r;
            cr_assert_eq(at, window.key.count, "a window ends with a block");
            for (uint64_t j = 0; j < window.key.count; j++)
                cr_assert_eq(rows[order_window_place(&window, j)], row_order_at(order, 4, done + j));
            free(rows);
            done += window.key.count;
        }
        cr_assert_eq(done, shapes[s].rows);
    }
}

Test(order, backwards_a_row_finds_its_place) {
    static const uint64_t counts[] = {1, 2, 3, 17, 1000, 65537, (1ul << 32) + 1, 1ul << 62};
    for (size_t c = 0; c < sizeof counts / sizeof *counts; c++) {
        const shuffle_key key = shuffle_make_key(SEED, 7, philox_stream(PURPOSE_SHUFFLE, 0), counts[c]);
        for (uint64_t i = 0; i < 1000 && i < counts[c]; i++)
            cr_assert_eq(shuffle_place(key, shuffle_position(key, i)), i, "count %lu, row %lu", counts[c], i);
    }
}
