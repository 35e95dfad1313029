#include "data/array.h"

/* Columns count as in C order, the last dimension fastest; by columns the first dimension lies closest. */
static size_t stored_column(const array *array, size_t column) {
    size_t stored = 0;
    for (size_t i = array->inner_count; i-- > 0;) {
        size_t step = 1;
        for (size_t j = 0; j < i; j++)
            step *= array->inner[j];
        stored += column % array->inner[i] * step;
        column /= array->inner[i];
    }
    return array->inner_count == 0 ? column : stored;
}

array_column array_find_column(const array *array, size_t column) {
    if (!array->by_columns)
        return (array_column){array->data + column * array->size, array->columns * array->size};
    return (array_column){array->data + stored_column(array, column) * array->rows * array->size,
                          array->size};
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
