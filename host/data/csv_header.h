/* Whether the first row of a CSV file holds names. A part of csv.c. */
#ifndef TANDA_DATA_CSV_HEADER_H
#define TANDA_DATA_CSV_HEADER_H

#include "data/csv_rows.h"
#include "data/dialect_sample.h"

/*
 * reader->names are the texts of the first row. With a model its names, categories and classes decide; else a row is one
 * of names when it names what --target and the like ask for, when a text stands over numbers, when its words do not
 * stand again in their columns, or when it is 0, 1, 2, ... as no other row. TANDA_BAD_INPUT where both may be.
 */
tanda_status csv_decide_header(const csv_reader *reader, const reading *reading, bool *header,
                               tanda_error *error);

#endif
