/* How many rows a class has, and what they weigh. */
#include <math.h>
#include <stdlib.h>

#include "data/dataset.h"
#include "data/feed_pass.h"
#include "data/feed_wrap.h"
#include "support/memory.h"

/* Counts of a block go to `state`, a size_t for each class. */
static tanda_status count_block(void *context, void *state, const pass_block *block, tanda_error *error) {
    const int32_t *classes = block->at.labels;
    size_t *counts = state;
    (void)context, (void)error;
    for (size_t row = 0; row < block->rows; row++)
        counts[classes[row]]++;
    return TANDA_OK;
}

typedef struct class_counting {
    size_t classes, *counts;
} class_counting;

static tanda_status join_counts(void *context, void *state, const pass_block *block, tanda_error *error) {
    const class_counting *counting = context;
    const size_t *of_block = state;
    (void)block, (void)error;
    for (size_t i = 0; i < counting->classes; i++)
        counting->counts[i] += of_block[i];
    return TANDA_OK;
}

tanda_status class_counts(const tanda_dataset *dataset, size_t **counts, tanda_error *error) {
    class_counting counting = {.classes = dataset->class_count};
    const feed_pass pass = {.labels = true,
                            .block_rows = 1 << 20,
                            .state_size = dataset->class_count * sizeof(size_t),
                            .map = count_block,
                            .reduce = join_counts,
                            .context = &counting};
    feed *rows = NULL;
    tanda_status status =
        allocate(&counting.counts, dataset->class_count, sizeof(size_t), "counts of classes", error);
    if (status == TANDA_OK) status = dataset_feed(dataset, NULL, &rows, error);
    if (status == TANDA_OK) status = feed_pass_run(rows, &pass, error);
    feed_free(rows);
    if (status == TANDA_OK)
        *counts = counting.counts;
    else
        free(counting.counts);
    return status;
}

tanda_status tanda_dataset_weigh_classes(tanda_dataset *dataset, const double *weights, tanda_error *error) {
    double *balanced = NULL;
    if (dataset->task != TANDA_TASK_CLASSES)
        return fail(error, TANDA_USAGE, "class weights are for classes, and the data has none");
    for (size_t i = 0; weights != NULL && i < dataset->class_count; i++)
        if (!isfinite(weights[i]) || weights[i] < 0.0)
            return fail(error, TANDA_USAGE, "class %zu (from 0) has the weight %g; give 0 or more", i,
                        weights[i]);
    tanda_status status = allocate(&balanced, dataset->class_count, sizeof *balanced, "class weights", error);
    if (status == TANDA_OK && weights == NULL) status = class_weights_balanced(dataset, balanced, error);
    if (status == TANDA_OK)
        status = class_weights_apply(dataset, weights == NULL ? balanced : weights, error);
    free(balanced);
    return status;
}

tanda_status class_weights_balanced(const tanda_dataset *dataset, double *weights, tanda_error *error) {
    size_t present = 0, *counts = NULL;
    const tanda_status status = class_counts(dataset, &counts, error);
    if (status != TANDA_OK) return status;
    for (size_t c = 0; c < dataset->class_count; c++)
        present += counts[c] > 0;
    for (size_t c = 0; c < dataset->class_count; c++)
        weights[c] = counts[c] > 0 ? (double)dataset->rows / ((double)present * (double)counts[c]) : 1.0;
    free(counts);
    return TANDA_OK;
}

/* What weighed rows are found to be. */
typedef struct weighing {
    bool some, too_large;
} weighing;

static tanda_status weigh_block(void *context, void *state, const pass_block *block, tanda_error *error) {
    weighing *weighing = context;
    (void)state, (void)error;
    for (size_t row = 0; row < block->rows; row++) {
        weighing->some |= block->at.weights[row] > 0.0f;
        weighing->too_large |= !isfinite(block->at.weights[row]);
    }
    return TANDA_OK;
}

static tanda_status check_weights(const feed *rows, tanda_error *error) {
    weighing found = {0};
    const feed_pass pass = {.weights = true, .block_rows = 1 << 20, .reduce = weigh_block, .context = &found};
    const tanda_status status = feed_pass_run(rows, &pass, error);
    if (status != TANDA_OK) return status;
    if (found.too_large)
        return fail(error, TANDA_BAD_INPUT, "a row weighs more than the largest binary32, 3.4e38");
    return found.some ? TANDA_OK : fail(error, TANDA_BAD_INPUT, "every row weighs 0: some must weigh more");
}

tanda_status class_weights_apply(tanda_dataset *dataset, const double *weights, tanda_error *error) {
    feed *rows = NULL, *weighted = NULL;
    float *made = NULL;
    tanda_status status = dataset_feed(dataset, NULL, &rows, error);
    if (status == TANDA_OK) status = feed_weighted(rows, weights, dataset->class_count, &weighted, error);
    if (status != TANDA_OK) {
        feed_free(rows);
        return status;
    }
    row_block block = {0};
    status = check_weights(weighted, error);
    if (status == TANDA_OK && dataset->feed != NULL) {
        feed_free(dataset->feed);
        dataset->feed = weighted;
        return TANDA_OK;
    }
    if (status == TANDA_OK) status = allocate(&made, dataset->rows, sizeof *made, "weights", error);
    block.weights = made;
    if (status == TANDA_OK) status = feed_read(weighted, 0, dataset->rows, &block, error);
    feed_free(weighted);
    if (status != TANDA_OK) {
        free(made);
        return status;
    }
    free(dataset->weights);
    dataset->weights = made;
    return TANDA_OK;
}
