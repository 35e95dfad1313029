/*
 * From the columns of a file to the features of a model: each category of a column of text becomes a feature that is 1
 * in its rows and 0 in all others, and missing numbers become means. Fitted once on the training rows, stored in the
 * model, applied to any rows before they are scaled.
 */
#ifndef TANDA_DATA_PREPARATION_H
#define TANDA_DATA_PREPARATION_H

#include "data/dataset.h"

typedef struct prepared_column {
    size_t category_count; /* 0: a number */
    char **categories;     /* by value where all are numbers, else by bytes */
    float mean;            /* of a number, with fills_missing */
} prepared_column;

/* All zero: the columns are the features. */
typedef struct preparation {
    size_t columns;
    prepared_column *of; /* columns entries */
    char **names;        /* columns entries, or NULL */
    bool *is_category;   /* columns entries, or NULL: none is */
    bool fills_missing;
    char **missing_values; /* missing_value_count further texts that stand for a missing value, or NULL */
    size_t missing_value_count;
    bool zero_unknown; /* categories that no training row had belong to none; else they are refused */
} preparation;

/*
 * From training rows that are as they were read. Categories are those that occur, means are of the values that there are,
 * summed in double in the order of the scaling and rounded once. All zero when the data set needs none.
 * TANDA_BAD_INPUT for a column without a value.
 */
tanda_status preparation_fit(const tanda_dataset *training, bool zero_unknown, preparation *result,
                             tanda_error *error);
void preparation_free(preparation *preparation);

/* Column i of *copy is column from[i] of the source; from may be NULL: they stay in order. */
tanda_status preparation_copy(const preparation *source, const size_t *from, preparation *copy,
                              tanda_error *error);

/* Features that it makes; false when their number, or that of their bytes for so many rows, is too large. */
bool preparation_count(const preparation *preparation, size_t rows, size_t *features);

/* Copies of the features' names: "age", "colour=red"; of columns without names "0", "1=red". For free_texts. */
tanda_status preparation_names(const preparation *preparation, char ***names, tanda_error *error);

/* Features that stand for categories stay 0 and 1. */
void preparation_spare(const preparation *preparation, scaling *scaling);

/*
 * Makes features of the data set's columns, in place. A missing category belongs to none. zero_unknown overrides the
 * preparation's unless it is TANDA_UNKNOWN_AUTO. TANDA_BAD_INPUT for columns that do not fit, and, with its place, for a
 * category that is unknown and refused.
 */
tanda_status dataset_prepare(tanda_dataset *dataset, const preparation *preparation, tanda_unknown unknown,
                             tanda_error *error);

#endif
