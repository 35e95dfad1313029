#include "data/table.h"

#include <stdlib.h>

#include "support/memory.h"

tanda_task request_task(const request *request) {
    return request->expected != NULL ? request->expected->task : request->options->task;
}

bool request_wants_labels(const request *request) {
    const tanda_task task = request_task(request);
    return task == TANDA_TASK_LABELS || (task == TANDA_TASK_AUTO && request->options->labels_of_several);
}

bool request_fills_missing(const request *request) {
    return request->expected != NULL ? request->expected->fills_missing
                                     : request->options->missing == TANDA_MISSING_MEAN;
}

/* *memory becomes (rows, columns) values. */
static tanda_status make_matrix(float **memory, const table *table, size_t columns, const char *what,
                                const char *path, tanda_error *error) {
    size_t count = 0;
    if (multiply_overflows(table->rows, columns, &count))
        return fail(error, TANDA_BAD_INPUT, "%s: %zu rows of %zu %s are more than this machine can address",
                    path, table->rows, columns, what);
    return allocate(memory, count, sizeof **memory, what, error);
}

/* What stood for a missing value in training does so in every file that the model sees. */
static tanda_status note_missing_values(const tanda_dataset_options *options, raw_columns *raw,
                                        tanda_error *error) {
    if (!raw->fills_missing || options->missing_value_count == 0) return TANDA_OK;
    tanda_status status = copy_texts(&raw->missing_values, (char *const *)options->missing_values,
                                     options->missing_value_count, error);
    if (status == TANDA_OK) raw->missing_value_count = options->missing_value_count;
    return status;
}

tanda_status table_begin(table *table, const request *request, const char *path, bool text_labels,
                         const bool *is_category, tanda_error *error) {
    tanda_status status = raw_columns_make(path, is_category, request_fills_missing(request), table->features,
                                           &table->raw, error);
    if (status == TANDA_OK) status = note_missing_values(request->options, &table->raw, error);
    if (status == TANDA_OK)
        status = make_matrix(&table->owned, table, table->features, "features", path, error);
    for (size_t i = 0; table->raw.categories != NULL && i < table->features; i++)
        table->raw.categories[i].takes_more = request->is_look;
    table->values = table->owned;
    if (status == TANDA_OK && table->has_weights)
        status = make_matrix(&table->weights, table, 1, "weights", path, error);
    if (status == TANDA_OK && table->target_count > 1)
        status = make_matrix(&table->targets, table, table->target_count, "targets", path, error);
    if (status != TANDA_OK || table->target_count != 1) return status;
    status = labels_begin(&table->labels, request_task(request), request_classes(request), table->rows,
                          text_labels, error);
    table->has_labels = status == TANDA_OK;
    return status;
}

tanda_status table_add_weight(table *table, size_t row, float weight, const place *place,
                              tanda_error *error) {
    table->weights[row] = weight;
    if (weight >= 0.0f) return TANDA_OK;
    return fail_at(error, place, "%.9g is no weight: weights are 0 or more", (double)weight);
}

void table_take_labels(table *labels, table *data) {
    data->target_count = labels->target_count;
    data->target_name = labels->target_name;
    data->target_names = labels->target_names;
    data->has_labels = labels->has_labels;
    data->labels = labels->labels;
    data->targets = labels->targets;
    labels->target_name = NULL;
    labels->target_names = NULL;
    labels->has_labels = false;
    labels->targets = NULL;
    table_free(labels);
}

void table_free(table *table) {
    raw_columns_free(&table->raw, table->features);
    free(table->positions);
    free(table->remark);
    exact_columns_free(&table->exact);
    copied_free(&table->copied);
    free(table->owned);
    file_view_close(&table->mapping);
    free_texts(table->feature_names, table->features);
    free(table->target_name);
    free_texts(table->target_names, table->target_count);
    if (table->has_labels) labels_free(&table->labels);
    free(table->targets);
    free(table->weights);
    *table = (struct table){0};
}
