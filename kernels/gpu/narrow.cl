/*
 * Layers of fewer than WIDE_OUTPUTS outputs on GPUs. Forward: a group takes some rows from the layer's
 * inputs to the deltas, if it is the last. Backward: a group takes some inputs, whose weights' gradients and whose deltas
 * want the same values. See gpu_dense.c.
 */
#include "kernels/exact.h"
#include "kernels/gpu/chunks.h"
#include "kernels/gpu/loss_steps.h"
#include "kernels/gpu/operand.h"
#include "kernels/gpu/rows.h"
#include "kernels/gpu/step_end.h"
#include "kernels/gpu/sums.h"
#include "kernels/gpu/tail.h"

#define FOLD_PITCH 17 /* floats of 16 lanes in local memory: no two in a bank */

/* total[i] += the chains of a work-item: its row by outputs 4 * quad to 4 * quad + 3. */
INLINE void narrow_chains(const int kind, operand m, operand n, local float *local_m, local float *local_n,
                          float total[4], float zero) {
    const uint item = (uint)get_local_id(0), row = item % NARROW_ROWS, quad = item / NARROW_ROWS;
    float sum[4] = {zero, zero, zero, zero};
    for (uint from = 0; from < m.terms; from += STEP) {
        float4 piece_n = fetch_piece(kind, NARROW_ROWS, n, from, item), piece_m = (float4)(0.0f);
        if (item < STEP * TILE_LANES / 4) piece_m = fetch_piece(LOOSE, TILE_LANES, m, from, item);
        barrier(CLK_LOCAL_MEM_FENCE);
        store_piece(kind, NARROW_ROWS, local_n, item, piece_n);
        if (item < STEP * TILE_LANES / 4) store_piece(LOOSE, TILE_LANES, local_m, item, piece_m);
        barrier(CLK_LOCAL_MEM_FENCE);
        UNROLL_FOR (int t = 0; t < STEP; t++) {
            const float value = local_n[t * (NARROW_ROWS + PAD) + row];
            const float4 w = *(local const float4 *)(local_m + t * (TILE_LANES + PAD) + 4 * quad);
            sum[0] = fma(value, w.x, sum[0]);
            sum[1] = fma(value, w.y, sum[1]);
            sum[2] = fma(value, w.z, sum[2]);
            sum[3] = fma(value, w.w, sum[3]);
        }
        if ((from + STEP) % CHUNK == 0 || from + STEP >= m.terms)
            UNROLL_FOR (int i = 0; i < 4; i++) {
                total[i] = total[i] + sum[i];
                sum[i] = zero;
            }
    }
}

/* The rows' inputs from the chunks of the layer before, where these are not added yet: a part of the units by each item. */
INLINE void narrow_inputs(global const float *partials, global float *workspace,
                          global const float *parameters, gpu_layer_arguments a, uint tile, uint lane,
                          uint lanes) {
    const uint parts = DENSE_ITEMS / NARROW_ROWS, units = (a.outputs + parts - 1) / parts;
    const uint first = (uint)get_local_id(0) / NARROW_ROWS * units;
    const uint end = a.chunks > 1 && lane < lanes ? min(first + units, a.outputs) : first;
    add_forward_chunks(partials, workspace, parameters, a, tile, lane, first, end);
    barrier(CLK_GLOBAL_MEM_FENCE);
}

