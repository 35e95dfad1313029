/* Which columns of a file were chosen, and what a table takes of them. */
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

#endif
