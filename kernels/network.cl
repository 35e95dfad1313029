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
            store_16(canonical(activation_##name(load_16(i, logits))), i, outputs);                                  \
        break;

#define NETWORK_BACKWARD(name, NAME, FROM)                                                                           \
    case NETWORK_##NAME:                                                                                             \
        for (uint i = 0; i < vectors; i++)                                                                           \
            store_16(flush_tiny(activation_##name##_backward(load_16(i, deltas), load_16(i, from))), i, deltas);     \
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
 * What takes no time while a result is in a register: relu follows forward, and backward its derivative by its output
 * `gate`, unless that is NULL.
 */
#define DEFINE_UNITS(OUTPUTS, VECTORS)                                                                               \
    static inline void units_##OUTPUTS##_##VECTORS(global const float *lines, uint terms,                            \
                                                   global const float *factors, ulong step, ulong apart,             \
                                                   global const float *start, int relu, global const float *gate,    \
                                                   float zero, global float *results) {                              \
        for (uint from = 0; from == 0 || from < terms; from += CHUNK) {                                              \
            uint to = from + CHUNK < terms ? from + CHUNK : terms;                                                   \
            float16 sum[OUTPUTS][VECTORS];                                                                           \
            _Pragma("unroll") for (int o = 0; o < OUTPUTS; o++)                                                      \
                _Pragma("unroll") for (int v = 0; v < VECTORS; v++) sum[o][v] = (float16)(zero);                     \
            for (uint t = from; t < to; t++) {                                                                       \
                global const float *factor = factors + t * step;                                                     \
                float16 value[VECTORS];                                                                              \
                _Pragma("unroll") for (int v = 0; v < VECTORS; v++) value[v] = load_16(t * VECTORS + v, lines);      \
                _Pragma("unroll") for (int o = 0; o < OUTPUTS; o++)                                                  \
                    _Pragma("unroll") for (int v = 0; v < VECTORS; v++) sum[o][v] =                                  \
                        fma(value[v], (float16)(factor[o * apart]), sum[o][v]);                                      \
            }                                                                                                        \
            _Pragma("unroll") for (int o = 0; o < OUTPUTS; o++)                                                      \
                _Pragma("unroll") for (int v = 0; v < VECTORS; v++) {                                                \
                    float16 total = (float16)(zero);                                                                 \
                    if (from > 0)                                                                                    \
                        total = load_16(o * VECTORS + v, results);                                                   \
                    else if (start != NULL)                                                                          \
                        total = (float16)(start[o]);                                                                 \
                    total = total + sum[o][v];                                                                       \
                    if (to == terms) total = start != NULL ? canonical(total) : flush_tiny(total);                   \
                    if (to == terms && relu) total = activation_relu(total);                                         \
                    if (to == terms && gate != NULL)                                                                 \
                        total = activation_relu_backward(total, load_16(o * VECTORS + v, gate));                     \
                    store_16(total, o * VECTORS + v, results);                                                       \
                }                                                                                                    \
        }                                                                                                            \
    }

#define SOME_UNITS(OUTPUTS, VECTORS)                                                                                 \
    for (; unit + OUTPUTS <= units; unit += OUTPUTS)                                                                 \
        units_##OUTPUTS##_##VECTORS(lines, terms, factors + unit * apart, step, apart,                               \
                                    start != NULL ? start + unit : NULL, relu,                                       \
                                    gate != NULL ? gate + unit * VECTORS * 16 : NULL, zero,                          \
                                    results + unit * VECTORS * 16);

#define DEFINE_LAYER(VECTORS)                                                                                        \
    DEFINE_UNITS(12, VECTORS)                                                                                        \
    DEFINE_UNITS(6, VECTORS)                                                                                         \
    DEFINE_UNITS(4, VECTORS)                                                                                         \
    DEFINE_UNITS(1, VECTORS)                                                                                         \
    static inline void all_units_##VECTORS(global const float *lines, uint terms, global const float *factors,       \
                                           ulong step, ulong apart, global const float *start, int relu,             \
                                           global const float *gate, float zero, global float *results,              \
                                           uint units) {                                                             \
        uint unit = 0;                                                                                               \
        SOME_UNITS(12, VECTORS)                                                                                      \
        SOME_UNITS(6, VECTORS)                                                                                       \
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
            if (first + k < units) lines[k] = load_16(0, delta + (first + k) * apart);
        }
        transpose(lines);
#pragma unroll
        for (int k = 0; k < 16; k++)
            store_16(lines[k], k, panels);
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

/* row[i] of 16 successive positions, of which `used` are there. */
static inline void find_sixteen(const shuffle_key *key, int shuffle, ulong first, int used, ulong *row) {
    for (int i = 0; i < 16; i++)
        row[i] = first + i;
    if (shuffle) shuffle_sixteen(key, first, used, row);
}

#define MOST_ASKED_FEATURES 128 /* the hardware itself asks for the rest of a longer row */

/* Asks for the rows of the column after this one, which the same thread most often does next; not in small steps. */
static inline void ask_for_next(const shuffle_key *key, global const float *features, uint count,
                                global const int *labels, ulong first_row, uint rows, uint tile, uint lane,
                                uint lanes) {
    uint next = tile * TILE_ROWS + lane + lanes;
    if (rows <= TILE_ROWS || next >= rows) return;
    for (uint from = next; from < next + lanes; from += 16) {
        ulong row[16];
        shuffle_sixteen(key, first_row + from, (int)rows - (int)from, row);
        for (int i = 0; i < 16; i++)
            ask_for_row(features, count, labels, row[i]);
    }
}

/* What a step's kernels are told of it, the same for all work-items. rows: of the wave. */
typedef struct network_batch {
    uint width, rows;
    int assembled;
    global const float *features;
    global const int *labels;
    ulong first_row, row_count;
    int shuffle;
    ulong seed;
    uint epoch;
    ulong position;
    uint training_step;
    global const float *weights; /* of rows, where weighted is set */
    int weighted;
    global const float *parameters;
    global const network_layer *layers;
    uint layer_count;
    ulong losses;
    int loss; /* enum network_loss */
    float half_smoothing;
    class_labels labels_of;
    element_loss element;
    int is_class, sigmoid, with_loss;
    global uint *results;
    uint step;
    float zero;
} network_batch;

#define INLINE static inline __attribute__((always_inline))
#define APART static __attribute__((noinline))

/* The rarer losses of 16 rows; not in line, so that they take no registers from the others. */
APART void network_elements(const network_batch *batch, global const float *output, global float *delta, uint outputs,
                            uint lanes, const int16 *label, const int16 *is_used, float16 *losses, int16 *right) {
    element_rows(batch->element, output, delta, 1, outputs, lanes, batch->is_class, 0, 1, *label, *is_used, losses,
                 right, batch->zero);
}

APART void network_smoothed(const network_batch *batch, global const float *logits, global float *delta,
                            const int16 *label, const int16 *is_used, float16 *losses, int16 *right) {
    float16 z = load_16(0, logits);
    float16 d = binary_rows(z, convert_float16(*label), 1, batch->half_smoothing, losses);
    *losses = choose(*is_used, *losses, 0.0f);
    *right = ((z > 0.0f) == (*label == 1)) & *is_used;
    store_16(choose(*is_used, d, 0.0f), 0, delta);
}

/*
 * A column of VECTORS * 16 lanes, from `lane` on, of a tile of the wave. tile_x holds its assembled rows where
 * batch.assembled is set, else they are assembled into it; that and the tensors have `width` lanes.
 */
#define DEFINE_NETWORK_COLUMN(VECTORS)                                                                               \
    INLINE void network_column_##VECTORS(network_batch batch, uint tile, uint lane, global float *tile_x,            \
                                         global float *tensors) {                                                    \
        const uint lanes = VECTORS * 16;                                                                             \
        uint used = rows_of_tile(batch.rows, tile), inputs = (uint)batch.layers[0].inputs;                           \
        ulong position = batch.position + (ulong)tile * TILE_ROWS;                                                   \
        global float *x = tile_x + (ulong)lane * inputs;                                                             \
        int16 label[VECTORS], correct = (int16)(0);                                                                  \
        float16 weight[VECTORS];                                                                                     \
        shuffle_key key = {0};                                                                                       \
        if (batch.shuffle)                                                                                           \
            key = shuffle_make_key(batch.seed, batch.epoch, philox_stream(PURPOSE_SHUFFLE, 0), batch.row_count);     \
        for (int v = 0; v < VECTORS; v++) {                                                                          \
            int there = (int)used - (int)lane - v * 16;                                                              \
            ulong row[16];                                                                                           \
            int values[16];                                                                                          \
            ulong first = batch.first_row + (ulong)tile * TILE_ROWS + lane + v * 16;                                 \
            find_sixteen(&key, batch.shuffle, first, there, row);                                                    \
            if (!batch.assembled) assemble_rows(batch.features, inputs, row, there, lanes, x + v * 16);              \
            for (int i = 0; i < 16; i++)                                                                             \
                values[i] = i < there ? batch.labels[row[i]] : 0;                                                    \
            label[v] = vload16(0, values);                                                                           \
            weight[v] = (float16)(batch.zero);                                                                       \
            if (batch.weighted) weight[v] = row_weights(batch.weights, row, there);                                  \
        }                                                                                                            \
        if (batch.shuffle && !batch.assembled && inputs <= MOST_ASKED_FEATURES)                                      \
            ask_for_next(&key, batch.features, inputs, batch.labels, batch.first_row, batch.rows, tile, lane,        \
                         lanes);                                                                                     \
        for (uint l = 0; l < batch.layer_count; l++) {                                                               \
            global const network_layer *layer = batch.layers + l;                                                    \
            global const float *lines = x;                                                                           \
            if (layer->threshold > 0) {                                                                              \
                if (l > 0) lines = tensors + layer->undropped * batch.width + lane * layer->inputs;                  \
                global float *dropped = tensors + layer->source * batch.width + lane * layer->inputs;                \
                dropout_mask mask = mask_of(layer, batch.seed, position, batch.training_step, l);                    \
                for (int v = 0; v < VECTORS; v++)                                                                    \
                    drop_units(mask, 0, lane + v * 16, 0, layer->inputs, lanes, lines + v * 16, dropped + v * 16);   \
            }                                                                                                        \
            if (l > 0 || layer->threshold > 0) lines = tensors + layer->source * batch.width + lane * layer->inputs; \
            int relu = layer->activation == NETWORK_RELU;                                                            \
            global float *outputs = tensors + layer->output * batch.width + lane * layer->outputs;                   \
            global float *target = relu ? outputs : tensors + layer->logits * batch.width + lane * layer->outputs;   \
            all_units_##VECTORS(lines, layer->inputs, batch.parameters + layer->weight, layer->stride, 1,            \
                                batch.parameters + layer->bias, relu, NULL, batch.zero, target, layer->outputs);     \
            if (!relu) activate(layer->activation, target, outputs, layer->outputs *VECTORS);                        \
        }                                                                                                            \
        global const network_layer *last = batch.layers + batch.layer_count - 1;                                     \
        global const float *logits = tensors + last->output * batch.width + lane * last->outputs;                    \
        global float *delta = tensors + last->delta * batch.width + lane * last->delta_apart;                        \
        perceptron_model model = {.zero = batch.zero,                                                                \
                                  .squared = batch.loss == NETWORK_SQUARED,                                          \
                                  .is_class = batch.is_class,                                                        \
                                  .sigmoid = batch.sigmoid,                                                          \
                                  .with_loss = batch.with_loss};                                                     \
        for (int v = 0; v < VECTORS; v++) {                                                                          \
            int there = (int)used - (int)lane - v * 16;                                                              \
            float16 row_losses = (float16)(0.0f);                                                                    \
            int16 right, is_used = lane_numbers() < (int16)(there);                                                  \
            if (batch.loss == NETWORK_CATEGORICAL)                                                                   \
                categorical_rows(logits + v * 16, delta + v * 16, 1, last->outputs, lanes, label[v], batch.labels_of, \
                                 is_used, &row_losses, &right, batch.zero);                                          \
            else if (batch.loss == NETWORK_ELEMENTS)                                                                 \
                network_elements(&batch, logits + v * 16, delta + v * 16, last->outputs, lanes, &label[v], &is_used, \
                                 &row_losses, &right);                                                               \
            else if (batch.loss == NETWORK_SMOOTHED)                                                                 \
                network_smoothed(&batch, logits + v * 16, delta + v * 16, &label[v], &is_used, &row_losses, &right); \
            else                                                                                                     \
                store_16(row_deltas(model, load_16(v, logits), label[v], there, &row_losses, &right), v, delta);     \
            if (batch.weighted) {                                                                                    \
                row_losses = weighed_loss(row_losses, weight[v]);                                                    \
                for (uint h = 0; h < last->outputs; h++)                                                             \
                    store_16(weighed_delta(load_16(h * VECTORS + v, delta), weight[v]), h * VECTORS + v, delta);     \
            }                                                                                                        \
            store_16(row_losses, 0, tensors + batch.losses * batch.width + lane + v * 16);                           \
            if (batch.is_class) correct = correct + right;                                                           \
        }                                                                                                            \
        if (last->activation != NETWORK_IDENTITY)                                                                    \
            activate_backward(last->activation, delta, tensors + last->from * batch.width + lane * last->outputs,    \
                              last->outputs *VECTORS);                                                               \
        if (batch.is_class) add_correct(batch.results, batch.step, correct);                                         \
        for (uint l = batch.layer_count; l-- > 0;) {                                                                 \
            global const network_layer *layer = batch.layers + l;                                                    \
            global float *d = tensors + layer->delta * batch.width + lane * layer->delta_apart;                      \
            global float *kept = tensors + layer->kept * batch.width;                                                \
            if (layer->stride >= 16)                                                                                 \
                for (int v = 0; v < VECTORS; v++)                                                                    \
                    keep_panels(d + v * 16, layer->outputs, lanes, kept + (lane + v * 16) * 16, batch.width * 16);   \
            else                                                                                                     \
                for (uint i = 0; i < layer->outputs * VECTORS; i++)                                                  \
                    store_16(load_16(i, d), i, kept + lane * layer->outputs);                                        \
            if (l == 0) break;                                                                                       \
            global const network_layer *below = layer - 1;                                                           \
            global float *target = tensors + below->delta * batch.width + lane * below->delta_apart;                 \
            global const float *from = tensors + below->from * batch.width + lane * below->outputs;                  \
            int gates = below->activation == NETWORK_RELU && layer->threshold == 0;                                  \
            all_units_##VECTORS(d, layer->outputs, batch.parameters + layer->weight, 1, layer->stride, NULL, 0,      \
                                gates ? from : NULL, batch.zero, target, layer->inputs);                             \
            if (layer->threshold > 0) {                                                                              \
                dropout_mask mask = mask_of(layer, batch.seed, position, batch.training_step, l);                    \
                for (int v = 0; v < VECTORS; v++)                                                                    \
                    drop_units(mask, 1, lane + v * 16, 0, layer->inputs, lanes, target + v * 16, target + v * 16);   \
            }                                                                                                        \
            if (!gates) activate_backward(below->activation, target, from, below->outputs *VECTORS);                 \
        }                                                                                                            \
    }

