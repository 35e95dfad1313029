/*
 * A step of a small network in two launches, where 16 lanes lie in one real: what launches cost is then most of a step.
 * network_rows takes a column of 16 or 32 rows from assembling to the deltas of every layer; network_gradient takes a
 * block of parameters from these to the sums of a group of tiles or, where that is all of a step, to their update.
 * Tensors are (columns, units, lanes of a column). Every sum has the order of the single kernels. See network.c.
 */
#include "kernels/activation.h"
#include "kernels/apply.h"
#include "kernels/dropout.h"
#include "kernels/loss.h"
#include "kernels/network.h"
#include "kernels/shuffle.h"
#include "kernels/tile.h"
#include "kernels/weigh.h"

#if VECTOR == 16

#define NETWORK_ACTIVATION(name, NAME, FROM) NETWORK_##NAME,
enum network_activation { ACTIVATION_LIST(NETWORK_ACTIVATION) };

#define NETWORK_FORWARD(name, NAME, FROM)                                                                            \
    case NETWORK_##NAME:                                                                                             \
        for (uint i = 0; i < vectors; i++)                                                                           \
            vstore16(canonical(activation_##name(vload16(i, logits))), i, outputs);                                  \
        break;

#define NETWORK_BACKWARD(name, NAME, FROM)                                                                           \
    case NETWORK_##NAME:                                                                                             \
        for (uint i = 0; i < vectors; i++)                                                                           \
            vstore16(flush_tiny(activation_##name##_backward(vload16(i, deltas), vload16(i, from))), i, deltas);     \
        break;

/* logits and outputs may be the same place. */
static inline void activate(uint function, global const float *logits, global float *outputs, uint vectors) {
    if (function == NETWORK_IDENTITY) return;
    switch (function) { ACTIVATION_LIST(NETWORK_FORWARD) }
}

static inline void activate_backward(uint function, global float *deltas, global const float *from, uint vectors) {
    if (function == NETWORK_IDENTITY) return;
    switch (function) { ACTIVATION_LIST(NETWORK_BACKWARD) }
}

/* ---- rows ------------------------------------------------------------------------------------------------------ */

/*
 * OUTPUTS units of a layer, forward (start: the biases) or backward (start: NULL), in chunks as CHAINS of dense.cl:
 * results[j] = start[j] + sum over t of lines[t] * factors[t * step + j * apart]. Lines have VECTORS * 16 lanes.
 */
#define DEFINE_UNITS(OUTPUTS, VECTORS)                                                                               \
    static inline void units_##OUTPUTS##_##VECTORS(global const float *lines, uint terms,                            \
                                                   global const float *factors, ulong step, ulong apart,             \
                                                   global const float *start, float zero, global float *results) {  \
        for (uint from = 0; from == 0 || from < terms; from += CHUNK) {                                              \
            uint to = from + CHUNK < terms ? from + CHUNK : terms;                                                   \
            float16 sum[OUTPUTS][VECTORS];                                                                           \
            _Pragma("unroll") for (int o = 0; o < OUTPUTS; o++)                                                      \
                _Pragma("unroll") for (int v = 0; v < VECTORS; v++) sum[o][v] = (float16)(zero);                     \
            for (uint t = from; t < to; t++) {                                                                       \
                global const float *factor = factors + t * step;                                                     \
                float16 value[VECTORS];                                                                              \
                _Pragma("unroll") for (int v = 0; v < VECTORS; v++) value[v] = vload16(t * VECTORS + v, lines);      \
                _Pragma("unroll") for (int o = 0; o < OUTPUTS; o++)                                                  \
                    _Pragma("unroll") for (int v = 0; v < VECTORS; v++) sum[o][v] =                                  \
                        fma(value[v], (float16)(factor[o * apart]), sum[o][v]);                                      \
            }                                                                                                        \
            _Pragma("unroll") for (int o = 0; o < OUTPUTS; o++)                                                      \
                _Pragma("unroll") for (int v = 0; v < VECTORS; v++) {                                                \
                    float16 total = (float16)(zero);                                                                 \
                    if (from > 0)                                                                                    \
                        total = vload16(o * VECTORS + v, results);                                                   \
                    else if (start != NULL)                                                                          \
                        total = (float16)(start[o]);                                                                 \
                    total = total + sum[o][v];                                                                       \
                    if (to == terms) total = start != NULL ? canonical(total) : flush_tiny(total);                   \
                    vstore16(total, o * VECTORS + v, results);                                                       \
                }                                                                                                    \
        }                                                                                                            \
    }

#define SOME_UNITS(OUTPUTS, VECTORS)                                                                                 \
    for (; unit + OUTPUTS <= units; unit += OUTPUTS)                                                                 \
        units_##OUTPUTS##_##VECTORS(lines, terms, factors + unit * apart, step, apart,                               \
                                    start != NULL ? start + unit : NULL, zero, results + unit * VECTORS * 16);

#define DEFINE_LAYER(VECTORS)                                                                                        \
    DEFINE_UNITS(12, VECTORS)                                                                                        \
    DEFINE_UNITS(4, VECTORS)                                                                                         \
    DEFINE_UNITS(1, VECTORS)                                                                                         \
    static inline void all_units_##VECTORS(global const float *lines, uint terms, global const float *factors,       \
                                           ulong step, ulong apart, global const float *start, float zero,           \
                                           global float *results, uint units) {                                      \
        uint unit = 0;                                                                                               \
        SOME_UNITS(12, VECTORS)                                                                                      \
        SOME_UNITS(4, VECTORS)                                                                                       \
        SOME_UNITS(1, VECTORS)                                                                                       \
    }

DEFINE_LAYER(1)
DEFINE_LAYER(2)

/* A delta's 16 lanes as 16 rows of each of its panels of 16 units; units that are not there become +0. */
static inline void keep_panels(global const float *delta, uint units, uint apart, global float *panels, ulong panel) {
    for (uint first = 0; first < units; first += 16, panels += panel) {
        float16 lines[16];
#pragma unroll
        for (int k = 0; k < 16; k++) {
            lines[k] = (float16)(0.0f);
            if (first + k < units) lines[k] = vload16(0, delta + (first + k) * apart);
        }
        transpose(lines);
#pragma unroll
        for (int k = 0; k < 16; k++)
            vstore16(lines[k], k, panels);
    }
}

/* The weights of 16 rows of which `used` are there. */
static inline float16 row_weights(global const float *weights, const ulong *row, int used) {
    float values[16];
    for (int i = 0; i < 16; i++)
        values[i] = i < used ? weights[row[i]] : 0.0f;
    return vload16(0, values);
}

static inline dropout_mask mask_of(global const network_layer *layer, ulong seed, ulong position, uint step, uint l) {
    dropout_mask mask = {seed, position, step, philox_stream(PURPOSE_DROPOUT, l), (uint)layer->inputs,
                         (uint)layer->threshold, as_float((uint)layer->scale)};
    return mask;
}

/*
 * Work-item (column of VECTORS * 16 lanes, tile). input holds the assembled rows where `assembled` is set, else they are
 * assembled into it; that and the workspace are tiles of the wave, `width` lanes each.
 */
#define DEFINE_NETWORK_ROWS(VECTORS)                                                                                 \
    kernel void network_rows_##VECTORS(                                                                              \
        global float *input, ulong input_offset, ulong input_tile, int assembled, global float *workspace,           \
        ulong workspace_tile, uint width, uint rows, global const float *features, global const int *labels,         \
        ulong first_row, ulong row_count, int shuffle, ulong seed, uint epoch, ulong position, uint training_step,   \
        global const float *weights, int weighted,                                                                   \
        global const float *parameters,                                                                              \
        global const network_layer *layers, uint layer_count, ulong losses, int loss, float half_smoothing,          \
        float on, float off, float rest, float entropy, int element, float parameter, float mean, int is_class,      \
        int sigmoid, int with_loss, global uint *results, uint step, float zero) {                                   \
        const uint lanes = VECTORS * 16;                                                                             \
        uint lane = (uint)get_global_id(0) * lanes, tile = (uint)get_global_id(1);                                   \
        uint used = rows_of_tile(rows, tile);                                                                        \
        if (lane >= used) return;                                                                                    \
        global float *tensors = workspace + tile * workspace_tile;                                                   \
        global float *x = input + input_offset + tile * input_tile + (ulong)lane * layers[0].inputs;                 \
        int16 label[VECTORS];                                                                                        \
        float16 weight[VECTORS];                                                                                     \
        shuffle_key key = {0};                                                                                       \
        if (shuffle) key = shuffle_make_key(seed, epoch, philox_stream(PURPOSE_SHUFFLE, 0), row_count);              \
        for (int v = 0; v < VECTORS; v++) {                                                                          \
            int there = (int)used - (int)lane - v * 16;                                                              \
            ulong row[16];                                                                                           \
            int values[16];                                                                                          \
            ulong first = first_row + (ulong)tile * TILE_ROWS + lane + v * 16;                                       \
            for (int i = 0; i < 16; i++)                                                                             \
                row[i] = first + i;                                                                                  \
            if (shuffle) shuffle_sixteen(&key, first, there, row);                                                   \
            for (int i = 0; i < 16; i++)                                                                             \
                values[i] = i < there ? labels[row[i]] : 0;                                                          \
            label[v] = vload16(0, values);                                                                           \
            weight[v] = (float16)(zero);                                                                             \
            if (weighted) weight[v] = row_weights(weights, row, there);                                              \
            if (!assembled) assemble_rows(features, layers[0].inputs, row, there, lanes, x + v * 16);                \
        }                                                                                                            \
        for (uint l = 0; l < layer_count; l++) {                                                                     \
            global const network_layer *layer = layers + l;                                                          \
            global const float *lines = x;                                                                           \
            if (layer->threshold > 0) {                                                                              \
                if (l > 0) lines = tensors + layer->undropped * width + lane * layer->inputs;                        \
                global float *dropped = tensors + layer->source * width + lane * layer->inputs;                      \
                dropout_mask mask = mask_of(layer, seed, position + (ulong)tile * TILE_ROWS, training_step, l);      \
                for (int v = 0; v < VECTORS; v++)                                                                    \
                    drop_units(mask, 0, lane + v * 16, 0, layer->inputs, lanes, lines + v * 16, dropped + v * 16);   \
            }                                                                                                        \
            if (l > 0 || layer->threshold > 0) lines = tensors + layer->source * width + lane * layer->inputs;       \
            global float *target = tensors + layer->logits * width + lane * layer->outputs;                          \
            all_units_##VECTORS(lines, layer->inputs, parameters + layer->weight, layer->stride, 1,                  \
                                parameters + layer->bias, zero, target, layer->outputs);                             \
            activate(layer->activation, target, tensors + layer->output * width + lane * layer->outputs,             \
                     layer->outputs *VECTORS);                                                                       \
        }                                                                                                            \
        global const network_layer *last = layers + layer_count - 1;                                                 \
        global const float *logits = tensors + last->output * width + lane * last->outputs;                          \
        global float *delta = tensors + last->delta * width + lane * last->delta_apart;                                \
        perceptron_model model = {0, zero, zero, 0, loss == NETWORK_SQUARED, is_class, sigmoid, with_loss};          \
        class_labels class_labels = {on, off, rest, entropy};                                                        \
        element_loss element_loss = {element, parameter, mean};                                                      \
        for (int v = 0; v < VECTORS; v++) {                                                                          \
            int there = (int)used - (int)lane - v * 16;                                                              \
            float16 row_losses = (float16)(0.0f);                                                                    \
            int16 right, is_used = lane_numbers() < (int16)(there);                                                  \
            if (loss == NETWORK_CATEGORICAL)                                                                         \
                categorical_rows(logits + v * 16, delta + v * 16, 1, last->outputs, lanes, label[v], class_labels,   \
                                 is_used, &row_losses, &right, zero);                                                \
            else if (loss == NETWORK_ELEMENTS)                                                                       \
                element_rows(element_loss, logits + v * 16, delta + v * 16, 1, last->outputs, lanes, is_class, 0, 1, \
                             label[v], is_used, &row_losses, &right, zero);                                          \
            else if (loss == NETWORK_SMOOTHED) {                                                                     \
                float16 z = vload16(v, logits);                                                                      \
                float16 d = binary_rows(z, convert_float16(label[v]), 1, half_smoothing, &row_losses);               \
                row_losses = choose(is_used, row_losses, 0.0f);                                                      \
                right = ((z > 0.0f) == (label[v] == 1)) & is_used;                                                   \
                vstore16(choose(is_used, d, 0.0f), v, delta);                                                        \
            } else                                                                                                   \
                vstore16(row_deltas(model, vload16(v, logits), label[v], there, &row_losses, &right), v, delta);     \
            if (weighted) {                                                                                          \
                row_losses = weighed_loss(row_losses, weight[v]);                                                    \
                for (uint h = 0; h < last->outputs; h++)                                                             \
                    vstore16(weighed_delta(vload16(h * VECTORS + v, delta), weight[v]), h * VECTORS + v, delta);     \
            }                                                                                                        \
            vstore16(row_losses, 0, tensors + losses * width + lane + v * 16);                                       \
            if (is_class) add_correct(results, step, right);                                                         \
        }                                                                                                            \
        activate_backward(last->activation, delta, tensors + last->from * width + lane * last->outputs,              \
                          last->outputs *VECTORS);                                                                   \
        for (uint l = layer_count; l-- > 0;) {                                                                       \
            global const network_layer *layer = layers + l;                                                          \
            global float *d = tensors + layer->delta * width + lane * layer->delta_apart;                            \
            global float *kept = tensors + layer->kept * width;                                                      \
            if (layer->stride >= 16)                                                                                 \
                for (int v = 0; v < VECTORS; v++)                                                                    \
                    keep_panels(d + v * 16, layer->outputs, lanes, kept + (lane + v * 16) * 16, width * 16);         \
            else                                                                                                     \
                for (uint i = 0; i < layer->outputs * VECTORS; i++)                                                  \
                    vstore16(vload16(i, d), i, kept + lane * layer->outputs);                                        \
            if (l == 0) break;                                                                                       \
            global const network_layer *below = layer - 1;                                                           \
            global float *target = tensors + below->delta * width + lane * below->delta_apart;                       \
            all_units_##VECTORS(d, layer->outputs, parameters + layer->weight, 1, layer->stride, NULL, zero, target, \
                                layer->inputs);                                                                      \
            if (layer->threshold > 0) {                                                                              \
                dropout_mask mask = mask_of(layer, seed, position + (ulong)tile * TILE_ROWS, training_step, l);      \
                for (int v = 0; v < VECTORS; v++)                                                                    \
                    drop_units(mask, 1, lane + v * 16, 0, layer->inputs, lanes, target + v * 16, target + v * 16);   \
            }                                                                                                        \
            activate_backward(below->activation, target, tensors + below->from * width + lane * below->outputs,      \
                              below->outputs *VECTORS);                                                              \
        }                                                                                                            \
    }

