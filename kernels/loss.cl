/* Losses and their deltas, one lane a row. Work-item (lanes, tile). See loss.c; the formulas are in loss.h. */
#include "kernels/arguments/loss.h"
#include "kernels/loss_rows.h"

#define FOR_LANES(lane, lanes) \
    for (uint lane = (uint)get_global_id(0) * VECTOR; lane < lanes; lane += (uint)get_global_size(0) * VECTOR)

/*
 * Where the labels of VECTOR rows begin. Vectors are given labels for every lane; as scalars, those behind the last row
 * take the first one's, which nothing uses.
 */
INLINE ulong labelled_row(loss_arguments a, uint tile, uint lane, uint used) {
#if VECTOR == 1
    if (lane >= used) return a.first_row;
#endif
    return a.first_row + (ulong)tile * TILE_ROWS + lane;
}

kernel void loss_binary_crossentropy(global float *workspace, global const int *label, global uint *results,
                                     loss_arguments a) {
    uint tile = (uint)get_global_id(1), lanes = lanes_of_tile(a.rows, tile),
         used = rows_of_tile(a.rows, tile);
    global float *values = workspace + tile * a.tile_floats;
    FOR_LANES(lane, lanes) {
        real z = load_real(values + a.source + lane), losses_of_rows;
        integer class = load_integer(label + labelled_row(a, tile, lane, used));
        real delta = binary_rows(z, to_real(class), a.rule, &losses_of_rows);
        store_real(clear_unused(losses_of_rows, lane, used), values + a.losses + lane);
        add_correct(results, a.step, ((z > 0.0f) == (class == 1)) & holds_row(lane, used));
        if (a.with_delta) store_real(clear_unused(delta, lane, used), values + a.target + lane);
    }
}

kernel void loss_categorical_crossentropy(global float *workspace, global const int *label,
                                          global uint *results, loss_arguments a) {
    uint tile = (uint)get_global_id(1), lanes = lanes_of_tile(a.rows, tile),
         used = rows_of_tile(a.rows, tile);
    global float *values = workspace + tile * a.tile_floats;
    FOR_LANES(lane, lanes) {
        integer class = load_integer(label + labelled_row(a, tile, lane, used)), right;
        real row_losses;
        categorical_rows(a.rule, values + a.source + lane, values + a.target + lane, a.with_delta, a.width,
                         class, holds_row(lane, used), &row_losses, &right, a.zero);
        store_real(row_losses, values + a.losses + lane);
        add_correct(results, a.step, right);
    }
}

kernel void softmax(global float *workspace, softmax_arguments a) {
    uint tile = (uint)get_global_id(1), lanes = lanes_of_tile(a.rows, tile),
         used = rows_of_tile(a.rows, tile);
    global float *values = workspace + tile * a.tile_floats;
    FOR_LANES(lane, lanes) {
        global const float *z = values + a.source + lane;
        global float *result = values + a.target + lane;
        integer best;
        real maximum = find_maximum(z, a.outputs, a.width, &best);
        real sum = sum_exponentials(z, result, 1, a.outputs, a.width, maximum, a.zero);
        real scale = exact_reciprocal(sum);
        for (uint c = 0; c < a.outputs; c++) {
            real p = canonical(load_real(result + (ulong)c * a.width) * scale);
            store_real(clear_unused(p, lane, used), result + (ulong)c * a.width);
        }
    }
}

kernel void loss_mse(global float *workspace, global const int *label, global uint *results,
                     loss_arguments a) {
    uint tile = (uint)get_global_id(1), lanes = lanes_of_tile(a.rows, tile),
         used = rows_of_tile(a.rows, tile);
    global float *values = workspace + tile * a.tile_floats;
    FOR_LANES(lane, lanes) {
        real z = load_real(values + a.source + lane), row_losses;
        integer bits = load_integer(label + labelled_row(a, tile, lane, used)), right;
        real delta = squared_rows(z, bits, a.rule, &row_losses, &right);
        store_real(clear_unused(row_losses, lane, used), values + a.losses + lane);
        add_correct(results, a.step, right & holds_row(lane, used));
        if (a.with_delta) store_real(clear_unused(delta, lane, used), values + a.target + lane);
    }
}

kernel void loss_elements(global float *workspace, global const int *label, global uint *results,
                          loss_arguments a) {
    uint tile = (uint)get_global_id(1), lanes = lanes_of_tile(a.rows, tile),
         used = rows_of_tile(a.rows, tile);
    global float *values = workspace + tile * a.tile_floats;
    FOR_LANES(lane, lanes) {
        global const int *labels = label + labelled_row(a, tile, lane, used) * a.rule.targets;
        integer right, bits = (integer)(0);
        real row_losses;
        if (a.rule.targets == 1) bits = load_integer(labels);
        element_rows(a.rule, values + a.source + lane, values + a.target + lane, a.with_delta, a.width,
                     labels, bits, holds_row(lane, used), &row_losses, &right, a.zero);
        store_real(row_losses, values + a.losses + lane);
        add_correct(results, a.step, right);
    }
}
