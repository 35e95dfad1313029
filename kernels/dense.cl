/*
 * Dense layers: forward, backward to the input and the weight gradient of wide layers are one loop, chains of
 * fma in ascending order, in blocks of outputs x vectors that stay in registers. See dense.c.
 */
#include "kernels/exact.h"
#include "kernels/tile.h"

#define AS_STORED(x) canonical(x)
#define AS_DELTA(x) flush_tiny(x)

/*
 * results[j][lane] = start[j] + sum over chunks of (chain over t of lines[t][lane] * factors(t, j)),
 * factors(t, j) = factors[t * STEP + j * APART], for the outputs and lanes of this work-item. A block that
 * reaches past the last output computes that one again and does not store it.
 */
#define CHAINS(OUTPUTS, VECTORS, lines, line_stride, factors, STEP, APART, START, results, result_stride, terms,     \
               outputs, first_lane, FINISH)                                                                          \
    uint first_output = (uint)get_global_id(1) * OUTPUTS;                                                            \
    real total[OUTPUTS][VECTORS];                                                                                    \
    ulong factor_at[OUTPUTS];                                                                                        \
    _Pragma("unroll") for (int o = 0; o < OUTPUTS; o++) {                                                            \
        uint j = first_output + o < outputs ? first_output + o : outputs - 1;                                        \
        factor_at[o] = (ulong)j * (APART);                                                                           \
        _Pragma("unroll") for (int v = 0; v < VECTORS; v++) total[o][v] = (real)(START);                             \
    }                                                                                                                \
    for (uint from = 0; from < terms; from += CHUNK) {                                                               \
        uint to = from + CHUNK < terms ? from + CHUNK : terms;                                                       \
        real sum[OUTPUTS][VECTORS];                                                                                  \
        _Pragma("unroll") for (int o = 0; o < OUTPUTS; o++)                                                          \
            _Pragma("unroll") for (int v = 0; v < VECTORS; v++) sum[o][v] = (real)(zero);                            \
        for (uint t = from; t < to; t++) {                                                                           \
            real value[VECTORS];                                                                                     \
            _Pragma("unroll") for (int v = 0; v < VECTORS; v++) value[v] =                                           \
                load_real(lines + (ulong)t * (line_stride) + first_lane + v * VECTOR);                               \
            _Pragma("unroll") for (int o = 0; o < OUTPUTS; o++) {                                                    \
                real factor = (real)(factors[(ulong)t * (STEP) + factor_at[o]]);                                     \
                _Pragma("unroll") for (int v = 0; v < VECTORS; v++) sum[o][v] =                                      \
                    fma(value[v], factor, sum[o][v]);                                                                \
            }                                                                                                        \
        }                                                                                                            \
        _Pragma("unroll") for (int o = 0; o < OUTPUTS; o++)                                                          \
            _Pragma("unroll") for (int v = 0; v < VECTORS; v++) total[o][v] = total[o][v] + sum[o][v];               \
    }                                                                                                                \
    _Pragma("unroll") for (int o = 0; o < OUTPUTS; o++) if (first_output + o < outputs)                              \
        _Pragma("unroll") for (int v = 0; v < VECTORS; v++)                                                          \
            store_real(FINISH(total[o][v]),                                                                          \
                       results + (ulong)(first_output + o) * (result_stride) + first_lane + v * VECTOR);

