/*
 * Philox for many counters at once: a vector of 64-bit lanes of which the lower halves count. The product of two lower
 * halves, which the rounds are made of, is one instruction (pmuludq); gcc 12 makes a loop over 32-bit words multiply whole
 * 64-bit ones instead, in three.
 */
#ifndef TANDA_DATA_ISA_WORDS_H
#define TANDA_DATA_ISA_WORDS_H

#include "kernels/philox.h"

#if defined(__SSE2__)
#include <immintrin.h>
#endif

#if defined(__AVX512F__)
#define WIDE_LANES 8
#elif defined(__AVX2__)
#define WIDE_LANES 4
#else
#define WIDE_LANES 2
#endif

typedef uint64_t wide_word __attribute__((vector_size(8 * WIDE_LANES)));
typedef uint32_t narrow_word __attribute__((vector_size(4 * WIDE_LANES)));

typedef struct wide_words {
    wide_word x, y, z, w;
} wide_words;

/* The 64-bit product of the lower halves. */
static inline wide_word wide_product(wide_word a, wide_word b) {
#if defined(__AVX512F__)
    return (wide_word)_mm512_mul_epu32((__m512i)a, (__m512i)b);
#elif defined(__AVX2__)
    return (wide_word)_mm256_mul_epu32((__m256i)a, (__m256i)b);
#elif defined(__SSE2__)
    return (wide_word)_mm_mul_epu32((__m128i)a, (__m128i)b);
#else
    return (a & UINT32_MAX) * (b & UINT32_MAX);
#endif
}

static inline wide_word wide_high(wide_word a, wide_word b) {
    return wide_product(a, b) >> 32;
}

static inline wide_word wide_splat(uint32_t x) {
    return (wide_word){0} + x;
}

DEFINE_PHILOX(philox_wide, wide_words, wide_word, wide_splat, wide_high, wide_product)

/* 0, 1, 2, ... */
static inline wide_word wide_steps(void) {
#if WIDE_LANES == 8
    return (wide_word){0, 1, 2, 3, 4, 5, 6, 7};
#elif WIDE_LANES == 4
    return (wide_word){0, 1, 2, 3};
#else
    return (wide_word){0, 1};
#endif
}

/* The words of as many counters as there are lanes, whose first two words are `block` and those after it. */
static inline wide_words wide_blocks(uint64_t seed, uint64_t block, uint32_t step, uint32_t stream) {
    const wide_word number = wide_steps() + block;
    return philox_wide((wide_words){number, number >> 32, wide_splat(step), wide_splat(stream)}, seed);
}

/* Lanes of two vectors in turn, from the lower halves and from the upper ones; gcc has this form from version 12 on only. */
#if defined(__clang__)
#if WIDE_LANES == 8
#define INTERLEAVE_LOWER(a, b) __builtin_shufflevector(a, b, 0, 8, 1, 9, 2, 10, 3, 11)
#define INTERLEAVE_UPPER(a, b) __builtin_shufflevector(a, b, 4, 12, 5, 13, 6, 14, 7, 15)
#elif WIDE_LANES == 4
#define INTERLEAVE_LOWER(a, b) __builtin_shufflevector(a, b, 0, 4, 1, 5)
#define INTERLEAVE_UPPER(a, b) __builtin_shufflevector(a, b, 2, 6, 3, 7)
#else
#define INTERLEAVE_LOWER(a, b) __builtin_shufflevector(a, b, 0, 2)
#define INTERLEAVE_UPPER(a, b) __builtin_shufflevector(a, b, 1, 3)
#endif
#else
#define LOWER_IN_TURN (wide_steps() / 2 + (wide_steps() & 1) * WIDE_LANES)
#define INTERLEAVE_LOWER(a, b) __builtin_shuffle(a, b, LOWER_IN_TURN)
#define INTERLEAVE_UPPER(a, b) __builtin_shuffle(a, b, LOWER_IN_TURN + WIDE_LANES / 2)
#endif

/* The words in the order of their elements: the four of the first counter, then those of the next. */
static inline void store_elements(wide_words words, uint32_t *target) {
    const wide_word low = (words.x & UINT32_MAX) | words.y << 32,
                    high = (words.z & UINT32_MAX) | words.w << 32;
    const wide_word first = INTERLEAVE_LOWER(low, high), second = INTERLEAVE_UPPER(low, high);
    __builtin_memcpy(target, &first, sizeof first);
    __builtin_memcpy(target + 2 * WIDE_LANES, &second, sizeof second);
}

/* The lower halves. */
static inline void store_words(wide_word words, uint32_t *target) {
    const narrow_word narrow = __builtin_convertvector(words, narrow_word);
    __builtin_memcpy(target, &narrow, sizeof narrow);
}

#endif
