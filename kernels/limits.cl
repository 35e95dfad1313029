/* Kernels that do nothing but load, nothing but multiply and add, nothing but exchange, or nothing: what a device can do at best. */
#include "kernels/arguments/limits.h"
#include "kernels/tile.h"

/* Work-item (readers): vectors start * item + step * i, i < reads, a multiple of READS_AT_ONCE. */
kernel void read_limit(global const float *values, global float *result, read_arguments limits) {
    global const float *at = values + get_global_id(0) * limits.start * VECTOR;
    ulong step = limits.step;
    real a = splat(0.0f), b = a, c = a, d = a, e = a, f = a, g = a, h = a;
    for (ulong i = 0; i < limits.reads; i += READS_AT_ONCE) {
        a += load_real(at);
        b += load_real(at + step * VECTOR);
        c += load_real(at + 2 * step * VECTOR);
        d += load_real(at + 3 * step * VECTOR);
        e += load_real(at + 4 * step * VECTOR);
        f += load_real(at + 5 * step * VECTOR);
        g += load_real(at + 6 * step * VECTOR);
        h += load_real(at + 7 * step * VECTOR);
        at += READS_AT_ONCE * step * VECTOR;
    }
    store_real(a + b + c + d + e + f + g + h, result + get_global_id(0) * VECTOR);
}

/* Work-item (workers): rounds times FMA_CHAINS fused multiply-adds that do not wait for one another. */
kernel void fma_limit(global float *result, fma_arguments limits) {
    float by = limits.by, more = limits.more;
    real a = splat(1.0f), b = splat(2.0f), c = splat(3.0f), d = splat(4.0f), e = splat(5.0f), f = splat(6.0f),
         g = splat(7.0f), h = splat(8.0f), i = splat(9.0f), j = splat(10.0f), k = splat(11.0f),
         l = splat(12.0f);
    for (ulong round = 0; round < limits.rounds; round++) {
        a = fused(a, by, more);
        b = fused(b, by, more);
        c = fused(c, by, more);
        d = fused(d, by, more);
        e = fused(e, by, more);
        f = fused(f, by, more);
        g = fused(g, by, more);
        h = fused(h, by, more);
        i = fused(i, by, more);
        j = fused(j, by, more);
        k = fused(k, by, more);
        l = fused(l, by, more);
    }
    store_real(a + b + c + d + e + f + g + h + i + j + k + l, result + get_global_id(0) * VECTOR);
}

/* Work-item (workers): exchanges a word of its own, rounds times, each with what the one before gave. */
kernel void atomic_limit(global uint *words, atomic_arguments limits) {
    global uint *word = words + get_global_id(0) * VECTOR;
    uint value = (uint)get_global_id(0);
    for (ulong round = 0; round < limits.rounds; round++)
        value = atomic_xchg(word, value + 1u);
}

kernel void nothing(global float *result) {
    if (get_global_id(1) != 0) result[0] = 1.0f; /* there is no such work-item */
}