DEFINE_NETWORK_ROWS(1)
DEFINE_NETWORK_ROWS(2)

/* ---- gradients ------------------------------------------------------------------------------------------------- */

#define MOST_LEVELS 6 /* a group has at most 2^6 tiles */

/* Takes the sums of a tile of a group into its tree, as add_to_tree of perceptron.cl; the last leaves it in value. */
static inline void add_block(float16 *value, float16 (*levels)[16], uint count, uint index, int last) {
    uint level = 0;
    for (; last ? index >> level != 0 : index >> level & 1; level++)
        if (index >> level & 1)
            for (uint i = 0; i < count; i++)
                value[i] = levels[level][i] + value[i];
    for (uint i = 0; !last && i < count; i++)
        levels[level][i] = value[i];
}

/* Where the sums of a block go: into a slot, and into the parameters where is_update is set. */
typedef struct network_target {
    global float *slot;
    update_target update;
    int is_update, is_weight;
    global uint *not_finite;
} network_target;

static inline void finish_vector(network_target target, float16 sum, ulong at) {
    if (target.is_update && apply_update(target.update, at, &sum, (float16)(1.0f), target.is_weight))
        *target.not_finite = 1;
    vstore16(sum, 0, target.slot + at);
}

/* `count` floats that lie `apart` floats apart; the other lanes are 0. */
static inline float16 load_scattered(global const float *from, uint apart, uint count) {
    float values[16];
    for (uint i = 0; i < 16; i++)
        values[i] = i < count ? from[i * apart] : 0.0f;
    return vload16(0, values);
}

