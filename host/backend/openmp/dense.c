/*
 * Dense layers. Forward, backward to the input and the weight gradient of wide layers are one loop: chains of
 * fma in ascending order, in blocks of outputs x vectors that stay in registers. See dense.cl.
 */
#include "backend/openmp/tile.h"
#include "backend/openmp/vector.h"

#define CHUNK TILE_ROWS /* terms of one chain (contract 2) */
#define OUTPUT_GRAIN 2  /* outputs are shared out among threads in pairs */

/*
 * results[j][lane] = start[j] + sum over chunks of (chain over t of lines[t][lane] * factors(t, j))
 * with factors(t, j) = factors[t * factor_step + j * factor_apart], for outputs j in [first, end).
 */
typedef struct chains {
    const float *lines;
    size_t line_stride;
    const float *factors;
    size_t factor_step, factor_apart;
    const float *start; /* NULL: +0 */
    float *results;
    size_t result_stride;
    size_t terms;
    size_t lanes; /* a multiple of TILE_LANES */
    size_t first, end;
    float limit; /* results are stored through vec_keep_from(.., limit) */
} chains;

/* One block of one chunk: terms [from, to), OUTPUTS outputs from j, VECTORS vectors from lane. */
#define DEFINE_BLOCK(OUTPUTS, VECTORS) \
    static void block_##OUTPUTS##x##VECTORS(const chains *c, size_t from, size_t to, size_t j, \
                                            size_t lane) { \
        const size_t step = c->factor_step, apart = c->factor_apart, line_stride = c->line_stride; \
        const float *line = c->lines + from * line_stride + lane; \
        const float *factor = c->factors + from * step + j * apart; \
        vec sum[OUTPUTS][VECTORS]; \
        _Pragma("GCC unroll 16") for (int o = 0; o < OUTPUTS; o++) \
            _Pragma("GCC unroll 16") for (int v = 0; v < VECTORS; v++) sum[o][v] = vec_zero(); \
        for (size_t t = from; t < to; t++) { \
            vec values[VECTORS]; \
            _Pragma("GCC unroll 16") for (int v = 0; v < VECTORS; v++) values[v] = \
                vec_load(line + v * LANES); \
            _Pragma("GCC unroll 16") for (int o = 0; o < OUTPUTS; o++) { \
                vec f = vec_splat(factor[(size_t)o * apart]); \
                _Pragma("GCC unroll 16") for (int v = 0; v < VECTORS; v++) sum[o][v] = \
                    vec_fma(values[v], f, sum[o][v]); \
            } \
            line += line_stride; \
            factor += step; \
        } \
        _Pragma("GCC unroll 16") for (int o = 0; o < OUTPUTS; o++) { \
            float *result = c->results + (j + (size_t)o) * c->result_stride + lane; \
            _Pragma("GCC unroll 16") for (int v = 0; v < VECTORS; v++) { \
                vec total = from > 0 ? vec_load(result + v * LANES) \
                                     : vec_splat(c->start == NULL ? 0.0f : c->start[j + (size_t)o]); \
                total = vec_add(total, sum[o][v]); \
                vec_store(result + v * LANES, to == c->terms ? vec_keep_from(total, c->limit) : total); \
            } \
        } \
    }

typedef void block_function(const chains *c, size_t from, size_t to, size_t j, size_t lane);

/* X(outputs, vectors): what the registers hold; vectors from many to few, and for each outputs from many to few. */
#if LANES == 16
#define BLOCK_LIST(X) \
    X(1, 16) \
    X(2, 8) \
    X(1, 8) \
    X(6, 4) \
    X(4, 4) X(2, 4) X(1, 4) X(12, 2) X(6, 2) X(4, 2) X(2, 2) X(1, 2) X(12, 1) X(6, 1) X(4, 1) X(2, 1) \
        X(1, 1)
