#include "data/npy_look.h"

#include <string.h>

#include "support/memory.h"

static tanda_status describe(const npy_rows *rows, const selection *selection, exact_columns *exact,
                             tanda_error *error) {
    const size_t count = selection->feature_count;
    tanda_status status = allocate(&exact->source, 1, sizeof *exact->source, "columns", error);
    if (status == TANDA_OK)
        status = allocate(&exact->features, count, sizeof *exact->features, "columns", error);
    if (status == TANDA_OK)
        status = allocate(&exact->columns, count, sizeof *exact->columns, "columns", error);
    if (status != TANDA_OK) return status;
    *exact->source = rows->array;
    memcpy(exact->columns, selection->features, count * sizeof *exact->columns);
    for (size_t i = 0; i < count; i++)
        exact->features[i] = i;
    exact->count = count;
    return TANDA_OK;
}

tanda_status npy_look(const npy_rows *rows, const selection *selection, tanda_dataset *dataset,
                      tanda_error *error) {
    const char *path = rows->array.path;
    const file_view *view = &dataset->mapping;
    if (!array_is_wide(&rows->array)) return TANDA_OK;
    tanda_status status = describe(rows, selection, &dataset->exact, error);
    if (status == TANDA_OK) status = file_view_open(path, &dataset->mapping, error);
    if (status != TANDA_OK) return status;
    const size_t size = rows->array.rows * npy_rows_size(rows);
    if (view->size < rows->offset || view->size - rows->offset < size)
        return fail(error, TANDA_BAD_INPUT, "%s: has become shorter while it was read", path);
    dataset->exact.source->data = view->data + rows->offset;
    dataset->exact.source->path = NULL; /* the rows' */
    return TANDA_OK;
}
