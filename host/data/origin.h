/* Columns that binary32 would ruin, kept as distances from an origin. */
#ifndef TANDA_DATA_ORIGIN_H
#define TANDA_DATA_ORIGIN_H

#include "data/column_spread.h"
#include "data/table.h"

/*
 * Chooses the features of a table, read from a source wider than binary32, that are needed in binary64: those with an
 * origin in what is expected, or else those that binary32 would ruin, constant ones included; for a look at the columns all
 * that are numbers, whose values need not be there yet. The reader that finds exact.count above 0 then fills exact.values.
 */
tanda_status origin_choose(const request *request, table *table, tanda_error *error);

/* Chooses among those of `count` tables whose rows joined has already, and joins them. */
tanda_status origin_join(const request *request, const table *tables, size_t count, table *joined,
                         tanda_error *error);

/*
 * Subtracts in binary64, from the features that need it, the origin: the expected one, or the column's first value; and
 * rounds once. Notes which, or what collapses where options->keep_origins is false.
 */
tanda_status origin_apply(const request *request, const exact_columns *exact, tanda_dataset *dataset,
                          tanda_error *error);

/* The origins of features in what is expected (or NULL), by name where both sides have names; for free(). NULL where all are 0. */
tanda_status origins_expected(const dataset_expectation *known, char *const *names, size_t features,
                              double **origins, tanda_error *error);

/* Subtracts origins (features) from values that are in binary32 already. */
tanda_status origin_subtract(tanda_dataset *dataset, const double *origins, tanda_error *error);

#endif
