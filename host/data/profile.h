/* What the columns of a file hold, for people who look at it before they train. */
#ifndef TANDA_DATA_PROFILE_H
#define TANDA_DATA_PROFILE_H

#include "data/dataset.h"
#include "data/value_set.h"

/* Values of a column that are told apart; of more only that there are more. */
#define PROFILE_DISTINCT_MAX VALUE_SET_MAX

typedef enum column_type {
    COLUMN_EMPTY,   /* every value is missing */
    COLUMN_INTEGER, /* every number is whole */
    COLUMN_REAL,
    COLUMN_TEXT
} column_type;

typedef struct column_profile {
    column_type type;
    size_t missing;
    size_t distinct; /* of the values that there are; PROFILE_DISTINCT_MAX with has_more */
    bool has_more;
    double minimum, mean, maximum;  /* of numbers as they came, in binary64; else NaN */
    size_t most_frequent_rows;      /* 0: no value stands out, or there are too many to tell */
    double most_frequent;           /* of numbers; of equals the one that came first */
    const char *most_frequent_text; /* of text, borrowed from the data set; else NULL */
} column_profile;

/* Whether all values that there are are one. */
bool profile_is_constant(const column_profile *profile);

/* "integer", "real", "text", "empty". */
const char *column_type_name(column_type type);

/*
 * *profiles becomes (dataset->features) entries for free(), of a data set from dataset_load_columns. Values are told
 * apart in binary64, and of a source in binary32 those shown are the decimals that they stand for. Nothing depends on the
 * threads. TANDA_FAILED for want of memory.
 */
tanda_status profile_columns(const tanda_dataset *dataset, column_profile **profiles, tanda_error *error);

/* The number that was meant where a decimal number became this binary32: the one with the fewest digits. */
double shortest_decimal(float value);

#endif
