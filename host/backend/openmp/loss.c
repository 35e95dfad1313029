/* Losses and their deltas, one lane a row. See loss.cl; the formulas are in kernels/loss.h. */
#include <string.h>

#include "backend/openmp/column.h"

static column column_at(const tile_group *group, const loss_op *op, size_t index) {
    const tile *tile = &group->tiles[index / TILE_COLUMNS];
    const size_t c = index % TILE_COLUMNS, first = c * COLUMN_LANES;
    column made = {.z = tensor_at(tile, c, op->from),
                   .losses = tensor_at(tile, c, op->losses),
                   .delta = op->with_delta ? tensor_at(tile, c, op->delta) : NULL,
                   .outputs = op->outputs,
                   .rows = rows_in(tile, c),
                   .lanes = lanes_in(tile, c),
                   .with_loss = group->with_loss || !op->with_delta};
    if (tile->classes != NULL) made.classes = tile->classes + first;
    if (tile->targets != NULL) made.targets = tile->targets + first * op->targets;
    return made;
}

/* Rows are independent here: columns are shared out. */
static inline void share_columns(const tile_group *group, size_t *first, size_t *end) {
    *first = group->first_column;
    *end = group->end_column;
    if (group->parts > 1) cut(group->end_column, 1, group->part, group->parts, first, end);
}

typedef void column_function(column *column, const loss_op *op);

static inline void for_columns(const tile_group *group, const loss_op *op, column_function *function) {
    size_t first = 0, end = 0;
    share_columns(group, &first, &end);
    for (size_t i = first; i < end; i++) {
        column column = column_at(group, op, i);
        function(&column, op);
        if (column.correct > 0)
            __atomic_fetch_add(group->tiles[i / TILE_COLUMNS].correct, column.correct, __ATOMIC_RELAXED);
    }
}

void ISA_NAME(loss_binary_crossentropy)(const tile_group *group, const op *op) {
    for_columns(group, &op->loss, binary_column);
}

/* What the first pass over the classes finds for each lane. */
typedef struct class_scan {
    float maximum[COLUMN_LANES];
    float sum[COLUMN_LANES];
    int32_t best[COLUMN_LANES];
} class_scan;

/* All lanes are worked on, so that the loops have a fixed length: what unused ones hold is not looked at. */
static void find_maximum(const column *column, class_scan *scan) {
    memcpy(scan->maximum, column->z, sizeof scan->maximum);
    memset(scan->best, 0, sizeof scan->best);
    for (size_t c = 1; c < column->outputs; c++) {
        const float *line = column->z + c * COLUMN_LANES;
#pragma omp simd
        for (size_t i = 0; i < COLUMN_LANES; i++) {
            bool greater = line[i] > scan->maximum[i];
            scan->maximum[i] = greater ? line[i] : scan->maximum[i];
            scan->best[i] = greater ? (int32_t)c : scan->best[i];
        }
    }
}

/* scan->sum = sum over classes of exp(z - maximum); the terms are kept in `terms` unless that is NULL. */
static void sum_exponentials(const column *column, class_scan *scan, float *terms) {
    float chunk[COLUMN_LANES], unused[COLUMN_LANES];
    memset(scan->sum, 0, sizeof scan->sum);
    for (size_t from = 0; from < column->outputs; from += CHUNK) {
        size_t to = from + CHUNK < column->outputs ? from + CHUNK : column->outputs;
        memset(chunk, 0, sizeof chunk);
        for (size_t c = from; c < to; c++) {
            const float *line = column->z + c * COLUMN_LANES;
            float *kept = terms == NULL ? unused : terms + c * COLUMN_LANES;
#pragma omp simd
            for (size_t i = 0; i < COLUMN_LANES; i++) {
                kept[i] = exact_exp_nonpositive(line[i] - scan->maximum[i]);
                chunk[i] += kept[i];
            }
        }
#pragma omp simd
        for (size_t i = 0; i < COLUMN_LANES; i++)
            scan->sum[i] += chunk[i];
    }
}

static void invert_sums(class_scan *scan) {
#pragma omp simd
    for (size_t i = 0; i < COLUMN_LANES; i++)
        scan->sum[i] = exact_reciprocal(scan->sum[i]);
}

