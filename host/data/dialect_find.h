/* Finds how a text is written (data/dialect.h). */
#ifndef TANDA_DATA_DIALECT_FIND_H
#define TANDA_DATA_DIALECT_FIND_H

#include "data/dialect.h"
#include "data/dialect_sample.h"
#include "data/table.h"

/*
 * All of the dialect but the header, and the sample read so: start is where the table begins, its end that of the text,
 * and its comment lies in the dialect. The text stays the caller's, the reading is for reading_free. TANDA_BAD_INPUT
 * where two ways fit alike, or for a text without rows; then there is nothing to free.
 */
tanda_status dialect_find(const char *path, const request *request, const char *text, size_t size,
                          dialect *dialect, reading *reading, tanda_error *error);

#endif
