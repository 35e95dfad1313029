/* Philox against Random123's, and the shuffle's properties. */
#include <Random123/philox.h>
#include <criterion/criterion.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/shuffle.h"

#define STREAM philox_stream(PURPOSE_SHUFFLE, 0)

static void expect_like_random123(ulong seed, ulong block, uint step, uint stream) {
    philox4x32_ctr_t counter = {{(uint)block, (uint)(block >> 32), step, stream}};
    philox4x32_key_t key = {{(uint)seed, (uint)(seed >> 32)}};
    philox4x32_ctr_t expected = philox4x32_R(10, counter, key);
    philox_words words = philox_block(seed, block, step, stream);
    cr_assert(words.x == expected.v[0] && words.y == expected.v[1] && words.z == expected.v[2] &&
                  words.w == expected.v[3],
              "seed %lx, block %lx, step %x, stream %x", seed, block, step, stream);
}

/* Test values that reach every bit; not random numbers for anything else. */
static ulong scatter(ulong i) {
    i = (i ^ i >> 31) * 0x7fb5d329728ea185u;
    i = (i ^ i >> 27) * 0x81dadef4bc2dd44du;
    return i ^ i >> 33;
}

Test(random, philox_gives_the_published_words) {
    philox_words zero = philox_block(0, 0, 0, 0);
    cr_expect(zero.x == 0x6627e8d5u && zero.y == 0xe169c58du && zero.z == 0xbc57ac4cu &&
              zero.w == 0x9b00dbd8u);
    philox_words ones = philox_block(~0ul, ~0ul, ~0u, ~0u);
    cr_expect(ones.x == 0x408f276du && ones.y == 0x41c83b0eu && ones.z == 0xa20bc7c6u &&
              ones.w == 0x6d5451fdu);
}

Test(random, philox_is_random123s) {
    for (ulong i = 0; i < 200000; i++)
        expect_like_random123(scatter(4 * i), scatter(4 * i + 1), (uint)scatter(4 * i + 2),
                              (uint)scatter(4 * i + 3));
    for (uint bit = 0; bit < 64; bit++) {
        expect_like_random123(1ul << bit, 0, 0, 0);
        expect_like_random123(0, 1ul << bit, 0, 0);
        expect_like_random123(0, 0, 1u << bit % 32, 0);
        expect_like_random123(0, 0, 0, 1u << bit % 32);
    }
}

Test(random, an_element_is_a_word_of_its_block) {
    for (ulong element = 0x3fffffff0ul; element < 0x400000010ul; element++) {
        philox_words words = philox_block(42, element / 4, 7, philox_stream(PURPOSE_DROPOUT, 3));
        const uint all[] = {words.x, words.y, words.z, words.w};
        cr_assert_eq(philox_word(42, element, 7, philox_stream(PURPOSE_DROPOUT, 3)), all[element % 4]);
    }
}

Test(random, streams_hold_purpose_and_layer) {
    cr_expect_eq(philox_stream(PURPOSE_INIT, 65535), 0x0000ffffu);
    cr_expect_eq(philox_stream(PURPOSE_DATA, 1), 0x00040001u);
}

Test(random, uniform_lies_in_0_to_1_without_1) {
    cr_expect_eq(uniform(0u), 0.0f);
    cr_expect_eq(uniform(0xffu), 0.0f);
    cr_expect_eq(uniform(0x100u), 0x1p-24f);
    cr_expect_eq(uniform(0x80000000u), 0.5f);
    cr_expect_eq(uniform(0xffffffffu), 1.0f - 0x1p-24f);
}

static void expect_bijection(ulong seed, uint epoch, ulong count) {
    shuffle_key key = shuffle_make_key(seed, epoch, STREAM, count);
    bool *seen = calloc(count, sizeof *seen);
    cr_assert_not_null(seen);
    for (ulong i = 0; i < count; i++) {
        ulong position = shuffle_position(key, i);
        cr_assert(position < count && !seen[position], "count %lu, row %lu: %lu", count, i, position);
        seen[position] = true;
    }
    free(seen);
}

