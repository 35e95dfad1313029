#include "data/dataset.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

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

const char *tanda_dataset_copied_names(const tanda_dataset *dataset, size_t *length) {
    *length = dataset->copied.names.size;
    return dataset->copied.names.data;
}

const char *tanda_dataset_copied(const tanda_dataset *dataset, size_t row, size_t *length) {
    return copied_row(&dataset->copied, row, length);
}

tanda_status dataset_check(const tanda_dataset *dataset, tanda_status status, tanda_error *error) {
    return dataset == NULL ? status : file_view_check(&dataset->mapping, status, error);
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

size_t *class_counts(const tanda_dataset *dataset) {
    size_t *counts = calloc(dataset->class_count, sizeof *counts);
    for (size_t row = 0; counts != NULL && row < dataset->rows; row++)
        counts[dataset->classes[row]]++;
    return counts;
}
