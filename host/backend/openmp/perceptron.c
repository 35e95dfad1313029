/*
 * The perceptron: one output, no hidden layer (logistic and linear regression). Memory bounds it, so forward, loss,
 * delta and gradient of a few columns follow one another while these are in the cache: the data set is read once a
 * step. The order of every sum is that of the single ops (dense.c, loss.c, gradient.c).
 */
#include <string.h>

#include "backend/openmp/column.h"
#include "backend/openmp/vector.h"
#include "kernels/weigh.h"

#define COLUMN_VECTORS (COLUMN_LANES / LANES)

#if LANES == 16
#define TOGETHER 4
#elif LANES == 8
#define TOGETHER 2
#else
#define TOGETHER 1
#endif
#define PAIR (TOGETHER < 2 ? TOGETHER : 2)

#define MOST_VECTORS (TOGETHER * COLUMN_VECTORS)

/* Asks for line `k` of those that `columns` columns ask for together. */
SPECIALISED void prefetch_lines(const int columns, const float *ahead, size_t k) {
    UNROLL_FOR (int c = 0; c < columns; c++)
        __builtin_prefetch(ahead + (k * (size_t)columns + (size_t)c) * TILE_LANES);
}

/* z of `columns` columns, whose inputs lie `apart` floats apart; asks for the lines from `ahead` on. */
SPECIALISED void forward(const int columns, const perceptron_task *task, const float *x, size_t apart,
                         const float *ahead, float *z) {
    const dense_shape *layer = task->layer;
    const float *weight = task->parameters + layer->weight;
    const vec bias = vec_splat(task->parameters[layer->bias]);
    vec total[MOST_VECTORS], sum[MOST_VECTORS];
    UNROLL_FOR (int v = 0; v < columns * COLUMN_VECTORS; v++)
        total[v] = bias;
    for (size_t k = 0; k < layer->inputs;) {
        const size_t end = layer->inputs - k < CHUNK ? layer->inputs : k + CHUNK;
        UNROLL_FOR (int v = 0; v < columns * COLUMN_VECTORS; v++)
            sum[v] = vec_zero();
        for (; k < end; k++) {
            const vec w = vec_splat(weight[k]);
            const float *line = x + k * COLUMN_LANES;
            prefetch_lines(columns, ahead, k);
            UNROLL_FOR (int v = 0; v < columns * COLUMN_VECTORS; v++)
                sum[v] = vec_fma(
                    vec_load(line + (size_t)(v / COLUMN_VECTORS) * apart + v % COLUMN_VECTORS * LANES), w,
                    sum[v]);
        }
        UNROLL_FOR (int v = 0; v < columns * COLUMN_VECTORS; v++)
            total[v] = vec_add(total[v], sum[v]);
    }
    UNROLL_FOR (int v = 0; v < columns * COLUMN_VECTORS; v++)
        vec_store(z + v * LANES, vec_canonical(total[v]));
}

/* lanes[l] += values[l], values[l + 16], ... in this order, of so many columns. */
static inline void add_lanes(const float *values, int columns, float *lanes) {
    for (int g = 0; g < GROUP_VECTORS; g++) {
        vec sum = vec_load(lanes + g * LANES);
        for (int v = g; v < columns * COLUMN_VECTORS; v += GROUP_VECTORS)
            sum = vec_add(sum, vec_load(values + v * LANES));
        vec_store(lanes + g * LANES, sum);
    }
}

/* Adds these columns to the lane sums of the gradient, (features + 1, 16), the bias last. */
SPECIALISED void gradient(const int columns, size_t features, const float *x, size_t apart,
                          const float *ahead, const float *delta, float *lanes) {
    vec d[MOST_VECTORS], sum[GROUP_VECTORS];
    UNROLL_FOR (int v = 0; v < columns * COLUMN_VECTORS; v++)
        d[v] = vec_load(delta + v * LANES);
    for (size_t k = 0; k < features; k++) {
        const float *line = x + k * COLUMN_LANES;
        prefetch_lines(columns, ahead, k);
        UNROLL_FOR (int g = 0; g < GROUP_VECTORS; g++)
            sum[g] = vec_load(lanes + k * TILE_LANES + g * LANES);
        UNROLL_FOR (int v = 0; v < columns * COLUMN_VECTORS; v++)
            sum[v % GROUP_VECTORS] =
                vec_fma(vec_load(line + (size_t)(v / COLUMN_VECTORS) * apart + v % COLUMN_VECTORS * LANES),
                        d[v], sum[v % GROUP_VECTORS]);
        UNROLL_FOR (int g = 0; g < GROUP_VECTORS; g++)
            vec_store(lanes + k * TILE_LANES + g * LANES, sum[g]);
    }
    add_lanes(delta, columns, lanes + features * TILE_LANES);
}

