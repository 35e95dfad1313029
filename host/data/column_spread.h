/*
 * What binary32 would do to the columns of a wider source (text, binary64, integers of 32 and 64 bits), found value by value:
 * it ruins those whose values, as binary32, lie within 2^-10 of the greatest absolute value.
 */
#ifndef TANDA_DATA_COLUMN_SPREAD_H
#define TANDA_DATA_COLUMN_SPREAD_H

#include "data/dataset.h"

#define ORIGIN_RUINED \
    0x1p-10 /* of the greatest absolute value: values that lie closer are too coarse in binary32 */

/* A column of numbers, in binary32 and, where that would ruin it, in binary64. */
typedef struct column_spread {
    size_t feature;
    bool is_fine;     /* binary32 does not ruin it */
    double low, high; /* above low: no value was there yet */
    double first;     /* in binary64, as what follows; NaN: no value was there yet */
    double exact_low, exact_high;
    double rounding; /* by how much binary32 would change a value */
} column_spread;

column_spread column_spread_begin(size_t feature);

/* Adds a value in binary32, unless it is NaN; `bound` says what is ruined, ORIGIN_RUINED as a rule. */
void column_spread_add(column_spread *spread, double value, double bound);
void column_spread_add_exact(column_spread *spread, double value);

/* Constant columns are, too, but of those nothing is lost by one origin. */
bool column_spread_is_ruined(const column_spread *spread);

/* Ruined, by the values in binary64 that were added, and not constant: distances from the first value keep it. */
bool column_spread_is_kept(const column_spread *spread);

/*
 * Notes in dataset->origin_note which of `count` columns are kept as distances or, not kept, what is rounded of them; of the
 * data set names are wanted alone.
 */
tanda_status column_spreads_tell(const column_spread *spreads, size_t count, bool kept,
                                 tanda_dataset *dataset, tanda_error *error);

/* Does so, and finds the origins (features), one spread for each: 0 of what is not kept; for free(). NULL where all are 0. */
tanda_status column_spreads_origins(const column_spread *spreads, size_t features, bool kept,
                                    tanda_dataset *dataset, double **origins, tanda_error *error);

#endif
