/* Columns that are right as they stand, and still seldom what is meant as a feature. */
#ifndef TANDA_DATA_COLUMN_CHECK_H
#define TANDA_DATA_COLUMN_CHECK_H

#include <stdio.h>

#include "data/dataset.h"
#include "support/status.h"

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

/* The categories so far, as text for people. */
typedef struct lacks {
    FILE *stream;
    char *text;
    size_t size;
    size_t count;
} lacks;

tanda_status lacks_begin(lacks *lacks, tanda_error *error);

/*
 * Adds the categories that only held-out rows have, with the place of the first. Both parts are of one data set that is
 * not prepared yet. fold is from 1, or 0 where there are no folds. TANDA_BAD_INPUT for a column without a value in the
 * training rows.
 */
tanda_status lacks_find(lacks *lacks, const tanda_dataset *training, const tanda_dataset *held_out,
                        size_t fold, tanda_error *error);

/*
 * Where something was found: TANDA_BAD_INPUT with all of it, or with `accepted` a note, for free(). *note is else NULL.
 * Releases lacks.
 */
tanda_status lacks_end(lacks *lacks, const char *path, bool accepted, char **note, tanda_error *error);

#endif
