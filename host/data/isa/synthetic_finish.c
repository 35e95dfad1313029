/* From base to features and labels, a block of rows at a time: what kernels/synthetic.h does row by row, in its order. */
#include "data/isa/synthetic_block.h"
#include "data/isa/words.h"

#define FEW_CLASSES 32 /* up to so many have their luck drawn together */
#define FEW_COLUMNS 16 /* up to so many are summed as lines; beyond, a row fills the vectors by itself */

/* The lanes' sums fold by halves, as those of synthetic_dot; lanes that hold nothing add zero, once. */
static void fold(block *block, size_t used, float *restrict sums) {
    const float zero = block->data->zero;
    for (size_t half = SYNTHETIC_LANES / 2; half > 0; half /= 2) {
        for (size_t l = 0; l < half && l + half < used; l++) {
            float *restrict low = block->lanes[l];
            const float *restrict high = block->lanes[l + half];
#pragma omp simd
            for (size_t r = 0; r < block->rows; r++)
                low[r] = low[r] + high[r];
        }
        used = used < half ? used : half;
    }
#pragma omp simd
    for (size_t r = 0; r < block->rows; r++)
        sums[r] = block->lanes[0][r] + zero;
}

/* synthetic_dot of the first `count` lines of each row with w. */
static void sum_lines(block *block, const float *w, size_t count, float *restrict sums) {
    for (size_t i = 0; i < count; i++) {
        const float *restrict line = block->columns[i];
        float *restrict lane = block->lanes[i % SYNTHETIC_LANES];
        const float weight = w[i], zero = block->data->zero;
        if (i < SYNTHETIC_LANES) {
#pragma omp simd
            for (size_t r = 0; r < block->rows; r++)
                lane[r] = fused(line[r], weight, zero);
        } else {
#pragma omp simd
            for (size_t r = 0; r < block->rows; r++)
                lane[r] = fused(line[r], weight, lane[r]);
        }
    }
    fold(block, count < SYNTHETIC_LANES ? count : SYNTHETIC_LANES, sums);
}

/* synthetic_dot of the first `count` columns of each row with w; few columns are there as lines. */
static void sum_rows(block *block, const float *w, uint count, float *restrict sums) {
    if (count <= FEW_COLUMNS) {
        sum_lines(block, w, count, sums);
        return;
    }
    for (size_t r = 0; r < block->rows; r++)
        sums[r] = synthetic_dot(block->x + r * block->data->features, w, count, block->data->zero);
}

static void finish_linear(block *block) {
    const synthetic data = *block->data;
    const size_t features = data.features;
    float z[BLOCK_ROWS];
    if (features <= FEW_COLUMNS) pack(block, 0, features);
    sum_rows(block, block->table, data.features, z);
#pragma omp simd
    for (size_t r = 0; r < block->rows; r++) {
        block->labels[r] = synthetic_side(&data, z[r], words_of(block, r));
        z[r] = synthetic_step(&data, z[r]);
    }
    for (size_t r = 0; r < block->rows; r++) {
        float *restrict x = block->x + r * features;
#pragma omp simd
        for (size_t i = 0; i < features; i++)
            x[i] = fused(z[r], block->table[i], x[i]);
    }
}

/* Luck of all classes, row after row: its elements follow one another, so that a counter serves four. */
static void draw_luck(const block *block, float *restrict luck) {
    const synthetic data = *block->data;
    uint32_t words[BLOCK_ROWS * FEW_CLASSES + PHILOX_WORDS * (WIDE_LANES + 1)];
    const uint64_t first = block->row * data.classes;
    const size_t before = first % PHILOX_WORDS, count = block->rows * data.classes;
    for (size_t i = 0; i < before + count; i += PHILOX_WORDS * WIDE_LANES)
        store_elements(wide_blocks(data.seed, (first + i) / PHILOX_WORDS, 0, synthetic_stream(LAYER_CHOICE)),
                       words + i);
#pragma omp simd
    for (size_t i = 0; i < count; i++)
        luck[i] = synthetic_gumbel(words[before + i]);
}

/* That of one class among many. */
static void draw_luck_of(const block *block, uint32_t c, float *restrict luck) {
    const synthetic data = *block->data;
#pragma omp simd
    for (size_t r = 0; r < block->rows; r++)
        luck[r] = synthetic_luck(&data, block->row + r, c);
}

/* The class with the largest logit, luck added. */
static void choose_class(block *block) {
    const synthetic data = *block->data;
    const bool few = data.classes <= FEW_CLASSES;
    const size_t stride = few ? data.classes : 1;
    float z[BLOCK_ROWS], best[BLOCK_ROWS], luck[BLOCK_ROWS * FEW_CLASSES];
    uint32_t label[BLOCK_ROWS];
    if (few) draw_luck(block, luck);
    for (uint32_t c = 0; c < data.classes; c++) {
        const float *restrict own = few ? luck + c : luck;
        if (!few) draw_luck_of(block, c, luck);
        sum_rows(block, block->table + (size_t)c * data.features, data.features, z);
#pragma omp simd
        for (size_t r = 0; r < block->rows; r++) {
            const float logit = z[r] + own[r * stride];
            const float before = c == 0 ? -POSITIVE_INFINITY : best[r];
            label[r] = c == 0 ? 0 : label[r];
            label[r] = logit > before ? c : label[r];
            best[r] = logit > before ? logit : before;
        }
    }
#pragma omp simd
    for (size_t r = 0; r < block->rows; r++)
        block->labels[r] = synthetic_flip(&data, label[r], words_of(block, r));
}