INLINE void narrow_forward(const int kind, global const float *source, global float *workspace,
                           global const float *parameters, global const float *partials,
                           global const int *labels, global const float *weights, global uint *results,
                           gpu_output_arguments arguments, local float *local_m, local float *local_n,
                           local ulong *numbers) {
    const gpu_layer_arguments a = arguments.layer;
    const uint item = (uint)get_local_id(0), first = (uint)get_group_id(0) * NARROW_ROWS,
               tile = (uint)get_group_id(1);
    const uint lanes = lanes_of_tile(a.rows, tile), rows = rows_of_tile(a.rows, tile);
    const uint lane = first + item % NARROW_ROWS, output = item / NARROW_ROWS * 4;
    const uint terms = first < lanes ? a.inputs : 0;
    global float *to = workspace + tile * a.tile_floats;
    narrow_inputs(partials, workspace, parameters, arguments.before, tile, lane, lanes);
    if (item < NARROW_ROWS) numbers[item] = number_of_lane(a.order, tile, first + item, rows);
    barrier(CLK_LOCAL_MEM_FENCE);
    operand m = {parameters + a.weight, 0, a.stride, 0, terms, a.stride};
    operand n = {source + a.source + tile * a.source_tile, 0, a.width, first, terms, lanes};
    if ((kind & NUMBERED) != 0) n = (operand){source, numbers, a.order.features, first, terms, rows};
    float total[4];
    UNROLL_FOR (int i = 0; i < 4; i++)
        total[i] = parameters[a.bias + min(output + i, a.outputs - 1)];
    narrow_chains(kind, m, n, local_m, local_n, total, a.zero);
    UNROLL_FOR (int i = 0; i < 4; i++)
        if (output + i < a.outputs && lane < lanes)
            to[a.target + (ulong)(output + i) * a.width + lane] = stored_output(a, total[i]);
    barrier(CLK_GLOBAL_MEM_FENCE);
    const uint end = item < NARROW_ROWS && lane < lanes ? a.outputs : 0; /* a work-item for each row */
    tail_place place = {to, a.width, a.outputs, tile, rows};
    forward_tail(place, a.tail, a.target, lane, 0, end);
    if (end > 0) {
        row_place row = {to, lane, rows, a.width, a.outputs, numbers[item]};
        run_loss_steps(row, arguments.steps, labels, weights, results);
    }
}

/* ---- backward ---------------------------------------------------------------------------------------------- */

/* Four inputs of a row from input k on, of which there are `inputs`. */
INLINE float4 narrow_values(const int kind, global const float *source, local const ulong *numbers,
                            gpu_layer_arguments a, uint k, uint row, uint rows) {
    float4 v = (float4)(0.0f);
    if (k >= a.inputs) return v;
    if ((kind & NUMBERED) != 0)
        return row < rows ? load_piece(kind, source + numbers[row] * a.order.features + k, a.inputs - k) : v;
    global const float *p = source + (ulong)k * a.width + row;
    v.x = p[0];
    if (k + 1 < a.inputs) v.y = p[a.width];
    if (k + 2 < a.inputs) v.z = p[2 * a.width];
    if (k + 3 < a.inputs) v.w = p[3 * a.width];
    return v;
}

/*
 * dW of four outputs from `output` on, of a tile: 16 chains a weight, one for each lane, which are folded (contract 3). Each
 * work-item has four inputs of a lane, then folds a weight.
 */
INLINE void narrow_weights(const int kind, global const float *source, local const float *deltas,
                           local const ulong *numbers, local float *scratch, gpu_layer_arguments a,
                           uint first, uint output, uint lanes, uint rows, tile_sum to) {
    const uint item = (uint)get_local_id(0), lane = item % TILE_LANES, four = item / TILE_LANES;
    float sum[4][4];
    UNROLL_FOR (int i = 0; i < 4; i++)
        UNROLL_FOR (int h = 0; h < 4; h++)
            sum[i][h] = a.zero;
    for (uint row = lane; row < lanes; row += TILE_LANES) {
        const float4 v = narrow_values(kind, source, numbers, a, first + 4 * four, row, rows);
        UNROLL_FOR (int h = 0; h < 4; h++) {
            const float delta = deltas[(output + h) * TILE_ROWS + row];
            sum[0][h] = fma(v.x, delta, sum[0][h]);
            sum[1][h] = fma(v.y, delta, sum[1][h]);
            sum[2][h] = fma(v.z, delta, sum[2][h]);
            sum[3][h] = fma(v.w, delta, sum[3][h]);
        }
    }
    UNROLL_FOR (int i = 0; i < 4; i++)
        UNROLL_FOR (int h = 0; h < 4; h++)
            scratch[((4 * four + i) * 4 + h) * FOLD_PITCH + lane] = sum[i][h];
    barrier(CLK_LOCAL_MEM_FENCE);
    const uint k = first + item / 4, h = output + item % 4;
    float16 folded;
    local const float *p = scratch + item * FOLD_PITCH;
    folded = (float16)(p[0], p[1], p[2], p[3], p[4], p[5], p[6], p[7], p[8], p[9], p[10], p[11], p[12], p[13],
                       p[14], p[15]);
    if (k < a.inputs && h < a.outputs)
        add_tile_sum(to, a.weight + (ulong)k * a.stride + h, output / 4 * DENSE_ITEMS + item,
                     fold_lanes(folded));
    barrier(CLK_LOCAL_MEM_FENCE);
}

