/* Loops that do nothing but load, or nothing but multiply and add: what measure.c times. See limits.cl. */
#include "backend/openmp/tile.h"
#include "backend/openmp/vector.h"

#define AHEAD_FLOATS 1024 /* asking for lines 4 KiB ahead reads 6 % more than the hardware's guesses alone */

static float fold(const vec *sums) {
    float lanes[LANES], total = 0.0f;
    for (size_t i = 0; i < FMA_CHAINS; i++) {
        vec_store(lanes, sums[i]);
        for (size_t lane = 0; lane < LANES; lane++)
            total += lanes[lane];
    }
    return total;
}

float ISA_NAME(read_limit)(const float *values, size_t count) {
    vec sums[FMA_CHAINS];
    UNROLL_FOR (size_t i = 0; i < FMA_CHAINS; i++)
        sums[i] = vec_zero();
    for (size_t at = 0; at < count; at += FMA_CHAINS * LANES) {
        for (size_t i = 0; i < FMA_CHAINS * LANES; i += 16)
            __builtin_prefetch(values + at + i + AHEAD_FLOATS);
        UNROLL_FOR (size_t i = 0; i < FMA_CHAINS; i++)
            sums[i] = vec_add(sums[i], vec_load(values + at + i * LANES));
    }
    return fold(sums);
}

float ISA_NAME(fma_limit)(size_t rounds, float factor) {
    const vec by = vec_splat(factor), more = vec_splat(1.0f - factor);
    vec chains[FMA_CHAINS];
    UNROLL_FOR (size_t i = 0; i < FMA_CHAINS; i++)
        chains[i] = vec_splat((float)i);
    for (size_t round = 0; round < rounds * GROUP_VECTORS; round++) {
        UNROLL_FOR (size_t i = 0; i < FMA_CHAINS; i++)
            chains[i] = vec_fma(chains[i], by, more);
    }
    return fold(chains);
}