/* Rows [first, first + count) of the task, one column. Returns those whose class was right. */
static uint32_t find_deltas_of_column(const perceptron_task *task, size_t first, size_t count, const float *z,
                                      float *losses, float *delta) {
    column column = {.z = z,
                     .losses = losses,
                     .delta = task->training ? delta : NULL,
                     .outputs = 1,
                     .rows = count < COLUMN_LANES ? count : COLUMN_LANES,
                     .lanes = COLUMN_LANES,
                     .with_loss = task->with_loss};
    if (task->classes != NULL) column.classes = task->classes + first;
    if (task->targets != NULL) column.targets = task->targets + first;
    if (task->loss_kind == OP_loss_binary_crossentropy) binary_column(&column, task->loss);
    if (task->loss_kind == OP_loss_mse) mse_column(&column, task->loss);
    if (task->loss_kind == OP_loss_elements) ISA_NAME(elements_column)(&column, task->loss);
    return column.correct;
}

#define BLOCK_ROWS (TOGETHER * COLUMN_LANES)

/*
 * Rows [0, rows) of binary cross-entropy: loops of fixed length and of few operations each, so that the processor's
 * window holds the chains of many rows (10 million rows of one feature took 10.0 ms of processor time in one loop, 7.7 so).
 */
SPECIALISED uint32_t binary_rows(const size_t rows, bool with_loss, const int32_t *classes, const float *z,
                                 float *losses, float *delta) {
    float e[BLOCK_ROWS];
    uint32_t correct = 0;
#pragma omp simd
    for (size_t i = 0; i < rows; i++)
        e[i] = exp_decay(z[i]);
#pragma omp simd
    for (size_t i = 0; i < rows; i++)
        delta[i] = loss_binary_delta_from(z[i], (float)classes[i], e[i]);
    if (!with_loss) return 0;
#pragma omp simd
    for (size_t i = 0; i < rows; i++)
        losses[i] = loss_binary_from(z[i], (float)classes[i], e[i]);
#pragma omp simd reduction(+ : correct)
    for (size_t i = 0; i < rows; i++)
        correct += (z[i] > 0.0f) == (classes[i] == 1);
    return correct;
}

/* The same of `columns` columns, all rows. */
static uint32_t find_binary_deltas(const perceptron_task *task, size_t first, size_t columns, const float *z,
                                   float *losses, float *delta) {
    const int32_t *classes = task->classes + first;
    const int32_t *next = classes + BLOCK_ROWS + AHEAD / task->layer->inputs;
    const size_t rows = columns * COLUMN_LANES;
    uint32_t correct = 0;
    for (size_t i = 0; i < rows; i += TILE_LANES)
        __builtin_prefetch(next + i);
    if (rows == BLOCK_ROWS) return binary_rows(BLOCK_ROWS, task->with_loss, classes, z, losses, delta);
    for (size_t i = 0; i < rows; i += COLUMN_LANES)
        correct += binary_rows(COLUMN_LANES, task->with_loss, classes + i, z + i, losses + i, delta + i);
    return correct;
}

/* Rows [first, first + count) of the task, in `columns` columns. Returns those whose class was right. */
static uint32_t find_deltas(const perceptron_task *task, size_t first, size_t count, size_t columns,
                            const float *z, float *losses, float *delta) {
    uint32_t correct = 0;
    if (count >= columns * COLUMN_LANES && task->training && task->loss_kind == OP_loss_binary_crossentropy &&
        !task->loss->constants.smooth)
        return find_binary_deltas(task, first, columns, z, losses, delta);
    for (size_t at = 0; at < columns * COLUMN_LANES; at += COLUMN_LANES)
        correct += find_deltas_of_column(task, first + at, count - at, z + at, losses + at, delta + at);
    return correct;
}

/* Lanes that hold no row stay +0. */
static void weigh_rows(const float *weights, size_t rows, bool with_loss, float *losses, float *delta) {
#pragma omp simd
    for (size_t i = 0; i < rows; i++)
        delta[i] = weighed_delta(delta[i], weights[i]);
    if (!with_loss) return;
#pragma omp simd
    for (size_t i = 0; i < rows; i++)
        losses[i] = weighed_loss(losses[i], weights[i]);
}

static inline size_t columns_at_once(size_t features) {
    return features <= FEW_FEATURES ? TOGETHER : features < LEAST_PAIR_FEATURES ? 1 : PAIR;
}

/* z of a block of columns: of few features together, else one after the other, in the order of memory. */
static void forward_block(const perceptron_task *task, const float *x, size_t columns, float *z) {
    const size_t features = task->layer->inputs, apart = features * COLUMN_LANES, half = apart / 2;
    const float *ahead = x + columns * half + AHEAD;
    if (features <= FEW_FEATURES && columns == TOGETHER) {
        forward(TOGETHER, task, x, apart, ahead, z);
        return;
    }
    for (size_t c = 0; c < columns; c++)
        forward(1, task, x + c * apart, apart, ahead + c * half, z + c * COLUMN_LANES);
}