/* The delta of four inputs from k on: what they read is on its way before the first of them is stored. */
INLINE void narrow_target(global float *tile, local const float *deltas, local const float *weights,
                          gpu_layer_arguments a, uint first, uint k, uint lane) {
    float sum[4], output[4];
    UNROLL_FOR (int i = 0; i < 4; i++) {
        sum[i] = output[i] = a.zero;
        if (a.through_relu) output[i] = tile[a.tail.from + (ulong)min(k + i, a.inputs - 1) * a.width + lane];
    }
    for (uint h = 0; h < a.outputs; h++)
        UNROLL_FOR (int i = 0; i < 4; i++)
            sum[i] = fma(deltas[h * TILE_ROWS + lane], weights[(k + i - first) * TILE_LANES + h], sum[i]);
    UNROLL_FOR (int i = 0; i < 4; i++)
        if (k + i < a.inputs)
            tile[a.target + (ulong)(k + i) * a.width + lane] = stored_delta(a, a.zero + sum[i], output[i]);
}

/* The delta of the group's inputs, lane by lane, and what follows. */
INLINE void narrow_targets(global float *tile, local const float *deltas, local const float *weights,
                           gpu_layer_arguments a, uint first, uint index, uint lanes) {
    const uint end = min(first + NARROW_INPUTS, a.inputs);
    tail_place place = {tile, a.width, a.inputs, index, rows_of_tile(a.rows, index)};
    for (uint lane = (uint)get_local_id(0); lane < lanes; lane += DENSE_ITEMS) {
        for (uint k = first; k < end; k += 4)
            narrow_target(tile, deltas, weights, a, first, k, lane);
        backward_tail(place, a.tail, a.target, lane, first, end);
    }
}

/* A tile's deltas and the numbers of its rows, where they are wanted. */
INLINE void narrow_fetch(const int kind, global const float *delta, gpu_layer_arguments a, uint tile,
                         uint lanes, uint rows, local float *deltas, local ulong *numbers) {
    if ((kind & NUMBERED) != 0) number_rows(a.order, tile * TILE_ROWS, rows, numbers);
    for (uint h = 0; h < TILE_LANES; h++)
        for (uint lane = (uint)get_local_id(0); lane < lanes; lane += DENSE_ITEMS)
            deltas[h * TILE_ROWS + lane] = h < a.outputs ? delta[(ulong)h * a.width + lane] : 0.0f;
}

