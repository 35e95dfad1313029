/* One selection of columns on its way, and how a column is found by its name or index. Parts of columns.c. */
#ifndef TANDA_DATA_COLUMNS_FIND_H
#define TANDA_DATA_COLUMNS_FIND_H

#include "data/selection.h"

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

#endif
