/* Lines of CSV (RFC 4180) in the making: fields with commas between them. */
#ifndef TANDA_DATA_CSV_WRITE_H
#define TANDA_DATA_CSV_WRITE_H

#include "support/status.h"

/* All zero is empty. Want of memory is remembered, and what is added after it left out. */
typedef struct csv_lines {
    char *data;
    size_t size, capacity;
    bool failed;
} csv_lines;

/* Text as it stands: fields that are quoted already, a comma, a line end. */
void csv_add(csv_lines *lines, const char *text, size_t length);

/* One field: quoted where it holds a comma, a quote or a line end. */
void csv_add_field(csv_lines *lines, const char *text, size_t length);

/* A number with the digits that keep its bits (data/number_text.h). */
void csv_add_number(csv_lines *lines, float value);

/* TANDA_FAILED when memory ran out. */
tanda_status csv_lines_check(const csv_lines *lines, tanda_error *error);
void csv_lines_free(csv_lines *lines);

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