DEFINE_NETWORK_COLUMN(1)
DEFINE_NETWORK_COLUMN(2)

#define BATCH_ARGUMENTS                                                                                              \
    uint width, uint rows, int assembled, global const float *features, global const int *labels, ulong first_row,   \
        ulong row_count, int shuffle, ulong seed, uint epoch, ulong position, uint training_step,                    \
        global const float *weights, int weighted,                                                                   \
        global const float *parameters, global const network_layer *layers, uint layer_count, ulong losses,          \
        int loss, float half_smoothing, float on, float off, float rest, float entropy, int element,                 \
        float parameter, float mean, int is_class, int sigmoid, int with_loss, global uint *results, uint step,      \
        float zero
#define BATCH                                                                                                        \
    {                                                                                                                \
        width, rows, assembled, features, labels, first_row, row_count, shuffle, seed, epoch, position,              \
            training_step, weights, weighted, parameters, layers, layer_count, losses, loss, half_smoothing,         \
            {on, off, rest, entropy}, {element, parameter, mean}, is_class, sigmoid, with_loss, results, step, zero  \
    }

/* Work-item (column of VECTORS * 16 lanes, tile); input and workspace are tiles of the wave. */
#define DEFINE_NETWORK_ROWS(VECTORS)                                                                                 \
    kernel void network_rows_##VECTORS(global float *input, ulong input_offset, ulong input_tile,                    \
                                       global float *workspace, ulong workspace_tile, BATCH_ARGUMENTS) {             \
        network_batch batch = BATCH;                                                                                 \
        uint lane = (uint)get_global_id(0) * (VECTORS * 16), tile = (uint)get_global_id(1);                          \
        if (lane >= rows_of_tile(rows, tile)) return;                                                                \
        network_column_##VECTORS(batch, tile, lane, input + input_offset + tile * input_tile,                        \
                                 workspace + tile * workspace_tile);                                                 \
    }

