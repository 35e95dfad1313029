/*
 * The perceptron: one output, no hidden layer (logistic and linear regression), where 16 lanes lie in one real. Memory
 * bounds it, so forward, loss, delta and gradient of 128 lanes follow one another while these are in the cache, and a
 * work-item adds up a group of tiles: the data set is read once a step. The order of every sum is that of the single
 * kernels (dense.cl, loss.cl, reduce.cl). See perceptron.c.
 */
#include "kernels/apply.h"
#include "kernels/arguments/perceptron.h"
#include "kernels/cpu/assemble.h"
#include "kernels/cpu/levels.h"
#include "kernels/cpu/row_deltas.h"
#include "kernels/loss_rows.h"

typedef struct perceptron_model {
    global const float *weight;
    float bias, zero;
    uint features;
    row_loss loss;
    uint labels_ahead; /* rows from those that are worked on to those whose labels are asked for */
} perceptron_model;

/* The labels of 16 rows of which `used` are there. */
static inline int16 row_labels(global const int *label, int used) {
    if (used >= 16) return vload16(0, label);
    int values[16];
    for (int i = 0; i < 16; i++)
        values[i] = i < used ? label[i] : 0;
    return vload16(0, values);
}

/* Asks for line `k` of those that `columns` columns ask for together. */
INLINE void ask_for_lines(const int columns, global const float *ahead, uint k) {
    UNROLL_FOR (int c = 0; c < columns; c++)
        ASK_FOR(ahead + ((ulong)k * columns + c) * 16);
}

/* The v-th vector of line k of the columns from x on, which lie `apart` floats apart. */
#define LINE(v) load_16(0, x + (v) / 2 * apart + k * COLUMN_LANES + (v) % 2 * 16)

/*
 * Binary cross-entropy of vectors that are all rows: loops of few operations each, so that the processor's window holds the
 * chains of many rows. Returns which classes were right, if losses are asked for, too.
 */
static inline int16 binary_deltas(perceptron_model model, const float16 *z, global const int *label,
                                  int vectors, float16 *losses, float16 *delta) {
    float16 e[8], y[8];
    int16 right = (int16)(0);
    for (int v = 0; v < vectors; v++) {
        int16 bits = as_int16(load_16(v, (global const float *)label));
        y[v] = model.loss.is_class ? convert_float16(bits) : as_float16(bits);
        e[v] = exp_decay(z[v]);
    }
    for (int v = 0; v < vectors; v++)
        delta[v] = loss_binary_delta_from(z[v], y[v], e[v]);
    if (!model.loss.with_loss) return right;
    for (int v = 0; v < vectors; v++)
        losses[v] = loss_binary_from(z[v], y[v], e[v]);
    if (model.loss.is_class)
        for (int v = 0; v < vectors; v++)
            right = right + ((z[v] > 0.0f) == (y[v] == 1.0f));
    return right;
}

/*
 * Losses and deltas of vectors of which `used` rows are there; asks for labels as far ahead as for what lies beside them.
 * Returns which classes were right.
 */
static inline int16 block_deltas(perceptron_model model, const float16 *z, global const int *label, int used,
                                 int vectors, float16 *losses, float16 *delta) {
    int16 correct = (int16)(0), right;
    global const int *next = label + vectors * 16 + model.labels_ahead;
    for (int v = 0; v < vectors; v++)
        ASK_FOR(next + v * 16);
    if (used >= vectors * 16 && !model.loss.squared)
        return binary_deltas(model, z, label, vectors, losses, delta);
    for (int v = 0; v < vectors; v++) {
        int there = used - v * 16;
        losses[v] = (float16)(0.0f);
        delta[v] = row_deltas(model.loss, z[v], row_labels(label + v * 16, there), there, losses + v, &right);
        correct = correct + right;
    }
    return correct;
}