static void softmax_column(const tile *tile, size_t index, const softmax_op *op) {
    const column column = {.z = tensor_at(tile, index, op->logits),
                           .outputs = op->outputs,
                           .rows = rows_in(tile, index),
                           .lanes = lanes_in(tile, index)};
    float *output = tensor_at(tile, index, op->output);
    class_scan scan;
    find_maximum(&column, &scan);
    sum_exponentials(&column, &scan, output);
    invert_sums(&scan);
    for (size_t c = 0; c < op->outputs; c++) {
        float *line = output + c * COLUMN_LANES;
#pragma omp simd
        for (size_t i = 0; i < COLUMN_LANES; i++)
            line[i] = canonical(line[i] * scan.sum[i]);
        clear_unused(&column, line);
    }
}

void ISA_NAME(softmax)(const tile_group *group, const op *op) {
    size_t first = 0, end = 0;
    share_columns(group, &first, &end);
    for (size_t i = first; i < end; i++)
        softmax_column(&group->tiles[i / TILE_COLUMNS], i % TILE_COLUMNS, &op->softmax);
}

/* all = the sum over the classes of maximum - z, in chunks. */
static void sum_distances(const column *column, const class_scan *scan, float *all) {
    float chunk[COLUMN_LANES];
    memset(all, 0, COLUMN_LANES * sizeof *all);
    for (size_t from = 0; from < column->outputs; from += CHUNK) {
        size_t to = from + CHUNK < column->outputs ? from + CHUNK : column->outputs;
        memset(chunk, 0, sizeof chunk);
        for (size_t c = from; c < to; c++) {
            const float *line = column->z + c * COLUMN_LANES;
#pragma omp simd
            for (size_t i = 0; i < COLUMN_LANES; i++)
                chunk[i] += scan->maximum[i] - line[i];
        }
#pragma omp simd
        for (size_t i = 0; i < COLUMN_LANES; i++)
            all[i] += chunk[i];
    }
}

static void smooth_losses(column *column, const loss_op *op, const class_scan *scan,
                          const float *true_logit) {
    const loss_constants *k = &op->constants;
    float all[COLUMN_LANES];
    sum_distances(column, scan, all);
#pragma omp simd
    for (size_t i = 0; i < COLUMN_LANES; i++)
        column->losses[i] = loss_categorical_smoothed(scan->sum[i], scan->maximum[i], true_logit[i], all[i],
                                                      k->rest, k->off, k->entropy);
}

static void categorical_losses(column *column, const loss_op *op, const class_scan *scan) {
    float true_logit[COLUMN_LANES] = {0};
    uint32_t correct = 0;
    for (size_t i = 0; i < column->rows; i++) {
        true_logit[i] = column->z[(size_t)column->classes[i] * COLUMN_LANES + i];
        correct += scan->best[i] == column->classes[i];
    }
    if (op->constants.smooth)
        smooth_losses(column, op, scan, true_logit);
    else
#pragma omp simd
        for (size_t i = 0; i < COLUMN_LANES; i++)
            column->losses[i] = loss_categorical(scan->sum[i], scan->maximum[i], true_logit[i]);
    clear_unused(column, column->losses);
    column->correct = correct;
}

static void categorical_column(column *column, const loss_op *op) {
    class_scan scan;
    const float on = op->constants.on, off = op->constants.off; /* 1 and 0 without smoothing */
    int32_t classes[COLUMN_LANES] = {0};
    memcpy(classes, column->classes, column->rows * sizeof *classes);
    find_maximum(column, &scan);
    sum_exponentials(column, &scan, column->delta);
    if (column->with_loss) categorical_losses(column, op, &scan);
    if (column->delta == NULL) return;
    invert_sums(&scan);
    for (size_t c = 0; c < op->outputs; c++) {
        float *line = column->delta + c * COLUMN_LANES;
#pragma omp simd
        for (size_t i = 0; i < COLUMN_LANES; i++)
            line[i] = loss_categorical_delta(line[i], scan.sum[i], classes[i] == (int32_t)c ? on : off);
        clear_unused(column, line);
    }
}

void ISA_NAME(loss_categorical_crossentropy)(const tile_group *group, const op *op) {
    for_columns(group, &op->loss, categorical_column);
}

void ISA_NAME(loss_mse)(const tile_group *group, const op *op) {
    for_columns(group, &op->loss, mse_column);
}

/* ---- element losses ------------------------------------------------------------------------------------ */

