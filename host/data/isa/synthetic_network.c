/* The kinds whose labels cost the most: a teacher's network, and the strokes of images. */
#include <string.h>

#include "data/isa/synthetic_block.h"

#define GROUP 32 /* rows that go through the network together */

typedef float line[GROUP];

/* sums (outputs, GROUP) += w (inputs, outputs)^T a (inputs, GROUP), four inputs at a time, in their order. */
static void spread(const line *a, const float *w, size_t inputs, size_t outputs, line *sums) {
    size_t i = 0;
    for (; i + 4 <= inputs; i += 4, w += 4 * outputs) {
        for (size_t o = 0; o < outputs; o++) {
            const float w0 = w[o], w1 = w[outputs + o], w2 = w[2 * outputs + o], w3 = w[3 * outputs + o];
            float *restrict sum = sums[o];
#pragma omp simd
            for (size_t r = 0; r < GROUP; r++)
                sum[r] = fused(a[i + 3][r], w3,
                               fused(a[i + 2][r], w2, fused(a[i + 1][r], w1, fused(a[i][r], w0, sum[r]))));
        }
    }
    for (; i < inputs; i++, w += outputs) {
        for (size_t o = 0; o < outputs; o++) {
            float *restrict sum = sums[o];
#pragma omp simd
            for (size_t r = 0; r < GROUP; r++)
                sum[r] = fused(a[i][r], w[o], sum[r]);
        }
    }
}

/* The first layer, whose inputs are the features, some of them at a time. */
static void enter(const synthetic *data, const float *x, size_t rows, const float *w, size_t outputs,
                  line *sums) {
    line a[BLOCK_COLUMNS] __attribute__((aligned(64))) = {{0}};
    for (size_t first = 0; first < data->features; first += BLOCK_COLUMNS) {
        const size_t left = data->features - first, count = left < BLOCK_COLUMNS ? left : BLOCK_COLUMNS;
        for (size_t r = 0; r < rows; r++)
            for (size_t i = 0; i < count; i++)
                a[i][r] = x[r * data->features + first + i];
        spread(a, w + first * outputs, count, outputs, sums);
    }
}

static void bend(const line *sums, size_t outputs, line *units) {
    const float *restrict from = sums[0];
    float *restrict to = units[0];
#pragma omp simd
    for (size_t i = 0; i < outputs * GROUP; i++)
        to[i] = exact_tanh(from[i]);
}

/* The largest output, of equals the first. */
static void choose_largest(const line *sums, size_t classes, uint32_t *restrict labels) {
    line best;
    memcpy(best, sums[0], sizeof best);
    for (size_t r = 0; r < GROUP; r++)
        labels[r] = 0;
    for (uint32_t c = 1; c < classes; c++) {
#pragma omp simd
        for (size_t r = 0; r < GROUP; r++) {
            labels[r] = sums[c][r] > best[r] ? c : labels[r];
            best[r] = sums[c][r] > best[r] ? sums[c][r] : best[r];
        }
    }
}

static void ask_teacher(const synthetic *data, const float *w, const float *x, size_t rows,
                        uint32_t *labels) {
    line units[SYNTHETIC_UNITS_MAX] __attribute__((aligned(64)));
    line sums[SYNTHETIC_UNITS_MAX] __attribute__((aligned(64)));
    size_t inputs = data->features;
    for (uint32_t layer = 0; layer <= data->layers; layer++) {
        const size_t outputs = layer < data->layers ? data->hidden : data->classes;
        for (size_t o = 0; o < outputs; o++)
            for (size_t r = 0; r < GROUP; r++)
                sums[o][r] = data->zero;
        if (layer == 0)
            enter(data, x, rows, w, outputs, sums);
        else
            spread(units, w, inputs, outputs, sums);
        if (layer < data->layers) bend(sums, outputs, units);
        w += inputs * outputs;
        inputs = outputs;
    }
    choose_largest(sums, data->classes, labels);
}

void ISA_NAME(synthetic_finish_network)(block *block) {
    const synthetic *data = block->data;
    uint32_t labels[BLOCK_ROWS];
    for (size_t r = 0; r < block->rows; r += GROUP) {
        const size_t left = block->rows - r;
        ask_teacher(data, block->table, block->x + r * data->features, left < GROUP ? left : GROUP,
                    labels + r);
    }
#pragma omp simd
    for (size_t r = 0; r < block->rows; r++)
        block->labels[r] = synthetic_flip(data, labels[r], words_of(block, r));
}

#define PIXELS (IMAGE_SIDE * IMAGE_SIDE)

void ISA_NAME(synthetic_finish_images)(block *block) {
    const synthetic data = *block->data;
    float columns[PIXELS], lines[PIXELS], inks[PIXELS], strokes[STROKE_NUMBERS], scales[IMAGE_STROKES];
    for (int i = 0; i < PIXELS; i++) {
        columns[i] = (float)(i % IMAGE_SIDE);
        lines[i] = (float)(i / IMAGE_SIDE);
    }
    for (size_t r = 0; r < block->rows; r++) {
        float *restrict x = block->x + r * PIXELS;
        const uint32_t label = synthetic_class(&data, words_of(block, r));
        synthetic_strokes(&data, block->table + (size_t)label * STROKE_NUMBERS, block->row + r, strokes,
                          scales);
        block->labels[r] = label;
        for (size_t s = 0; s < IMAGE_STROKES; s++) {
            const float stroke[4] = {strokes[4 * s], strokes[4 * s + 1], strokes[4 * s + 2],
                                     strokes[4 * s + 3]};
            const float scale = scales[s];
#pragma omp simd
            for (size_t i = 0; i < PIXELS; i++)
                inks[i] = synthetic_ink(stroke, scale, columns[i], lines[i], s == 0 ? 0.0f : inks[i]);
        }
#pragma omp simd
        for (size_t i = 0; i < PIXELS; i++)
            x[i] = synthetic_pixel(&data, inks[i], x[i]);
    }
}
