/* Data sets from arrays in memory. */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "data/dataset.h"
#include "support/memory.h"
#include "support/options.h"
#include "support/text.h"

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