/* Adds vectors to a line of the lane sums. */
static inline void add_vectors(const float16 *values, int vectors, global float *lanes) {
    float16 sum = load_16(0, lanes);
    for (int v = 0; v < vectors; v++)
        sum = sum + values[v];
    store_16(sum, 0, lanes);
}

#define COLUMNS 1
#include "kernels/cpu/perceptron.inc"

#define COLUMNS 2
#include "kernels/cpu/perceptron.inc"

#define COLUMNS 4
#include "kernels/cpu/perceptron.inc"

/* A tile of `used` rows as lane sums. */
static inline int16 add_tile(perceptron_model model, global const float *x, global const int *label,
                             uint used, global float *lanes) {
    int16 correct = (int16)(0);
    uint most = model.features <= FEW_FEATURES         ? 4
                : model.features < LEAST_PAIR_FEATURES ? 1
                                                       : 2,
         columns = 0;
    for (uint i = 0; i < model.features + 2; i++)
        store_16((float16)(model.zero), i, lanes);
    for (uint lane = 0; lane < used; lane += columns * COLUMN_LANES) {
        global const float *from = x + (ulong)lane * model.features;
        columns = used - lane > (most - 1) * COLUMN_LANES ? most : 1;
        if (columns == 4)
            correct = correct + add_columns_4(model, from, label + lane, used - lane, lanes);
        else if (columns == 2)
            correct = correct + add_columns_2(model, from, label + lane, used - lane, lanes);
        else
            correct = correct + add_columns_1(model, from, label + lane, used - lane, lanes);
    }
    return correct;
}

/*
 * row[i] of the rows of a tile, whose batch starts at first_row of the epoch's order, in groups of 16 of which the last is
 * filled up with some row.
 */
static inline void find_rows(const row_order *order, order_keys *keys, uint epoch, ulong first_row, uint rows,
                             uint tile, ulong *row) {
    uint used = rows_of_tile(rows, tile);
    ulong first = first_row + (ulong)tile * TILE_ROWS;
    for (uint lane = 0; lane < used; lane += 16)
        find_sixteen(order, keys, epoch, first + lane, used - lane, row + lane);
}

/* Makes a tile of `used` rows as columns (features, 32), and their labels; asks for as many of the next tile's rows. */
static inline void assemble_tile(global const float *features, uint count, global const int *labels,
                                 const ulong *row, uint used, const ulong *next, uint next_used,
                                 global float *x, global int *label) {
    for (uint lane = 0; lane < used || lane < next_used; lane += 16) {
        for (uint i = lane; i < lane + 16 && i < next_used; i++)
            ask_for_row(features, count, labels, next[i]);
        if (lane >= (used + 31) / 32 * 32) continue;
        int there = (int)used - (int)lane;
        assemble_rows(features, count, row + lane, there, COLUMN_LANES,
                      x + (ulong)(lane & ~31u) * count + (lane & 31));
        for (int i = 0; i < 16; i++)
            label[lane + i] = i < there ? labels[row[lane + i]] : 0;
    }
}

/* The update of all parameters, the sums of whose gradients lie in a slot, loss last; as the kernel `update`. */
static inline void update_all(update_target target, ulong bias, global float *slot, global uint *result) {
    for (ulong i = 0; i < target.floats; i += 16) {
        float16 sum = load_16(0, slot + i);
        if (apply_update(target, i, &sum, (float16)(1.0f), i < bias)) result[2] = 1;
        store_16(sum, 0, slot + i);
    }
    result[0] = as_uint(slot[target.floats]);
}

/*
 * Work-item (group of `group` tiles of a wave). Where that is all of a step, it updates the parameters too (`updates`),
 * and goes on with the next of `steps` steps. Tiles are (8 columns, features, 32), fewer columns where they have fewer
 * rows: `input` holds all of an epoch where is_stored is set, else one for each work-item, which assembles its rows there.
 * scratch: for each, the lane sums (features + 2, 16), their sums, the levels, and labels.
 */
