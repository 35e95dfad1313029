#include "data/table.h"

#include <stdlib.h>

#include "support/memory.h"

tanda_task request_task(const request *request) {
    return request->expected != NULL ? request->expected->task : request->options->task;
}

tanda_status table_begin(table *table, const request *request, const char *path, bool has_labels,
                         bool text_labels, tanda_error *error) {
    size_t count = 0;
    if (multiply_overflows(table->rows, table->features, &count))
        return fail(error, TANDA_BAD_INPUT,
                    "%s: %zu rows of %zu features are more than this machine can address", path, table->rows,
                    table->features);
    tanda_status status =
        allocate(&table->owned, count, sizeof *table->owned, "the data set's values", error);
    if (status != TANDA_OK) return status;
    table->values = table->owned;
    if (!has_labels) return TANDA_OK;
    status = labels_begin(&table->labels, request_task(request), request->expected, table->rows, text_labels,
                          error);
    table->has_labels = status == TANDA_OK;
    return status;
}

void table_free(table *table) {
    free(table->owned);
    file_view_close(&table->mapping);
    free_texts(table->feature_names, table->features);
    free(table->target_name);
    if (table->has_labels) labels_free(&table->labels);
    *table = (struct table){0};
}
