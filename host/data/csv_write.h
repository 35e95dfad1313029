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

#endif
