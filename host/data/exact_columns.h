/* Columns in binary64, which a table holds beside its values in binary32. */
#ifndef TANDA_DATA_EXACT_COLUMNS_H
#define TANDA_DATA_EXACT_COLUMNS_H

#include "data/array.h"

/* Features of a table in binary64, until their origins are known or for a look at them. All zero: none. */
typedef struct exact_columns {
    size_t count;
    size_t *features; /* (count), ascending */
    double *values;   /* (rows, count), NaN where a value is missing; or NULL: */
    array *source;    /* for a look: where they lie, in bytes that the table has in its mapping */
    size_t *columns;  /* (count), of the source */
} exact_columns;

/* Copies `rows` rows from the first on, of `count` of the columns from `column` on, to values (rows, count). */
void exact_columns_take(const exact_columns *exact, size_t column, size_t count, size_t first, size_t rows,
                        double *values);

/* Room for exact.values. TANDA_FAILED for want of memory. */
tanda_status exact_columns_make(size_t rows, exact_columns *exact, tanda_error *error);

void exact_columns_free(exact_columns *exact);

#endif
