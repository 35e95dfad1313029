/*
 * What the kernels share; OpenCL C only.
 *
 * A tensor of a wave of tiles is (tiles, units, width): kernels take its buffer, the offset of its first float,
 * and the distance between tiles. VECTOR lanes lie in one `real`: 16 on CPUs, 1 on GPUs, where a work-item is
 * then one instance. Loops over lanes start at the work-item's place and go on by the size of the grid, so
 * that the same text serves one work-item per line (CPU) and one per lane (GPU).
 *
 * Chains of sums start from the argument `zero`, which is 0.0f but which no compiler may fold (coding rule 7).
 */
#ifndef TANDA_KERNELS_TILE_H
#define TANDA_KERNELS_TILE_H

#include "kernels/geometry.h"
#include "kernels/portable.h"

#if VECTOR == 16
/*
 * vload16 and vstore16 of global floats. PoCL's own take two loads and four stores where the processor needs one: a
 * vector type that is aligned like its elements, which clang knows, says what is meant.
 */
typedef float16 loose_float16 __attribute__((aligned(4)));

static inline float16 load_16(ulong index, global const float *p) {
    return *(global const loose_float16 *)(p + index * 16);
}

static inline void store_16(float16 v, ulong index, global float *p) {
    *(global loose_float16 *)(p + index * 16) = v;
}
#endif

#if VECTOR == 1
#define load_real(p) (*(p))
#define store_real(v, p) (*(p) = (v))
#define load_integer(p) (*(p))
#define lane_numbers() (0)
#define is_any(condition) ((condition) != 0)
#else
#if VECTOR == 16
#define load_real(p) load_16(0, (p))
#define store_real(v, p) store_16((v), 0, (p))
#else
#define load_real(p) JOINED(vload, VECTOR)(0, (p))
#define store_real(v, p) JOINED(vstore, VECTOR)((v), 0, (p))
#endif
#define load_integer(p) JOINED(vload, VECTOR)(0, (p))
#define is_any(condition) any_lane(condition)
#define lane_numbers() ((int16)(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15))
#endif

/* PoCL's prefetch() does nothing; the compiler's own is known to work there, and only there. */
#ifdef POCL_DEVICE_ADDRESS_BITS
#define ASK_FOR(p) __builtin_prefetch((const private void *)(ulong)(p))
#else
#define ASK_FOR(p) ((void)(p))
#endif

#define UNROLL_FOR _Pragma("unroll") for /* the loop that follows, whose bounds are constants for the parser */
#define INLINE static inline __attribute__((always_inline))
#define APART static __attribute__((noinline))

#if VECTOR == 16
/* any(), for which PoCL asks each lane. */
static inline int any_lane(int16 condition) {
    int8 by_8 = condition.lo | condition.hi;
    int4 by_4 = by_8.lo | by_8.hi;
    int2 by_2 = by_4.lo | by_4.hi;
    return (by_2.lo | by_2.hi) != 0;
}
#endif

/* Instances in a tile of a step that holds `rows`, and the lanes they take. */
static inline uint rows_of_tile(uint rows, uint tile) {
    uint left = rows - tile * TILE_ROWS;
    return left < TILE_ROWS ? left : TILE_ROWS;
}

static inline uint lanes_of_tile(uint rows, uint tile) {
    return (rows_of_tile(rows, tile) + TILE_LANES - 1) / TILE_LANES * TILE_LANES;
}

/* +0 in the lanes that hold no row. */
static inline real clear_unused(real x, uint lane, uint rows) {
    integer number = (integer)((int)lane) + lane_numbers();
    return choose(number < (integer)((int)rows), x, 0.0f);
}

/* Folds 16 lanes in halves: 8, 4, 2, 1 (contract 3). */
static inline float fold_lanes(float16 x) {
    float8 by_8 = x.lo + x.hi;
    float4 by_4 = by_8.lo + by_8.hi;
    float2 by_2 = by_4.lo + by_4.hi;
    return by_2.lo + by_2.hi;
}

/* The sum over the rows of one line of a tensor, in lanes. */
static inline float sum_over_rows(global const float *line, uint lanes, float zero) {
    float16 sum = (float16)(zero);
    for (uint lane = 0; lane < lanes; lane += TILE_LANES)
        sum = sum + vload16(0, line + lane);
    return fold_lanes(sum);
}

#endif
