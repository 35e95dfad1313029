/* The units of a layer of a small network, forward and backward, for a column of 16 or 32 lanes. See network.cl. */
#ifndef TANDA_KERNELS_NETWORK_UNITS_H
#define TANDA_KERNELS_NETWORK_UNITS_H

#include "kernels/activation.h"
#include "kernels/cpu/network.h"
#include "kernels/tile.h"

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
 * The chains of a layer, forward or backward, for `columns` columns of VECTORS * 16 lanes that lie so many floats apart:
 *
 *   results[j] = start[j] + sum over t of lines[t] * factor(t, j), in chunks as CHAINS of dense.cl
 *
 * Backward sums start at +0. Where relu is set, it follows forward, and backward its derivative by its output, `gate`:
 * that takes no time while a result is in a register.
 */
typedef struct network_chains {
    global const float *lines, *factors, *start, *gate;
    global float *results;
    ulong lines_apart, results_apart, gate_apart;
    uint terms, units, columns;
    int relu;
    float zero;
} network_chains;

/* sum[o][v] += the v-th vector of the line * factors[o * APART]; bounds of what is unrolled must be known to the parser. */
#define ADD_TERM(OUTPUTS, VECTORS, APART)                                                                            \
    do {                                                                                                             \
        float16 value[VECTORS];                                                                                      \
        _Pragma("unroll") for (int v = 0; v < VECTORS; v++) value[v] = load_16(v, line);                             \
        _Pragma("unroll") for (int o = 0; o < OUTPUTS; o++)                                                          \
            _Pragma("unroll") for (int v = 0; v < VECTORS; v++) sum[o][v] =                                          \
                fma(value[v], (float16)(factors[o * APART]), sum[o][v]);                                             \
        line += VECTORS * 16;                                                                                        \
    } while (0)

/* The units from `unit` on are all in one panel, where the terms follow one another. */
#define ADD_FORWARD(OUTPUTS, VECTORS)                                                                                \
    factors += panel_at(c->terms, from, unit);                                                                       \
    for (; count > 0; count--, factors += PANEL)                                                                     \
        ADD_TERM(OUTPUTS, VECTORS, 1);

/* Units are a panel's lines here and terms run along them, panel by panel: so the lines of the next are asked for. */
#define ADD_BACKWARD(OUTPUTS, VECTORS)                                                                               \
    ulong next = (ulong)c->units * PANEL;                                                                            \
    factors += panel_at(c->units, unit, from);                                                                       \
    for (uint run = PANEL - from % PANEL; count > 0; run = PANEL, factors += next - PANEL) {                         \
        global const float *ahead = factors + next;                                                                  \
        if (run > count) run = count;                                                                                \
        count -= run;                                                                                                \
        for (; run > 0; run--, factors++, ahead += 16) {                                                             \
            ASK_FOR(ahead);                                                                                          \
            ADD_TERM(OUTPUTS, VECTORS, PANEL);                                                                       \
        }                                                                                                            \
    }

/* Each of a block's sums becomes VALUE, where it is `sum[o][v]` and lies at `at` among the block's results. */
#define FOR_SUMS(OUTPUTS, VECTORS, VALUE)                                                                            \
    _Pragma("unroll") for (int o = 0; o < OUTPUTS; o++)                                                              \
        _Pragma("unroll") for (int v = 0; v < VECTORS; v++) {                                                        \
            const ulong at = o * VECTORS + v;                                                                        \
            (void)at;                                                                                                \
            sum[o][v] = VALUE;                                                                                       \
        }

#define FINISH_FORWARD canonical(sum[o][v])
#define FINISH_BACKWARD flush_tiny(sum[o][v])
#define RELU_FORWARD activation_relu(sum[o][v])
#define RELU_BACKWARD activation_relu_backward(sum[o][v], load_16(at, gate))
#define START_FORWARD (float16)((c->start + unit)[o]) + sum[o][v]
#define START_BACKWARD (float16)(c->zero) + sum[o][v]

/*
 * OUTPUTS units from `unit` on of a column, over the terms [from, to); DIRECTION is FORWARD or BACKWARD. Whether these are the
 * first is a constant, as the compiler would make the two additions one, and move all sums to memory for it.
 */
