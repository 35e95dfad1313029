/* Which columns of a file are features, in which order, and which is the target; and what a table takes of them. */
#ifndef TANDA_DATA_SELECTION_H
#define TANDA_DATA_SELECTION_H

#include "data/table.h"

#define NO_COLUMN SIZE_MAX

typedef struct selection {
    size_t *features; /* feature_count indexes of columns, in the order of the features */
    size_t feature_count;
    bool *is_category; /* feature_count entries */
    size_t target;     /* the only target, or NO_COLUMN */
    size_t *targets;   /* target_count indexes; more than one is for regression */
    size_t target_count;
    size_t weight; /* the column of sample weights, or NO_COLUMN */
} selection;

void selection_free(selection *selection);

/* Gives the table the places and the names of the selected columns; names may be NULL. */
tanda_status columns_name(const selection *selection, char *const *names, table *table, tanda_error *error);

/* Sets what the table is to hold of each row: features, target_count and has_weights. */
void selection_shape(const selection *selection, const request *request, table *table);

/* True when every column is a feature, in the file's order. */
bool selection_is_whole(const selection *selection, size_t columns);

typedef enum column_use { USE_FREE, USE_IGNORED, USE_TARGET, USE_FEATURE, USE_WEIGHT } column_use;

typedef struct chooser {
    const request *request;
    const tanda_dataset_options *options;
    const dataset_expectation *expected;
    const char *path;
    char *const *names;
    size_t columns;
    unsigned char *uses; /* columns entries of column_use */
    selection selection;
} chooser;

/* *index of the column with this name; NO_COLUMN when there is none. Two of one name are an error. */
tanda_status find_name(const chooser *chooser, tanda_status failure, const char *what, const char *text,
                       size_t *index, tanda_error *error);

/* The column that an option means: by name, else by index. */
tanda_status find_column(const chooser *chooser, const char *flag, const char *text, size_t *index,
                         tanda_error *error);

/* Fails with this status: there is no such column, these there are, and this one is like it. */
tanda_status unknown_column(const chooser *chooser, tanda_status status, const char *what, const char *text,
                            tanda_error *error);

/*
 * Applies --target, --features, --ignore and --sample-weight, and what a model expects, to a file of `columns` columns.
 * names is NULL for a file without names. A name goes before an index. Fails with TANDA_USAGE when an option
 * names no column or contradicts another, TANDA_BAD_INPUT when the columns do not fit what is expected.
 */
tanda_status columns_select(const request *request, const char *path, char *const *names, size_t columns,
                            selection *result, tanda_error *error);

#endif