kernel void perceptron(global float *input, global const float *features, global const int *labels,
                       global float *parameters, global float *state, global const update_rates *rates,
                       global float *slots, global float *scratch, global uint *results,
                       perceptron_arguments a) {
    uint item = (uint)get_global_id(0), lines = (a.features + 2 + 15) / 16 * 16, current = 0;
    global float *lanes = scratch + item * a.scratch_floats, *sums = lanes + (ulong)(a.features + 2) * 16;
    global float *own = input + item * a.input_tile, *slot = slots + item * a.slot_floats;
    global int *own_labels = (global int *)(lanes + a.scratch_floats - TILE_ROWS);
    ulong row[2][TILE_ROWS], first_row = a.first_row, first_tile = a.first_tile;
    uint rows = a.rows, epoch = a.epoch;
    order_keys keys = {.is_known = 0};
    if (!a.is_stored) find_rows(&a.order, &keys, epoch, first_row, rows, item * a.group, row[0]);
    for (uint step = 0; step < a.steps; step++) {
        perceptron_model model = {.weight = parameters + a.weight,
                                  .bias = parameters[a.bias],
                                  .zero = a.zero,
                                  .features = a.features,
                                  .loss = {a.squared, a.loss.is_class, a.loss.sigmoid, a.with_loss},
                                  .labels_ahead = AHEAD / a.features};
        uint tiles = (rows + TILE_ROWS - 1) / TILE_ROWS - item * a.group, next_epoch = epoch,
             next_rows = rows;
        ulong next_row = first_row + a.batch_rows;
        int16 correct = (int16)(0);
        if (a.updates && next_row >= a.order.rows) next_row = 0, next_epoch++;
        if (a.updates) next_rows = (uint)min(a.order.rows - next_row, a.batch_rows);
        if (tiles > a.group) tiles = a.group;
        for (uint index = 0; index < tiles; index++) {
            uint tile = item * a.group + index, used = rows_of_tile(rows, tile), next_used = 0;
            global const float *x = input + (first_tile + tile) * a.input_tile;
            global const int *label = labels + first_row + (ulong)tile * TILE_ROWS;
            if (!a.is_stored) {
                if (index + 1 < tiles) {
                    next_used = rows_of_tile(rows, tile + 1);
                    find_rows(&a.order, &keys, epoch, first_row, rows, tile + 1, row[1 - current]);
                } else if (step + 1 < a.steps) {
                    next_used = rows_of_tile(next_rows, 0);
                    find_rows(&a.order, &keys, next_epoch, next_row, next_rows, 0, row[1 - current]);
                }
                assemble_tile(features, a.features, labels, row[current], used, row[1 - current], next_used,
                              own, own_labels);
                x = own;
                label = own_labels;
                current = 1 - current;
            }
            correct = correct + add_tile(model, x, label, used, lanes);
            for (uint i = 0; i < a.features + 2; i++)
                sums[i] = fold_lanes(load_16(i, lanes));
            add_to_tree(sums, sums + lines, lines, index, index + 1 == tiles);
        }
        for (uint i = 0; i < a.features; i++)
            slot[a.weight + i] = sums[i];
        slot[a.bias] = sums[a.features];
        slot[a.slot_floats - 16] = sums[a.features + 1];
        if (a.loss.is_class) atomic_add(results + 3 * (a.result + step) + 1, count_true(correct));
        if (!a.updates) return;
        update_target target = {
            parameters,         state,
            a.slot_floats - 16, rows == a.batch_rows ? a.inverse_rows : a.last_inverse_rows,
            a.update,           rates[a.result + step]};
        update_all(target, a.bias, slot, results + 3 * (a.result + step));
        first_tile = next_row == 0 ? 0 : first_tile + (a.batch_rows + TILE_ROWS - 1) / TILE_ROWS;
        first_row = next_row;
        rows = next_rows;
        epoch = next_epoch;
    }
}
