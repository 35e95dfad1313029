#include "data/dataset.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "data/feed_pass.h"
#include "data/feed_wrap.h"
#include "data/scaling.h"
#include "support/memory.h"
#include "support/options.h"
#include "support/text.h"

size_t tanda_dataset_rows(const tanda_dataset *dataset) {
    return dataset->rows;
}

size_t tanda_dataset_features(const tanda_dataset *dataset) {
    return dataset->features;
}

size_t tanda_dataset_targets(const tanda_dataset *dataset) {
    return dataset->target_count;
}

const char *tanda_dataset_copied_names(const tanda_dataset *dataset, size_t *length) {
    *length = dataset->copied.names.size;
    return dataset->copied.names.data;
}

const char *tanda_dataset_copied(const tanda_dataset *dataset, size_t row, size_t *length) {
    return copied_row(&dataset->copied, row, length);
}

tanda_status dataset_check(const tanda_dataset *dataset, tanda_status status, tanda_error *error) {
    if (dataset == NULL) return status;
    return feed_check(dataset->feed, file_view_check(&dataset->mapping, status, error), error);
}

tanda_status tanda_dataset_check(const tanda_dataset *dataset, tanda_error *error) {
    return dataset_check(dataset, TANDA_OK, error);
}

tanda_status dataset_own_values(tanda_dataset *dataset, tanda_error *error) {
    if (dataset->owned != NULL) return TANDA_OK;
    size_t count = dataset->rows * dataset->features;
    tanda_status status = allocate(&dataset->owned, count, sizeof *dataset->owned, "values", error);
    if (status != TANDA_OK) return status;
    memcpy(dataset->owned, dataset->values, count * sizeof *dataset->owned);
    status = dataset_check(dataset, TANDA_OK, error); /* what the scaling was fitted to, too */
    dataset->values = dataset->owned;
    file_view_close(&dataset->mapping);
    return status;
}

double dataset_origin(const tanda_dataset *dataset, size_t feature) {
    return dataset->origins == NULL ? 0.0 : dataset->origins[feature];
}

bool dataset_origin_has_fraction(const tanda_dataset *dataset, size_t feature) {
    const double origin = dataset_origin(dataset, feature);
    return floor(origin) != origin;
}

void dataset_clear(tanda_dataset *dataset) {
    raw_columns_free(&dataset->raw, dataset->features);
    feed_free(dataset->feed);
    free(dataset->owned);
    file_view_close(&dataset->mapping);
    free_texts(dataset->feature_names, dataset->features);
    free(dataset->positions);
    exact_columns_free(&dataset->exact);
    free(dataset->origins);
    free(dataset->origin_note);
    free(dataset->remark);
    copied_free(&dataset->copied);
    free(dataset->target_name);
    free_texts(dataset->target_names, dataset->target_count);
    free(dataset->classes);
    free_texts(dataset->class_names, dataset->class_count);
    free(dataset->targets);
    free(dataset->weights);
    *dataset = (struct tanda_dataset){0};
}

void tanda_dataset_free(tanda_dataset *dataset) {
    if (dataset != NULL) dataset_clear(dataset);
    free(dataset);
}

dataset_expectation dataset_expect(const tanda_dataset *training) {
    return (dataset_expectation){.feature_count = training->features,
                                 .feature_names = training->feature_names,
                                 .class_count = training->class_count,
                                 .class_names = training->class_names,
                                 .task = training->task,
                                 .target_name = training->target_name,
                                 .is_category = training->raw.is_category,
                                 .fills_missing = training->raw.fills_missing,
                                 .missing_values = training->raw.missing_values,
                                 .missing_value_count = training->raw.missing_value_count,
                                 .origins = training->origins,
                                 .target_count = training->target_count,
                                 .target_names = training->target_names};
}

/* ---- rows, wherever they lie --------------------------------------------------------------------------- */

