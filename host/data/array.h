/* Matrices stored as plain elements: the common part of .npy and IDX. */
#ifndef TANDA_DATA_ARRAY_H
#define TANDA_DATA_ARRAY_H

#include "data/columns.h"

/* Text is NumPy's: UTF-32 of a fixed length (U), or bytes (S), with zeros behind it. */
typedef enum element_kind {
    ELEMENT_UNSIGNED,
    ELEMENT_SIGNED,
    ELEMENT_FLOAT,
    ELEMENT_UTF32,
    ELEMENT_BYTES
} element_kind;

#define ARRAY_DIMENSIONS_MAX 32 /* NumPy 1's */

typedef struct array {
    const char *path;
    const unsigned char *data; /* (rows, columns) elements, any alignment */
    size_t rows;               /* at least 1 */
    size_t columns;            /* at least 1 */
    element_kind kind;
    size_t size; /* bytes of an element: 1, 2, 4, 8; of a float 2, 4, 8; of text any, 4 for each of UTF-32 */
    bool big_endian; /* of more than one byte */
    bool by_columns; /* Fortran order: the rows of a column lie side by side; else row-major */
    size_t
        inner_count; /* by_columns: a row has this many dimensions, the first of which goes fastest; 0 is 1 */
    size_t inner[ARRAY_DIMENSIONS_MAX];
} array;

/* Where the elements of a column lie: that of a row is at + row * step. */
typedef struct array_column {
    const unsigned char *at;
    size_t step;
} array_column;
array_column array_find_column(const array *array, size_t column);

/* `rows` rows from the first on, of `count` columns, to values (rows, count) in binary64. Of numbers. */
void array_take(const array *array, const size_t *columns, size_t count, size_t first, size_t rows,
                double *values);

/*
 * Reads the columns that the request asks for; of labels, a row for each class with a 1 for its own, the class. binary32 in this machine's byte order whose columns are all
 * features, in order, is not copied: then *view is taken over by the table and view becomes empty, as it does for a look at
 * numbers wider than binary32. data must lie in *view for that; view may be NULL.
 */
tanda_status array_read(const array *array, file_view *view, const request *request, table *table,
                        tanda_error *error);

/*
 * The same for an array of text, whose table has its shape already: numbers, categories and classes as in CSV. Marks
 * the columns of text among the features where --categorical auto asks for that.
 */
tanda_status array_read_text(const array *array, const request *request, selection *selection, table *table,
                             tanda_error *error);

#endif
