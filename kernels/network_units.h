/* The units of a layer of a small network, forward and backward, for a column of 16 or 32 lanes. See network.cl. */
#ifndef TANDA_KERNELS_NETWORK_UNITS_H
#define TANDA_KERNELS_NETWORK_UNITS_H

#include "kernels/activation.h"
#include "kernels/tile.h"

#if VECTOR == 16

#define NETWORK_ACTIVATION(name, NAME, FROM) NETWORK_##NAME,
enum network_activation { ACTIVATION_LIST(NETWORK_ACTIVATION) };

#define NETWORK_FORWARD(name, NAME, FROM)                                                                            \
    case NETWORK_##NAME:                                                                                             \
        for (uint i = 0; i < vectors; i++)                                                                           \
            store_16(canonical(activation_##name(load_16(i, logits))), i, outputs);                                  \
        break;

#define NETWORK_BACKWARD(name, NAME, FROM)                                                                           \
    case NETWORK_##NAME:                                                                                             \
        for (uint i = 0; i < vectors; i++)                                                                           \
            store_16(flush_tiny(activation_##name##_backward(load_16(i, deltas), load_16(i, from))), i, deltas);     \
        break;

/* logits and outputs may be the same place. */
static inline void activate(uint function, global const float *logits, global float *outputs, uint vectors) {
    if (function == NETWORK_IDENTITY) return;
    switch (function) { ACTIVATION_LIST(NETWORK_FORWARD) }
}

static inline void activate_backward(uint function, global float *deltas, global const float *from, uint vectors) {
    if (function == NETWORK_IDENTITY) return;
    switch (function) { ACTIVATION_LIST(NETWORK_BACKWARD) }
}

/*
 * OUTPUTS units of a layer, forward (start: the biases) or backward (start: NULL), in chunks as CHAINS of dense.cl:
 * results[j] = start[j] + sum over t of lines[t] * factors[t * step + j * apart]. Lines have VECTORS * 16 lanes.
 * What takes no time while a result is in a register: relu follows forward, and backward its derivative by its output
 * `gate`, unless that is NULL.
 */
#define DEFINE_UNITS(OUTPUTS, VECTORS)                                                                               \
    static inline void units_##OUTPUTS##_##VECTORS(global const float *lines, uint terms,                            \
                                                   global const float *factors, ulong step, ulong apart,             \
                                                   global const float *start, int relu, global const float *gate,    \
                                                   float zero, global float *results) {                              \
        for (uint from = 0; from == 0 || from < terms; from += CHUNK) {                                              \
            uint to = from + CHUNK < terms ? from + CHUNK : terms;                                                   \
            float16 sum[OUTPUTS][VECTORS];                                                                           \
            _Pragma("unroll") for (int o = 0; o < OUTPUTS; o++)                                                      \
                _Pragma("unroll") for (int v = 0; v < VECTORS; v++) sum[o][v] = (float16)(zero);                     \
            for (uint t = from; t < to; t++) {                                                                       \
                global const float *factor = factors + t * step;                                                     \
                float16 value[VECTORS];                                                                              \
                _Pragma("unroll") for (int v = 0; v < VECTORS; v++) value[v] = load_16(t * VECTORS + v, lines);      \
                _Pragma("unroll") for (int o = 0; o < OUTPUTS; o++)                                                  \
                    _Pragma("unroll") for (int v = 0; v < VECTORS; v++) sum[o][v] =                                  \
                        fma(value[v], (float16)(factor[o * apart]), sum[o][v]);                                      \
            }                                                                                                        \
            _Pragma("unroll") for (int o = 0; o < OUTPUTS; o++)                                                      \
                _Pragma("unroll") for (int v = 0; v < VECTORS; v++) {                                                \
                    float16 total = (float16)(zero);                                                                 \
                    if (from > 0)                                                                                    \
                        total = load_16(o * VECTORS + v, results);                                                   \
                    else if (start != NULL)                                                                          \
                        total = (float16)(start[o]);                                                                 \
                    total = total + sum[o][v];                                                                       \
                    if (to == terms) total = start != NULL ? canonical(total) : flush_tiny(total);                   \
                    if (to == terms && relu) total = activation_relu(total);                                         \
                    if (to == terms && gate != NULL)                                                                 \
                        total = activation_relu_backward(total, load_16(o * VECTORS + v, gate));                     \
                    store_16(total, o * VECTORS + v, results);                                                       \
                }                                                                                                    \
        }                                                                                                            \
    }

#define SOME_UNITS(OUTPUTS, VECTORS)                                                                                 \
    for (; unit + OUTPUTS <= units; unit += OUTPUTS)                                                                 \
        units_##OUTPUTS##_##VECTORS(lines, terms, factors + unit * apart, step, apart,                               \
                                    start != NULL ? start + unit : NULL, relu,                                       \
                                    gate != NULL ? gate + unit * VECTORS * 16 : NULL, zero,                          \
                                    results + unit * VECTORS * 16);

#define DEFINE_LAYER(VECTORS)                                                                                        \
    DEFINE_UNITS(12, VECTORS)                                                                                        \
    DEFINE_UNITS(6, VECTORS)                                                                                         \
    DEFINE_UNITS(4, VECTORS)                                                                                         \
    DEFINE_UNITS(1, VECTORS)                                                                                         \
    static inline void all_units_##VECTORS(global const float *lines, uint terms, global const float *factors,       \
                                           ulong step, ulong apart, global const float *start, int relu,             \
                                           global const float *gate, float zero, global float *results,              \
                                           uint units) {                                                             \
        uint unit = 0;                                                                                               \
        SOME_UNITS(12, VECTORS)                                                                                      \
        SOME_UNITS(6, VECTORS)                                                                                       \
        SOME_UNITS(4, VECTORS)                                                                                       \
        SOME_UNITS(1, VECTORS)                                                                                       \
    }

DEFINE_LAYER(1)
DEFINE_LAYER(2)

#endif

#endif
