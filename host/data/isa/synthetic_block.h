/*
 * A block of rows on its way from base to features and labels. Where rows have few columns, these are held as lines, one
 * number of each row, so that a vector holds as many rows as it has lanes.
 */
#ifndef TANDA_DATA_ISA_SYNTHETIC_BLOCK_H
#define TANDA_DATA_ISA_SYNTHETIC_BLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernels/synthetic.h"

#define ISA_PASTE(name, isa) name##_##isa
#define ISA_EXPAND(name, isa) ISA_PASTE(name, isa)
#define ISA_NAME(name) ISA_EXPAND(name, TANDA_ISA)

#define BLOCK_ROWS 128
#define BLOCK_COLUMNS 32 /* that can be held as lines */

typedef struct block {
    const synthetic *data;
    const float *table;
    uint64_t row; /* the first */
    size_t rows;  /* at most BLOCK_ROWS */
    float *x;     /* (rows, features) */
    uint32_t *labels;
    uint32_t words[PHILOX_WORDS][BLOCK_ROWS]; /* of each row */
    float columns[BLOCK_COLUMNS][BLOCK_ROWS];
    float lanes[SYNTHETIC_LANES][BLOCK_ROWS];
} block;

static inline philox_words words_of(const block *block, size_t r) {
    return (philox_words){block->words[0][r], block->words[1][r], block->words[2][r], block->words[3][r]};
}

/* Columns first ... first + count - 1 of the rows into lines 0 ... count - 1, and back. */
static inline void pack(block *block, size_t first, size_t count) {
    const size_t features = block->data->features;
    for (size_t i = 0; i < count; i++) {
        const float *restrict x = block->x + first + i;
        float *restrict line = block->columns[i];
#pragma omp simd
        for (size_t r = 0; r < block->rows; r++)
            line[r] = x[r * features];
    }
}

static inline void unpack(block *block, size_t first, size_t count) {
    const size_t features = block->data->features;
    for (size_t r = 0; r < block->rows; r++)
        for (size_t i = 0; i < count; i++)
            block->x[r * features + first + i] = block->columns[i][r];
}

/* Features and labels of a block whose x is the base and whose words are there. */
void ISA_NAME(synthetic_finish)(block *block);
void ISA_NAME(synthetic_finish_network)(block *block);
void ISA_NAME(synthetic_finish_images)(block *block);

#endif
