/* The text of a CSV file cut into fields: RFC 4180, with LF or CRLF and comma, semicolon or tab. */
#ifndef TANDA_DATA_CSV_TEXT_H
#define TANDA_DATA_CSV_TEXT_H

#include "support/status.h"

/* A place in the text. A copy of it remembers that place. */
typedef struct csv_cursor {
    const char *path;
    const char *at;
    const char *end; /* line ends at the end of the file are left out */
    char delimiter;
    size_t line; /* of `at`, from 1 */
} csv_cursor;

typedef struct csv_field {
    const char *text; /* without quotes, and without spaces around them or around an unquoted field */
    size_t length;
    bool has_quotes; /* the text holds doubled quotes that stand for one */
    bool is_last;    /* of its record */
} csv_field;

/* At the first record, behind a byte order mark; finds the delimiter in the first line. */
csv_cursor csv_open(const char *path, const unsigned char *data, size_t size);

/* True when no record is left. Only to be asked between records. */
static inline bool csv_at_end(const csv_cursor *cursor) {
    return cursor->at >= cursor->end;
}

/* Records from here on: exact unless there are blank lines or quotes where none may be, then no less than
 * there are. */
size_t csv_count_records(const csv_cursor *cursor);

/* Fields of the record that begins here, at most `most` and no more looked at, or 0 when it is damaged. */
size_t csv_count_fields(csv_cursor cursor, size_t most);

/* Reads one field; column (from 0) is for the message. TANDA_BAD_INPUT for a quote out of place. */
tanda_status csv_next_field(csv_cursor *cursor, size_t column, csv_field *field, tanda_error *error);

/* Copies the field's text with doubled quotes made single, at most field->length bytes; returns the length.
 */
size_t csv_unquote(const csv_field *field, char *text);

#endif
