/* One bit for each row of a data set, and which row is the k-th that has it, or has it not. */
#ifndef TANDA_DATA_ROW_MARKS_H
#define TANDA_DATA_ROW_MARKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "support/status.h"

typedef struct row_marks {
    size_t rows, marked; /* the latter after row_marks_count */
    uint64_t *bits;
    size_t *before; /* marked rows before each group of rows */
    size_t shares;  /* beside the first */
} row_marks;

/* No row is marked. TANDA_FAILED for want of memory. */
tanda_status row_marks_make(size_t rows, row_marks **marks, tanda_error *error);
row_marks *row_marks_share(row_marks *marks);
void row_marks_free(row_marks *marks);

static inline void row_marks_set(row_marks *marks, size_t row) {
    marks->bits[row / 64] |= UINT64_C(1) << row % 64;
}

static inline bool row_marks_has(const row_marks *marks, size_t row) {
    return marks->bits[row / 64] >> row % 64 & 1;
}

/* When all are set. */
void row_marks_count(row_marks *marks);

/* Row number `index` of those that are marked, or of the others; it exists. */
size_t row_marks_find(const row_marks *marks, bool marked, size_t index);

#endif
