/*
 * Columns that binary32 would ruin, kept as distances from an origin: those whose values, as binary32, lie within 2^-10
 * of the greatest absolute value, from a source that is wider (text, binary64, integers of 32 and 64 bits).
 */
#ifndef TANDA_DATA_ORIGIN_H
#define TANDA_DATA_ORIGIN_H

#include "support/status.h"

struct array;               /* data/array.h */
struct dataset_expectation; /* data/dataset.h */
struct request;             /* data/table.h */
struct table;

/* Features of a table in binary64, until their origins are known or for a look at them. All zero: none. */
typedef struct exact_columns {
    size_t count;
    size_t *features;     /* (count), ascending */
    double *values;       /* (rows, count), NaN where a value is missing; or NULL: */
    struct array *source; /* for a look: where they lie, in bytes that the table has in its mapping */
    size_t *columns;      /* (count), of the source */
} exact_columns;

/* Copies `rows` rows from the first on, of `count` of the columns from `column` on, to values (rows, count). */
void exact_columns_take(const exact_columns *exact, size_t column, size_t count, size_t first, size_t rows,
                        double *values);

/*
 * Chooses the features of a table, read from a source wider than binary32, that are needed in binary64: those with an
 * origin in what is expected, or else those that binary32 would ruin, constant ones included; for a look at the columns all
 * that are numbers, whose values need not be there yet. The reader that finds exact.count above 0 then fills exact.values.
 */
tanda_status origin_choose(const struct request *request, struct table *table, tanda_error *error);

/* Room for exact.values. TANDA_FAILED for want of memory. */
tanda_status exact_columns_make(size_t rows, exact_columns *exact, tanda_error *error);

/* Chooses among those of `count` tables whose rows joined has already, and joins them. */
tanda_status origin_join(const struct request *request, const struct table *tables, size_t count,
                         struct table *joined, tanda_error *error);

/*
 * Subtracts in binary64, from the features that need it, the origin: the expected one, or the column's first value; and
 * rounds once. Notes which, or what collapses where options->keep_origins is false.
 */
tanda_status origin_apply(const struct request *request, const exact_columns *exact, tanda_dataset *dataset,
                          tanda_error *error);

/* Subtracts origins (features) from values that are in binary32 already. */
tanda_status origin_subtract(tanda_dataset *dataset, const double *origins, tanda_error *error);

/* A copy of (features) origins; NULL of NULL. */
tanda_status origin_copy(const double *origins, size_t features, double **copy, tanda_error *error);

void exact_columns_free(exact_columns *exact);

#endif
