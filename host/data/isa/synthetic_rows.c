#include "data/isa/synthetic_rows.h"

#include <string.h>

#include "data/isa/synthetic_block.h"
#include "data/isa/words.h"

#define CHUNK_BLOCKS 64
#define CHUNK (CHUNK_BLOCKS * PHILOX_WORDS)
#define PIECE 8192 /* features made before they are finished: they stay in the first cache */
#define PIECE_ROWS 2048
#define SHARING_ROWS 32 /* at least, where large tables are read once for all rows of a block */

/* Copies the part of chunk number `chunk` that lies in [first, end); target is element `first`. */
static void copy_part(const void *source, uint64_t chunk, uint64_t first, uint64_t end, void *target) {
    uint64_t begin = chunk * CHUNK, from = begin < first ? first : begin;
    uint64_t to = begin + CHUNK > end ? end : begin + CHUNK;
    memcpy((char *)target + (from - first) * 4, (const char *)source + (from - begin) * 4, (to - from) * 4);
}

/* Elements first ... end - 1 of the base. */
static void make_base(const synthetic *data, uint64_t first, uint64_t end, float *target) {
    uint32_t words[CHUNK] __attribute__((aligned(64)));
    float values[CHUNK] __attribute__((aligned(64)));
    for (uint64_t chunk = first / CHUNK; chunk * CHUNK < end; chunk++) {
        for (uint64_t i = 0; i < CHUNK_BLOCKS; i += WIDE_LANES)
            store_elements(wide_blocks(data->seed, chunk * CHUNK_BLOCKS + i, 0, synthetic_stream(LAYER_BASE)),
                           words + PHILOX_WORDS * i);
        if (data->is_uniform) {
#pragma omp simd
            for (size_t i = 0; i < CHUNK; i++)
                values[i] = signed_uniform(words[i]);
        } else {
#pragma omp simd
            for (size_t i = 0; i < CHUNK; i++)
                values[i] = exact_normal(words[i]);
        }
        copy_part(values, chunk, first, end, target);
    }
}

/* Rows whose base is made, block by block. */
static void finish(block *block, size_t rows) {
    const size_t features = block->data->features;
    for (size_t left = rows; left > 0; left -= block->rows) {
        block->rows = left < BLOCK_ROWS ? left : BLOCK_ROWS;
        /* the four words of each of the rows; those behind the last are made up to a whole vector */
        for (size_t r = 0; r < block->rows; r += WIDE_LANES) {
            const wide_words made =
                wide_blocks(block->data->seed, block->row + r, 0, synthetic_stream(LAYER_ROW));
            store_words(made.x, block->words[0] + r);
            store_words(made.y, block->words[1] + r);
            store_words(made.z, block->words[2] + r);
            store_words(made.w, block->words[3] + r);
        }
        ISA_NAME(synthetic_finish)(block);
        block->row += block->rows;
        block->x += block->rows * features;
        block->labels += block->rows;
    }
}

void ISA_NAME(synthetic_rows)(const synthetic *data, const float *table, uint64_t first, size_t rows,
                              float *features, uint32_t *labels) {
    const bool shares = data->kind == SYNTHETIC_TEACHER || data->kind == SYNTHETIC_CLASSIFICATION;
    const size_t least = shares ? SHARING_ROWS : 1;
    size_t piece = PIECE / data->features;
    block block; /* its lines are not worth clearing */
    block.data = data;
    block.table = table;
    piece = piece < least ? least : piece > PIECE_ROWS ? PIECE_ROWS : piece;
    for (size_t done = 0; done < rows; done += piece) {
        const size_t count = rows - done < piece ? rows - done : piece;
        const uint64_t row = first + done;
        float *x = features + done * data->features;
        block.row = row;
        block.x = x;
        block.labels = labels + done;
        make_base(data, row * data->features, (row + count) * data->features, x);
        finish(&block, count);
    }
}
