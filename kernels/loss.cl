/* Losses and their deltas, one lane a row. Work-item (lanes, tile). See loss.c; the formulas are in loss.h. */
#include "kernels/loss_rows.h"

#define FOR_LANES(lane, lanes)                                                                                       \
    for (uint lane = (uint)get_global_id(0) * VECTOR; lane < lanes; lane += (uint)get_global_size(0) * VECTOR)

kernel void loss_binary_crossentropy(global float *workspace, ulong source, ulong losses, ulong target,
                                     ulong tile_floats, uint width, uint rows, global const int *label,
                                     int with_delta, global uint *results, uint step, float half_smoothing,
                                     int smooth) {
    uint tile = (uint)get_global_id(1), lanes = lanes_of_tile(rows, tile), used = rows_of_tile(rows, tile);
    global float *values = workspace + tile * tile_floats;
    FOR_LANES(lane, lanes) {
        real z = load_real(values + source + lane), losses_of_rows;
        integer class = load_integer(label + tile * TILE_ROWS + lane);
        real delta = binary_rows(z, to_real(class), smooth, half_smoothing, &losses_of_rows);
        store_real(clear_unused(losses_of_rows, lane, used), values + losses + lane);
        add_correct(results, step, ((z > 0.0f) == (class == 1)) & holds_row(lane, used));
        if (with_delta) store_real(clear_unused(delta, lane, used), values + target + lane);
    }
}

kernel void loss_categorical_crossentropy(global float *workspace, ulong source, ulong losses, ulong target,
                                          ulong tile_floats, uint width, uint rows, global const int *label,
                                          int with_delta, global uint *results, uint step, uint outputs, float on,
                                          float off, float rest, float entropy, float zero) {
    uint tile = (uint)get_global_id(1), lanes = lanes_of_tile(rows, tile), used = rows_of_tile(rows, tile);
    global float *values = workspace + tile * tile_floats;
    class_labels labels = {on, off, rest, entropy};
    FOR_LANES(lane, lanes) {
        integer class = load_integer(label + tile * TILE_ROWS + lane), right;
        real row_losses;
        categorical_rows(values + source + lane, values + target + lane, with_delta, outputs, width, class, labels,
                         holds_row(lane, used), &row_losses, &right, zero);
        store_real(row_losses, values + losses + lane);
        add_correct(results, step, right);
    }
}

kernel void softmax(global float *workspace, ulong source, ulong target, ulong tile_floats, uint width, uint rows,
                    uint outputs, float zero) {
    uint tile = (uint)get_global_id(1), lanes = lanes_of_tile(rows, tile), used = rows_of_tile(rows, tile);
    global float *values = workspace + tile * tile_floats;
    FOR_LANES(lane, lanes) {
        global float *result = values + target + lane;
        integer best;
        real maximum = find_maximum(values + source + lane, outputs, width, &best);
        real sum = sum_exponentials(values + source + lane, result, 1, outputs, width, maximum, zero);
        real scale = exact_reciprocal(sum);
        for (uint c = 0; c < outputs; c++) {
            real p = canonical(load_real(result + (ulong)c * width) * scale);
            store_real(clear_unused(p, lane, used), result + (ulong)c * width);
        }
    }
}

/* is_class: labels are classes 0 and 1, else the bits of float targets. sigmoid: the output function. */
kernel void loss_mse(global float *workspace, ulong source, ulong losses, ulong target, ulong tile_floats, uint width,
                     uint rows, global const int *label, int with_delta, global uint *results, uint step,
                     int is_class, int sigmoid) {
    uint tile = (uint)get_global_id(1), lanes = lanes_of_tile(rows, tile), used = rows_of_tile(rows, tile);
    global float *values = workspace + tile * tile_floats;
    FOR_LANES(lane, lanes) {
        real z = load_real(values + source + lane);
        integer bits = load_integer(label + tile * TILE_ROWS + lane);
        real y = is_class ? to_real(bits) : as_real(bits);
        real output = sigmoid ? activation_sigmoid(z) : z;
        store_real(clear_unused(loss_squared(output, y), lane, used), values + losses + lane);
        real threshold = (real)(sigmoid ? 0.0f : 0x1p-1f);
        if (is_class) add_correct(results, step, ((z > threshold) == (bits == 1)) & holds_row(lane, used));
        if (!with_delta) continue;
        real delta = loss_squared_delta(output, y);
        delta = flush_tiny(sigmoid ? activation_sigmoid_backward(delta, output) : delta);
        store_real(clear_unused(delta, lane, used), values + target + lane);
    }
}

kernel void loss_elements(global float *workspace, ulong source, ulong losses, ulong target, ulong tile_floats,
                          uint width, uint rows, global const int *label, int with_delta, global uint *results,
                          uint step, uint outputs, uint targets, int is_class, int kind, float parameter, float mean,
                          float zero) {
    uint tile = (uint)get_global_id(1), lanes = lanes_of_tile(rows, tile), used = rows_of_tile(rows, tile);
    global float *values = workspace + tile * tile_floats;
    element_loss loss = {kind, parameter, mean};
    FOR_LANES(lane, lanes) {
        global const int *labels = label + ((ulong)tile * TILE_ROWS + lane) * targets;
        integer right, bits = (integer)(0);
        real row_losses;
        if (targets == 1) bits = load_integer(labels);
        element_rows(loss, values + source + lane, values + target + lane, with_delta, outputs, width, is_class, labels,
                     targets, bits, holds_row(lane, used), &row_losses, &right, zero);
        store_real(row_losses, values + losses + lane);
        add_correct(results, step, right);
    }
}
