/* Rows of columns made rows of features, as a preparation has it. */
#ifndef TANDA_DATA_PREPARED_ROWS_H
#define TANDA_DATA_PREPARED_ROWS_H

#include "data/preparation.h"

#define RANK_UNKNOWN UINT32_MAX

/* All its own; it outlives the data set that it was made for. */
typedef struct prepared_rows {
    preparation preparation;
    raw_columns raw;
    size_t columns, features;
    uint32_t **
        ranks; /* (columns): of a column of categories, which of the known ones each of raw's is; else NULL */
} prepared_rows;

/* made (rows, features) of values (rows, columns), whose categories are raw's. */
void prepared_rows_make(const prepared_rows *how, const float *values, size_t rows, float *made);
void prepared_rows_free(prepared_rows *how); /* with the struct itself; NULL is nothing */

/* Takes both over, and where it fails neither. TANDA_BAD_INPUT is read for a value that is no category. */
tanda_status feed_prepared(feed *source, prepared_rows *how, feed **result, tanda_error *error);

#endif