DEFINE_NETWORK_ROWS(1)
DEFINE_NETWORK_ROWS(2)

/* ---- gradients ------------------------------------------------------------------------------------------------- */

/* fold_lanes of 16 vectors at once, which are overwritten: each step folds two of them into one. */
static inline float16 fold_sixteen(float16 *x) {
#pragma unroll
    for (int i = 0; i < 8; i++)
        x[i] = (float16)(x[2 * i].lo, x[2 * i + 1].lo) + (float16)(x[2 * i].hi, x[2 * i + 1].hi);
#pragma unroll
    for (int i = 0; i < 4; i++)
        x[i] = (float16)(x[2 * i].s012389ab, x[2 * i + 1].s012389ab) +
               (float16)(x[2 * i].s4567cdef, x[2 * i + 1].s4567cdef);
#pragma unroll
    for (int i = 0; i < 2; i++)
        x[i] = (float16)(x[2 * i].s014589cd, x[2 * i + 1].s014589cd) +
               (float16)(x[2 * i].s2367abef, x[2 * i + 1].s2367abef);
    return (float16)(x[0].even, x[1].even) + (float16)(x[0].odd, x[1].odd);
}

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

/*
 * Where the sums of a block go: into a slot, and into the parameters where is_update is set. What plain descent needs
 * lies here too: all rules at the end of each block would take the registers of its sums.
 */
