/* Matrices stored as plain elements: the common part of .npy and IDX. */
#ifndef TANDA_DATA_ARRAY_H
#define TANDA_DATA_ARRAY_H

#include "data/table.h"

typedef enum element_kind { ELEMENT_UNSIGNED, ELEMENT_SIGNED, ELEMENT_FLOAT } element_kind;

typedef struct array {
    const char *path;
    const unsigned char *data; /* (rows, columns) elements, row-major, any alignment */
    size_t rows;               /* at least 1 */
    size_t columns;            /* at least 1 */
    element_kind kind;
    size_t size;     /* bytes of an element: 1, 2, 4, 8; of a float 4 or 8 */
    bool big_endian; /* of more than one byte */
} array;

/*
 * Reads the columns that the request asks for. binary32 in this machine's byte order whose columns are all
 * features, in order, is not copied: then *view is taken over by the table and view becomes empty. data must
 * lie in *view for that; view may be NULL.
 */
tanda_status array_read(const array *array, file_view *view, const request *request, table *table,
                        tanda_error *error);

#endif