static void finish_logistic(block *block) {
    const synthetic data = *block->data;
    float z[BLOCK_ROWS];
    if (data.features <= FEW_COLUMNS) pack(block, 0, data.features);
    if (data.classes != 2) {
        choose_class(block);
        return;
    }
    sum_rows(block, block->table, data.features, z);
#pragma omp simd
    for (size_t r = 0; r < block->rows; r++)
        block->labels[r] = synthetic_draw(&data, z[r], words_of(block, r));
}

static void finish_regression(block *block) {
    const synthetic data = *block->data;
    float y[BLOCK_ROWS];
    if (data.informative <= FEW_COLUMNS) pack(block, 0, data.informative);
    sum_rows(block, block->table, data.informative, y);
#pragma omp simd
    for (size_t r = 0; r < block->rows; r++)
        block->labels[r] = synthetic_quantity(&data, y[r], words_of(block, r));
}

static void draw_classes(block *block) {
    const synthetic data = *block->data;
#pragma omp simd
    for (size_t r = 0; r < block->rows; r++)
        block->labels[r] = synthetic_class(&data, words_of(block, r));
}

static void finish_blobs(block *block) {
    const synthetic data = *block->data;
    const size_t features = data.features;
    draw_classes(block);
    for (size_t r = 0; r < block->rows; r++) {
        const float *restrict centre = block->table + block->labels[r] * features;
        float *restrict x = block->x + r * features;
#pragma omp simd
        for (size_t i = 0; i < features; i++)
            x[i] = fused(data.noise, x[i], centre[i]);
    }
}

/* Mixture by mixture, so that one serves all rows while it is in the first cache. */
static void mix(block *block) {
    const synthetic data = *block->data;
    const size_t features = data.features, informative = data.informative;
    const float *mixtures = block->table + data.classes * informative;
    float sums[BLOCK_ROWS];
    const bool lines = informative <= BLOCK_COLUMNS;
    if (lines && data.redundant > 0) pack(block, 0, informative);
    for (size_t m = 0; m < data.redundant; m++) {
        if (lines)
            sum_lines(block, mixtures + m * informative, informative, sums);
        else
            sum_rows(block, mixtures + m * informative, (uint)informative, sums);
        for (size_t r = 0; r < block->rows; r++)
            block->x[r * features + informative + m] = sums[r];
    }
}

static void finish_classification(block *block) {
    const synthetic data = *block->data;
    const size_t features = data.features, informative = data.informative;
    draw_classes(block);
    for (size_t r = 0; r < block->rows; r++) {
        const float *restrict centre = block->table + block->labels[r] * informative;
        float *restrict x = block->x + r * features;
#pragma omp simd
        for (size_t i = 0; i < informative; i++)
            x[i] = x[i] + centre[i];
    }
    mix(block);
#pragma omp simd
    for (size_t r = 0; r < block->rows; r++)
        block->labels[r] = synthetic_flip(&data, block->labels[r], words_of(block, r));
}

/* The kinds in the plane, which change two columns: POINT is where row r belongs. */
#define DEFINE_PLACE(name, POINT) \
    static void place_##name(block *block) { \
        const synthetic data = *block->data; \
        float *restrict a = block->columns[0], *restrict b = block->columns[1]; \
        const uint32_t *restrict labels = block->labels; \
        _Pragma("omp simd") for (size_t r = 0; r < block->rows; r++) { \
            const synthetic_point point = POINT; \
            a[r] = synthetic_near(&data, point.a, a[r]); \
            b[r] = synthetic_near(&data, point.b, b[r]); \
        } \
    }
DEFINE_PLACE(moons, synthetic_moon(labels[r], words_of(block, r)))
DEFINE_PLACE(circles, synthetic_circle(block->table[labels[r]], words_of(block, r)))
DEFINE_PLACE(spirals, synthetic_arm(&data, labels[r], words_of(block, r)))

static void finish_plane(block *block, void (*place)(struct block *block)) {
    draw_classes(block);
    pack(block, 0, 2);
    place(block);
    unpack(block, 0, 2);
}

/* Lines, as there are never more than 32 informative columns. */
static void finish_xor(block *block) {
    const synthetic data = *block->data;
    pack(block, 0, data.informative);
    for (uint32_t i = 0; i < data.informative; i++) {
        float *restrict line = block->columns[i];
        uint32_t *restrict labels = block->labels;
#pragma omp simd
        for (size_t r = 0; r < block->rows; r++) {
            const uint32_t bit = (block->words[0][r] >> i) & 1u;
            labels[r] = i == 0 ? bit : labels[r] ^ bit;
            line[r] = synthetic_corner(&data, bit, line[r]);
        }
    }
    unpack(block, 0, data.informative);
}

void ISA_NAME(synthetic_finish)(block *block) {
    switch ((enum synthetic_kind)block->data->kind) {
    case SYNTHETIC_LINEAR:
        finish_linear(block);
        return;
    case SYNTHETIC_LOGISTIC:
        finish_logistic(block);
        return;
    case SYNTHETIC_BLOBS:
        finish_blobs(block);
        return;
    case SYNTHETIC_CLASSIFICATION:
        finish_classification(block);
        return;
    case SYNTHETIC_REGRESSION:
        finish_regression(block);
        return;
    case SYNTHETIC_MOONS:
        finish_plane(block, place_moons);
        return;
    case SYNTHETIC_CIRCLES:
        finish_plane(block, place_circles);
        return;
    case SYNTHETIC_SPIRALS:
        finish_plane(block, place_spirals);
        return;
    case SYNTHETIC_XOR:
        finish_xor(block);
        return;
    case SYNTHETIC_TEACHER:
        ISA_NAME(synthetic_finish_network)(block);
        return;
    default:
        ISA_NAME(synthetic_finish_images)(block);
    }
}