typedef struct network_target {
    global float *slot, *parameters;
    const update_target *update;
    float inverse_rows, rate, l2;
    int is_update, is_plain, is_weight;
    ulong floats;        /* of a slot before the loss */
    global uint *result; /* of the step */
} network_target;

APART void finish_by_rule(const network_target *target, const float16 *sum, ulong at) {
    float16 g = *sum;
    if (apply_update(*target->update, at, &g, (float16)(1.0f), target->is_weight)) target->result[2] = 1;
    store_16(g, 0, target->slot + at);
}

/* In bad all bits of lanes whose parameter is not finite are set. l2, which is 0, makes NaN of what was not before. */
static inline void finish_vector(network_target target, float16 sum, ulong at, int16 *bad) {
    if (target.is_plain) {
        float16 w = load_16(0, target.parameters + at);
        float16 g = fma((float16)(target.l2), w, update_gradient(sum, (float16)(target.inverse_rows)));
        w = canonical(fma((float16)(-target.rate), g, w));
        *bad |= update_is_not_finite(w);
        store_16(w, 0, target.parameters + at);
        store_16(g, 0, target.slot + at);
    } else if (target.is_update) {
        finish_by_rule(&target, &sum, at);
    } else {
        store_16(sum, 0, target.slot + at);
    }
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
APART void finish_scattered(const network_target *target, const float16 *of_block, ulong at, uint apart, uint count) {
    float16 sum = *of_block;
    if (target->is_update) {
        update_target t = *target->update;
        float16 state[MOST_UPDATE_STATES], w = load_scattered(t.parameters + at, apart, count);
        for (uint i = 0; i < t.states; i++)
            state[i] = load_scattered(t.state + i * t.floats + at, apart, count);
        w = apply_rule(t, w, &sum, (float16)(1.0f), target->is_weight, state);
        store_scattered(w, t.parameters + at, apart, count);
        for (uint i = 0; i < t.states; i++)
            store_scattered(state[i], t.state + i * t.floats + at, apart, count);
        int bad[16];
        vstore16(is_bad(t, w, sum), 0, bad);
        for (uint i = 0; i < count; i++)
            if (bad[i]) target->result[2] = 1;
    }
    store_scattered(sum, target->slot + at, apart, count);
}

/* A group of tiles of a layer: its inputs and its kept deltas. */
typedef struct network_share {
    global const float *a, *kept;
    ulong a_tile, kept_tile;
    uint width, column, rows, first_tile, tiles;
    float zero;
} network_share;

/*
 * 8 inputs from `first` on by 16 * VECTORS outputs from panel on, of one tile; a block that reaches past the last input
 * is not `whole`, and computes that one again. Where `column` and `whole` are constants, so are the distances of loads.
 */
#define DEFINE_WIDE_BLOCK(VECTORS)                                                                                   \
    INLINE void wide_rows_##VECTORS(network_share s, uint tile, uint inputs, uint first, uint panel,                 \
                                    const uint column, const int whole, float16 *value) {                            \
        global const float *a = s.a + tile * s.a_tile + first * column;                                              \
        global const float *d = s.kept + tile * s.kept_tile + (ulong)panel * s.width * 16;                           \
        uint used = rows_of_tile(s.rows, tile), line[8];                                                             \
        float16 sum[8][VECTORS];                                                                                     \
        _Pragma("unroll") for (int o = 0; o < 8; o++) {                                                              \
            line[o] = (whole || first + o < inputs ? o : inputs - 1 - first) * column;                               \
            _Pragma("unroll") for (int v = 0; v < VECTORS; v++) sum[o][v] = (float16)(s.zero);                       \
        }                                                                                                            \
        for (uint from = 0; from < used; from += column) {                                                           \
            uint count = from + column < used ? column : used - from;                                                \
            global const float *factors = a + (ulong)from * inputs, *lines = d + from * 16;                          \
            for (uint row = 0; row < count; row++, factors++) {                                                      \
                float16 terms[VECTORS];                                                                              \
                _Pragma("unroll") for (int v = 0; v < VECTORS; v++) terms[v] =                                       \
                    load_16(row + v * s.width, lines);                                                               \
                _Pragma("unroll") for (int o = 0; o < 8; o++)                                                        \
                    _Pragma("unroll") for (int v = 0; v < VECTORS; v++) sum[o][v] =                                  \
                        fma(terms[v], (float16)(factors[line[o]]), sum[o][v]);                                       \
            }                                                                                                        \
        }                                                                                                            \
        _Pragma("unroll") for (int o = 0; o < 8; o++)                                                                \
            _Pragma("unroll") for (int v = 0; v < VECTORS; v++) value[o * VECTORS + v] = canonical(sum[o][v]);       \
    }                                                                                                                \
                                                                                                                     \
    static inline void wide_block_##VECTORS(network_share s, uint tile, uint inputs, uint first, uint panel,         \
                                            float16 *value) {                                                        \
        if (first + 8 > inputs)                                                                                      \
            wide_rows_##VECTORS(s, tile, inputs, first, panel, s.column, 0, value);                                  \
        else if (s.column == 32)                                                                                     \
            wide_rows_##VECTORS(s, tile, inputs, first, panel, 32, 1, value);                                        \
        else                                                                                                         \
            wide_rows_##VECTORS(s, tile, inputs, first, panel, 16, 1, value);                                        \
    }                                                                                                                \
                                                                                                                     \
    static inline void wide_blocks_##VECTORS(network_share s, network_target target,                                 \
                                             global const network_layer *layer, uint first, uint panel) {            \
        float16 value[16], levels[MOST_LEVELS][16];                                                                  \
        int16 bad = (int16)(0);                                                                                      \
        for (uint i = 0; i < s.tiles; i++) {                                                                         \
            wide_block_##VECTORS(s, s.first_tile + i, layer->inputs, first, panel, value);                           \
            add_block(value, levels, 8 * VECTORS, i, i + 1 == s.tiles);                                              \
        }                                                                                                            \
        for (uint o = 0; o < 8 && first + o < layer->inputs; o++)                                                    \
            for (uint v = 0; v < VECTORS; v++)                                                                       \
                finish_vector(target, value[o * VECTORS + v],                                                        \
                              layer->weight + (first + o) * layer->stride + (panel + v) * 16, &bad);                 \
        if (is_any(bad)) target.result[2] = 1;                                                                     \
    }