Test(shuffle, is_a_bijection_for_every_count) {
    static const ulong more[] = {1000,  1023,  1024,  1025,  4095,   4097,
                                 60000, 65535, 65536, 65537, 100003, 1ul << 20};
    for (ulong count = 1; count <= 300; count++)
        for (uint epoch = 0; epoch < 5; epoch++)
            expect_bijection(1, epoch, count);
    for (size_t i = 0; i < sizeof more / sizeof more[0]; i++)
        expect_bijection(0x123456789abcdefu, 3, more[i]);
}

Test(shuffle, stays_inside_and_does_not_repeat_for_huge_counts) {
    static const ulong counts[] = {(1ul << 32) - 1, 1ul << 32,       (1ul << 32) + 1, (1ul << 40) - 7,
                                   1ul << 40,       (1ul << 61) + 1, 1ul << 62};
    for (size_t c = 0; c < sizeof counts / sizeof counts[0]; c++) {
        shuffle_key key = shuffle_make_key(5, 0, STREAM, counts[c]);
        for (ulong i = 0; i < 20000; i++) {
            cr_assert_lt(shuffle_position(key, i), counts[c]);
            cr_assert_lt(shuffle_position(key, counts[c] - 1 - i), counts[c]);
            cr_assert_neq(shuffle_position(key, i), shuffle_position(key, i + 1));
        }
    }
}

Test(shuffle, many_at_once_are_the_same) {
    static const ulong counts[] = {1, 2, 3, 5, 17, 300, 65537};
    for (size_t c = 0; c < sizeof counts / sizeof counts[0]; c++) {
        shuffle_key key = shuffle_make_key(99, 8, STREAM, counts[c]);
        ulong positions[300];
        size_t n = counts[c] < 300 ? counts[c] : 300;
        shuffle_positions(&key, counts[c] - n, n, positions);
        for (size_t i = 0; i < n; i++)
            cr_assert_eq(positions[i], shuffle_position(key, counts[c] - n + i), "count %lu", counts[c]);
    }
}

static size_t equal_places(shuffle_key a, shuffle_key b) {
    size_t equal = 0;
    for (ulong i = 0; i < a.count; i++)
        equal += shuffle_position(a, i) == shuffle_position(b, i);
    return equal;
}

/* Two independent orders agree in one place on average; 12 or more has a chance below 1e-9 (Poisson). */
Test(shuffle, differs_by_seed_epoch_and_purpose) {
    shuffle_key key = shuffle_make_key(1, 0, STREAM, 10007);
    cr_expect_eq(equal_places(key, shuffle_make_key(1, 0, STREAM, 10007)), 10007);
    cr_expect_lt(equal_places(key, shuffle_make_key(2, 0, STREAM, 10007)), 12);
    cr_expect_lt(equal_places(key, shuffle_make_key(1ul << 32 | 1, 0, STREAM, 10007)), 12);
    cr_expect_lt(equal_places(key, shuffle_make_key(1, 1, STREAM, 10007)), 12);
    cr_expect_lt(equal_places(key, shuffle_make_key(1, 0, philox_stream(PURPOSE_SPLIT, 0), 10007)), 12);
}

/* The order is part of every result of a seed. */
Test(shuffle, order_is_the_recorded_one) {
    static const ulong expected[] = {652, 649, 538, 362, 935, 432, 607, 387};
    shuffle_key key = shuffle_make_key(42, 1, STREAM, 1000);
    for (ulong i = 0; i < 8; i++)
        cr_expect_eq(shuffle_position(key, i), expected[i], "%lu", shuffle_position(key, i));
}

static double chi_square(const double *counts, size_t cells, double expected) {
    double sum = 0.0;
    for (size_t i = 0; i < cells; i++)
        sum += (counts[i] - expected) * (counts[i] - expected) / expected;
    return sum;
}

