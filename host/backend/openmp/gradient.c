/*
 * The gradient of a dense layer, and the sum of the losses, over a group of tiles. Partials of the tiles are added
 * by the fixed tree (contract 4) as soon as they are made, block of outputs by block of outputs, so that only the
 * group's sum goes to memory.
 */
#include <string.h>

#include "backend/openmp/chains.h"
#include "backend/openmp/vector.h"

/*
 * A thread's scratch: the delta of two panels of a tile, (2, 256, 16), then for each level of the tree the partials
 * that wait there, laid out like the result.
 */
#define PAIR 2 /* panels that are worked on together */
#define PANEL_FLOATS (TILE_ROWS * PANEL)

/* ---- wide layers ----------------------------------------------------------------------------------------- */

/* panels (pair, 256, 16) from delta (H, 32 lanes a column); outputs from H on are +0. */
static void transpose_delta(const tile *tile, const dense_gradient_op *op, size_t h, size_t pair,
                            float *panels) {
    for (size_t column = 0; column < tile->columns; column++) {
        const float *delta = tensor_at(tile, column, op->delta);
        for (size_t block = 0; block < pair * PANEL; block += LANES)
            for (size_t lane = 0; lane < lanes_in(tile, column); lane += LANES) {
                float *target = panels + block / PANEL * PANEL_FLOATS +
                                (column * COLUMN_LANES + lane) * PANEL + block % PANEL;
                vec lines[LANES];
                for (size_t i = 0; i < LANES; i++)
                    lines[i] = h + block + i < op->shape.outputs
                                   ? vec_load(delta + (h + block + i) * COLUMN_LANES + lane)
                                   : vec_zero();
                vec_transpose(lines);
                for (size_t i = 0; i < LANES; i++)
                    vec_store(target + i * PANEL, lines[i]);
            }
    }
}

/* Where the partial of tile `index` goes and what is added to it: results of `floats` floats a level. */
static void direct_to_tree(chains *c, size_t index, size_t count, float *levels, size_t floats,
                           float *result) {
    const tree_step step = tree_step_of(index, index + 1 == count);
    c->below.count = step.count;
    for (size_t i = 0; i < step.count; i++)
        c->below.partials[i] = levels + step.below[i] * floats;
    c->results = index + 1 == count ? result : levels + step.level * floats;
}

/* dW for the outputs of `pair` panels from h on: row by row, vectors over h. */
static void pair_gradient(const tile_group *group, const op *op, size_t h, size_t pair) {
    const dense_gradient_op *gradient = &op->dense_gradient;
    const dense_shape *shape = &gradient->shape;
    float *panels = group->scratch, *levels = panels + PAIR * PANEL_FLOATS;
    chains c = {.layout = CHAINS_gradient,
                .lines = panels,
                .factors.group = PANEL * COLUMN_LANES,
                .start = &no_start,
                .result_group = shape->inputs * PANEL,
                .lanes = pair * PANEL,
                .end = shape->inputs};
    float *result = group->partial + shape->weight + h * shape->inputs;
    const bool is_first = group->descent != NULL && op->layer == 0;
    if (is_first) c.weights = group->descent->parameters + shape->weight + h * shape->inputs;
    for (size_t i = 0; i < group->count; i++) {
        const tile *tile = &group->tiles[i];
        transpose_delta(tile, gradient, h, pair, panels);
        c.factors.values = tensor_at(tile, 0, gradient->inputs);
        c.factors.run_stride = stride_of(tile, gradient->inputs);
        c.terms = c.to = tile->rows;
        direct_to_tree(&c, i, group->count, levels, pair * shape->inputs * PANEL, result);
        if (is_first && i + 1 == group->count) c.descent = group->descent; /* the gradient is complete */
        ISA_NAME(run_chains)(&c);
    }
}

