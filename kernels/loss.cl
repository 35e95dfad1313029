/* Losses and their deltas, one lane a row. Work-item (lanes, tile). See loss.c; the formulas are in loss.h. */
#include "kernels/loss.h"
#include "kernels/tile.h"

/* How many lanes are true; a sum of conditions counts as often. */
#if VECTOR == 1
static inline uint count_true(integer condition) {
    return condition != 0;
}
#else
static inline uint count_true(integer condition) {
    int8 by_8 = condition.lo + condition.hi;
    int4 by_4 = by_8.lo + by_8.hi;
    int2 by_2 = by_4.lo + by_4.hi;
    return (uint)(-(by_2.lo + by_2.hi)); /* a true lane is -1 */
}
#endif

/* Counts are integers, so their order does not matter. */
static inline void add_correct(global uint *results, uint step, integer condition) {
    uint correct = count_true(condition);
    if (correct > 0) atomic_add(results + 3 * step + 1, correct);
}

/* All bits (a vector) or 1 (a scalar) in the lanes that hold a row. */
static inline integer holds_row(uint lane, uint rows) {
    return (integer)((int)lane) + lane_numbers() < (integer)((int)rows);
}

#define FOR_LANES(lane, lanes)                                                                                       \
    for (uint lane = (uint)get_global_id(0) * VECTOR; lane < lanes; lane += (uint)get_global_size(0) * VECTOR)

kernel void loss_binary_crossentropy(global float *workspace, ulong source, ulong losses, ulong target,
                                     ulong tile_floats, uint width, uint rows, global const int *label,
                                     int with_delta, global uint *results, uint step) {
    uint tile = (uint)get_global_id(1), lanes = lanes_of_tile(rows, tile), used = rows_of_tile(rows, tile);
    global float *values = workspace + tile * tile_floats;
    FOR_LANES(lane, lanes) {
        real z = load_real(values + source + lane);
        integer class = load_integer(label + tile * TILE_ROWS + lane);
        real y = to_real(class);
        store_real(clear_unused(loss_binary(z, y), lane, used), values + losses + lane);
        add_correct(results, step, ((z > 0.0f) == (class == 1)) & holds_row(lane, used));
        if (with_delta) store_real(clear_unused(loss_binary_delta(z, y), lane, used), values + target + lane);
    }
}

/* maximum over the classes and the first class that has it. */
static inline real find_maximum(global const float *z, uint outputs, uint width, integer *best) {
    real maximum = load_real(z);
    *best = (integer)(0);
    for (uint c = 1; c < outputs; c++) {
        real value = load_real(z + (ulong)c * width);
        integer greater = value > maximum;
        maximum = choose(greater, value, maximum);
        *best = greater ? (integer)((int)c) : *best;
    }
    return maximum;
}

/* Sum over classes of exp(z - maximum), in chunks like a dense sum; the terms go to `terms` unless keep is 0. */
static inline real sum_exponentials(global const float *z, global float *terms, int keep, uint outputs, uint width,
                                    real maximum, float zero) {
    real total = (real)(zero);
    for (uint from = 0; from < outputs; from += CHUNK) {
        uint to = from + CHUNK < outputs ? from + CHUNK : outputs;
        real sum = (real)(zero);
        for (uint c = from; c < to; c++) {
            real e = exact_exp_nonpositive(load_real(z + (ulong)c * width) - maximum);
            sum = sum + e;
            if (keep) store_real(e, terms + (ulong)c * width);
        }
        total = total + sum;
    }
    return total;
}

/* Losses and, with_delta, deltas of VECTOR rows, whose classes lie `width` floats apart, and which class was right. */
static inline void categorical_rows(global const float *z, global float *delta, int with_delta, uint outputs,
                                    uint width, integer class, integer is_used, real *losses, integer *right,
                                    float zero) {
    integer best;
    real maximum = find_maximum(z, outputs, width, &best);
    real sum = sum_exponentials(z, delta, with_delta, outputs, width, maximum, zero);
    real scale = exact_reciprocal(sum), true_logit = (real)(zero);
    for (uint c = 0; c < outputs; c++) {
        integer is_true = class == (integer)((int)c);
        true_logit = choose(is_true, load_real(z + (ulong)c * width), true_logit);
        if (!with_delta) continue;
        real e = load_real(delta + (ulong)c * width);
        real d = loss_categorical_delta(e, scale, choose(is_true, 0x1p+0f, 0.0f));
        store_real(choose(is_used, d, 0.0f), delta + (ulong)c * width);
    }
    *losses = choose(is_used, loss_categorical(sum, maximum, true_logit), 0.0f);
    *right = (best == class) & is_used;
}

kernel void loss_categorical_crossentropy(global float *workspace, ulong source, ulong losses, ulong target,
                                          ulong tile_floats, uint width, uint rows, global const int *label,
                                          int with_delta, global uint *results, uint step, uint outputs,
                                          float zero) {
    uint tile = (uint)get_global_id(1), lanes = lanes_of_tile(rows, tile), used = rows_of_tile(rows, tile);
    global float *values = workspace + tile * tile_floats;
    FOR_LANES(lane, lanes) {
        integer class = load_integer(label + tile * TILE_ROWS + lane), right;
        real row_losses;
        categorical_rows(values + source + lane, values + target + lane, with_delta, outputs, width, class,
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
