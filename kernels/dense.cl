/*
 * Dense layers: forward, backward to the input and the weight gradient of wide layers are one loop, chains of
 * fma in ascending order, in blocks of outputs x vectors that stay in registers. See dense.c.
 */
#include "kernels/arguments/dense.h"
#include "kernels/exact.h"
#include "kernels/tile.h"

/*
 * results[j][lane] = start[j] + sum over chunks of (chain over t of lines[t][lane] * factors(t, j)),
 * factors(t, j) = factors[t * step + j * apart], for the outputs and lanes of a work-item.
 */
typedef struct dense_operands {
    global const float *lines, *factors, *start;
    global float *results;
    uint line_stride, step, apart, result_stride, terms, outputs;
    float zero;
} dense_operands;

#define SHAPE large
#define OUTPUTS LARGE_OUTPUTS(VECTOR)
#define VECTORS 4
#include "kernels/dense.inc"

#define SHAPE medium
#define OUTPUTS SMALL_OUTPUTS(VECTOR)
#define VECTORS 2
#include "kernels/dense.inc"

#define SHAPE small
#define OUTPUTS SMALL_OUTPUTS(VECTOR)
#define VECTORS 1
#include "kernels/dense.inc"

/* The delta (H, width) as (width, S), columns from H to S +0. Work-item (lane, tile). */
kernel void transpose_delta(global float *workspace, transpose_arguments a) {
    uint lane = (uint)get_global_id(0), tile = (uint)get_global_id(1);
    if (lane >= rows_of_tile(a.rows, tile)) return;
    global const float *from = workspace + a.delta + tile * a.tile_floats + lane;
    global float *to = workspace + a.transposed + tile * a.tile_floats + (ulong)lane * a.stride;
    for (uint h = 0; h < a.stride; h++)
        to[h] = h < a.outputs ? from[(ulong)h * a.width] : 0.0f;
}

/* dW[k][h] of a layer with few outputs, in lanes. Work-item (input, output, tile). */
kernel void narrow_gradient(global const float *workspace, global const float *inputs, global float *slots,
                            gradient_arguments a) {
    uint k = (uint)get_global_id(0), h = (uint)get_global_id(1), tile = (uint)get_global_id(2);
    if (k >= a.inputs) return;
    global const float *values = inputs + a.a + tile * a.a_tile + (ulong)k * a.width;
    global const float *deltas = workspace + a.delta + tile * a.delta_tile + (ulong)h * a.width;
    uint lanes = lanes_of_tile(a.rows, tile);
    float16 sum = (float16)(a.zero);
    for (uint lane = 0; lane < lanes; lane += TILE_LANES)
        sum = fma(vload16(0, values + lane), vload16(0, deltas + lane), sum);
    slots[tile * a.slot_floats + a.weight + (ulong)k * a.stride + h] = fold_lanes(sum);
}

/* Bias gradients, and the loss sum: sums over the rows of `outputs` lines. Work-item (line, tile). */
kernel void sum_rows(global const float *workspace, global float *slots, sum_arguments a) {
    uint h = (uint)get_global_id(0), tile = (uint)get_global_id(1);
    if (h >= a.outputs) return;
    global const float *line = workspace + a.source + tile * a.tile_floats + (ulong)h * a.width;
    slots[tile * a.slot_floats + a.target + h] = sum_over_rows(line, lanes_of_tile(a.rows, tile), a.zero);
}

/* Every lane of z starts as its unit's bias, for a matrix product that adds to it. Work-item (lanes, unit, tile). */
kernel void fill_bias(global float *target, global const float *parameters, bias_arguments a) {
    uint unit = (uint)get_global_id(1), tile = (uint)get_global_id(2);
    global float *line = target + a.target + tile * a.target_tile + (ulong)unit * a.width;
    for (uint lane = (uint)get_global_id(0) * VECTOR; lane < a.width;
         lane += (uint)get_global_size(0) * VECTOR)
        store_real((real)(parameters[a.bias + unit]), line + lane);
}
