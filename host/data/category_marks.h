/* Which categories rows have, and where values are missing, of columns that are not prepared yet. */
#ifndef TANDA_DATA_CATEGORY_MARKS_H
#define TANDA_DATA_CATEGORY_MARKS_H

#include "data/dataset.h"

typedef struct category_marks {
    size_t columns;
    unsigned char **of;  /* (columns): of a column of categories, for each whether a row has it; else NULL */
    unsigned char *some; /* (columns): whether a value is there */
    size_t missing;      /* values that are not */
} category_marks;

/* In a pass over the rows, wherever they lie. TANDA_BAD_INPUT for a value that is no category. */
tanda_status category_marks_find(const tanda_dataset *dataset, category_marks *marks, tanda_error *error);
void category_marks_free(category_marks *marks);

/* TANDA_BAD_INPUT for values (rows, columns) of which one is no category; row `first` is the first. */
tanda_status categories_check(const raw_columns *raw, size_t columns, const float *values, size_t first,
                              size_t rows, tanda_error *error);

#endif