/* The group's weights, and the derivatives of its inputs, of one tile. */
INLINE void narrow_tile(const int kind, global const float *source, global float *workspace,
                        gpu_narrow_arguments arguments, uint first, uint tile, local float *deltas,
                        local const float *weights, local float *scratch, local ulong *numbers, tile_sum to) {
    const gpu_layer_arguments a = arguments.layer;
    const uint rows = first < a.inputs ? rows_of_tile(a.rows, tile) : 0;
    const uint lanes = first < a.inputs ? lanes_of_tile(a.rows, tile) : 0;
    global float *at = workspace + tile * a.tile_floats;
    barrier(CLK_LOCAL_MEM_FENCE);
    narrow_fetch(kind, at + arguments.delta, a, tile, lanes, rows, deltas, numbers);
    barrier(CLK_LOCAL_MEM_FENCE);
    uint h = 0;
    do {
        narrow_weights(kind, source + ((kind & NUMBERED) != 0 ? 0 : a.source + tile * a.source_tile), deltas,
                       numbers, scratch, a, first, h, lanes, rows, to);
        h += 4;
    } while (h < a.outputs);
    if (arguments.with_target) narrow_targets(at, deltas, weights, a, first, tile, lanes);
}

/* The parameters of the group, or the bias, and the loss, once the slot holds the sums of a whole step. */
INLINE void narrow_step_end(global float *slot, step_memories memories, gpu_narrow_arguments arguments,
                            uint first) {
    const gpu_layer_arguments a = arguments.layer;
    const int has_sums = first >= a.inputs;
    const uint lines = has_sums ? 1 : min(a.inputs - first, (uint)NARROW_INPUTS);
    update_range(slot, memories, arguments.update, has_sums ? a.bias : a.weight + (ulong)first * a.stride,
                 lines * a.stride, !has_sums);
    if (has_sums && arguments.sums_loss) give_loss(slot + arguments.loss, memories, arguments.update);
}

INLINE void narrow_backward(const int kind, global const float *source, global float *workspace,
                            global float *slots, step_memories memories, gpu_narrow_arguments arguments,
                            local float *deltas, local float *weights, local float *scratch,
                            local float *pairs, local ulong *numbers) {
    const gpu_layer_arguments a = arguments.layer;
    const uint item = (uint)get_local_id(0), first = (uint)get_group_id(0) * NARROW_INPUTS;
    const uint first_tile = (uint)get_group_id(1) * arguments.tiles;
    const uint rows = rows_of_slot(a.rows, first_tile, arguments.tiles);
    global float *at = workspace + first_tile * a.tile_floats;
    global float *slot = slots + get_group_id(1) * arguments.slot_floats;
    const int has_sums = first >= a.inputs;
    const tile_lines bias = {at + arguments.delta, a.tile_floats, a.width, rows};
    const tile_lines losses = {at + arguments.losses, a.tile_floats, a.width, rows};
    sum_lines(bias, slot + a.bias, has_sums ? a.outputs : 0, scratch, a.zero);
    sum_lines(losses, slot + arguments.loss, has_sums && arguments.sums_loss, scratch, a.zero);
    for (uint i = item; i < NARROW_INPUTS * TILE_LANES; i += DENSE_ITEMS) {
        const uint k = first + i / TILE_LANES, h = i % TILE_LANES;
        weights[i] =
            k < a.inputs && h < a.outputs ? memories.parameters[a.weight + (ulong)k * a.stride + h] : 0.0f;
    }
    uint row = 0;
    do {
        const tile_sum to = {slot, pairs, row / TILE_ROWS, row + TILE_ROWS >= rows};
        narrow_tile(kind, source, workspace, arguments, first, first_tile + to.index, deltas, weights,
                    scratch, numbers, to);
        row += TILE_ROWS;
    } while (row < rows);
    barrier(CLK_GLOBAL_MEM_FENCE);
    if (arguments.update.is_whole) narrow_step_end(slot, memories, arguments, first);
}

#define SOURCE tiles
#define KIND 0
#define VALUES 0
#include "kernels/gpu/narrow.inc"

#define SOURCE rows
#define KIND (TURNED | NUMBERED)
#define VALUES NUMBERED
#include "kernels/gpu/narrow.inc"

#define SOURCE loose
#define KIND (TURNED | NUMBERED | LOOSE)
#define VALUES (NUMBERED | LOOSE)
#include "kernels/gpu/narrow.inc"
