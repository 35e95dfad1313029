/*
 * Philox for many counters at once: a vector of 64-bit lanes of which the lower halves count. The product of two lower
 * halves, which the rounds are made of, is one instruction (pmuludq); gcc 12 makes a loop over 32-bit words multiply whole
 * 64-bit ones instead, in three.
 */
#ifndef TANDA_OPENMP_WORDS_H
#define TANDA_OPENMP_WORDS_H

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

/* The lower halves. */
static inline void store_words(wide_word words, uint32_t *target) {
    const narrow_word narrow = __builtin_convertvector(words, narrow_word);
    __builtin_memcpy(target, &narrow, sizeof narrow);
}

#endif