DEFINE_WIDE_BLOCK(1)
DEFINE_WIDE_BLOCK(2)

/*
 * The sums over a tile's lanes, in 16 lanes each, of INPUTS inputs by OUTPUTS outputs; sums[h * 16 + k]. A block of 16
 * inputs that reaches past the last is not `whole`, and computes that one again: left are the inputs from this one on.
 */
#define DEFINE_NARROW_BLOCK(INPUTS, OUTPUTS)                                                                         \
    INLINE void narrow_lanes_##OUTPUTS(global const float *a, global const float *d, uint lanes, uint inputs,        \
                                       uint outputs, const uint column, const int whole, uint left, float zero,      \
                                       float16 *sums) {                                                              \
        float16 sum[OUTPUTS][INPUTS];                                                                                \
        uint line[INPUTS];                                                                                           \
        _Pragma("unroll") for (int k = 0; k < INPUTS; k++) {                                                         \
            line[k] = (whole || k < left ? k : left - 1) * column;                                                   \
            _Pragma("unroll") for (int h = 0; h < OUTPUTS; h++) sum[h][k] = (float16)(zero);                         \
        }                                                                                                            \
        for (uint from = 0; from < lanes; from += column, a += (ulong)column * inputs, d += column * outputs)        \
            for (uint lane = 0; lane < column && from + lane < lanes; lane += 16) {                                  \
                float16 delta[OUTPUTS];                                                                              \
                _Pragma("unroll") for (int h = 0; h < OUTPUTS; h++) delta[h] = load_16(0, d + h * column + lane);    \
                _Pragma("unroll") for (int k = 0; k < INPUTS; k++) {                                                 \
                    float16 value = load_16(0, a + line[k] + lane);                                                  \
                    _Pragma("unroll") for (int h = 0; h < OUTPUTS; h++) sum[h][k] =                                  \
                        fma(value, delta[h], sum[h][k]);                                                             \
                }                                                                                                    \
            }                                                                                                        \
        _Pragma("unroll") for (int h = 0; h < OUTPUTS; h++)                                                          \
            _Pragma("unroll") for (int k = 0; k < INPUTS; k++) sums[h * 16 + k] = sum[h][k];                         \
    }                                                                                                                \
                                                                                                                     \
    /* value[h]: 16 inputs from `first` on, or as many as there are, by output number output + h, of one tile. */    \
    static inline void narrow_block_##OUTPUTS(network_share s, uint tile, uint inputs, uint first, uint outputs,     \
                                              uint output, float16 *value) {                                         \
        global const float *a = s.a + tile * s.a_tile + first * s.column;                                            \
        global const float *d = s.kept + tile * s.kept_tile + output * s.column;                                     \
        uint lanes = lanes_of_tile(s.rows, tile), left = inputs - first;                                             \
        float16 sums[OUTPUTS * 16];                                                                                  \
        if (left < 16)                                                                                               \
            for (uint i = 0; i < OUTPUTS * 16; i++)                                                                  \
                sums[i] = (float16)(0.0f);                                                                           \
        for (uint k = 0; k < 16 && k < left; k += INPUTS)                                                            \
            if (k + INPUTS > left)                                                                                   \
                narrow_lanes_##OUTPUTS(a + k * s.column, d, lanes, inputs, outputs, s.column, 0, left - k, s.zero,   \
                                       sums + k);                                                                    \
            else if (s.column == 32)                                                                                 \
                narrow_lanes_##OUTPUTS(a + k * 32, d, lanes, inputs, outputs, 32, 1, INPUTS, s.zero, sums + k);      \
            else                                                                                                     \
                narrow_lanes_##OUTPUTS(a + k * 16, d, lanes, inputs, outputs, 16, 1, INPUTS, s.zero, sums + k);      \
        for (uint h = 0; h < OUTPUTS; h++)                                                                           \
            value[h] = fold_sixteen(sums + h * 16);                                                                  \
    }                                                                                                                \
                                                                                                                     \
    static inline void narrow_blocks_##OUTPUTS(network_share s, network_target target,                               \
                                               global const network_layer *layer, uint first, uint output) {         \
        uint count = layer->inputs - first < 16 ? layer->inputs - first : 16;                                        \
        float16 value[OUTPUTS], levels[MOST_LEVELS][16];                                                             \
        for (uint i = 0; i < s.tiles; i++) {                                                                         \
            narrow_block_##OUTPUTS(s, s.first_tile + i, layer->inputs, first, layer->outputs, output, value);        \
            add_block(value, levels, OUTPUTS, i, i + 1 == s.tiles);                                                  \
        }                                                                                                            \
        for (uint h = 0; h < OUTPUTS; h++)                                                                           \
            finish_scattered(&target, value + h, layer->weight + first * layer->stride + output + h, layer->stride,    \
                             count);                                                                                 \
    }

