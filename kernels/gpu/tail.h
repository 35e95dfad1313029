/* What follows a dense op element by element, of units [first, end) of one lane; OpenCL C only. */
#ifndef TANDA_KERNELS_GPU_TAIL_H
#define TANDA_KERNELS_GPU_TAIL_H

#include "kernels/activate.h"
#include "kernels/arguments/gpu_dense.h"
#include "kernels/dropout_units.h"
#include "kernels/gpu/aside.h"

/* What is stored of a layer's sum, and of the derivative of its input, which is the output of a ReLU perhaps. */
INLINE float stored_output(gpu_layer_arguments a, float sum) {
    const float z = canonical(sum);
    return a.through_relu ? activate(ACTIVATION_RELU, z) : z;
}

INLINE float stored_delta(gpu_layer_arguments a, float sum, float output) {
    const float delta = flush_tiny(sum);
    return a.through_relu ? activate_backward(ACTIVATION_RELU, delta, output) : delta;
}

/* Where units lie: `width` floats apart, from the start of a tile, of which `units` are all. */
typedef struct tail_place {
    global float *tile;
    uint width, units, index; /* of the tile in the wave */
    uint rows;                /* of the tile: lanes behind them hold none */
} tail_place;

INLINE void tail_drop(tail_place p, dense_tail a, const int backward, ulong source, uint lane, uint first,
                      uint end) {
    const ulong line = (ulong)first * p.width + lane;
    dropout_mask mask = {
        a.seed, a.position + (ulong)p.index * TILE_ROWS, a.step, a.stream, p.units, a.threshold, a.scale};
    drop_units(mask, backward, lane, first, end, p.width, p.tile + source + line, p.tile + a.dropped + line);
}

ASIDE void forward_tail(tail_place p, dense_tail a, ulong logits, uint lane, uint first, uint end) {
    ulong output = logits;
    if (a.function != ACTIVATION_IDENTITY) {
        output = a.result;
        for (uint unit = first; unit < end; unit++) {
            ulong at = (ulong)unit * p.width + lane;
            float y = activate(a.function, p.tile[logits + at]);
            p.tile[output + at] = lane < p.rows ? y : 0.0f; /* see openmp/activation.c */
        }
    }
    if (a.drops) tail_drop(p, a, 0, output, lane, first, end);
}

ASIDE void backward_tail(tail_place p, dense_tail a, ulong delta, uint lane, uint first, uint end) {
    if (a.drops) {
        tail_drop(p, a, 1, delta, lane, first, end);
        delta = a.dropped;
    }
    if (a.function == ACTIVATION_IDENTITY) return;
    for (uint unit = first; unit < end; unit++) {
        ulong at = (ulong)unit * p.width + lane;
        p.tile[a.result + at] = activate_backward(a.function, p.tile[delta + at], p.tile[a.from + at]);
    }
}

#endif