static inline void store_scattered(float16 x, global float *to, uint apart, uint count) {
    float values[16];
    vstore16(x, 0, values);
    for (uint i = 0; i < count; i++)
        to[i * apart] = values[i];
}

/* finish_vector for `count` single parameters that lie `apart` floats apart. */
static inline void finish_scattered(network_target target, float16 sum, ulong at, uint apart, uint count) {
    if (target.is_update) {
        update_target t = target.update;
        float16 state[MOST_UPDATE_STATES], w = load_scattered(t.parameters + at, apart, count);
        for (uint i = 0; i < t.states; i++)
            state[i] = load_scattered(t.state + i * t.floats + at, apart, count);
        w = apply_rule(t, w, &sum, (float16)(1.0f), target.is_weight, state);
        store_scattered(w, t.parameters + at, apart, count);
        for (uint i = 0; i < t.states; i++)
            store_scattered(state[i], t.state + i * t.floats + at, apart, count);
        int bad[16];
        vstore16(is_bad(t, w, sum), 0, bad);
        for (uint i = 0; i < count; i++)
            if (bad[i]) *target.not_finite = 1;
    }
    store_scattered(sum, target.slot + at, apart, count);
}

/* A group of tiles of a layer: its inputs and its kept deltas. */
typedef struct network_share {
    global const float *a, *kept;
    ulong a_tile, kept_tile;
    uint width, column, rows, first_tile, tiles;
    float zero;
} network_share;

