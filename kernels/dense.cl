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

#if VECTOR == 1
/* turned (16 rows, columns of a group) of a delta (H, width), from its `first` column on. */
INLINE void turn_delta(global const float *delta, uint first, gradient_arguments a, local float *turned) {
    uint row = (uint)get_local_id(0) % TILE_LANES, part = (uint)get_local_id(0) / TILE_LANES;
    for (uint h = part; h < SCALAR_GROUP; h += SCALAR_GROUP / TILE_LANES)
        turned[row * (SCALAR_GROUP + 1) + h] =
            first + h < a.outputs ? delta[(ulong)(first + h) * a.width + row] : 0.0f;
}
#endif

#define SHAPE large
#define OUTPUTS LARGE_OUTPUTS(VECTOR)
#define VECTORS LARGE_VECTORS(VECTOR)
#include "kernels/dense.inc"

#define SHAPE medium
#define OUTPUTS MEDIUM_OUTPUTS(VECTOR)
#define VECTORS MEDIUM_VECTORS(VECTOR)
#include "kernels/dense.inc"

#define SHAPE small
#define OUTPUTS SMALL_OUTPUTS(VECTOR)
#define VECTORS SMALL_VECTORS(VECTOR)
#include "kernels/dense.inc"

/* ---- sums in 16 lanes ------------------------------------------------------------------------------------ */

/* Line h of a sum: of a delta or, behind these, of the losses; and where its sum goes. */
INLINE ulong summed_line(sum_arguments a, uint h) {
    return h < a.outputs ? a.source + (ulong)h * a.width : a.losses;
}

INLINE ulong sum_place(sum_arguments a, uint tile, uint h) {
    return tile * a.slot_floats + (h < a.outputs ? a.target + h : a.slot_floats - 16);
}

#if VECTOR == 16

/* The delta (H, width) as (width, S), columns from H to S +0. Work-item (lane, tile). */
kernel void transpose_delta(global float *workspace, transpose_arguments a) {
    uint lane = (uint)get_global_id(0), tile = (uint)get_global_id(1);
    if (lane >= rows_of_tile(a.rows, tile)) return;
    global const float *from = workspace + a.delta + tile * a.tile_floats + lane;
    global float *to = workspace + a.transposed + tile * a.tile_floats + (ulong)lane * a.stride;
    for (uint h = 0; h < a.stride; h++)
        to[h] = h < a.outputs ? from[(ulong)h * a.width] : 0.0f;
}

/* dW[k][h] of a layer with few outputs. Work-item (input, output, tile). */
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

/* Bias gradients, and the loss sum. Work-item (line, tile). */
kernel void sum_rows(global const float *workspace, global float *slots, sum_arguments a) {
    uint h = (uint)get_global_id(0), tile = (uint)get_global_id(1);
    if (h >= a.outputs + a.has_losses) return;
    global const float *line = workspace + tile * a.tile_floats + summed_line(a, h);
    slots[sum_place(a, tile, h)] = sum_over_rows(line, lanes_of_tile(a.rows, tile), a.zero);
}

#else /* a work-item for each lane, so that neighbours read neighbours */

/* What the first lane of each 16 work-items makes of their sums. */
INLINE float fold_items(float sum, local float *sums) {
    uint item = (uint)get_local_id(0);
    sums[item] = sum;
    barrier(CLK_LOCAL_MEM_FENCE);
    return item % TILE_LANES == 0 ? fold_lanes(vload16(0, sums + item)) : 0.0f;
}

/* Work-item (input and lane, output, tile). */
kernel void narrow_gradient(global const float *workspace, global const float *inputs, global float *slots,
                            gradient_arguments a) {
    local float sums[SCALAR_GROUP];
    uint lane = (uint)get_global_id(0) % TILE_LANES, k = (uint)get_global_id(0) / TILE_LANES;
    uint h = (uint)get_global_id(1), tile = (uint)get_global_id(2);
    uint lanes = k < a.inputs ? lanes_of_tile(a.rows, tile) : 0;
    global const float *values = inputs + a.a + tile * a.a_tile + (ulong)k * a.width;
    global const float *deltas = workspace + a.delta + tile * a.delta_tile + (ulong)h * a.width;
    float sum = a.zero;
    for (uint row = lane; row < lanes; row += TILE_LANES)
        sum = fma(values[row], deltas[row], sum);
    sum = fold_items(sum, sums);
    if (lane == 0 && k < a.inputs) slots[tile * a.slot_floats + a.weight + (ulong)k * a.stride + h] = sum;
}

/* Work-item (line and lane, tile). */
kernel void sum_rows(global const float *workspace, global float *slots, sum_arguments a) {
    local float sums[SCALAR_GROUP];
    uint lane = (uint)get_global_id(0) % TILE_LANES, h = (uint)get_global_id(0) / TILE_LANES;
    uint tile = (uint)get_global_id(1), lines = a.outputs + a.has_losses;
    uint lanes = h < lines ? lanes_of_tile(a.rows, tile) : 0;
    global const float *line = workspace + tile * a.tile_floats + summed_line(a, h);
    float sum = a.zero;
    for (uint row = lane; row < lanes; row += TILE_LANES)
        sum = sum + line[row];
    sum = fold_items(sum, sums);
    if (lane == 0 && h < lines) slots[sum_place(a, tile, h)] = sum;
}

#endif

/* Every lane of z starts as its unit's bias, for a matrix product that adds to it. Work-item (lanes, unit, tile). */
kernel void fill_bias(global float *target, global const float *parameters, bias_arguments a) {
    uint unit = (uint)get_global_id(1), tile = (uint)get_global_id(2);
    global float *line = target + a.target + tile * a.target_tile + (ulong)unit * a.width;
    for (uint lane = (uint)get_global_id(0) * VECTOR; lane < a.width;
         lane += (uint)get_global_size(0) * VECTOR)
        store_real((real)(parameters[a.bias + unit]), line + lane);
}
