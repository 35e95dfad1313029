/* Rows of synthetic data, one work-item each, in any order. A program of its own (VECTOR 1). */
#include "kernels/arguments/synthetic.h"

/* Row `row` of the data to x; returns its label. */
static inline __attribute__((always_inline)) uint make_row(const synthetic *data, global const float *table,
                                                           ulong row, global float *x,
                                                           global float *scratch) {
    for (uint i = 0; i < data->features; i++) {
        uint word = philox_word(data->seed, row * data->features + i, 0, synthetic_stream(LAYER_BASE));
        x[i] = synthetic_base(word, data->is_uniform);
    }
    philox_words words = philox_block(data->seed, row, 0, synthetic_stream(LAYER_ROW));
    return synthetic_finish(data, table, row, words, x, scratch);
}

/* features is (count, data.features), labels (count); scratch (count, SYNTHETIC_SCRATCH) if needed. */
kernel void synthetic_rows(global const float *table, global const ulong *rows, global float *features,
                           global uint *labels, global float *scratch, synthetic_arguments a) {
    synthetic data = a.data;
    uint item = (uint)get_global_id(0);
    if (item >= a.count) return;
    global float *own = scratch + (synthetic_needs_scratch(&data) ? (ulong)item * SYNTHETIC_SCRATCH : 0);
    labels[item] = make_row(&data, table, rows[item], features + (ulong)item * data.features, own);
}

/* Rows of a section in their order, scaled as host/data/scaling.c does; scaling is (2, features): centers, then factors. */
kernel void synthetic_section(global const float *table, global const float *scaling, global float *features,
                              global uint *labels, global float *scratch, section_arguments a) {
    synthetic data = a.data;
    ulong item = get_global_id(0), i = a.from + item;
    if (i >= a.count) return;
    global float *own = scratch + (synthetic_needs_scratch(&data) ? item * SYNTHETIC_SCRATCH : 0);
    global float *x = features + i * data.features;
    ulong row = row_order_at(a.order, a.epoch, a.first + i);
    uint label = make_row(&data, table, a.skip + row, x, own);
    for (uint f = 0; f < data.features && a.is_scaled; f++) {
        float distance = x[f] - scaling[f];
        x[f] = canonical(distance * scaling[data.features + f]);
    }
    if (a.labels != MADE_NONE) labels[i] = a.labels == MADE_REAL ? as_natural((float)label) : label;
}