/* 8 inputs from `first` on by 16 * VECTORS outputs from panel on, of one tile. */
#define DEFINE_WIDE_BLOCK(VECTORS)                                                                                   \
    static inline void wide_block_##VECTORS(network_share s, uint tile, uint inputs, uint first, uint panel,         \
                                            float16 *value) {                                                        \
        global const float *a = s.a + tile * s.a_tile;                                                               \
        global const float *d = s.kept + tile * s.kept_tile + (ulong)panel * s.width * 16;                           \
        uint used = rows_of_tile(s.rows, tile), line[8];                                                             \
        float16 sum[8][VECTORS];                                                                                     \
        _Pragma("unroll") for (int o = 0; o < 8; o++) {                                                              \
            line[o] = (first + o < inputs ? first + o : inputs - 1) * s.column;                                      \
            _Pragma("unroll") for (int v = 0; v < VECTORS; v++) sum[o][v] = (float16)(s.zero);                       \
        }                                                                                                            \
        for (uint from = 0; from < used; from += s.column) {                                                         \
            uint count = from + s.column < used ? s.column : used - from;                                            \
            global const float *factors = a + (ulong)from * inputs, *lines = d + from * 16;                          \
            for (uint row = 0; row < count; row++) {                                                                 \
                float16 terms[VECTORS];                                                                              \
                _Pragma("unroll") for (int v = 0; v < VECTORS; v++) terms[v] =                                       \
                    vload16(row + v * s.width, lines);                                                               \
                _Pragma("unroll") for (int o = 0; o < 8; o++)                                                        \
                    _Pragma("unroll") for (int v = 0; v < VECTORS; v++) sum[o][v] =                                  \
                        fma(terms[v], (float16)(factors[line[o] + row]), sum[o][v]);                                 \
            }                                                                                                        \
        }                                                                                                            \
        _Pragma("unroll") for (int o = 0; o < 8; o++)                                                                \
            _Pragma("unroll") for (int v = 0; v < VECTORS; v++) value[o * VECTORS + v] = canonical(sum[o][v]);       \
    }                                                                                                                \
                                                                                                                     \
    static inline void wide_blocks_##VECTORS(network_share s, network_target target,                                 \
                                             global const network_layer *layer, uint first, uint panel) {            \
        float16 value[16], levels[MOST_LEVELS][16];                                                                  \
        for (uint i = 0; i < s.tiles; i++) {                                                                         \
            wide_block_##VECTORS(s, s.first_tile + i, layer->inputs, first, panel, value);                           \
            add_block(value, levels, 8 * VECTORS, i, i + 1 == s.tiles);                                              \
        }                                                                                                            \
        for (uint o = 0; o < 8 && first + o < layer->inputs; o++)                                                    \
            for (uint v = 0; v < VECTORS; v++)                                                                       \
                finish_vector(target, value[o * VECTORS + v],                                                        \
                              layer->weight + (first + o) * layer->stride + (panel + v) * 16);                       \
    }

