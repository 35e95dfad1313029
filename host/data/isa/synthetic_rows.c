#include "data/isa/synthetic_rows.h"

#include <string.h>

#define ISA_PASTE(name, isa) name##_##isa
#define ISA_EXPAND(name, isa) ISA_PASTE(name, isa)
#define ISA_NAME(name) ISA_EXPAND(name, TANDA_ISA)

#define CHUNK_BLOCKS 64
#define CHUNK (CHUNK_BLOCKS * PHILOX_WORDS)
#define PIECE 8192 /* features made before they are finished: they stay in the first cache */
#define PIECE_ROWS 2048

/* The words of chunk number `chunk` of a stream. The lower half of the counter cannot carry inside. */
static void make_words(uint64_t seed, uint64_t chunk, uint stream, uint32_t *restrict words) {
    uint32_t low = (uint32_t)(chunk * CHUNK_BLOCKS);
    uint64_t high = chunk * CHUNK_BLOCKS >> 32 << 32;
#pragma omp simd
    for (uint32_t i = 0; i < CHUNK_BLOCKS; i++) {
        philox_words made = philox_block(seed, high | (low + i), 0, stream);
        words[4 * i] = made.x;
        words[4 * i + 1] = made.y;
        words[4 * i + 2] = made.z;
        words[4 * i + 3] = made.w;
    }
}

static void make_uniform(const uint32_t *restrict words, float *restrict values) {
#pragma omp simd
    for (size_t i = 0; i < CHUNK; i++)
        values[i] = signed_uniform(words[i]);
}

static void make_normal(const uint32_t *restrict words, float *restrict values) {
#pragma omp simd
    for (size_t i = 0; i < CHUNK; i++)
        values[i] = exact_normal(words[i]);
}

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
        make_words(data->seed, chunk, synthetic_stream(LAYER_BASE), words);
        if (data->is_uniform)
            make_uniform(words, values);
        else
            make_normal(words, values);
        copy_part(values, chunk, first, end, target);
    }
}

/* The four words of each of the rows. */
static void make_row_words(const synthetic *data, uint64_t first, size_t rows, uint32_t *target) {
    uint32_t words[CHUNK] __attribute__((aligned(64)));
    uint64_t begin = first * PHILOX_WORDS, end = begin + rows * PHILOX_WORDS;
    for (uint64_t chunk = begin / CHUNK; chunk * CHUNK < end; chunk++) {
        make_words(data->seed, chunk, synthetic_stream(LAYER_ROW), words);
        copy_part(words, chunk, begin, end, target);
    }
}

void ISA_NAME(synthetic_rows)(const synthetic *data, const float *table, uint64_t first, size_t rows,
                              float *features, uint32_t *labels) {
    uint32_t words[PIECE_ROWS * PHILOX_WORDS];
    float scratch[SYNTHETIC_SCRATCH];
    size_t piece = PIECE / data->features;
    piece = piece < 1 ? 1 : piece > PIECE_ROWS ? PIECE_ROWS : piece;
    for (size_t done = 0; done < rows; done += piece) {
        size_t count = rows - done < piece ? rows - done : piece;
        uint64_t row = first + done;
        float *x = features + done * data->features;
        make_base(data, row * data->features, (row + count) * data->features, x);
        make_row_words(data, row, count, words);
        for (size_t i = 0; i < count; i++) {
            const uint32_t *own = words + PHILOX_WORDS * i;
            philox_words given = {own[0], own[1], own[2], own[3]};
            labels[done + i] = synthetic_finish(data, table, row + i, given, x + i * data->features, scratch);
        }
    }
}