/* One output of the column: its losses are added to sum, and its deltas go to delta unless that is NULL. */
typedef void element_line(const float *output, const float *y, const loss_constants *constants, float *sum,
                          float *delta);

#define DEFINE_ELEMENT_LINE(name, NAME, op) \
    static void name##_line(const float *output, const float *y, const loss_constants *constants, \
                            float *sum, float *delta) { \
        const float parameter = constants->parameter, mean = constants->mean; \
        _Pragma("omp simd") for (size_t i = 0; i < COLUMN_LANES; i++) sum[i] += \
            element_##name(output[i], y[i], parameter); \
        if (delta == NULL) return; \
        _Pragma("omp simd") for (size_t i = 0; i < COLUMN_LANES; i++) delta[i] = \
            flush_tiny(element_##name##_delta(output[i], y[i], parameter) * mean); \
    }
ELEMENT_LOSS_LIST(DEFINE_ELEMENT_LINE)

#define ELEMENT_ENTRY(name, NAME, op) [LOSS_##NAME] = name##_line,
static element_line *const element_lines[LOSS_COUNT] = {ELEMENT_LOSS_LIST(ELEMENT_ENTRY)};

/* What output h should be for each row: its target, or for classes 1 for the row's own and `other` else. */
static void read_targets(const column *column, const loss_op *op, size_t h, float *y) {
    const float other = op->loss == LOSS_HINGE || op->loss == LOSS_SQUARED_HINGE ? -1.0f : 0.0f;
    const int32_t own = op->outputs == 1 ? 1 : (int32_t)h;
    memset(y, 0, COLUMN_LANES * sizeof *y);
    for (size_t i = 0; i < column->rows; i++)
        y[i] = column->classes == NULL     ? column->targets[i * op->targets + h]
               : column->classes[i] == own ? 1.0f
                                           : other;
}

static void count_elements(column *column, const loss_op *op) {
    class_scan scan;
    uint32_t correct = 0;
    if (op->outputs > 1) find_maximum(column, &scan);
    for (size_t i = 0; i < column->rows; i++)
        correct += (op->outputs > 1 ? scan.best[i] : column->z[i] > 0.0f) == column->classes[i];
    column->correct = correct;
}

/* Of several labels a row: marks the rows of which this one is wrong. */
static void mark_wrong(const column *column, const float *z, const float *y, bool *wrong) {
    for (size_t i = 0; i < column->rows; i++)
        wrong[i] |= (z[i] > 0.0f) != (y[i] > 0.5f);
}

static void count_labels(column *column, const bool *wrong) {
    uint32_t correct = 0;
    for (size_t i = 0; i < column->rows; i++)
        correct += !wrong[i];
    column->correct = correct;
}

/* A row's loss is the mean over its outputs, whose sum goes in chunks like one over classes. */
void ISA_NAME(elements_column)(column *column, const loss_op *op) {
    float y[COLUMN_LANES], chunk[COLUMN_LANES], total[COLUMN_LANES] = {0};
    const bool has_labels = op->loss == LOSS_BINARY_CROSSENTROPY;
    bool wrong[COLUMN_LANES] = {false};
    for (size_t from = 0; from < op->outputs; from += CHUNK) {
        size_t to = from + CHUNK < op->outputs ? from + CHUNK : op->outputs;
        memset(chunk, 0, sizeof chunk);
        for (size_t h = from; h < to; h++) {
            float *delta = column->delta == NULL ? NULL : column->delta + h * COLUMN_LANES;
            read_targets(column, op, h, y);
            element_lines[op->loss](column->z + h * COLUMN_LANES, y, &op->constants, chunk, delta);
            if (delta != NULL) clear_unused(column, delta);
            if (has_labels) mark_wrong(column, column->z + h * COLUMN_LANES, y, wrong);
        }
        for (size_t i = 0; i < COLUMN_LANES; i++)
            total[i] += chunk[i];
    }
    if (!column->with_loss) return;
    for (size_t i = 0; i < column->rows; i++)
        column->losses[i] = canonical(total[i] * op->constants.mean);
    clear_unused(column, column->losses);
    if (column->classes != NULL) count_elements(column, op);
    if (has_labels) count_labels(column, wrong);
}

void ISA_NAME(loss_elements)(const tile_group *group, const op *op) {
    for_columns(group, &op->loss, ISA_NAME(elements_column));
}