static void wide_gradient(const tile_group *group, const op *op) {
    size_t first = 0, end = 0;
    cut(op->dense_gradient.shape.stride, PANEL, group->part, group->parts, &first, &end);
    for (size_t h = first; h < end; h += PAIR * PANEL)
        pair_gradient(group, op, h, end - h < PAIR * PANEL ? 1 : PAIR);
}

/* ---- narrow sums: 16 lanes, folded in halves ------------------------------------------------------------- */

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

/* Where the narrow gradient of a tile goes: dW[k][h] at k * stride + h, after adding what waits below. */
typedef struct narrow {
    const tile *tile;
    const dense_gradient_op *op;
    float *result;
    const float *below[MOST_LEVELS + 1];
    size_t below_count;
} narrow;

static inline void store_total(const narrow *n, size_t k, size_t h, float total) {
    const size_t at = k * n->op->shape.stride + h;
    for (size_t i = 0; i < n->below_count; i++)
        total = n->below[i][at] + total;
    n->result[at] = total;
}

#if LANES == 16
#define NARROW_ALONE 16 /* inputs at once for a single output */
#define NARROW_SQUARE 4
#else
#define NARROW_ALONE 4
#define NARROW_SQUARE 2
#endif
#define NARROW_PAIR_INPUTS (NARROW_ALONE / 2)

/* dW for so many inputs from k and outputs from h, in lanes. */
SPECIALISED void narrow_block(const int inputs, const int outputs, const narrow *n, size_t k, size_t h) {
    vec sum[NARROW_ALONE][GROUP_VECTORS];
    UNROLL_FOR (int i = 0; i < inputs * outputs; i++)
        UNROLL_FOR (int v = 0; v < GROUP_VECTORS; v++)
            sum[i][v] = vec_zero();
    for (size_t column = 0; column < n->tile->columns; column++) {
        const float *a = tensor_at(n->tile, column, n->op->inputs) + k * COLUMN_LANES,
                    *delta = tensor_at(n->tile, column, n->op->delta) + h * COLUMN_LANES;
        for (size_t lane = 0; lane < lanes_in(n->tile, column); lane += TILE_LANES)
            UNROLL_FOR (int v = 0; v < GROUP_VECTORS; v++) {
                vec d[NARROW_SQUARE];
                UNROLL_FOR (int o = 0; o < outputs; o++)
                    d[o] = vec_load(delta + (size_t)o * COLUMN_LANES + lane + v * LANES);
                UNROLL_FOR (int i = 0; i < inputs; i++) {
                    vec x = vec_load(a + (size_t)i * COLUMN_LANES + lane + v * LANES);
                    UNROLL_FOR (int o = 0; o < outputs; o++)
                        sum[i * outputs + o][v] = vec_fma(x, d[o], sum[i * outputs + o][v]);
                }
            }
    }
    float totals[NARROW_ALONE];
    fold_sums(sum, inputs * outputs, totals);
    for (int i = 0; i < inputs; i++)
        for (int o = 0; o < outputs; o++)
            store_total(n, k + (size_t)i, h + (size_t)o, totals[i * outputs + o]);
}

/* Inputs [first, end) for one output. */
static void narrow_output(const narrow *n, size_t first, size_t end, size_t h) {
    size_t k = first;
    for (; k + NARROW_ALONE <= end; k += NARROW_ALONE)
        narrow_block(NARROW_ALONE, 1, n, k, h);
    for (; k < end; k++)
        narrow_block(1, 1, n, k, h);
}

/* Inputs [first, end) for all outputs of one tile. */
static void narrow_tile(const narrow *n, size_t first, size_t end) {
    const size_t outputs = n->op->shape.outputs;
    size_t squares_end = first + (end - first) / NARROW_ALONE * NARROW_ALONE, h = 0;
    for (; h + NARROW_SQUARE <= outputs; h += NARROW_SQUARE)
        for (size_t k = first; k < squares_end; k += NARROW_SQUARE)
            narrow_block(NARROW_SQUARE, NARROW_SQUARE, n, k, h);
    for (; h + 2 <= outputs; h += 2)
        for (size_t k = first; k < squares_end; k += NARROW_PAIR_INPUTS)
            narrow_block(NARROW_PAIR_INPUTS, 2, n, k, h);
    for (; h < outputs; h++)
        narrow_output(n, first, squares_end, h);
    for (h = 0; h < outputs; h++)
        narrow_output(n, squares_end, end, h);
}

