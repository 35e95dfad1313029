/* What training rows lack and the rows that are held out from them have, known before anything is trained. */
#ifndef TANDA_DATA_HELD_OUT_H
#define TANDA_DATA_HELD_OUT_H

#include <stdio.h>

#include "support/status.h"

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
