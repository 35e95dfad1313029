/* The text of a CSV file cut into fields: RFC 4180 in any dialect (data/dialect.h). */
#ifndef TANDA_DATA_CSV_TEXT_H
#define TANDA_DATA_CSV_TEXT_H

#include <string.h>

#include "data/number.h"
#include "support/status.h"

#define CSV_COLUMNS_MAX ((size_t)1 << 20)

#define RUN_OF_BLANKS ' ' /* as a delimiter: spaces and tabs, however many, or single spaces */

/* A place in the text, and how the text is to be cut. A copy of it remembers that place. */
typedef struct csv_cursor {
    const char *path;
    const char *at;
    const char *end;     /* line ends at the end of the file are left out */
    size_t line;         /* of `at`, from 1 */
    const char *comment; /* what a line begins with that is none of the table, or NULL */
    char delimiter;
    bool is_single;         /* of blanks: each space ends a field, which may be empty */
    char decimal;           /* '.' or ',' */
    char line_end;          /* '\n', before which a '\r' may stand, or '\r' */
    bool skips_blank_lines; /* in a file of one column a blank line is a value that is missing */
} csv_cursor;

typedef struct csv_field {
    const char *text; /* without quotes, and without spaces around them or around an unquoted field */
    size_t length;
    bool is_quoted;
    bool has_quotes; /* the text holds doubled quotes that stand for one */
    bool is_last;    /* of its record */
} csv_field;

/* Whether blanks are the delimiter, however many. */
static inline bool csv_has_runs(const csv_cursor *cursor) {
    return cursor->delimiter == RUN_OF_BLANKS && !cursor->is_single;
}

/* At the first line, behind a byte order mark; comma, decimal point and LF. */
csv_cursor csv_open(const char *path, const char *text, size_t size);

/* True when no record is left. Only to be asked between records. */
static inline bool csv_at_end(const csv_cursor *cursor) {
    return cursor->at >= cursor->end;
}

static inline bool csv_at_line_end(const csv_cursor *cursor) {
    return *cursor->at == cursor->line_end ||
           (*cursor->at == '\r' && cursor->at + 1 < cursor->end && cursor->at[1] == cursor->line_end);
}

/* Whether a line begins with `prefix`, and not with one of the words for a missing value that begin with #. */
bool csv_begins_with(const csv_cursor *cursor, const char *prefix);

static inline bool csv_at_comment(const csv_cursor *cursor) {
    return cursor->comment != NULL && csv_begins_with(cursor, cursor->comment);
}

/* Steps over comment lines and, where they are skipped, blank ones. True when a record begins there. */
bool csv_find_record(csv_cursor *cursor);

/* Over the rest of the line, whatever it is. */
void csv_skip_line(csv_cursor *cursor);

/* Records from here on, if every line of the text is one. */
size_t csv_count_records(const csv_cursor *cursor);

/* Fields of the record that begins here, at most `most` and no more looked at, or 0 when it is damaged. */
size_t csv_count_fields(csv_cursor cursor, size_t most);

/* Reads one field; column (from 0) is for the message. TANDA_BAD_INPUT for a quote or a line end out of place. */
tanda_status csv_next_field(csv_cursor *cursor, size_t column, csv_field *field, tanda_error *error);

/* The same for a field that may hold anything: quotes that are out of place are letters like others. */
void csv_any_field(csv_cursor *cursor, csv_field *field);

/* TANDA_BAD_INPUT for a first row of more than CSV_COLUMNS_MAX fields. */
tanda_status csv_too_many_columns(const char *path, size_t line, tanda_error *error);

/* Copies the field's text with doubled quotes made single, at most field->length bytes; returns the length.
 */
size_t csv_unquote(const csv_field *field, char *text);

/* The number that the field is, with blanks around it and this decimal sign; as number_to_float and number_to_double. */
number_status csv_to_float(const csv_field *field, char decimal, float *value);
number_status csv_to_double(const csv_field *field, char decimal, double *value);

#endif