static tanda_status feed_of_dataset(const tanda_dataset *dataset, feed **rows, tanda_error *error) {
    const bool classes = dataset->task == TANDA_TASK_CLASSES;
    if (dataset->feed != NULL) {
        *rows = feed_share(dataset->feed);
        return TANDA_OK;
    }
    const feed_arrays arrays = {.rows = dataset->rows,
                                .features = dataset->features,
                                .label_width = classes ? 1 : dataset->target_count,
                                .values = dataset->values,
                                .labels = classes ? (const void *)dataset->classes : dataset->targets,
                                .weights = dataset->weights};
    return feed_of_memory(&arrays, rows, error);
}

tanda_status dataset_feed(const tanda_dataset *dataset, const target_scaling *targets, feed **rows,
                          tanda_error *error) {
    feed *made = NULL;
    tanda_status status = feed_of_dataset(dataset, &made, error);
    if (status == TANDA_OK && targets != NULL && targets->targets > 0)
        status = feed_standardised(made, targets, &made, error);
    if (status == TANDA_OK)
        *rows = made;
    else
        feed_free(made);
    return status;
}

tanda_status dataset_fit_scaling(const tanda_dataset *dataset, tanda_scale kind, scaling *result,
                                 tanda_error *error) {
    feed *rows = NULL;
    tanda_status status = dataset_feed(dataset, NULL, &rows, error);
    if (status == TANDA_OK) status = scaling_fit(kind, rows, result, error);
    feed_free(rows);
    return status;
}

bool dataset_is_weighted(const tanda_dataset *dataset) {
    return dataset->weights != NULL || (dataset->feed != NULL && dataset->feed->has_weights);
}

bool memory_exceeded(const tanda_dataset_options *options, size_t rows, size_t values) {
    size_t bytes = 0;
    if (multiply_overflows(rows, values, &bytes) || multiply_overflows(bytes, sizeof(float), &bytes))
        bytes = SIZE_MAX;
    return options->memory > 0 && bytes > options->memory;
}

bool is_read_in_place(const tanda_dataset_options *options, size_t rows, size_t values) {
    return options->in_place || memory_exceeded(options, rows, values);
}

tanda_status dataset_in_memory(const tanda_dataset *dataset, const char *what, tanda_error *error) {
    if (dataset->feed == NULL) return TANDA_OK;
    return fail(error, TANDA_BAD_INPUT,
                "%s needs all %zu rows in memory, %zu bytes, which is more than --memory; give a greater one",
                what, dataset->rows, dataset->rows * feed_row_size(dataset->feed));
}

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

/* ---- data sets from arrays in memory ------------------------------------------------------------------- */

/* -0 becomes 0, as every reader of files gives values. */
static tanda_status take_values(const tanda_dataset_arrays *arrays, tanda_dataset *dataset,
                                tanda_error *error) {
    size_t count = 0, plain = 0;
    if (multiply_overflows(arrays->rows, arrays->features, &count))
        return fail(error, TANDA_USAGE, "%zu x %zu values are more than this machine can address",
                    arrays->rows, arrays->features);
    const float *values = dataset->values = arrays->values;
    while (plain < count && isfinite(values[plain]) && !(values[plain] == 0.0f && signbit(values[plain])))
        plain++;
    for (size_t i = plain; i < count; i++)
        if (!isfinite(values[i]))
            return fail(error, TANDA_BAD_INPUT, "values: row %zu, feature %zu (from 0) is not finite",
                        i / arrays->features, i % arrays->features);
    if (plain == count && arrays->borrow_values) return TANDA_OK;
    const tanda_status status = allocate(&dataset->owned, count, sizeof *dataset->owned, "rows", error);
    for (size_t i = 0; status == TANDA_OK && i < count; i++)
        dataset->owned[i] = values[i] == 0.0f ? 0.0f : values[i];
    dataset->values = dataset->owned;
    return status;
}