DEFINE_WIDE_BLOCK(1)
DEFINE_WIDE_BLOCK(2)

/* 16 inputs from `first` on by one output, of one tile. */
static inline float16 narrow_block(network_share s, uint tile, uint inputs, uint first, uint outputs, uint h) {
    global const float *a = s.a + tile * s.a_tile, *d = s.kept + tile * s.kept_tile + h * s.column;
    uint lanes = lanes_of_tile(s.rows, tile), count = inputs - first < 16 ? inputs - first : 16;
    float sums[16];
    for (uint k = 0; k < 16; k++)
        sums[k] = 0.0f;
    for (uint k = 0; k < count; k++) {
        float16 sum = (float16)(s.zero);
        for (uint lane = 0; lane < lanes; lane += 16) {
            uint from = lane & ~(s.column - 1), rest = lane & (s.column - 1);
            sum = fma(vload16(0, a + (ulong)from * inputs + (first + k) * s.column + rest),
                      vload16(0, d + from * outputs + rest), sum);
        }
        sums[k] = fold_lanes(sum);
    }
    return vload16(0, sums);
}

/* The bias gradients of 16 outputs, or of all of a narrow layer, of one tile: sums over the rows in lanes. */
static inline float16 bias_block(network_share s, uint tile, uint outputs, uint stride, uint panel) {
    global const float *d = s.kept + tile * s.kept_tile;
    uint lanes = lanes_of_tile(s.rows, tile);
    if (stride >= 16) {
        float16 sum[16];
        d += (ulong)panel * s.width * 16;
        for (uint l = 0; l < 16; l++)
            sum[l] = (float16)(s.zero);
        for (uint row = 0; row < lanes; row += 16)
            for (uint l = 0; l < 16; l++)
                sum[l] = sum[l] + vload16(row + l, d);
        for (uint apart = 8; apart > 0; apart /= 2)
            for (uint l = 0; l < apart; l++)
                sum[l] = sum[l] + sum[l + apart];
        return sum[0];
    }
    float sums[16];
    for (uint h = 0; h < 16; h++)
        sums[h] = 0.0f;
    for (uint h = 0; h < outputs; h++) {
        float16 sum = (float16)(s.zero);
        for (uint lane = 0; lane < lanes; lane += 16)
            sum = sum + vload16(0, d + (lane & ~(s.column - 1)) * outputs + h * s.column + (lane & (s.column - 1)));
        sums[h] = fold_lanes(sum);
    }
    return vload16(0, sums);
}