#elif LANES == 8
#define BLOCK_LIST(X) \
    X(1, 8) \
    X(2, 4) X(1, 4) X(6, 2) X(4, 2) X(2, 2) X(1, 2)
#else
#define BLOCK_LIST(X) X(2, 4) X(1, 4)
#endif
BLOCK_LIST(DEFINE_BLOCK)

typedef struct block {
    size_t outputs, vectors;
    void (*run)(const chains *c, size_t from, size_t to, size_t j, size_t lane);
} block;

#define BLOCK_ENTRY(OUTPUTS, VECTORS) {OUTPUTS, VECTORS, block_##OUTPUTS##x##VECTORS},
static const block blocks[] = {BLOCK_LIST(BLOCK_ENTRY)};

static inline bool fits(const block *block, size_t outputs, size_t vectors) {
    bool wide = block->vectors > 4; /* only where it takes all outputs that are left */
    return block->vectors <= vectors && block->outputs <= outputs && !(wide && outputs > block->outputs);
}

/*
 * The first block that fits what is left. Few outputs leave registers for more vectors, and whole lines are then
 * read one after the other, which is what memory likes.
 */
static inline const block *find_block(size_t outputs, size_t vectors) {
    const block *found = blocks;
    while (!fits(found, outputs, vectors))
        found++;
    return found;
}

/* The same, of those that fill so many vectors exactly. */
static inline const block *find_whole_block(size_t outputs, size_t vectors) {
    const block *found = blocks;
    while (!fits(found, outputs, vectors) || vectors % found->vectors != 0)
        found++;
    return found;
}

/* Every output over the lanes [lane, lane_end), of the terms [from, to). */
static void run_column(const chains *c, size_t from, size_t to, size_t lane, size_t lane_end) {
    for (size_t j = c->first; j < c->end;) {
        const block *block = find_whole_block(c->end - j, (lane_end - lane) / LANES);
        for (size_t l = lane; l < lane_end; l += block->vectors * LANES)
            block->run(c, from, to, j, l);
        j += block->outputs;
    }
}

/* Lanes go in columns: as many whole blocks as fit, then the rest in narrower ones. */
static void run_chains(const chains *c) {
    if (c->first == c->end) return;
    for (size_t from = 0; from < c->terms; from += CHUNK) {
        size_t to = from + CHUNK < c->terms ? from + CHUNK : c->terms;
        for (size_t lane = 0, width = 0; lane < c->lanes; lane += width) {
            size_t vectors = find_block(c->end - c->first, (c->lanes - lane) / LANES)->vectors;
            width = (c->lanes - lane) / (vectors * LANES) * vectors * LANES;
            run_column(c, from, to, lane, lane + width);
        }
    }
}

/* z (H, width) = W a + b; a is (K, width). */
void ISA_NAME(dense_forward)(const tile_task *task, const op *op) {
    chains c = {.lines = tensor_at(task, op->source),
                .line_stride = task->width,
                .factors = task->parameters + op->weight,
                .factor_step = op->stride,
                .factor_apart = 1,
                .start = task->parameters + op->bias,
                .results = tensor_at(task, op->target),
                .result_stride = task->width,
                .terms = op->inputs,
                .lanes = task->lanes,
                .limit = CANONICAL_LIMIT};
    share_of(task, op->outputs, OUTPUT_GRAIN, &c.first, &c.end);
    run_chains(&c);
}

/* d loss / d a (K, width) = W^T delta; delta is (H, width). */
void ISA_NAME(dense_backward)(const tile_task *task, const op *op) {
    chains c = {.lines = tensor_at(task, op->source),
                .line_stride = task->width,
                .factors = task->parameters + op->weight,
                .factor_step = 1,
                .factor_apart = op->stride,
                .results = tensor_at(task, op->target),
                .result_stride = task->width,
                .terms = op->outputs,
                .lanes = task->lanes,
                .limit = TINY_LIMIT};
    share_of(task, op->inputs, OUTPUT_GRAIN, &c.first, &c.end);
    run_chains(&c);
}

