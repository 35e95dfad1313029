/* The units of a layer of a small network, forward and backward, for a column of 16 or 32 lanes. See network.cl. */
#ifndef TANDA_KERNELS_NETWORK_UNITS_H
#define TANDA_KERNELS_NETWORK_UNITS_H

#include "kernels/activate.h"
#include "kernels/cpu/network.h"

#define FORWARD_OF_ALL(name, NAME, FROM) \
    case ACTIVATION_##NAME: \
        for (uint i = 0; i < vectors; i++) \
            store_16(activate(ACTIVATION_##NAME, load_16(i, logits)), i, outputs); \
        break;

#define BACKWARD_OF_ALL(name, NAME, FROM) \
    case ACTIVATION_##NAME: \
        for (uint i = 0; i < vectors; i++) \
            store_16(activate_backward(ACTIVATION_##NAME, load_16(i, deltas), load_16(i, from)), i, deltas); \
        break;

/* logits and outputs may be the same place. */
static inline void activate_all(uint function, global const float *logits, global float *outputs,
                                uint vectors) {
    if (function == ACTIVATION_IDENTITY) return;
    switch (function) { ACTIVATION_LIST(FORWARD_OF_ALL) }
}

static inline void activate_all_backward(uint function, global float *deltas, global const float *from,
                                         uint vectors) {
    if (function == ACTIVATION_IDENTITY) return;
    switch (function) { ACTIVATION_LIST(BACKWARD_OF_ALL) }
}

/*
 * The chains of a layer, forward or backward, for `columns` columns of VECTORS * 16 lanes that lie so many floats apart:
 *
 *   results[j] = start[j] + sum over t of lines[t] * factor(t, j), in chunks as those of dense.inc
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

#define CHAINS units_forward
#define BACKWARD 0
#define VECTORS 1
#include "kernels/cpu/chains.inc"

#define CHAINS units_forward
#define BACKWARD 0
#define VECTORS 2
#include "kernels/cpu/chains.inc"

#define CHAINS units_backward
#define BACKWARD 1
#define VECTORS 1
#include "kernels/cpu/chains.inc"

#define CHAINS units_backward
#define BACKWARD 1
#define VECTORS 2
#include "kernels/cpu/chains.inc"

#endif
