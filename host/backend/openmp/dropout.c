/* Dropout, elementwise. See dropout.cl; the functions are in kernels/dropout.h. */
#include "kernels/dropout.h"
#include <string.h>

#include "backend/openmp/tile.h"
#include "data/isa/words.h"

#define WORDS PHILOX_WORDS

/* The counters of the lanes of a column: the blocks that the words of their next four units begin in. */
typedef struct counters {
    uint64_t block[COLUMN_LANES];
    uint32_t shift[COLUMN_LANES]; /* where in the block */
    uint32_t step, stream;
    uint64_t seed;
} counters;

static counters counters_of(const tile_group *group, const op *op, size_t position, size_t unit) {
    const size_t units = op->dropout.units;
    counters made = {.step = (uint32_t)group->step,
                     .stream = philox_stream(PURPOSE_DROPOUT, (uint32_t)op->layer),
                     .seed = group->seed};
    for (size_t i = 0; i < COLUMN_LANES; i++) {
        const uint64_t element = (uint64_t)(position + i) * units + unit;
        made.block[i] = element / WORDS;
        made.shift[i] = (uint32_t)(element % WORDS);
    }
    return made;
}

/* words (4, 32) of one block; the counters go on to the next. */
static void make_block(counters *counters, uint32_t words[WORDS][COLUMN_LANES]) {
    for (size_t i = 0; i < COLUMN_LANES; i += WIDE_LANES) {
        wide_word block;
        memcpy(&block, counters->block + i, sizeof block);
        const wide_words counter = {block, block >> 32, wide_splat(counters->step),
                                    wide_splat(counters->stream)};
        const wide_words made = philox_wide(counter, counters->seed);
        store_words(made.x, words[0] + i);
        store_words(made.y, words[1] + i);
        store_words(made.z, words[2] + i);
        store_words(made.w, words[3] + i);
        block += 1;
        memcpy(counters->block + i, &block, sizeof block);
    }
}

/* Lanes whose four units do not begin with a block take the rest of one and the beginning of the next. */
static void join_blocks(const counters *counters, const uint32_t a[WORDS][COLUMN_LANES],
                        const uint32_t b[WORDS][COLUMN_LANES], uint32_t words[WORDS][COLUMN_LANES]) {
#pragma omp simd
    for (size_t i = 0; i < COLUMN_LANES; i++) {
        const lane_words first = {a[0][i], a[1][i], a[2][i], a[3][i]};
        const lane_words second = {b[0][i], b[1][i], b[2][i], b[3][i]};
        const lane_words made = dropout_words(first, second, counters->shift[i]);
        words[0][i] = made.x;
        words[1][i] = made.y;
        words[2][i] = made.z;
        words[3][i] = made.w;
    }
}

typedef void line_function(const uint32_t *words, const dropout_op *op, const float *source, float *target,
                           size_t lanes);

static void forward_line(const uint32_t *words, const dropout_op *op, const float *source, float *target,
                         size_t lanes) {
    const uint32_t threshold = op->threshold;
    const float scale = op->scale;
#pragma omp simd
    for (size_t i = 0; i < lanes; i++)
        target[i] = dropout_value(source[i], words[i], threshold, scale);
}

static void backward_line(const uint32_t *words, const dropout_op *op, const float *source, float *target,
                          size_t lanes) {
    const uint32_t threshold = op->threshold;
    const float scale = op->scale;
#pragma omp simd
    for (size_t i = 0; i < lanes; i++)
        target[i] = dropout_delta(source[i], words[i], threshold, scale);
}

/* Units [first, end) of a column, four words at a time. */
static inline void run_column(const tile_group *group, const op *op, size_t index, size_t first, size_t end,
                              line_function *run) {
    const tile *tile = &group->tiles[index / TILE_COLUMNS];
    const size_t column = index % TILE_COLUMNS, lanes = lanes_in(tile, column);
    const dropout_op *dropout = &op->dropout;
    const bool aligned = dropout->units % WORDS == 0 && first % WORDS == 0; /* all shifts are 0 */
    const float *source = tensor_at(tile, column, dropout->source);
    float *target = tensor_at(tile, column, dropout->target);
    uint32_t blocks[2][WORDS][COLUMN_LANES], joined[WORDS][COLUMN_LANES];
    counters counters = counters_of(group, op, tile->position + column * COLUMN_LANES, first);
    if (!aligned) make_block(&counters, blocks[0]);
    for (size_t unit = first, turn = 1; unit < end; unit += WORDS, turn ^= 1) {
        make_block(&counters, blocks[turn]);
        if (!aligned)
            join_blocks(&counters, (const uint32_t(*)[COLUMN_LANES])blocks[turn ^ 1],
                        (const uint32_t(*)[COLUMN_LANES])blocks[turn], joined);
        const uint32_t(*words)[COLUMN_LANES] =
            (const uint32_t(*)[COLUMN_LANES])(aligned ? blocks[turn] : joined);
        for (size_t u = 0; u < WORDS && unit + u < end; u++) {
            const size_t at = (unit + u) * COLUMN_LANES;
            run(words[u], dropout, source + at, target + at, lanes);
        }
    }
}

static inline void for_columns(const tile_group *group, const op *op, line_function *run) {
    const share share = share_of(group, op->dropout.units);
    for (size_t c = share.first_column; share.first < share.end && c < share.end_column; c++)
        run_column(group, op, c, share.first, share.end, run);
}

void ISA_NAME(dropout_forward)(const tile_group *group, const op *op) {
    for_columns(group, op, forward_line);
}

void ISA_NAME(dropout_backward)(const tile_group *group, const op *op) {
    for_columns(group, op, backward_line);
}
