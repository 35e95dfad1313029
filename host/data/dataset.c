#include "data/dataset.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

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

static tanda_status fill(const tanda_dataset_arrays *arrays, tanda_dataset *dataset, tanda_error *error) {
    dataset->rows = arrays->rows;
    dataset->features = arrays->features;
    tanda_status status = take_values(arrays, dataset, error);
    if (status == TANDA_OK)
        status = copy_texts(&dataset->feature_names, (char *const *)arrays->feature_names, arrays->features,
                            error);
    if (status == TANDA_OK && arrays->classes != NULL) status = take_classes(arrays, dataset, error);
    if (status == TANDA_OK && arrays->targets != NULL) status = take_targets(arrays, dataset, error);
    if (status == TANDA_OK && dataset->target_count > 1 && arrays->target_names != NULL)
        status = copy_texts(&dataset->target_names, (char *const *)arrays->target_names,
                            dataset->target_count, error);
    if (status == TANDA_OK && dataset->target_count == 1 && arrays->target_names != NULL)
        status = copy_text(&dataset->target_name, arrays->target_names[0], error);
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
    if (status == TANDA_OK && weights == NULL) class_weights_balanced(dataset, balanced);
    if (status == TANDA_OK)
        status = class_weights_apply(dataset, weights == NULL ? balanced : weights, error);
    free(balanced);
    return status;
}

void class_weights_balanced(const tanda_dataset *dataset, double *weights) {
    size_t present = 0;
    for (size_t c = 0; c < dataset->class_count; c++)
        weights[c] = 0.0;
    for (size_t row = 0; row < dataset->rows; row++) /* counts, exact in double */
        weights[dataset->classes[row]] += 1.0;
    for (size_t c = 0; c < dataset->class_count; c++)
        present += weights[c] > 0.0;
    for (size_t c = 0; c < dataset->class_count; c++)
        weights[c] = weights[c] > 0.0 ? (double)dataset->rows / ((double)present * weights[c]) : 1.0;
}

tanda_status class_weights_apply(tanda_dataset *dataset, const double *weights, tanda_error *error) {
    float *made = NULL;
    bool some = false, too_large = false;
    tanda_status status = allocate(&made, dataset->rows, sizeof *made, "weights", error);
    if (status != TANDA_OK) return status;
    for (size_t row = 0; row < dataset->rows; row++) {
        const double own = dataset->weights != NULL ? (double)dataset->weights[row] : 1.0;
        made[row] = (float)(own * weights[dataset->classes[row]]);
        some |= made[row] > 0.0f;
        too_large |= !isfinite(made[row]);
    }
    if (!some) status = fail(error, TANDA_BAD_INPUT, "every row weighs 0: some must weigh more");
    if (too_large)
        status = fail(error, TANDA_BAD_INPUT, "a row weighs more than the largest binary32, 3.4e38");
    if (status != TANDA_OK) {
        free(made);
        return status;
    }
    free(dataset->weights);
    dataset->weights = made;
    return TANDA_OK;
}
