/* From a file, or a description of synthetic data, to a data set. */
#include <stdlib.h>

#include "data/format.h"
#include "data/origin.h"
#include "data/synthetic.h"
#include "data/table.h"
#include "support/memory.h"
#include "support/options.h"

/* Moves several targets to the dataset. */
static void take_targets(table *labels, const request *request, tanda_dataset *dataset) {
    dataset->task = request_wants_labels(request) ? TANDA_TASK_LABELS : TANDA_TASK_REGRESSION;
    dataset->task_was_found = request_task(request) == TANDA_TASK_AUTO;
    dataset->targets = labels->targets;
    dataset->target_names = labels->target_names;
    labels->targets = NULL;
    labels->target_names = NULL;
}

static tanda_status take_weights(const char *path, table *data, tanda_dataset *dataset, tanda_error *error) {
    bool all_zero = data->weights != NULL;
    dataset->weights = data->weights;
    data->weights = NULL;
    for (size_t row = 0; all_zero && row < dataset->rows; row++)
        all_zero = dataset->weights[row] == 0.0f;
    return all_zero ? fail(error, TANDA_BAD_INPUT, "%s: every sample weight is 0; some must be above", path)
                    : TANDA_OK;
}

/* Moves what the table holds to the dataset. path is where the labels come from. */
static tanda_status take_over(const char *path, const request *request, table *data, tanda_dataset *dataset,
                              tanda_error *error) {
    dataset->rows = data->rows;
    dataset->dropped = data->dropped;
    dataset->features = data->features;
    dataset->dialect = data->dialect;
    dataset->raw = data->raw;
    dataset->values = data->values;
    dataset->owned = data->owned;
    dataset->mapping = data->mapping;
    dataset->from_bytes = data->from_bytes;
    dataset->feature_names = data->feature_names;
    dataset->target_name = data->target_name;
    dataset->target_count = data->target_count;
    dataset->remark = data->remark;
    dataset->copied = data->copied;
    data->copied = (copied_columns){0};
    dataset->positions = data->positions;
    dataset->position_count = data->position_count;
    data->positions = NULL;
    data->target_name = NULL;
    data->remark = NULL;
    data->raw = (raw_columns){0};
    data->owned = NULL;
    data->mapping = (file_view){0};
    data->feature_names = NULL;
    tanda_status status = take_weights(path, data, dataset, error);
    if (status == TANDA_OK) status = origin_apply(request, &data->exact, dataset, error);
    if (request->is_look) {
        dataset->exact = data->exact;
        data->exact = (exact_columns){0};
    }
    if (status == TANDA_OK && data->has_labels)
        status = labels_finish(&data->labels, data->rows, path, dataset, error);
    if (data->targets != NULL) take_targets(data, request, dataset);
    return status;
}

/* Makes a data set of the table, which is empty afterwards. */
static tanda_status finish(const char *path, const request *request, table *data, tanda_dataset **dataset,
                           tanda_error *error) {
    tanda_dataset *made = NULL;
    const char *label_file = request->options->without_target ? NULL : request->options->labels;
    tanda_status status = TANDA_OK;
    if (label_file != NULL) status = format_read_labels(label_file, NULL, request, path, data, error);
    if (status == TANDA_OK) status = table_drop_missing(data, data, error);
    if (status == TANDA_OK) status = allocate(&made, 1, sizeof *made, "data set", error);
    if (status == TANDA_OK)
        status = take_over(label_file != NULL ? label_file : path, request, data, made, error);
    table_free(data);
    if (status == TANDA_OK)
        *dataset = made;
    else
        tanda_dataset_free(made);
    return status;
}

/* The words for a missing value that hold: those of the model unless others are given. */
static tanda_dataset_options reading_options(const tanda_dataset_options *options,
                                             const dataset_expectation *expected) {
    tanda_dataset_options reading = options != NULL ? *options : (tanda_dataset_options){0};
    if (expected == NULL || reading.missing_value_count > 0) return reading;
    reading.missing_values = (const char *const *)expected->missing_values;
    reading.missing_value_count = expected->missing_value_count;
    return reading;
}

static tanda_status load(const char *path, const request *request, tanda_dataset **dataset,
                         tanda_error *error) {
    table data = {0};
    if (synthetic_is_named(path) && request->options->more_count > 0)
        return fail(error, TANDA_USAGE, "--data: %s stands alone; no file's rows can follow it", path);
    if (request->options->copy_count > 0 && request->options->drop_missing_targets &&
        !request->options->without_target)
        return fail(error, TANDA_USAGE, "--copy: it passes on all rows, and some would be dropped");
    if (synthetic_is_named(path))
        return synthetic_load(path, request->options, request->expected, false, dataset, error);
    const tanda_status status = parts_read(path, request, &data, error);
    return status == TANDA_OK ? finish(path, request, &data, dataset, error) : status;
}

tanda_status dataset_load(const char *path, const tanda_dataset_options *options,
                          const dataset_expectation *expected, tanda_dataset **dataset, tanda_error *error) {
    const tanda_dataset_options reading = reading_options(options, expected);
    const request request = {.options = &reading, .expected = expected, .origins = expected};
    return load(path, &request, dataset, error);
}

tanda_status dataset_load_from_origins(const char *path, const tanda_dataset_options *options,
                                       const dataset_expectation *origins, tanda_dataset **dataset,
                                       tanda_error *error) {
    const tanda_dataset_options reading = reading_options(options, NULL);
    const request request = {.options = &reading, .origins = origins};
    return load(path, &request, dataset, error);
}

tanda_status dataset_load_columns(const char *path, const tanda_dataset_options *options,
                                  tanda_dataset **dataset, tanda_error *error) {
    tanda_dataset_options reading = *options;
    const request request = {.options = &reading, .is_look = true};
    reading.missing = TANDA_MISSING_MEAN;
    reading.keep_origins = true;
    if (reading.categorical_count == 0) reading.categorical_auto = true;
    return load(path, &request, dataset, error);
}

tanda_status dataset_load_rows(const char *path, file_view *view, const row_place *place,
                               const tanda_dataset_options *options, const dataset_expectation *expected,
                               tanda_dataset **dataset, tanda_error *error) {
    const tanda_dataset_options reading = reading_options(options, expected);
    const request request = {.options = &reading,
                             .expected = expected,
                             .origins = expected,
                             .lines_before = place->lines_before,
                             .names = place->names};
    table data = {0};
    const tanda_status status = format_read_view(path, view, options->format, &request, &data, error);
    return status == TANDA_OK ? finish(path, &request, &data, dataset, error) : status;
}

tanda_status tanda_dataset_load(const char *path, const tanda_dataset_options *options,
                                tanda_dataset **dataset, tanda_error *error) {
    tanda_dataset_options reading;
    const tanda_status status = TAKE_OPTIONS(tanda_dataset_options, options, &reading, error);
    return status == TANDA_OK ? dataset_load(path, &reading, NULL, dataset, error) : status;
}
