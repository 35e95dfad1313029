/*
 * The perceptron: one output, no hidden layer (logistic and linear regression), where 16 lanes lie in one real. Memory
 * bounds it, so forward, loss, delta and gradient of 128 lanes follow one another while these are in the cache, and a
 * work-item adds up a group of tiles: the data set is read once a step. The order of every sum is that of the single
 * kernels (dense.cl, loss.cl, reduce.cl). See perceptron.c.
 */
#include "kernels/loss.h"
#include "kernels/tile.h"

#if VECTOR == 16

#define MOST_TOGETHER 128 /* features: of more, 128 lanes leave the first-level cache before the gradient */

/*
 * The hardware's own prefetching pauses while a delta is computed: so the loops ask for what lies this far ahead.
 * PoCL's prefetch() does nothing; the compiler's own is known to work there, and only there.
 */
#define AHEAD 4096
#ifdef POCL_DEVICE_ADDRESS_BITS
#define ASK_FOR(p) __builtin_prefetch((const private void *)(ulong)(p))
#else
#define ASK_FOR(p)
#endif

typedef struct perceptron_model {
    global const float *weight;
    float bias, zero;
    uint features;
    int squared, is_class, sigmoid, with_loss;
} perceptron_model;

/* The labels of 16 rows of which `used` are there. */
static inline int16 row_labels(global const int *label, int used) {
    if (used >= 16) return vload16(0, label);
    int values[16];
    for (int i = 0; i < 16; i++)
        values[i] = i < used ? label[i] : 0;
    return vload16(0, values);
}

/* Losses and deltas of 16 rows, and which classes were right. */
static inline float16 row_deltas(perceptron_model model, float16 z, int16 bits, int used, float16 *losses,
                                 int16 *right) {
    float16 y = model.is_class ? convert_float16(bits) : as_float16(bits), delta;
    float threshold = model.squared && !model.sigmoid ? 0x1p-1f : 0.0f;
    int16 is_used = lane_numbers() < (int16)(used);
    *right = model.is_class ? ((z > threshold) == (bits == 1)) & is_used : (int16)(0);
    if (model.squared) {
        float16 output = model.sigmoid ? activation_sigmoid(z) : z;
        *losses = loss_squared(output, y);
        delta = loss_squared_delta(output, y);
        delta = flush_tiny(model.sigmoid ? activation_sigmoid_backward(delta, output) : delta);
    } else {
        if (model.with_loss) *losses = loss_binary(z, y);
        delta = loss_binary_delta(z, y);
    }
    *losses = choose(is_used, *losses, 0.0f);
    return choose(is_used, delta, 0.0f);
}

/*
 * Adds VECTORS * 16 rows, of which `used` are there, to the lane sums (features + 2, 16), bias and loss last; where
 * `first` is set these begin. x: columns (features, 32). Returns the rows whose class was right, negative, in lanes.
 */
#define DEFINE_ROWS(name, VECTORS)                                                                                   \
    static inline int16 name(perceptron_model model, global const float *x, global const int *label, uint used,     \
                             int first, global float *lanes) {                                                       \
        float16 total[VECTORS], sum[VECTORS], loss = (float16)(model.zero), bias = loss;                             \
        int16 correct = (int16)(0);                                                                                  \
        ulong apart = (ulong)model.features * COLUMN;                                                                \
        _Pragma("unroll") for (int v = 0; v < VECTORS; v++) total[v] = (float16)(model.bias);                        \
        for (uint from = 0; from < model.features; from += CHUNK) {                                                  \
            uint to = from + CHUNK < model.features ? from + CHUNK : model.features;                                 \
            _Pragma("unroll") for (int v = 0; v < VECTORS; v++) sum[v] = (float16)(model.zero);                      \
            for (uint k = from; k < to; k++) {                                                                       \
                float16 w = (float16)(model.weight[k]);                                                              \
                _Pragma("unroll") for (int v = 0; v < VECTORS; v++) {                                                \
                    global const float *line = x + v / 2 * apart + k * COLUMN + v % 2 * 16;                          \
                    ASK_FOR(line + AHEAD);                                                                           \
                    sum[v] = fma(vload16(0, line), w, sum[v]);                                                       \
                }                                                                                                    \
            }                                                                                                        \
            _Pragma("unroll") for (int v = 0; v < VECTORS; v++) total[v] = total[v] + sum[v];                        \
        }                                                                                                            \
        global float *bias_lanes = lanes + (ulong)model.features * 16;                                               \
        if (!first) bias = vload16(0, bias_lanes), loss = vload16(1, bias_lanes);                                    \
        _Pragma("unroll") for (int v = 0; v < VECTORS; v++) {                                                        \
            int there = (int)used - v * 16;                                                        \
            float16 losses = (float16)(0.0f);                                                                        \
            int16 right;                                                                                             \
            sum[v] = row_deltas(model, canonical(total[v]), row_labels(label + v * 16, there), there, &losses,       \
                                &right);                                                                             \
            bias = bias + sum[v];                                                                                    \
            loss = loss + losses;                                                                                    \
            correct = correct + right;                                                                               \
        }                                                                                                            \
        vstore16(bias, 0, bias_lanes);                                                                               \
        vstore16(loss, 1, bias_lanes);                                                                               \
        for (uint k = 0; k < model.features; k++) {                                                                  \
            float16 gradient = first ? (float16)(model.zero) : vload16(k, lanes);                                    \
            _Pragma("unroll") for (int v = 0; v < VECTORS; v++) {                                                    \
                global const float *line = x + v / 2 * apart + k * COLUMN + v % 2 * 16;                              \
                ASK_FOR(line + AHEAD);                                                                               \
                gradient = fma(vload16(0, line), sum[v], gradient);                                                  \
            }                                                                                                        \
            vstore16(gradient, k, lanes);                                                                            \
        }                                                                                                            \
        return correct;                                                                                              \
    }

