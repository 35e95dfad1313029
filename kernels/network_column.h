/* A column of rows of a small network, from assembling to the deltas of every layer. See network.cl. */
#ifndef TANDA_KERNELS_NETWORK_COLUMN_H
#define TANDA_KERNELS_NETWORK_COLUMN_H

#include "kernels/dropout.h"
#include "kernels/loss.h"
#include "kernels/network.h"
#include "kernels/network_units.h"
#include "kernels/shuffle.h"
#include "kernels/weigh.h"

#if VECTOR == 16

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

#endif

#endif