#define DEFINE_CHAIN_BLOCK(NAME, DIRECTION, OUTPUTS, VECTORS)                                                        \
    INLINE void NAME##_##OUTPUTS##_##VECTORS(const network_chains *c, uint column, uint unit, const int is_first,    \
                                             uint from, uint to) {                                                   \
        uint count = to - from, lanes = VECTORS * 16;                                                                \
        global const float *line = c->lines + column * c->lines_apart + from * lanes, *factors = c->factors;         \
        global const float *gate = c->gate + column * c->gate_apart + unit * lanes;                                  \
        global float *results = c->results + column * c->results_apart + unit * lanes;                               \
        (void)gate;                                                                                                  \
        float16 sum[OUTPUTS][VECTORS];                                                                               \
        FOR_SUMS(OUTPUTS, VECTORS, (float16)(c->zero))                                                               \
        ADD_##DIRECTION(OUTPUTS, VECTORS)                                                                            \
        if (is_first)                                                                                                \
            FOR_SUMS(OUTPUTS, VECTORS, START_##DIRECTION)                                                            \
        else                                                                                                         \
            FOR_SUMS(OUTPUTS, VECTORS, load_16(at, results) + sum[o][v])                                             \
        if (to == c->terms) FOR_SUMS(OUTPUTS, VECTORS, FINISH_##DIRECTION)                                           \
        if (to == c->terms && c->relu) FOR_SUMS(OUTPUTS, VECTORS, RELU_##DIRECTION)                                  \
        _Pragma("unroll") for (int o = 0; o < OUTPUTS; o++)                                                          \
            _Pragma("unroll") for (int v = 0; v < VECTORS; v++) store_16(sum[o][v], o * VECTORS + v, results);       \
    }

/* The terms [from, to) of all units of all columns. */
#define SOME_UNITS(NAME, OUTPUTS, VECTORS, IS_FIRST)                                                                 \
    for (; unit + OUTPUTS <= c.units; unit += OUTPUTS)                                                               \
        NAME##_##OUTPUTS##_##VECTORS(&c, column, unit, IS_FIRST, from, to);
#define ALL_COLUMNS(NAME, VECTORS, IS_FIRST)                                                                         \
    for (uint column = 0; column < c.columns; column++) {                                                            \
        uint unit = 0;                                                                                               \
        SOME_UNITS(NAME, 12, VECTORS, IS_FIRST)                                                                      \
        SOME_UNITS(NAME, 8, VECTORS, IS_FIRST)                                                                       \
        SOME_UNITS(NAME, 4, VECTORS, IS_FIRST)                                                                       \
        SOME_UNITS(NAME, 2, VECTORS, IS_FIRST)                                                                       \
        SOME_UNITS(NAME, 1, VECTORS, IS_FIRST)                                                                       \
    }

/* Chunk by chunk, so that the weights of a chunk serve all columns while they are in the cache. */
#define DEFINE_CHAINS(NAME, DIRECTION, VECTORS)                                                                      \
    DEFINE_CHAIN_BLOCK(NAME, DIRECTION, 12, VECTORS)                                                                 \
    DEFINE_CHAIN_BLOCK(NAME, DIRECTION, 8, VECTORS)                                                                  \
    DEFINE_CHAIN_BLOCK(NAME, DIRECTION, 4, VECTORS)                                                                  \
    DEFINE_CHAIN_BLOCK(NAME, DIRECTION, 2, VECTORS)                                                                  \
    DEFINE_CHAIN_BLOCK(NAME, DIRECTION, 1, VECTORS)                                                                  \
    APART void NAME##_##VECTORS(const network_chains *of_layer) {                                                    \
        const network_chains c = *of_layer;                                                                          \
        uint from = 0, to = c.terms < CHUNK ? c.terms : CHUNK;                                                       \
        ALL_COLUMNS(NAME, VECTORS, 1)                                                                                \
        for (from = to; from < c.terms; from = to) {                                                                 \
            to = from + CHUNK < c.terms ? from + CHUNK : c.terms;                                                    \
            ALL_COLUMNS(NAME, VECTORS, 0)                                                                            \
        }                                                                                                            \
    }

DEFINE_CHAINS(units_forward, FORWARD, 1)
DEFINE_CHAINS(units_forward, FORWARD, 2)
DEFINE_CHAINS(units_backward, BACKWARD, 1)
DEFINE_CHAINS(units_backward, BACKWARD, 2)

#endif
