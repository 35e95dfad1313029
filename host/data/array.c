#include "data/array.h"

#include <stdlib.h>
#include <string.h>

#include "support/memory.h"

array_column array_find_column(const array *array, size_t column) {
    if (!array->by_columns)
        return (array_column){array->data + column * array->size, array->columns * array->size};
    /* columns count as in C order, the last dimension fastest; by columns the first dimension lies closest */
    size_t stored = array->inner_count == 0 ? column : 0;
    for (size_t i = array->inner_count; i-- > 0;) {
        size_t step = 1;
        for (size_t j = 0; j < i; j++)
            step *= array->inner[j];
        stored += column % array->inner[i] * step;
        column /= array->inner[i];
    }
    return (array_column){array->data + stored * array->rows * array->size, array->size};
}

void array_take(const array *array, const size_t *columns, size_t count, size_t first, size_t rows,
                double *values) {
    for (size_t i = 0; i < count; i++) {
        const array_column column = array_find_column(array, columns[i]);
        const unsigned char *at = column.at + first * column.step;
        for (size_t row = 0; row < rows; row++, at += column.step)
            values[row * count + i] = array_number_at(array, at).exact;
    }
}

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
