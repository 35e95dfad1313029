#include "data/copied.h"

#include <stdlib.h>

#include "support/memory.h"

const char *copied_row(const copied_columns *copied, size_t row, size_t *length) {
    *length = 0;
    if (row >= copied->count) return NULL;
    const size_t begin = row == 0 ? 0 : copied->ends[row - 1];
    *length = copied->ends[row] - begin;
    return copied->rows.data + begin;
}

tanda_status copied_append(copied_columns *copied, const copied_columns *more, tanda_error *error) {
    const size_t before = copied->rows.size;
    size_t bytes = 0;
    if (more->count == 0) return TANDA_OK;
    if (multiply_overflows(copied->count + more->count, sizeof *copied->ends, &bytes))
        return fail(error, TANDA_FAILED, "%zu rows of text are too many", more->count);
    size_t *ends = realloc(copied->ends, bytes);
    if (ends == NULL) return fail(error, TANDA_FAILED, "no memory for %zu rows of text", more->count);
    copied->ends = ends;
    for (size_t i = 0; i < more->count; i++)
        ends[copied->count + i] = before + more->ends[i];
    copied->count += more->count;
    csv_add(&copied->rows, more->rows.data, more->rows.size);
    return csv_lines_check(&copied->rows, error);
}

void copied_free(copied_columns *copied) {
    csv_lines_free(&copied->names);
    csv_lines_free(&copied->rows);
    free(copied->ends);
    *copied = (copied_columns){0};
}