DEFINE_NARROW_BLOCK(4, 6)
DEFINE_NARROW_BLOCK(4, 4)
DEFINE_NARROW_BLOCK(8, 2)
DEFINE_NARROW_BLOCK(16, 1)

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
                sum[l] = sum[l] + load_16(row + l, d);
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
            sum = sum + load_16(0, d + (lane & ~(s.column - 1)) * outputs + h * s.column + (lane & (s.column - 1)));
        sums[h] = fold_lanes(sum);
    }
    return vload16(0, sums);
}

static inline void narrow_gradients(network_share s, network_target target, global const network_layer *layer,
                                    uint first) {
    uint h = 0;
    for (; h + 6 <= layer->outputs; h += 6)
        narrow_blocks_6(s, target, layer, first, h);
    for (; h + 4 <= layer->outputs; h += 4)
        narrow_blocks_4(s, target, layer, first, h);
    for (; h + 2 <= layer->outputs; h += 2)
        narrow_blocks_2(s, target, layer, first, h);
    for (; h < layer->outputs; h++)
        narrow_blocks_1(s, target, layer, first, h);
}

static inline void bias_gradients(network_share s, network_target target, global const network_layer *layer) {
    int16 bad = (int16)(0);
    for (uint panel = 0; panel * 16 < layer->stride; panel++) {
        float16 value, levels[MOST_LEVELS][16];
        for (uint i = 0; i < s.tiles; i++) {
            value = bias_block(s, s.first_tile + i, layer->outputs, layer->stride, panel);
            add_block(&value, levels, 1, i, i + 1 == s.tiles);
        }
        if (layer->stride >= 16)
            finish_vector(target, value, layer->bias + panel * 16, &bad);
        else
            finish_scattered(&target, &value, layer->bias, 1, layer->outputs);
    }
    if (is_any(bad)) target.result[2] = 1;
}

