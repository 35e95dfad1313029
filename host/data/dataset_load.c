/* From a file, or a description of synthetic data, to a data set. */

#include "data/feed_load.h"
#include "data/format.h"
#include "data/origin.h"
#include "data/synthetic.h"
#include "data/table.h"
#include "support/memory.h"
#include "support/options.h"

/* Makes a data set of what was read. */
static tanda_status finish(const char *path, const request *request, table *data, tanda_error *error) {
    const char *label_file = request->options->without_target ? NULL : request->options->labels;
    tanda_status status = TANDA_OK;
    if (label_file != NULL) status = format_read_labels(label_file, NULL, request, path, data, error);
    if (status == TANDA_OK) status = table_drop_missing(data, data, error);
    if (label_file != NULL) path = label_file;
    bool all_zero = data->weights != NULL;
    for (size_t row = 0; all_zero && row < data->rows; row++)
        all_zero = data->weights[row] == 0.0f;
    if (status == TANDA_OK && all_zero)
        status = fail(error, TANDA_BAD_INPUT, "%s: every sample weight is 0; some must be above", path);
    if (status == TANDA_OK) status = origin_apply(request, &data->exact, data, error);
    if (!request->is_look) exact_columns_free(&data->exact);
    if (data->targets != NULL) {
        data->task = request_wants_labels(request) ? TANDA_TASK_LABELS : TANDA_TASK_REGRESSION;
        data->task_was_found = request_task(request) == TANDA_TASK_AUTO;
    }
    if (status == TANDA_OK && data->labels != NULL)
        status = labels_finish(data->labels, data->rows, path, data, error);
    table_free_labels(data);
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

/* view: rows in memory, or NULL: the file's. */
static tanda_status load_rows(const char *path, file_view *view, const request *request,
                              tanda_dataset **dataset, tanda_error *error) {
    const tanda_dataset_options *options = request->options;
    tanda_dataset *made = NULL;
    if (view == NULL && synthetic_is_named(path) && options->more_count > 0)
        return fail(error, TANDA_USAGE, "--data: %s stands alone; no file's rows can follow it", path);
    if (view == NULL && options->copy_count > 0 && options->drop_missing_targets && !options->without_target)
        return fail(error, TANDA_USAGE, "--copy: it passes on all rows, and some would be dropped");
    if (view == NULL && synthetic_is_named(path))
        return synthetic_load(path, options, request->expected, false, dataset, error);
    bool taken = false; /* the rows lie elsewhere, and are ready */
    tanda_status status = allocate(&made, 1, sizeof *made, "data set", error);
    if (status != TANDA_OK) return status;
    if (view == NULL) status = feed_load(path, request, made, &taken, error);
    if (status == TANDA_OK && !taken)
        status = view == NULL ? parts_read(path, request, made, error)
                              : format_read_view(path, view, options->format, request, made, error);
    if (status == TANDA_OK && !taken) status = finish(path, request, made, error);
    if (status == TANDA_OK) {
        *dataset = made;
        return TANDA_OK;
    }
    table_free_labels(made);
    tanda_dataset_free(made);
    return status;
}

static tanda_status load(const char *path, file_view *view, const request *request, tanda_dataset **dataset,
                         tanda_error *error) {
    const tanda_status status = load_rows(path, view, request, dataset, error);
    if (status == TANDA_OK) (*dataset)->memory = request->options->memory;
    return status;
}

tanda_status dataset_load(const char *path, const tanda_dataset_options *options,
                          const dataset_expectation *expected, tanda_dataset **dataset, tanda_error *error) {
    const tanda_dataset_options reading = reading_options(options, expected);
    const request request = {.options = &reading, .expected = expected, .origins = expected};
    return load(path, NULL, &request, dataset, error);
}

tanda_status dataset_load_from_origins(const char *path, const tanda_dataset_options *options,
                                       const dataset_expectation *origins, tanda_dataset **dataset,
                                       tanda_error *error) {
    const tanda_dataset_options reading = reading_options(options, NULL);
    const request request = {.options = &reading, .origins = origins};
    return load(path, NULL, &request, dataset, error);
}

tanda_status dataset_load_columns(const char *path, const tanda_dataset_options *options,
                                  tanda_dataset **dataset, tanda_error *error) {
    tanda_dataset_options reading = *options;
    const request request = {.options = &reading, .is_look = true};
    reading.missing = TANDA_MISSING_MEAN;
    reading.keep_origins = true;
    if (reading.categorical_count == 0) reading.categorical_auto = true;
    return load(path, NULL, &request, dataset, error);
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
    return load(path, view, &request, dataset, error);
}

tanda_status tanda_dataset_load(const char *path, const tanda_dataset_options *options,
                                tanda_dataset **dataset, tanda_error *error) {
    tanda_dataset_options reading;
    const tanda_status status = TAKE_OPTIONS(tanda_dataset_options, options, &reading, error);
    return status == TANDA_OK ? dataset_load(path, &reading, NULL, dataset, error) : status;
}