/* transposed (lanes, S) from delta (H, width); columns from H to S are +0. */
static void transpose_delta(const tile_task *task, const op *op, const float *delta, float *transposed) {
    for (size_t h = 0; h < op->stride; h += LANES)
        for (size_t lane = 0; lane < task->lanes; lane += LANES) {
            vec lines[LANES];
            for (size_t i = 0; i < LANES; i++)
                lines[i] = h + i < op->outputs ? vec_load(delta + (h + i) * task->width + lane) : vec_zero();
            vec_transpose(lines);
            for (size_t i = 0; i < LANES; i++)
                vec_store(transposed + (lane + i) * op->stride + h, lines[i]);
        }
}

/* dW (K, S): row by row, vectors over h. */
static void wide_gradient(const tile_task *task, const op *op, const float *delta) {
    chains c = {.lines = task->scratch,
                .line_stride = op->stride,
                .factors = tensor_at(task, op->other),
                .factor_step = 1,
                .factor_apart = task->width,
                .results = task->partial + op->weight,
                .result_stride = op->stride,
                .terms = task->rows,
                .lanes = op->stride,
                .limit = CANONICAL_LIMIT};
    share_of(task, op->inputs, OUTPUT_GRAIN, &c.first, &c.end);
    if (c.first == c.end) return; /* nothing to transpose for */
    transpose_delta(task, op, delta, task->scratch);
    run_chains(&c);
}

/* Folds 16 lanes in halves: 8, 4, 2, 1 (contract 3). */
static inline float fold_lanes(const vec group[GROUP_VECTORS]) {
    float lanes[TILE_LANES];
    for (size_t v = 0; v < GROUP_VECTORS; v++)
        vec_store(lanes + v * LANES, group[v]);
    for (size_t half = TILE_LANES / 2; half > 0; half /= 2)
        for (size_t l = 0; l < half; l++)
            lanes[l] += lanes[l + half];
    return lanes[0];
}

/* totals[i] = sums[i] folded, for `count` groups of 16 lanes. */
static inline void fold_sums(const vec (*sums)[GROUP_VECTORS], int count, float *totals) {
#ifdef CAN_FOLD_LINES
    if (count == LANES) {
        vec_store(totals, vec_fold_lines(&sums[0][0]));
        return;
    }
#endif
    for (int i = 0; i < count; i++)
        totals[i] = fold_lanes(sums[i]);
}

/* Where a narrow gradient reads and writes: dW[k][h] = result[k * stride + h]. */
typedef struct narrow {
    const float *a, *delta;
    size_t width, lanes;
    float *result;
    size_t stride;
} narrow;

/* dW for INPUTS inputs from k and OUTPUTS outputs from h, in lanes. */
#define DEFINE_NARROW(INPUTS, OUTPUTS) \
    static void narrow_##INPUTS##x##OUTPUTS(const narrow *n, size_t k, size_t h) { \
        const float *a = n->a + k * n->width, *delta = n->delta + h * n->width; \
        vec sum[INPUTS * OUTPUTS][GROUP_VECTORS]; \
        _Pragma("GCC unroll 16") for (int i = 0; i < INPUTS * OUTPUTS; i++) \
            _Pragma("GCC unroll 16") for (int v = 0; v < GROUP_VECTORS; v++) sum[i][v] = vec_zero(); \
        for (size_t lane = 0; lane < n->lanes; lane += TILE_LANES) \
            _Pragma("GCC unroll 16") for (int v = 0; v < GROUP_VECTORS; v++) { \
                vec d[OUTPUTS]; \
                _Pragma("GCC unroll 16") for (size_t o = 0; o < OUTPUTS; o++) d[o] = \
                    vec_load(delta + o * n->width + lane + v * LANES); \
                _Pragma("GCC unroll 16") for (size_t i = 0; i < INPUTS; i++) { \
                    vec x = vec_load(a + i * n->width + lane + v * LANES); \
                    _Pragma("GCC unroll 16") for (size_t o = 0; o < OUTPUTS; o++) sum[i * OUTPUTS + o][v] = \
                        vec_fma(x, d[o], sum[i * OUTPUTS + o][v]); \
                } \
            } \
        float totals[INPUTS * OUTPUTS]; \
        fold_sums(sum, INPUTS *OUTPUTS, totals); \
        for (size_t i = 0; i < INPUTS; i++) \
            for (size_t o = 0; o < OUTPUTS; o++) \
                n->result[(k + i) * n->stride + h + o] = totals[i * OUTPUTS + o]; \
    }