/*
 * Mean and standard deviation of chi-square are f and sqrt(2 f); 6 deviations above is a chance near
 * 1e-8.
 */
static double chi_square_limit(size_t freedom) {
    return (double)freedom + 6.0 * sqrt(2.0 * (double)freedom);
}

Test(shuffle, a_row_goes_to_every_place_equally_often) {
    static const ulong counts[] = {30, 150, 1000, 1024, 1025};
    for (size_t c = 0; c < sizeof counts / sizeof counts[0]; c++) {
        static double places[1025];
        const uint epochs = (uint)(counts[c] * 100);
        memset(places, 0, sizeof places);
        for (uint epoch = 0; epoch < epochs; epoch++)
            places[shuffle_position(shuffle_make_key(7, epoch, STREAM, counts[c]), counts[c] / 3)]++;
        double chi = chi_square(places, counts[c], 100.0);
        cr_expect(chi < chi_square_limit(counts[c] - 1), "count %lu: %g", counts[c], chi);
    }
}

/* Where rows i and i + 1 go, in 32 x 32 cells of the square. */
Test(shuffle, neighbours_go_to_independent_places) {
    static const ulong counts[] = {1ul << 16, 100000, (1ul << 20) + 32, 1ul << 40};
    const uint draws = 1u << 20;
    for (size_t c = 0; c < sizeof counts / sizeof counts[0]; c++) {
        static double cells[32][32];
        memset(cells, 0, sizeof cells);
        for (uint i = 0; i < draws; i++) {
            shuffle_key key = shuffle_make_key(3, i / 1024, STREAM, counts[c]);
            ulong row = counts[c] / 3 + i % 1024;
            ulong a = shuffle_position(key, row), b = shuffle_position(key, row + 1);
            cells[a / (counts[c] / 32)][b / (counts[c] / 32)]++;
        }
        double chi = chi_square(&cells[0][0], 32 * 32, draws / 1024.0);
        cr_expect(chi < chi_square_limit(1023), "count %lu: %g", counts[c], chi);
    }
}

/* The same, every pair of places a cell, for few rows: where the network has few bits to work with. */
Test(shuffle, neighbours_go_to_independent_places_among_few_rows) {
    static const ulong counts[] = {8, 16, 21, 30, 64};
    for (size_t c = 0; c < sizeof counts / sizeof counts[0]; c++) {
        static double pairs[64 * 64];
        const size_t n = counts[c], possible = n * (n - 1);
        memset(pairs, 0, sizeof pairs);
        for (uint epoch = 0; epoch < 300000; epoch++) {
            shuffle_key key = shuffle_make_key(5, epoch, STREAM, n);
            ulong a = shuffle_position(key, n / 2), b = shuffle_position(key, n / 2 + 1);
            pairs[a * (n - 1) + b - (b > a)]++;
        }
        double chi = chi_square(pairs, possible, 300000.0 / (double)possible);
        cr_expect(chi < chi_square_limit(possible - 1), "count %lu: %g", n, chi);
    }
}

/* The distance between the places of rows i and i + 1, modulo count, in 64 classes of equal size. */
Test(shuffle, distances_of_neighbours_are_uniform) {
    static const ulong counts[] = {64 * 1000 + 1, (1ul << 20) + 1, 64 * 15625 + 1};
    for (size_t c = 0; c < sizeof counts / sizeof counts[0]; c++) {
        double classes[64] = {0};
        for (uint i = 0; i < 1u << 20; i++) {
            shuffle_key key = shuffle_make_key(11, i / 512, STREAM, counts[c]);
            ulong a = shuffle_position(key, i % 512), b = shuffle_position(key, i % 512 + 1);
            ulong distance = b > a ? b - a : b + counts[c] - a; /* 1 to count - 1 */
            classes[(distance - 1) / ((counts[c] - 1) / 64)]++;
        }
        double chi = chi_square(classes, 64, (1u << 20) / 64.0);
        cr_expect(chi < chi_square_limit(63), "count %lu: %g", counts[c], chi);
    }
}