/* Work-item (block of lanes, block of outputs, tile), for each block shape. */
#define DEFINE_DENSE(SHAPE, OUTPUTS, VECTORS)                                                                        \
    kernel void dense_forward_##SHAPE(global const float *source, ulong source_offset, ulong source_tile,            \
                                      global float *target, ulong target_offset, ulong target_tile, uint width,      \
                                      uint rows, global const float *parameters, ulong weight, ulong bias,           \
                                      uint stride, uint inputs, uint outputs, float zero) {                          \
        uint lane = (uint)get_global_id(0) * (VECTORS * VECTOR), tile = (uint)get_global_id(2);                      \
        if (lane >= lanes_of_tile(rows, tile)) return;                                                               \
        global const float *lines = source + source_offset + tile * source_tile;                                     \
        global const float *factors = parameters + weight, *start = parameters + bias;                               \
        global float *results = target + target_offset + tile * target_tile;                                         \
        CHAINS(OUTPUTS, VECTORS, lines, width, factors, stride, 1, start[j], results, width, inputs, outputs, lane,  \
               AS_STORED)                                                                                            \
    }                                                                                                                \
                                                                                                                     \
    kernel void dense_backward_##SHAPE(global const float *source, ulong source_offset, ulong source_tile,           \
                                       global float *target, ulong target_offset, ulong target_tile, uint width,     \
                                       uint rows, global const float *parameters, ulong weight, uint stride,         \
                                       uint inputs, uint outputs, float zero) {                                      \
        uint lane = (uint)get_global_id(0) * (VECTORS * VECTOR), tile = (uint)get_global_id(2);                      \
        if (lane >= lanes_of_tile(rows, tile)) return;                                                               \
        global const float *lines = source + source_offset + tile * source_tile;                                     \
        global const float *factors = parameters + weight;                                                           \
        global float *results = target + target_offset + tile * target_tile;                                         \
        CHAINS(OUTPUTS, VECTORS, lines, width, factors, 1, stride, zero, results, width, outputs, inputs, lane,      \
               AS_DELTA)                                                                                             \
    }                                                                                                                \
                                                                                                                     \
    /* dW (K, S) of one tile, row by row; transposed is the delta as (width, S), a is (K, width). */                 \
    kernel void dense_gradient_##SHAPE(global const float *transposed, ulong transposed_offset,                      \
                                       ulong transposed_tile, global const float *a, ulong a_offset, ulong a_tile,   \
                                       uint width, uint rows, global float *slots, ulong slot_floats, ulong weight,  \
                                       uint stride, uint inputs, float zero) {                                       \
        uint column = (uint)get_global_id(0) * (VECTORS * VECTOR), tile = (uint)get_global_id(2);                    \
        if (column >= stride) return;                                                                                \
        global const float *lines = transposed + transposed_offset + tile * transposed_tile;                         \
        global const float *factors = a + a_offset + tile * a_tile;                                                  \
        global float *results = slots + tile * slot_floats + weight;                                                 \
        uint terms = rows_of_tile(rows, tile);                                                                       \
        CHAINS(OUTPUTS, VECTORS, lines, stride, factors, 1, width, zero, results, stride, terms, inputs, column,     \
               AS_STORED)                                                                                            \
    }

DEFINE_DENSE(large, LARGE_OUTPUTS(VECTOR), 4)
DEFINE_DENSE(medium, SMALL_OUTPUTS(VECTOR), 2)
DEFINE_DENSE(small, SMALL_OUTPUTS(VECTOR), 1)

/* The delta (H, width) as (width, S), columns from H to S +0. Work-item (lane, tile). */
kernel void transpose_delta(global float *workspace, ulong delta, ulong transposed, ulong tile_floats, uint width,
                            uint rows, uint outputs, uint stride) {
    uint lane = (uint)get_global_id(0), tile = (uint)get_global_id(1);
    if (lane >= rows_of_tile(rows, tile)) return;
    global const float *from = workspace + delta + tile * tile_floats + lane;
    global float *to = workspace + transposed + tile * tile_floats + (ulong)lane * stride;
    for (uint h = 0; h < stride; h++)
        to[h] = h < outputs ? from[(ulong)h * width] : 0.0f;
}

/* dW[k][h] of a layer with few outputs, in lanes. Work-item (input, output, tile). */
kernel void narrow_gradient(global const float *workspace, ulong delta, ulong tile_floats, global const float *a,
                            ulong a_offset, ulong a_tile, uint width, uint rows, global float *slots,
                            ulong slot_floats, ulong weight, uint stride, uint inputs, float zero) {
    uint k = (uint)get_global_id(0), h = (uint)get_global_id(1), tile = (uint)get_global_id(2);
    if (k >= inputs) return;
    global const float *values = a + a_offset + tile * a_tile + (ulong)k * width;
    global const float *deltas = workspace + delta + tile * tile_floats + (ulong)h * width;
    uint lanes = lanes_of_tile(rows, tile);
    float16 sum = (float16)(zero);
    for (uint lane = 0; lane < lanes; lane += TILE_LANES)
        sum = fma(vload16(0, values + lane), vload16(0, deltas + lane), sum);
    slots[tile * slot_floats + weight + (ulong)k * stride + h] = fold_lanes(sum);
}

/* Bias gradients, and the loss sum: sums over the rows of `outputs` lines. Work-item (line, tile). */
kernel void sum_rows(global const float *workspace, ulong source, ulong tile_floats, uint width, uint rows,
                     global float *slots, ulong slot_floats, ulong target, uint outputs, float zero) {
    uint h = (uint)get_global_id(0), tile = (uint)get_global_id(1);
    if (h >= outputs) return;
    global const float *line = workspace + source + tile * tile_floats + (ulong)h * width;
    slots[tile * slot_floats + target + h] = sum_over_rows(line, lanes_of_tile(rows, tile), zero);
}

/* Every lane of z starts as its unit's bias, for a matrix product that adds to it. Work-item (lanes, unit, tile). */
kernel void fill_bias(global float *target, ulong target_offset, ulong target_tile, uint width,
                      global const float *parameters, ulong bias) {
    uint unit = (uint)get_global_id(1), tile = (uint)get_global_id(2);
    global float *line = target + target_offset + tile * target_tile + (ulong)unit * width;
    for (uint lane = (uint)get_global_id(0) * VECTOR; lane < width; lane += (uint)get_global_size(0) * VECTOR)
        store_real((real)(parameters[bias + unit]), line + lane);
}
