/* Rows of synthetic data, one work-item each, in any order. A program of its own (VECTOR 1). */
#include "kernels/arguments/synthetic.h"

/* features is (count, data.features), labels (count); scratch (count, SYNTHETIC_SCRATCH) if needed. */
kernel void synthetic_rows(global const float *table, global const ulong *rows, global float *features,
                           global uint *labels, global float *scratch, synthetic_arguments a) {
    synthetic data = a.data;
    uint item = (uint)get_global_id(0);
    if (item >= a.count) return;
    ulong row = rows[item];
    global float *x = features + (ulong)item * data.features;
    for (uint i = 0; i < data.features; i++) {
        uint word = philox_word(data.seed, row * data.features + i, 0, synthetic_stream(LAYER_BASE));
        x[i] = synthetic_base(word, data.is_uniform);
    }
    philox_words words = philox_block(data.seed, row, 0, synthetic_stream(LAYER_ROW));
    global float *own = scratch + (synthetic_needs_scratch(&data) ? (ulong)item * SYNTHETIC_SCRATCH : 0);
    labels[item] = synthetic_finish(&data, table, row, words, x, own);
}