static inline void narrow_gradients(network_share s, network_target target, global const network_layer *layer,
                                    uint first) {
    uint count = layer->inputs - first < 16 ? layer->inputs - first : 16;
    for (uint h = 0; h < layer->outputs; h++) {
        float16 value, levels[MOST_LEVELS][16];
        for (uint i = 0; i < s.tiles; i++) {
            value = narrow_block(s, s.first_tile + i, layer->inputs, first, layer->outputs, h);
            add_block(&value, levels, 1, i, i + 1 == s.tiles);
        }
        finish_scattered(target, value, layer->weight + first * layer->stride + h, layer->stride, count);
    }
}

static inline void bias_gradients(network_share s, network_target target, global const network_layer *layer) {
    for (uint panel = 0; panel * 16 < layer->stride; panel++) {
        float16 value, levels[MOST_LEVELS][16];
        for (uint i = 0; i < s.tiles; i++) {
            value = bias_block(s, s.first_tile + i, layer->outputs, layer->stride, panel);
            add_block(&value, levels, 1, i, i + 1 == s.tiles);
        }
        if (layer->stride >= 16)
            finish_vector(target, value, layer->bias + panel * 16);
        else
            finish_scattered(target, value, layer->bias, 1, layer->outputs);
    }
}

/* Work-item (block of parameters, group of tiles); the last block of a layer is its bias, and that of all the loss. */
kernel void network_gradient(global const float *input, ulong input_offset, ulong input_tile,
                             global const float *workspace, ulong workspace_tile, uint width, uint column, uint rows,
                             uint group, global const network_layer *layers, uint layer_count, ulong losses,
                             global float *slots, ulong slot_floats, global float *parameters, float inverse_rows,
                             uint rule, uint states, global float *state, global const update_constants *constants,
                             global const update_rates *rates, int update, global uint *results, uint step, float zero) {
    uint item = (uint)get_global_id(0), index = (uint)get_global_id(1), l = 0;
    uint tiles = (rows + TILE_ROWS - 1) / TILE_ROWS;
    while (l + 1 < layer_count && layers[l + 1].first_item <= item)
        l++;
    global const network_layer *layer = layers + l;
    update_target of_all = {parameters, state, slot_floats - 16, inverse_rows, rule, states, *constants, rates[step]};
    network_target target = {slots + index * slot_floats, of_all, update, 1, results + 3 * step + 2};
    network_share s = {workspace + layer->source * width, workspace + layer->kept * width, workspace_tile,
                       workspace_tile, width, column, rows, index * group, 0, zero};
    s.tiles = tiles - s.first_tile < group ? tiles - s.first_tile : group;
    if (l == 0 && layer->threshold == 0) {
        s.a = input + input_offset;
        s.a_tile = input_tile;
    }
    uint block = item - (uint)layer->first_item, inputs = layer->inputs;
    uint size = layer->stride >= 16 ? NETWORK_WIDE_INPUTS : NETWORK_NARROW_INPUTS;
    if (block * size >= inputs) {
        target.is_weight = 0;
        bias_gradients(s, target, layer);
        if (l + 1 < layer_count) return;
        s.kept = workspace + losses * width;
        s.kept_tile = workspace_tile;
        float16 value, levels[MOST_LEVELS][16];
        for (uint i = 0; i < s.tiles; i++) {
            uint tile = s.first_tile + i;
            value = (float16)(sum_over_rows(s.kept + tile * workspace_tile, lanes_of_tile(rows, tile), zero));
            add_block(&value, levels, 1, i, i + 1 == s.tiles);
        }
        slots[index * slot_floats + slot_floats - 16] = value.s0;
        if (update) results[3 * step] = as_uint(value.s0);
    } else if (layer->stride >= 16) {
        uint panels = layer->stride / 16, panel = 0;
        for (; panel + 2 <= panels; panel += 2)
            wide_blocks_2(s, target, layer, block * size, panel);
        if (panel < panels) wide_blocks_1(s, target, layer, block * size, panel);
    } else {
        narrow_gradients(s, target, layer, block * size);
    }
}

#endif
