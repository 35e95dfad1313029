/* A column of rows of a small network, from assembling to the deltas of every layer. See network.cl. */
#ifndef TANDA_KERNELS_NETWORK_COLUMN_H
#define TANDA_KERNELS_NETWORK_COLUMN_H

#include "kernels/cpu/assemble.h"
#include "kernels/cpu/network.h"
#include "kernels/cpu/network_units.h"
#include "kernels/cpu/row_deltas.h"
#include "kernels/dropout_units.h"
#include "kernels/loss_rows.h"
#include "kernels/weigh.h"

/* A delta's 16 lanes as 16 rows of each of its panels of 16 units; units that are not there become +0. */
static inline void keep_panels(global const float *delta, uint units, uint apart, global float *panels,
                               ulong panel) {
    for (uint first = 0; first < units; first += 16, panels += panel) {
        float16 lines[16];
        UNROLL_FOR (int k = 0; k < 16; k++) {
            lines[k] = (float16)(0.0f);
            if (first + k < units) lines[k] = load_16(0, delta + (first + k) * apart);
        }
        transpose(lines);
        UNROLL_FOR (int k = 0; k < 16; k++)
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

static inline dropout_mask mask_of(global const network_layer *layer, ulong seed, ulong position, uint step,
                                   uint l) {
    dropout_mask mask = {seed,
                         position,
                         step,
                         philox_stream(PURPOSE_DROPOUT, l),
                         (uint)layer->inputs,
                         (uint)layer->threshold,
                         as_float((uint)layer->scale)};
    return mask;
}

/* An epoch's order, and rows of it that were found before they are needed. */
typedef struct network_order {
    order_keys keys;
    int is_known;
    ulong first; /* the position of the first of: */
    ulong row[32];
} network_order;

/* A step's kernels are told this of it, the same for all work-items. weights: of rows, where they are weighted. */
typedef struct network_batch {
    network_arguments a;
    global const float *features;
    global const int *labels;
    global const float *weights, *parameters, *panels;
    global const network_layer *layers;
    global uint *results;
} network_batch;

#define MOST_ASKED_FEATURES 128 /* the hardware itself asks for the rest of a longer row */

/*
 * Finds and asks for the rows of the column that many columns after this one, which the same thread most often does next;
 * not in small steps.
 */
static inline void ask_for_next(network_order *order, const network_batch *batch, uint tile, uint lane,
                                uint lanes, uint columns) {
    const uint rows = batch->a.rows;
    uint next = tile * TILE_ROWS + lane + columns * lanes;
    order->is_known = rows > TILE_ROWS && next < rows;
    if (!order->is_known) return;
    order->first = batch->a.first_row + next;
    for (uint from = 0; from < lanes; from += 16)
        find_sixteen(&batch->a.order, &order->keys, batch->a.epoch, order->first + from,
                     (int)(rows - next) - (int)from, order->row + from);
    for (uint i = 0; i < lanes; i++)
        ask_for_row(batch->features, (uint)batch->layers[0].inputs, batch->labels, order->row[i]);
}

/* The rarer losses of 16 rows; not in line, so that they take no registers from the others. */
APART void network_elements(const network_batch *batch, global const float *output, global float *delta,
                            uint lanes, const int16 *label, const int16 *is_used, float16 *losses,
                            int16 *right) {
    element_rows(batch->a.rule, output, delta, 1, lanes, 0, *label, *is_used, losses, right, batch->a.zero);
}

APART void network_smoothed(const network_batch *batch, global const float *logits, global float *delta,
                            const int16 *label, const int16 *is_used, float16 *losses, int16 *right) {
    float16 z = load_16(0, logits);
    float16 d = binary_rows(z, convert_float16(*label), batch->a.rule, losses);
    *losses = choose(*is_used, *losses, 0.0f);
    *right = ((z > 0.0f) == (*label == 1)) & *is_used;
    store_16(choose(*is_used, d, 0.0f), 0, delta);
}

/* `columns` columns from lane `lane` on of a tile: what its tensors and its assembled rows are there. */
typedef struct network_place {
    uint tile, lane, columns;
    global float *x, *tensors;
} network_place;

/* Where a tensor's columns begin, of so many units for each lane. */
static inline global float *tensor_at(const network_batch *batch, const network_place *place, ulong tensor,
                                      ulong units) {
    return place->tensors + tensor * batch->a.width + place->lane * units;
}

/* The rows of one column: assembled into x unless they are, their labels and their weights. */
INLINE void begin_column(const int vectors, const network_batch *batch, network_order *order,
                         const network_place *place, uint column, int16 *label, float16 *weight) {
    const uint lanes = vectors * 16;
    uint used = rows_of_tile(batch->a.rows, place->tile), inputs = (uint)batch->layers[0].inputs;
    uint from = place->lane + column * lanes;
    ulong first_row = batch->a.first_row + (ulong)place->tile * TILE_ROWS;
    global float *x = place->x + (ulong)from * inputs;
    for (int v = 0; v < vectors; v++) {
        int there = (int)used - (int)from - v * 16, values[16];
        ulong found[16];
        const ulong *row = order->row + v * 16;
        if (!order->is_known || order->first != first_row + from) {
            find_sixteen(&batch->a.order, &order->keys, batch->a.epoch, first_row + from + v * 16, there,
                         found);
            row = found;
        }
        if (!batch->a.assembled) assemble_rows(batch->features, inputs, row, there, lanes, x + v * 16);
        for (int i = 0; i < 16; i++)
            values[i] = i < there ? batch->labels[row[i]] : 0;
        label[v] = vload16(0, values);
        weight[v] = (float16)(batch->a.zero);
        if (batch->a.weighted) weight[v] = row_weights(batch->weights, row, there);
    }
    if (batch->a.order.kind != SHUFFLE_NONE && !batch->a.assembled && inputs <= MOST_ASKED_FEATURES)
        ask_for_next(order, batch, place->tile, from, lanes, place->columns);
}

/* Dropout of the inputs of a layer, or, backward, of their derivatives. */
INLINE void drop_inputs(const int vectors, const network_batch *batch, const network_place *place, uint l,
                        int backward, global const float *from, global float *to, ulong apart) {
    global const network_layer *layer = batch->layers + l;
    ulong position = batch->a.position + (ulong)place->tile * TILE_ROWS;
    dropout_mask mask = mask_of(layer, batch->a.order.seed, position, batch->a.training_step, l);
    for (uint column = 0; column < place->columns; column++)
        for (int v = 0; v < vectors; v++)
            drop_units(mask, backward, place->lane + (column * vectors + v) * 16, 0, layer->inputs,
                       vectors * 16, from + column * apart + v * 16, to + column * apart + v * 16);
}

/* +0 in the outputs of lanes without rows: see openmp/activation.c. */
INLINE void clear_idle_lanes(const int vectors, const network_batch *batch, const network_place *place,
                             global float *output, uint units) {
    const uint rows = rows_of_tile(batch->a.rows, place->tile);
    if (place->lane + place->columns * vectors * 16 <= rows) return;
    for (uint column = 0; column < place->columns; column++)
        for (uint i = 0; i < units * vectors; i++) {
            const uint lane = place->lane + (column * vectors + i % vectors) * 16;
            const ulong at = (ulong)column * units * vectors + i;
            if (lane + 16 > rows) store_16(clear_unused(load_16(at, output), lane, rows), at, output);
        }
}

INLINE void layer_forward(const int vectors, const network_batch *batch, const network_place *place, uint l) {
    global const network_layer *layer = batch->layers + l;
    ulong lanes = vectors * 16, inputs = layer->inputs, outputs = layer->outputs;
    global const float *lines = place->x + place->lane * inputs;
    if (layer->threshold > 0) {
        if (l > 0) lines = tensor_at(batch, place, layer->undropped, inputs);
        drop_inputs(vectors, batch, place, l, 0, lines, tensor_at(batch, place, layer->source, inputs),
                    inputs * lanes);
    }
    if (l > 0 || layer->threshold > 0) lines = tensor_at(batch, place, layer->source, inputs);
    int relu = layer->activation == ACTIVATION_RELU;
    global float *output = tensor_at(batch, place, layer->output, outputs);
    global float *logits = relu ? output : tensor_at(batch, place, layer->logits, outputs);
    network_chains chains = {.lines = lines,
                             .factors = batch->panels + layer->panels,
                             .start = batch->parameters + layer->bias,
                             .gate = output,
                             .results = logits,
                             .lines_apart = inputs * lanes,
                             .results_apart = outputs * lanes,
                             .terms = (uint)inputs,
                             .units = (uint)outputs,
                             .columns = place->columns,
                             .relu = relu,
                             .zero = batch->a.zero};
    if (vectors == 2)
        units_forward_2(&chains);
    else
        units_forward_1(&chains);
    if (relu) return;
    activate_all(layer->activation, logits, output, (uint)outputs * vectors * place->columns);
    clear_idle_lanes(vectors, batch, place, output, (uint)outputs);
}

/* Losses and the last layer's deltas of one column. */
INLINE void end_column(const int vectors, const network_batch *batch, const network_place *place, uint column,
                       const int16 *label, const float16 *weight, int16 *correct) {
    const uint lanes = vectors * 16;
    global const network_layer *last = batch->layers + batch->a.layer_count - 1;
    uint from = place->lane + column * lanes, used = rows_of_tile(batch->a.rows, place->tile);
    global const float *logits =
        tensor_at(batch, place, last->output, last->outputs) + column * lanes * last->outputs;
    global float *delta =
        tensor_at(batch, place, last->delta, last->delta_apart) + column * lanes * last->delta_apart;
    row_loss loss = {batch->a.loss == NETWORK_SQUARED, batch->a.rule.is_class, batch->a.rule.sigmoid,
                     batch->a.with_loss};
    for (int v = 0; v < vectors; v++) {
        int there = (int)used - (int)from - v * 16;
        float16 losses = (float16)(0.0f);
        int16 right, is_used = lane_numbers() < (int16)(there);
        if (batch->a.loss == NETWORK_CATEGORICAL)
            categorical_rows(batch->a.rule, logits + v * 16, delta + v * 16, 1, lanes, label[v], is_used,
                             &losses, &right, batch->a.zero);
        else if (batch->a.loss == NETWORK_ELEMENTS)
            network_elements(batch, logits + v * 16, delta + v * 16, lanes, &label[v], &is_used, &losses,
                             &right);
        else if (batch->a.loss == NETWORK_SMOOTHED)
            network_smoothed(batch, logits + v * 16, delta + v * 16, &label[v], &is_used, &losses, &right);
        else
            store_16(row_deltas(loss, load_16(v, logits), label[v], there, &losses, &right), v, delta);
        if (batch->a.weighted) {
            losses = weighed_loss(losses, weight[v]);
            for (uint h = 0; h < last->outputs; h++)
                store_16(weighed_delta(load_16(h * vectors + v, delta), weight[v]), h * vectors + v, delta);
        }
        store_16(losses, 0, place->tensors + batch->a.losses * batch->a.width + from + v * 16);
        if (batch->a.rule.is_class) *correct = *correct + right;
    }
    if (last->activation != ACTIVATION_IDENTITY)
        activate_all_backward(last->activation, delta,
                              tensor_at(batch, place, last->from, last->outputs) +
                                  column * lanes * last->outputs,
                              (uint)last->outputs * vectors);
}

/* A layer's deltas as its gradient reads them. */
INLINE void keep_deltas(const int vectors, const network_batch *batch, const network_place *place,
                        global const network_layer *layer) {
    const uint lanes = vectors * 16;
    global float *kept = place->tensors + layer->kept * batch->a.width;
    for (uint column = 0; column < place->columns; column++) {
        uint lane = place->lane + column * lanes;
        global const float *d = place->tensors + layer->delta * batch->a.width + lane * layer->delta_apart;
        if (layer->stride >= 16)
            for (int v = 0; v < vectors; v++)
                keep_panels(d + v * 16, layer->outputs, lanes, kept + (lane + v * 16) * 16,
                            batch->a.width * 16);
        else
            for (uint i = 0; i < layer->outputs * vectors; i++)
                store_16(load_16(i, d), i, kept + lane * layer->outputs);
    }
}

/* From a layer's deltas to those of the layer below. */
INLINE void layer_backward(const int vectors, const network_batch *batch, const network_place *place,
                           uint l) {
    global const network_layer *layer = batch->layers + l, *below = layer - 1;
    ulong lanes = vectors * 16, apart = below->delta_apart * lanes;
    global const float *from = tensor_at(batch, place, below->from, below->outputs);
    global float *target = tensor_at(batch, place, below->delta, below->delta_apart);
    int relu = below->activation == ACTIVATION_RELU && layer->threshold == 0;
    network_chains chains = {.lines = tensor_at(batch, place, layer->delta, layer->delta_apart),
                             .factors = batch->panels + layer->panels,
                             .start = batch->parameters,
                             .gate = from,
                             .results = target,
                             .lines_apart = layer->delta_apart * lanes,
                             .results_apart = apart,
                             .gate_apart = below->outputs * lanes,
                             .terms = (uint)layer->outputs,
                             .units = (uint)layer->inputs,
                             .columns = place->columns,
                             .relu = relu,
                             .zero = batch->a.zero};
    if (vectors == 2)
        units_backward_2(&chains);
    else
        units_backward_1(&chains);
    if (layer->threshold > 0) drop_inputs(vectors, batch, place, l, 1, target, target, apart);
    for (uint column = 0; !relu && column < place->columns; column++)
        activate_all_backward(below->activation, target + column * apart,
                              from + column * below->outputs * lanes, (uint)below->outputs * vectors);
}

static inline network_order order_of(const network_batch *batch) {
    network_order order = {.keys = {.is_known = 0}, .is_known = 0};
    order_seek_epoch(batch->a.order, &order.keys, batch->a.epoch);
    return order;
}

/*
 * Columns of 16 * `vectors` lanes of a tile, from rows to the deltas of every layer; layer by layer, as they share the
 * weights. place.x holds the assembled rows of the tile where batch.a.assembled is set, else they are assembled into it; that
 * and the tensors have `width` lanes.
 */
INLINE void network_columns(const int vectors, const network_batch *batch, network_order *order,
                            network_place place) {
    int16 label[NETWORK_MOST_COLUMNS * 2], correct = (int16)(0);
    float16 weight[NETWORK_MOST_COLUMNS * 2];
    for (uint column = 0; column < place.columns; column++)
        begin_column(vectors, batch, order, &place, column, label + column * vectors,
                     weight + column * vectors);
    for (uint l = 0; l < batch->a.layer_count; l++)
        layer_forward(vectors, batch, &place, l);
    for (uint column = 0; column < place.columns; column++)
        end_column(vectors, batch, &place, column, label + column * vectors, weight + column * vectors,
                   &correct);
    if (batch->a.rule.is_class) add_correct(batch->results, batch->a.step, correct);
    for (uint l = batch->a.layer_count; l-- > 0;) {
        keep_deltas(vectors, batch, &place, batch->layers + l);
        if (l > 0) layer_backward(vectors, batch, &place, l);
    }
}

#endif