/* The sums of the losses, as those of a bias. */
static inline void sum_losses(network_share s, network_target target, global const float *losses) {
    float16 value, levels[MOST_LEVELS][16];
    for (uint i = 0; i < s.tiles; i++) {
        uint tile = s.first_tile + i;
        value = (float16)(sum_over_rows(losses + tile * s.kept_tile, lanes_of_tile(s.rows, tile), s.zero));
        add_block(&value, levels, 1, i, i + 1 == s.tiles);
    }
    target.slot[target.floats] = value.s0;
    if (target.is_update) target.result[0] = as_uint(value.s0);
}

/* A block of a layer's parameters; its last is its bias, and with that go the losses unless they are NULL. */
static inline void network_block(network_share s, network_target target, global const network_layer *layer, uint block,
                                 global const float *losses) {
    uint size = layer->stride >= 16 ? NETWORK_WIDE_INPUTS : NETWORK_NARROW_INPUTS;
    if (block * size >= layer->inputs) {
        target.is_weight = 0;
        bias_gradients(s, target, layer);
        if (losses != NULL) sum_losses(s, target, losses);
    } else if (layer->stride >= 16) {
        uint panels = layer->stride / 16, panel = 0;
        for (; panel + 2 <= panels; panel += 2)
            wide_blocks_2(s, target, layer, block * size, panel);
        if (panel < panels) wide_blocks_1(s, target, layer, block * size, panel);
    } else {
        narrow_gradients(s, target, layer, block * size);
    }
}

