/* Which columns of a file are features, in which order, and which is the target. */
#ifndef TANDA_DATA_COLUMNS_H
#define TANDA_DATA_COLUMNS_H

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

/*
 * Applies --target, --features, --ignore and --sample-weight, and what a model expects, to a file of `columns` columns.
 * names is NULL for a file without names. A name goes before an index. Fails with TANDA_USAGE when an option
 * names no column or contradicts another, TANDA_BAD_INPUT when the columns do not fit what is expected.
 */
tanda_status columns_select(const request *request, const char *path, char *const *names, size_t columns,
                            selection *result, tanda_error *error);

void selection_free(selection *selection);

/* Gives the table the places and the names of the selected columns; names may be NULL. */
tanda_status columns_name(const selection *selection, char *const *names, table *table, tanda_error *error);

/* Sets what the table is to hold of each row: features, target_count and has_weights. */
void selection_shape(const selection *selection, const request *request, table *table);

/* True when every column is a feature, in the file's order. */
bool selection_is_whole(const selection *selection, size_t columns);

#endif