static void gradient_block(size_t features, const float *x, size_t columns, const float *delta,
                           float *lanes) {
    const size_t apart = features * COLUMN_LANES;
    const float *ahead = x + columns * apart + AHEAD;
    if (columns == TOGETHER)
        gradient(TOGETHER, features, x, apart, ahead, delta, lanes);
    else if (columns == PAIR)
        gradient(PAIR, features, x, apart, ahead, delta, lanes);
    else
        gradient(1, features, x, apart, ahead, delta, lanes);
}

/* Adds the tile of `count` rows from x on, row `first` of the task, to the lane sums (features + 2, 16). */
static void add_tile(const perceptron_task *task, const float *x, size_t first, size_t count, float *lanes) {
    const size_t features = task->layer->inputs, together = columns_at_once(features);
    size_t columns = (count + COLUMN_LANES - 1) / COLUMN_LANES, step = 0;
    float z[BLOCK_ROWS], losses[BLOCK_ROWS], delta[BLOCK_ROWS];
    for (size_t column = 0; column < columns; column += step, x += step * features * COLUMN_LANES) {
        const size_t at = column * COLUMN_LANES, left = count - at;
        step = columns - column >= together ? together : 1;
        forward_block(task, x, step, z);
        *task->correct += find_deltas(task, first + at, left, step, z, losses, delta);
        if (task->weights != NULL)
            weigh_rows(task->weights + first + at, left < step * COLUMN_LANES ? left : step * COLUMN_LANES,
                       task->with_loss, losses, delta);
        if (task->with_loss) add_lanes(losses, (int)step, lanes + (features + 1) * TILE_LANES);
        if (task->training) gradient_block(features, x, step, delta, lanes);
    }
}

/* Folds `lines` groups of 16 lanes in halves: 8, 4, 2, 1 (contract 3). There is room for lines up to a multiple of 16. */
static void fold_lines(const float *lanes, size_t lines, float *totals) {
#ifdef CAN_FOLD_LINES
    for (size_t i = 0; i < lines; i += TILE_LANES) {
        vec group[TILE_LANES];
        for (size_t l = 0; l < TILE_LANES; l++)
            group[l] = vec_load(lanes + (i + l) * TILE_LANES);
        vec_store(totals + i, vec_fold_lines(group));
    }
#else
    for (size_t i = 0; i < lines; i++) {
        float folded[TILE_LANES];
        memcpy(folded, lanes + i * TILE_LANES, sizeof folded);
        for (size_t half = TILE_LANES / 2; half > 0; half /= 2)
            for (size_t l = 0; l < half; l++)
                folded[l] += folded[l + half];
        totals[i] = folded[0];
    }
#endif
}

/* Adds the totals of tile `index` to the tree: levels are `lines` floats each. The last leaves the sum in totals. */
static void add_to_tree(float *levels, size_t lines, size_t index, bool last, float *totals) {
    const tree_step step = tree_step_of(index, last);
    for (size_t b = 0; b < step.count; b++) {
        const float *below = levels + step.below[b] * lines;
        for (size_t i = 0; i < lines; i++)
            totals[i] = below[i] + totals[i];
    }
    if (!last) memcpy(levels + step.level * lines, totals, lines * sizeof *totals);
}

static void store_sums(const perceptron_task *task, const float *totals) {
    const size_t features = task->layer->inputs;
    if (task->with_loss) *task->loss_sum = totals[features + 1];
    if (!task->training) return;
    memcpy(task->partial + task->layer->weight, totals, features * sizeof *totals);
    task->partial[task->layer->bias] = totals[features];
}

/*
 * Scratch: lane sums of as many tiles as fill 16 lines, so that one folding serves them all; their totals; the
 * levels of the tree. perceptron_scratch() below says how much.
 */
void ISA_NAME(perceptron)(const perceptron_task *task) {
    const size_t features = task->layer->inputs, lines = features + 2;
    const size_t batch = lines < TILE_LANES ? TILE_LANES / lines : 1;
    const size_t room = (batch * lines + TILE_LANES - 1) / TILE_LANES * TILE_LANES;
    float *lanes = task->scratch, *totals = lanes + room * TILE_LANES, *levels = totals + room;
    for (size_t first = 0; first < task->tiles; first += batch) {
        size_t count = task->tiles - first < batch ? task->tiles - first : batch;
        memset(lanes, 0, count * lines * TILE_LANES * sizeof *lanes);
        for (size_t i = 0; i < count; i++) {
            size_t tile = first + i, row = tile * TILE_ROWS, left = task->rows - row;
            const float *x = left < TILE_ROWS ? task->last : task->input + row * features;
            add_tile(task, x, row, left < TILE_ROWS ? left : TILE_ROWS, lanes + i * lines * TILE_LANES);
        }
        fold_lines(lanes, count * lines, totals);
        for (size_t i = 0; i < count; i++)
            add_to_tree(levels, lines, first + i, first + i + 1 == task->tiles, totals + i * lines);
        if (first + count == task->tiles) store_sums(task, totals + (count - 1) * lines);
    }
}
