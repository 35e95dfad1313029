/*
 * The widest vector of the instruction set this file is compiled for. The arithmetic is the same in each:
 * only the number of lanes differs, and no result depends on it.
 */
#ifndef TANDA_OPENMP_VECTOR_H
#define TANDA_OPENMP_VECTOR_H

#include "backend/plan.h"

#if defined(__AVX512F__) && defined(__AVX512VL__) && defined(__AVX512DQ__)

#include <immintrin.h>
typedef __m512 vec;
#define LANES 16
#define vec_zero() _mm512_setzero_ps()
#define vec_splat(x) _mm512_set1_ps(x)
#define vec_load(p) _mm512_loadu_ps(p)
#define vec_store(p, v) _mm512_storeu_ps(p, v)
#define vec_add(a, b) _mm512_add_ps(a, b)
#define vec_mul(a, b) _mm512_mul_ps(a, b)
#define vec_fma(a, b, c) _mm512_fmadd_ps(a, b, c)
#define vec_max(a, b) _mm512_max_ps(a, b) /* b where one is NaN */

/* vec_fma(a, vec_splat(*b), c) in one instruction, which compilers split where the value has another use. */
static inline vec vec_fma_from(vec a, const float *b, vec c) {
    __asm__("vfmadd231ps %2%{1to16%}, %1, %0" : "+v"(c) : "v"(a), "m"(*b));
    return c;
}

/* x where |x| >= limit or x is NaN, else +0. */
static inline vec vec_keep_from(vec x, float limit) {
    __mmask16 kept = _mm512_cmp_ps_mask(_mm512_abs_ps(x), vec_splat(limit), _CMP_NLT_UQ);
    return _mm512_maskz_mov_ps(kept, x);
}

/* x where `by` is above 0 or NaN, else +0: activation_relu_backward(). */
static inline vec vec_keep_above_zero(vec x, vec by) {
    return _mm512_maskz_mov_ps(_mm512_cmp_ps_mask(by, vec_zero(), _CMP_NLE_UQ), x);
}

/* The first `count` values, the other lanes +0. */
static inline vec vec_load_first(const float *p, size_t count) {
    return _mm512_maskz_loadu_ps((__mmask16)((1u << count) - 1), p);
}

/* lines[i][j] becomes lines[j][i]. */
static inline void vec_transpose(vec lines[LANES]) {
    vec a[16], b[16];
    for (int i = 0; i < 8; i++) {
        a[2 * i] = _mm512_unpacklo_ps(lines[2 * i], lines[2 * i + 1]);
        a[2 * i + 1] = _mm512_unpackhi_ps(lines[2 * i], lines[2 * i + 1]);
    }
    for (int i = 0; i < 4; i++) {
        b[4 * i] =
            _mm512_castpd_ps(_mm512_unpacklo_pd(_mm512_castps_pd(a[4 * i]), _mm512_castps_pd(a[4 * i + 2])));
        b[4 * i + 1] =
            _mm512_castpd_ps(_mm512_unpackhi_pd(_mm512_castps_pd(a[4 * i]), _mm512_castps_pd(a[4 * i + 2])));
        b[4 * i + 2] = _mm512_castpd_ps(
            _mm512_unpacklo_pd(_mm512_castps_pd(a[4 * i + 1]), _mm512_castps_pd(a[4 * i + 3])));
        b[4 * i + 3] = _mm512_castpd_ps(
            _mm512_unpackhi_pd(_mm512_castps_pd(a[4 * i + 1]), _mm512_castps_pd(a[4 * i + 3])));
    }
    for (int i = 0; i < 4; i++) {
        vec low = _mm512_shuffle_f32x4(b[i], b[4 + i], 0x88),
            high = _mm512_shuffle_f32x4(b[i], b[4 + i], 0xdd);
        vec low2 = _mm512_shuffle_f32x4(b[8 + i], b[12 + i], 0x88),
            high2 = _mm512_shuffle_f32x4(b[8 + i], b[12 + i], 0xdd);
        lines[i] = _mm512_shuffle_f32x4(low, low2, 0x88);
        lines[8 + i] = _mm512_shuffle_f32x4(low, low2, 0xdd);
        lines[4 + i] = _mm512_shuffle_f32x4(high, high2, 0x88);
        lines[12 + i] = _mm512_shuffle_f32x4(high, high2, 0xdd);
    }
}

#define CAN_FOLD_LINES

/*
 * Lane j of the result is lines[j] with its lanes folded in halves: 8, 4, 2, 1 (contract 3). Every addition
 * folds two lines at once, so 16 folds take 15. The rounds leave the n-th line in lane 4 (n % 4) + n / 4, which
 * is why they take them in that order.
 */
static inline vec vec_fold_lines(const vec lines[LANES]) {
    vec by_8[8], by_4[4], by_2[2];
    for (int i = 0; i < 8; i++) {
        int n = 2 * i, m = 2 * i + 1;
        vec a = lines[4 * (n % 4) + n / 4], b = lines[4 * (m % 4) + m / 4];
        by_8[i] = _mm512_add_ps(_mm512_shuffle_f32x4(a, b, 0x44), _mm512_shuffle_f32x4(a, b, 0xee));
    }
    for (int i = 0; i < 4; i++) {
        vec a = by_8[2 * i], b = by_8[2 * i + 1];
        by_4[i] = _mm512_add_ps(_mm512_shuffle_f32x4(a, b, 0x88), _mm512_shuffle_f32x4(a, b, 0xdd));
    }
    for (int i = 0; i < 2; i++) {
        vec a = by_4[2 * i], b = by_4[2 * i + 1];
        by_2[i] = _mm512_add_ps(_mm512_shuffle_ps(a, b, 0x44), _mm512_shuffle_ps(a, b, 0xee));
    }
    return _mm512_add_ps(_mm512_shuffle_ps(by_2[0], by_2[1], 0x88),
                         _mm512_shuffle_ps(by_2[0], by_2[1], 0xdd));
}