tanda_status dataset_number_classes(tanda_dataset *dataset, size_t count, tanda_error *error) {
    char name[24];
    tanda_status status =
        allocate(&dataset->class_names, count, sizeof *dataset->class_names, "classes", error);
    for (size_t i = 0; status == TANDA_OK && i < count; i++) {
        text_put(name, sizeof name, "%zu", i);
        status = copy_text(&dataset->class_names[i], name, error);
        dataset->class_count = i + 1;
    }
    return status;
}

static tanda_status take_classes(const tanda_dataset_arrays *arrays, tanda_dataset *dataset,
                                 tanda_error *error) {
    size_t count = arrays->class_count;
    for (size_t row = 0; row < arrays->rows; row++) {
        const int32_t class = arrays->classes[row];
        if (class < 0 || (arrays->class_count > 0 && (size_t) class >= arrays->class_count))
            return fail(error, TANDA_BAD_INPUT,
                        "classes: row %zu (from 0) has %" PRId32 "; classes are 0 to %zu", row, class,
                        arrays->class_count > 0 ? arrays->class_count - 1 : LABELS_CLASSES_MAX - 1);
        if ((size_t) class >= count) count = (size_t) class + 1;
    }
    if (count < 2 || count > LABELS_CLASSES_MAX)
        return fail(error, TANDA_BAD_INPUT, "classes: there are %zu; there must be 2 to %d", count,
                    LABELS_CLASSES_MAX);
    dataset->class_count = count;
    dataset->task = TANDA_TASK_CLASSES;
    dataset->target_count = 1;
    const tanda_status status =
        allocate(&dataset->classes, arrays->rows, sizeof *dataset->classes, "classes", error);
    if (status != TANDA_OK) return status;
    memcpy(dataset->classes, arrays->classes, arrays->rows * sizeof *dataset->classes);
    if (arrays->class_names == NULL) return dataset_number_classes(dataset, count, error);
    return copy_texts(&dataset->class_names, (char *const *)arrays->class_names, count, error);
}

static tanda_status take_targets(const tanda_dataset_arrays *arrays, tanda_dataset *dataset,
                                 tanda_error *error) {
    size_t count = 0;
    dataset->task = arrays->targets_are_labels ? TANDA_TASK_LABELS : TANDA_TASK_REGRESSION;
    dataset->target_count = arrays->target_count > 0 ? arrays->target_count : 1;
    if (arrays->targets_are_labels && dataset->target_count < 2)
        return fail(error, TANDA_USAGE, "targets_are_labels: there is 1 target; labels are 2 or more");
    if (multiply_overflows(arrays->rows, dataset->target_count, &count))
        return fail(error, TANDA_USAGE, "%zu x %zu targets are more than this machine can address",
                    arrays->rows, dataset->target_count);
    tanda_status status = allocate(&dataset->targets, count, sizeof *dataset->targets, "targets", error);
    for (size_t i = 0; status == TANDA_OK && i < count; i++) {
        const float value = arrays->targets[i];
        const size_t row = i / dataset->target_count, target = i % dataset->target_count;
        if (!isfinite(value))
            return fail(error, TANDA_BAD_INPUT, "targets: row %zu, target %zu (from 0) is not finite", row,
                        target);
        if (arrays->targets_are_labels && value != 0.0f && value != 1.0f)
            return fail(error, TANDA_BAD_INPUT,
                        "targets: row %zu, label %zu (from 0) is %g; labels are 0 or 1", row, target,
                        (double)value);
        dataset->targets[i] = value == 0.0f ? 0.0f : value;
    }
    return status;
}

static tanda_status take_weights(const tanda_dataset_arrays *arrays, tanda_dataset *dataset,
                                 tanda_error *error) {
    bool some = false;
    const tanda_status status =
        allocate(&dataset->weights, arrays->rows, sizeof *dataset->weights, "weights", error);
    if (status != TANDA_OK) return status;
    for (size_t row = 0; row < arrays->rows; row++) {
        const float weight = arrays->sample_weights[row];
        if (!isfinite(weight) || weight < 0.0f)
            return fail(error, TANDA_BAD_INPUT, "sample_weights: row %zu (from 0) has %g; give 0 or more",
                        row, (double)weight);
        dataset->weights[row] = weight == 0.0f ? 0.0f : weight;
        some = some || weight > 0.0f;
    }
    return some ? TANDA_OK : fail(error, TANDA_BAD_INPUT, "sample_weights: every one is 0");
}