static void narrow_gradient(const tile_group *group, const dense_gradient_op *op) {
    const dense_shape *shape = &op->shape;
    float *levels = group->scratch + PAIR * PANEL_FLOATS, *result = group->partial + shape->weight;
    const size_t floats = shape->inputs * shape->stride;
    size_t first = 0, end = 0;
    cut(shape->inputs, PANEL, group->part, group->parts, &first, &end); /* as parameters are owned */
    for (size_t i = 0; i < group->count; i++) {
        const tree_step step = tree_step_of(i, i + 1 == group->count);
        narrow n = {.tile = &group->tiles[i], .op = op, .below_count = step.count};
        for (size_t b = 0; b < step.count; b++)
            n.below[b] = levels + step.below[b] * floats;
        n.result = i + 1 == group->count ? result : levels + step.level * floats;
        narrow_tile(&n, first, end);
    }
}

/* totals[i] = the sum over the rows of unit first + i of a tensor of a tile, for `units` of at most BIAS_UNITS units. */
#define BIAS_UNITS 16
static void sum_over_rows(const tile *tile, tensor_place place, size_t first, size_t units, float *totals) {
    vec sums[BIAS_UNITS][GROUP_VECTORS];
    memset(sums, 0, sizeof sums);
    for (size_t column = 0; column < tile->columns; column++) {
        const float *values = tensor_at(tile, column, place) + first * COLUMN_LANES;
        for (size_t lane = 0; lane < lanes_in(tile, column); lane += TILE_LANES)
            for (size_t i = 0; i < units; i++)
                for (size_t v = 0; v < GROUP_VECTORS; v++)
                    sums[i][v] = vec_add(sums[i][v], vec_load(values + i * COLUMN_LANES + lane + v * LANES));
    }
    fold_sums(sums, (int)units, totals);
}

/* The same, over the group. */
static void sum_over_group(const tile_group *group, tensor_place place, size_t first, size_t units,
                           float *sum) {
    float levels[MOST_LEVELS + 1][BIAS_UNITS], totals[BIAS_UNITS] = {0};
    for (size_t t = 0; t < group->count; t++) {
        const tree_step step = tree_step_of(t, t + 1 == group->count);
        sum_over_rows(&group->tiles[t], place, first, units, totals);
        for (size_t i = 0; i < units; i++) {
            for (size_t b = 0; b < step.count; b++)
                totals[i] = levels[step.below[b]][i] + totals[i];
            levels[step.level][i] = totals[i];
        }
    }
    memcpy(sum, totals, units * sizeof *sum);
}

void ISA_NAME(sum_units)(const tile_group *group, tensor_place place, size_t units, float *sums) {
    size_t first = 0, end = 0;
    cut(units, PANEL, group->part, group->parts, &first, &end);
    for (size_t h = first; h < end; h += BIAS_UNITS)
        sum_over_group(group, place, h, end - h < BIAS_UNITS ? end - h : BIAS_UNITS, sums + h);
}

void ISA_NAME(dense_gradient)(const tile_group *group, const op *op) {
    const dense_gradient_op *gradient = &op->dense_gradient;
    const dense_shape *shape = &gradient->shape;
    if (shape->outputs >= WIDE_OUTPUTS)
        wide_gradient(group, op);
    else
        narrow_gradient(group, gradient);
    ISA_NAME(sum_units)(group, gradient->delta, shape->outputs, group->partial + shape->bias);
}

void ISA_NAME(loss_sum)(const tile_group *group, const op *op) {
    if (group->part == 0 && group->with_loss)
        sum_over_group(group, op->loss_sum.losses, 0, 1, group->partial + group->loss_index);
}