#elif defined(__AVX2__) && defined(__FMA__)

#include <immintrin.h>
typedef __m256 vec;
#define LANES 8
#define vec_zero() _mm256_setzero_ps()
#define vec_splat(x) _mm256_set1_ps(x)
#define vec_load(p) _mm256_loadu_ps(p)
#define vec_store(p, v) _mm256_storeu_ps(p, v)
#define vec_add(a, b) _mm256_add_ps(a, b)
#define vec_mul(a, b) _mm256_mul_ps(a, b)
#define vec_fma(a, b, c) _mm256_fmadd_ps(a, b, c)
#define vec_max(a, b) _mm256_max_ps(a, b)

static inline vec vec_keep_from(vec x, float limit) {
    vec magnitude = _mm256_andnot_ps(vec_splat(-0.0f), x);
    return _mm256_and_ps(_mm256_cmp_ps(magnitude, vec_splat(limit), _CMP_NLT_UQ), x);
}

static inline vec vec_keep_above_zero(vec x, vec by) {
    return _mm256_and_ps(_mm256_cmp_ps(by, vec_zero(), _CMP_NLE_UQ), x);
}

static inline vec vec_load_first(const float *p, size_t count) {
    const __m256i lane = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    return _mm256_maskload_ps(p, _mm256_cmpgt_epi32(_mm256_set1_epi32((int)count), lane));
}

static inline void vec_transpose(vec lines[LANES]) {
    vec a[8], b[8];
    for (int i = 0; i < 4; i++) {
        a[2 * i] = _mm256_unpacklo_ps(lines[2 * i], lines[2 * i + 1]);
        a[2 * i + 1] = _mm256_unpackhi_ps(lines[2 * i], lines[2 * i + 1]);
    }
    for (int i = 0; i < 2; i++) {
        b[4 * i] = _mm256_shuffle_ps(a[4 * i], a[4 * i + 2], 0x44);
        b[4 * i + 1] = _mm256_shuffle_ps(a[4 * i], a[4 * i + 2], 0xee);
        b[4 * i + 2] = _mm256_shuffle_ps(a[4 * i + 1], a[4 * i + 3], 0x44);
        b[4 * i + 3] = _mm256_shuffle_ps(a[4 * i + 1], a[4 * i + 3], 0xee);
    }
    for (int i = 0; i < 4; i++) {
        lines[i] = _mm256_permute2f128_ps(b[i], b[4 + i], 0x20);
        lines[4 + i] = _mm256_permute2f128_ps(b[i], b[4 + i], 0x31);
    }
}

#else

/* Any machine: four lanes of plain C; the fused product is the C library's where there is no instruction. */
typedef float vec __attribute__((vector_size(16), aligned(4)));
#define LANES 4
#define vec_zero() ((vec){0, 0, 0, 0})
#define vec_splat(x) ((vec){x, x, x, x})
#define vec_load(p) (*(const vec *)(p))
#define vec_store(p, v) (*(vec *)(p) = (v))
#define vec_add(a, b) ((a) + (b))
#define vec_mul(a, b) ((a) * (b))

static inline vec vec_fma(vec a, vec b, vec c) {
    for (int i = 0; i < LANES; i++)
        c[i] = __builtin_fmaf(a[i], b[i], c[i]);
    return c;
}

static inline vec vec_max(vec a, vec b) {
    for (int i = 0; i < LANES; i++)
        b[i] = a[i] > b[i] ? a[i] : b[i];
    return b;
}

static inline vec vec_keep_from(vec x, float limit) {
    for (int i = 0; i < LANES; i++)
        x[i] = __builtin_fabsf(x[i]) < limit ? 0.0f : x[i];
    return x;
}

static inline vec vec_keep_above_zero(vec x, vec by) {
    for (int i = 0; i < LANES; i++)
        x[i] = by[i] <= 0.0f ? 0.0f : x[i];
    return x;
}

static inline vec vec_load_first(const float *p, size_t count) {
    vec x = vec_zero();
    for (size_t i = 0; i < count; i++)
        x[i] = p[i];
    return x;
}

static inline void vec_transpose(vec lines[LANES]) {
    for (int i = 0; i < LANES; i++)
        for (int j = i + 1; j < LANES; j++) {
            float kept = lines[i][j];
            lines[i][j] = lines[j][i];
            lines[j][i] = kept;
        }
}

#endif

#if LANES < 16
#define vec_fma_from(a, b, c) vec_fma(a, vec_splat(*(b)), c)
#endif

/* canonical() and flush_tiny() of kernels/exact.h, and activation_relu() of what is not -0. */
static inline vec vec_canonical(vec x) {
    return vec_keep_from(x, 0x1p-149f);
}

static inline vec vec_flush_tiny(vec x) {
    return vec_keep_from(x, 0x1p-100f);
}

static inline vec vec_relu(vec x) {
    return vec_max(vec_zero(), x);
}

/* Functions of these are made anew for each constant they are called with; their loops over registers unroll. */
#define SPECIALISED static inline __attribute__((always_inline))
#define UNROLL_FOR _Pragma("GCC unroll 32") for /* as many as there are registers */

#define GROUP_VECTORS (TILE_LANES / LANES) /* vectors that hold one group of 16 lanes */

#endif