tanda_status dataset_name_targets(tanda_dataset *dataset, const char *const *names, tanda_error *error) {
    if (names == NULL || dataset->target_count == 0) return TANDA_OK;
    if (dataset->target_count == 1) return copy_text(&dataset->target_name, names[0], error);
    return copy_texts(&dataset->target_names, (char *const *)names, dataset->target_count, error);
}

static tanda_status fill(const tanda_dataset_arrays *arrays, tanda_dataset *dataset, tanda_error *error) {
    dataset->rows = arrays->rows;
    dataset->features = arrays->features;
    tanda_status status = take_values(arrays, dataset, error);
    if (status == TANDA_OK)
        status = copy_texts(&dataset->feature_names, (char *const *)arrays->feature_names, arrays->features,
                            error);
    if (status == TANDA_OK && arrays->classes != NULL) status = take_classes(arrays, dataset, error);
    if (status == TANDA_OK && arrays->targets != NULL) status = take_targets(arrays, dataset, error);
    if (status == TANDA_OK) status = dataset_name_targets(dataset, arrays->target_names, error);
    if (status == TANDA_OK && arrays->sample_weights != NULL) status = take_weights(arrays, dataset, error);
    return status;
}

tanda_status tanda_dataset_create(const tanda_dataset_arrays *given, tanda_dataset **dataset,
                                  tanda_error *error) {
    tanda_dataset_arrays arrays;
    tanda_dataset *made = NULL;
    tanda_status status = TAKE_OPTIONS(tanda_dataset_arrays, given, &arrays, error);
    if (status != TANDA_OK) return status;
    if (arrays.rows == 0 || arrays.features == 0)
        return fail(error, TANDA_USAGE,
                    "a data set of %zu rows and %zu features; it needs at least 1 of each", arrays.rows,
                    arrays.features);
    if (arrays.values == NULL) return fail(error, TANDA_USAGE, "values is NULL; it holds the features");
    if (arrays.classes != NULL && arrays.targets != NULL)
        return fail(error, TANDA_USAGE, "classes and targets are both there; give one of them");
    if (arrays.class_names != NULL && arrays.class_count == 0)
        return fail(error, TANDA_USAGE, "class_names goes with class_count, the number of names");
    status = allocate(&made, 1, sizeof *made, "data set", error);
    if (status == TANDA_OK) status = fill(&arrays, made, error);
    if (status == TANDA_OK)
        *dataset = made;
    else
        tanda_dataset_free(made);
    return status;
}

tanda_task tanda_dataset_task(const tanda_dataset *dataset) {
    return dataset->task;
}

const float *tanda_dataset_values(const tanda_dataset *dataset) {
    return dataset->values;
}

const int32_t *tanda_dataset_classes(const tanda_dataset *dataset) {
    return dataset->classes;
}

const float *tanda_dataset_target_values(const tanda_dataset *dataset) {
    return dataset->targets;
}

const float *tanda_dataset_sample_weights(const tanda_dataset *dataset) {
    return dataset->weights;
}

size_t tanda_dataset_class_count(const tanda_dataset *dataset) {
    return dataset->class_count;
}

const char *tanda_dataset_class_name(const tanda_dataset *dataset, size_t index) {
    return dataset->class_names == NULL || index >= dataset->class_count ? NULL : dataset->class_names[index];
}

const char *tanda_dataset_feature_name(const tanda_dataset *dataset, size_t index) {
    return dataset->feature_names == NULL || index >= dataset->features ? NULL
                                                                        : dataset->feature_names[index];
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