#if LANES == 16
#define NARROW_ALONE 16 /* inputs at once for a single output */
DEFINE_NARROW(16, 1)
DEFINE_NARROW(4, 4)
DEFINE_NARROW(1, 1)
#define narrow_alone narrow_16x1
#define narrow_square narrow_4x4
#define NARROW_SQUARE 4
#else
#define NARROW_ALONE 4
DEFINE_NARROW(4, 1)
DEFINE_NARROW(2, 2)
DEFINE_NARROW(1, 1)
#define narrow_alone narrow_4x1
#define narrow_square narrow_2x2
#define NARROW_SQUARE 2
#endif

/* Inputs [first, end) for one output. */
static void narrow_output(const narrow *n, size_t first, size_t end, size_t h) {
    size_t k = first;
    for (; k + NARROW_ALONE <= end; k += NARROW_ALONE)
        narrow_alone(n, k, h);
    for (; k < end; k++)
        narrow_1x1(n, k, h);
}

static void narrow_gradient(const tile_task *task, const op *op, const float *delta) {
    const narrow n = {.a = tensor_at(task, op->other),
                      .delta = delta,
                      .width = task->width,
                      .lanes = task->lanes,
                      .result = task->partial + op->weight,
                      .stride = op->stride};
    size_t first = 0, end = 0, h = 0;
    share_of(task, op->inputs, NARROW_ALONE, &first, &end);
    size_t squares_end = first + (end - first) / NARROW_SQUARE * NARROW_SQUARE;
    for (; h + NARROW_SQUARE <= op->outputs; h += NARROW_SQUARE) {
        for (size_t k = first; k < squares_end; k += NARROW_SQUARE)
            narrow_square(&n, k, h);
        for (size_t o = 0; o < NARROW_SQUARE; o++)
            narrow_output(&n, squares_end, end, h + o);
    }
    for (; h < op->outputs; h++)
        narrow_output(&n, first, end, h);
}

/* The sum over the rows of one tensor unit, in lanes. */
static inline float sum_over_rows(const float *values, size_t lanes) {
    vec sum[GROUP_VECTORS];
    for (size_t v = 0; v < GROUP_VECTORS; v++)
        sum[v] = vec_zero();
    for (size_t lane = 0; lane < lanes; lane += TILE_LANES)
        for (size_t v = 0; v < GROUP_VECTORS; v++)
            sum[v] = vec_add(sum[v], vec_load(values + lane + v * LANES));
    return fold_lanes(sum);
}

void ISA_NAME(dense_gradient)(const tile_task *task, const op *op) {
    const float *delta = tensor_at(task, op->source);
    if (op->outputs >= WIDE_OUTPUTS)
        wide_gradient(task, op, delta);
    else
        narrow_gradient(task, op, delta);
    size_t first = 0, end = 0;
    share_of(task, op->outputs, 16, &first, &end);
    for (size_t h = first; h < end; h++)
        task->partial[op->bias + h] = sum_over_rows(delta + h * task->width, task->lanes);
}

void ISA_NAME(loss_sum)(const tile_task *task, const op *op) {
    if (task->part > 0) return;
    task->partial[task->loss_index] = sum_over_rows(tensor_at(task, op->source), task->lanes);
}
