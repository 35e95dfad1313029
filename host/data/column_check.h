/* Columns that are right as they stand, and still seldom what is meant as a feature. */
#ifndef TANDA_DATA_COLUMN_CHECK_H
#define TANDA_DATA_COLUMN_CHECK_H

#include "data/dataset.h"

typedef enum column_doubt {
    DOUBT_COUNTS_ROWS, /* it has no name, and its whole numbers go up by 1: pandas' index */
    DOUBT_IDENTIFIER,  /* another whole number in each of many rows */
    DOUBT_SAME_NAME    /* features or targets of one name */
} column_doubt;

typedef struct doubtful_column {
    column_doubt doubt;
    char *name;   /* owned, or NULL: the file names none */
    size_t index; /* of the column in the file */
    size_t other; /* DOUBT_SAME_NAME: of the other one, a later column */
} doubtful_column;

/* All zero: none. */
typedef struct doubtful_columns {
    size_t count;
    doubtful_column *columns;
} doubtful_columns;

/*
 * Of a data set as it was read, all its rows in the file's order. A column of quantities is left at its first fraction
 * or second value, so that this takes no time to speak of. TANDA_FAILED for want of memory.
 */
tanda_status columns_check(const tanda_dataset *dataset, doubtful_columns *result, tanda_error *error);
void doubtful_columns_free(doubtful_columns *columns);

#endif