/* Work-item (block of parameters, group of tiles). */
kernel void network_gradient(global const float *input, ulong input_offset, ulong input_tile,
                             global const float *workspace, ulong workspace_tile, uint width, uint column, uint rows,
                             uint group, global const network_layer *layers, uint layer_count, ulong losses,
                             global float *slots, ulong slot_floats, global float *parameters, float inverse_rows,
                             uint rule, uint states, global float *state, global const update_constants *constants,
                             global const update_rates *rates, int update, global uint *results, uint step,
                             float zero) {
    uint item = (uint)get_global_id(0), index = (uint)get_global_id(1), l = 0;
    uint tiles = (rows + TILE_ROWS - 1) / TILE_ROWS;
    while (l + 1 < layer_count && layers[l + 1].first_item <= item)
        l++;
    global const network_layer *layer = layers + l;
    update_target of_all = {parameters, state, slot_floats - 16, inverse_rows, rule, states, *constants, rates[step]};
    network_target target = {.slot = slots + index * slot_floats,
                             .parameters = parameters,
                             .update = &of_all,
                             .inverse_rows = inverse_rows,
                             .rate = of_all.rates.rate,
                             .l2 = of_all.constants.l2,
                             .is_update = update,
                             .is_plain = update && is_plain(rule, of_all.constants),
                             .is_weight = 1,
                             .floats = slot_floats - 16,
                             .result = results + 3 * step};
    network_share s = {workspace + layer->source * width, workspace + layer->kept * width, workspace_tile,
                       workspace_tile, width, column, rows, index * group, 0, zero};
    s.tiles = tiles - s.first_tile < group ? tiles - s.first_tile : group;
    if (l == 0 && layer->threshold == 0) {
        s.a = input + input_offset;
        s.a_tile = input_tile;
    }
    network_block(s, target, layer, item - (uint)layer->first_item,
                  l + 1 == layer_count ? workspace + losses * width : NULL);
}

/* ---- both ------------------------------------------------------------------------------------------------------ */

/*
 * Rows and gradients of one tile after the other, so that its tensors never leave the cache. Work-item (group of `group`
 * tiles): its workspace is one tile, and so is its input unless that is assembled, its scratch the levels of the tree,
 * slot_floats apart. See add_to_tree of perceptron.cl.
 */
kernel void network_tiles(global float *input, ulong input_offset, ulong input_tile, global float *workspace,
                          ulong workspace_tile, BATCH_ARGUMENTS, uint group, global float *slots, ulong slot_floats,
                          global float *scratch, ulong scratch_floats) {
    network_batch batch = BATCH;
    uint item = (uint)get_global_id(0), tiles = (rows + TILE_ROWS - 1) / TILE_ROWS - item * group;
    global float *tensors = workspace + item * workspace_tile;
    network_target target = {.slot = slots + item * slot_floats, .floats = slot_floats - 16};
    if (tiles > group) tiles = group;
    for (uint index = 0; index < tiles; index++) {
        uint tile = item * group + index, used = rows_of_tile(rows, tile);
        global float *x = input + input_offset + (assembled ? tile : item) * input_tile;
        for (uint lane = 0; lane < used; lane += 32)
            network_column_2(batch, tile, lane, x, tensors);
        for (uint l = 0; l < layer_count; l++) {
            global const network_layer *layer = layers + l;
            global const float *a = l == 0 && layer->threshold == 0 ? x : tensors + layer->source * width;
            network_share s = {a, tensors + layer->kept * width, 0, 0, width, 32, used, 0, 1, zero};
            uint size = layer->stride >= 16 ? NETWORK_WIDE_INPUTS : NETWORK_NARROW_INPUTS;
            for (uint block = 0; block < (layer->inputs + size - 1) / size + 1; block++)
                network_block(s, target, layer, block, l + 1 == layer_count ? tensors + losses * width : NULL);
        }
        add_to_tree(target.slot, scratch + item * scratch_floats, (uint)slot_floats, index, index + 1 == tiles);
    }
}

#endif