DEFINE_ROWS(add_eight, 8)
DEFINE_ROWS(add_two, 2)

/* A tile of `used` rows as lane sums. */
static inline int16 add_tile(perceptron_model model, global const float *x, global const int *label, uint used,
                             global float *lanes) {
    int16 correct = (int16)(0);
    for (uint lane = 0; lane < used;) {
        global const float *from = x + (ulong)lane * model.features;
        if (used - lane >= 128 && model.features <= MOST_TOGETHER) {
            correct = correct + add_eight(model, from, label + lane, used - lane, lane == 0, lanes);
            lane += 128;
        } else {
            correct = correct + add_two(model, from, label + lane, used - lane, lane == 0, lanes);
            lane += 32;
        }
    }
    return correct;
}

/*
 * Adds a tile's folded sums to the binary counter (contract 4): they take in what waits on the levels below, and the
 * last takes in all that waits, else the sum waits on its level. Sums and levels are `floats` apart, a multiple of 16.
 */
static inline void add_to_tree(global float *sums, global float *levels, uint floats, uint index, int last) {
    uint level = 0;
    for (; last ? index >> level != 0 : index >> level & 1; level++) {
        if ((index >> level & 1) == 0) continue;
        global const float *below = levels + (ulong)level * floats;
        for (uint i = 0; i < floats / 16; i++)
            vstore16(vload16(i, below) + vload16(i, sums), i, sums);
    }
    if (last) return;
    for (uint i = 0; i < floats / 16; i++)
        vstore16(vload16(i, sums), i, levels + (ulong)level * floats);
}

/*
 * Work-item (group of `group` tiles). scratch: for each, the lane sums (features + 2, 16), their sums and the levels.
 * label: of row 0 of the wave. A tile is 8 columns (features, 32), or fewer where it has fewer rows.
 */
kernel void perceptron(global const float *input, ulong input_offset, ulong input_tile, uint rows, uint group,
                       global const int *labels, ulong first_label, global const float *parameters, ulong weight,
                       ulong bias, uint features, global float *slots, ulong slot_floats, global float *scratch,
                       ulong scratch_floats, int squared, int is_class, int sigmoid, int with_loss,
                       global uint *results, uint step, float zero) {
    uint item = (uint)get_global_id(0), tiles = (rows + TILE_ROWS - 1) / TILE_ROWS - item * group;
    perceptron_model model = {parameters + weight, parameters[bias], zero,    features,
                              squared,             is_class,         sigmoid, with_loss};
    uint lines = (features + 2 + 15) / 16 * 16;
    global float *lanes = scratch + item * scratch_floats, *sums = lanes + (ulong)(features + 2) * 16;
    int16 correct = (int16)(0);
    if (tiles > group) tiles = group;
    for (uint index = 0; index < tiles; index++) {
        uint tile = item * group + index;
        correct = correct + add_tile(model, input + input_offset + tile * input_tile,
                                     labels + first_label + (ulong)tile * TILE_ROWS, rows_of_tile(rows, tile), lanes);
        for (uint i = 0; i < features + 2; i++)
            sums[i] = fold_lanes(vload16(i, lanes));
        add_to_tree(sums, sums + lines, lines, index, index + 1 == tiles);
    }
    global float *slot = slots + item * slot_floats;
    for (uint i = 0; i < features; i++)
        slot[weight + i] = sums[i];
    slot[bias] = sums[features];
    slot[slot_floats - 16] = sums[features + 1];
    if (is_class) atomic_add(results + 3 * step + 1, count_true(correct));
}

#endif
