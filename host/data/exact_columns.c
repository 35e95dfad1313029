#include "data/exact_columns.h"

#include <stdlib.h>
#include <string.h>

#include "support/memory.h"

void exact_columns_free(exact_columns *exact) {
    free(exact->features);
    free(exact->values);
    free(exact->source);
    free(exact->columns);
    *exact = (exact_columns){0};
}

void exact_columns_take(const exact_columns *exact, size_t column, size_t count, size_t first, size_t rows,
                        double *values) {
    if (exact->values == NULL) {
        array_take(exact->source, exact->columns + column, count, first, rows, values);
        return;
    }
    for (size_t row = 0; row < rows; row++)
        memcpy(values + row * count, exact->values + (first + row) * exact->count + column,
               count * sizeof *values);
}

tanda_status exact_columns_make(size_t rows, exact_columns *exact, tanda_error *error) {
    size_t size = 0;
    if (!multiply_overflows(rows, exact->count, &size) &&
        !multiply_overflows(size, sizeof *exact->values, &size))
        exact->values = allocate_untouched(size);
    if (exact->values != NULL) return TANDA_OK;
    return fail(error, TANDA_FAILED, "no memory for %zu rows of %zu columns in binary64", rows, exact->count);
}
