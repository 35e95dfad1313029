/* From a file, or a description of synthetic data, to a data set. */
#include <stdlib.h>

#include "data/format.h"
#include "data/synthetic.h"
#include "data/target_check.h"
#include "support/memory.h"

/* Reads one label for each of the table's rows from a file of its own. */
static tanda_status read_label_file(const char *path, const request *request, const table *data,
                                    table *labels, tanda_error *error) {
    const char *file = request->options->labels;
    tanda_dataset_options options = {.task = request->options->task,
                                     .drop_missing_targets = request->options->drop_missing_targets,
                                     .labels_of_several = request->options->labels_of_several};
    struct request label_request = {
        .options = &options, .expected = request->expected, .labels_only = true, .label_rows = data->rows};
    tanda_status status = format_read(file, NULL, &label_request, labels, error);
    if (status != TANDA_OK || labels->rows == data->rows) return status;
    return fail(error, TANDA_BAD_INPUT, "%s: %zu labels for the %zu rows of %s; there must be one per row",
                file, labels->rows, data->rows, path);
}

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

/* Moves what the tables hold to the dataset; labels is data itself or the table of the label file. */
static tanda_status take_over(const char *path, const request *request, table *data, table *labels,
                              tanda_dataset *dataset, tanda_error *error) {
    dataset->rows = data->rows;
    dataset->dropped = data->dropped;
    dataset->features = data->features;
    dataset->raw = data->raw;
    dataset->values = data->values;
    dataset->owned = data->owned;
    dataset->mapping = data->mapping;
    dataset->from_bytes = data->from_bytes;
    dataset->feature_names = data->feature_names;
    dataset->target_name = labels->target_name;
    dataset->target_count = labels->target_count;
    labels->target_name = NULL;
    data->raw = (raw_columns){0};
    data->owned = NULL;
    data->mapping = (file_view){0};
    data->feature_names = NULL;
    tanda_status status = take_weights(path, data, dataset, error);
    if (status == TANDA_OK && labels->has_labels)
        status = labels_finish(&labels->labels, data->rows, path, dataset, error);
    if (labels->targets != NULL) take_targets(labels, request, dataset);
    return status;
}

tanda_status dataset_load(const char *path, const tanda_dataset_options *options,
                          const dataset_expectation *expected, tanda_dataset **dataset, tanda_error *error) {
    static const tanda_dataset_options none = {0};
    request request = {.options = options != NULL ? options : &none, .expected = expected};
    if (synthetic_is_named(path))
        return synthetic_load(path, request.options, expected, false, dataset, error);
    table data = {0};
    table labels = {0};
    tanda_dataset *made = NULL;
    const char *label_file = request.options->without_target ? NULL : request.options->labels;
    tanda_status status = format_read(path, request.options->format, &request, &data, error);
    if (status == TANDA_OK && label_file != NULL)
        status = read_label_file(path, &request, &data, &labels, error);
    if (status == TANDA_OK) status = table_drop_missing(&data, label_file != NULL ? &labels : &data, error);
    if (status == TANDA_OK) status = allocate(&made, 1, sizeof *made, "data set", error);
    if (status == TANDA_OK)
        status = take_over(label_file != NULL ? label_file : path, &request, &data,
                           label_file != NULL ? &labels : &data, made, error);
    table_free(&data);
    table_free(&labels);
    if (status == TANDA_OK)
        *dataset = made;
    else
        tanda_dataset_free(made);
    return status;
}

tanda_status tanda_dataset_load(const char *path, const tanda_dataset_options *options,
                                tanda_dataset **dataset, tanda_error *error) {
    return dataset_load(path, options, NULL, dataset, error);
}
