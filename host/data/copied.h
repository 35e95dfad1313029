/* Columns whose text goes along with the rows as it came. */
#ifndef TANDA_DATA_COPIED_H
#define TANDA_DATA_COPIED_H

#include "data/csv_write.h"

/* All zero: no such columns. Texts are fields of CSV with commas between them. */
typedef struct copied_columns {
    csv_lines names; /* of the columns */
    csv_lines rows;  /* one after the other, without line ends */
    size_t *ends;    /* (count): where each row's text ends */
    size_t count;
} copied_columns;

/* The text of a row; NULL where there is none. */
const char *copied_row(const copied_columns *copied, size_t row, size_t *length);

/* Puts another file's rows behind these. TANDA_FAILED for want of memory. */
tanda_status copied_append(copied_columns *copied, const copied_columns *more, tanda_error *error);
void copied_free(copied_columns *copied);

#endif
