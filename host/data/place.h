/* Where in a file something is wrong, so that every error names it in the same way. */
#ifndef TANDA_DATA_PLACE_H
#define TANDA_DATA_PLACE_H

#include "support/status.h"
#include "support/text.h"

typedef struct place {
    const char *path;
    size_t line;      /* text files: from 1; 0: an array, and row is meant */
    size_t row;       /* arrays: from 0, as NumPy counts */
    size_t column;    /* text files: the field, from 1; arrays: from 0 */
    const char *name; /* of the column, or NULL */
    size_t part;      /* of several files whose rows follow one another, from 0; for who knows their paths */
} place;

/* fail() with "file:line:field: " or "file: row R, column C (from 0): " before it and the column's name
 * behind. */
tanda_status fail_at(tanda_error *error, const place *place, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#define SHOWN_SIZE 48

/* Text of a file, fit for a one-line message: what may not be shown becomes '?' (support/text.h), long text is cut. */
const char *shown(const char *text, size_t length, char buffer[SHOWN_SIZE]);

#endif
