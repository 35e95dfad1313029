/* Which of the ways to read a sample is the right one. A part of dialect_find.c. */
#ifndef TANDA_DATA_DIALECT_CHOOSE_H
#define TANDA_DATA_DIALECT_CHOOSE_H

#include "data/dialect.h"
#include "data/dialect_sample.h"
#include "data/table.h"

/*
 * Sets delimiter, decimal sign and comment of the dialect, as far as they are not known, and the reading, which has no
 * records where the sample, unless it is whole, holds none. On failure there is nothing to free.
 */
tanda_status dialect_choose(const request *request, const csv_cursor *sample, bool is_whole, dialect *dialect,
                            reading *result, tanda_error *error);

#endif
