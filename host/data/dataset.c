#include "data/dataset.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "data/feed_wrap.h"
#include "data/scaling.h"
#include "support/memory.h"

size_t tanda_dataset_rows(const tanda_dataset *dataset) {
    return dataset->rows;
}

size_t tanda_dataset_features(const tanda_dataset *dataset) {
    return dataset->features;
}

size_t tanda_dataset_targets(const tanda_dataset *dataset) {
    return dataset->target_count;
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

bool dataset_origin_has_fraction(const tanda_dataset *dataset, size_t feature) {
    return dataset->origins != NULL && floor(dataset->origins[feature]) != dataset->origins[feature];
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
