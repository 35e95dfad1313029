#include "data/csv_text.h"

#include "data/place.h"

#define NUMBER_LENGTH_MAX 1024 /* of a number with a decimal comma; number.c has the same limit */

csv_cursor csv_open(const char *path, const char *text, size_t size) {
    csv_cursor cursor = {.path = path,
                         .at = text,
                         .end = text + size,
                         .line = 1,
                         .delimiter = ',',
                         .decimal = '.',
                         .line_end = '\n',
                         .skips_blank_lines = true};
    if (size >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) cursor.at += 3;
    while (cursor.end > cursor.at && (cursor.end[-1] == '\n' || cursor.end[-1] == '\r'))
        cursor.end--;
    return cursor;
}

static bool begins(const char *at, const char *end, const char *text) {
    size_t length = strlen(text);
    return (size_t)(end - at) >= length && memcmp(at, text, length) == 0;
}

bool csv_begins_with(const csv_cursor *cursor, const char *prefix) {
    static const char *const words[] = {"#N/A N/A", "#N/A", "#NA"};
    if (*prefix == '\0' || !begins(cursor->at, cursor->end, prefix)) return false;
    for (size_t i = 0; *cursor->at == '#' && i < sizeof words / sizeof *words; i++) {
        const char *behind = cursor->at + strlen(words[i]);
        if (begins(cursor->at, cursor->end, words[i]) &&
            (behind == cursor->end || *behind == cursor->delimiter || *behind == cursor->line_end))
            return false;
    }
    return true;
}

void csv_skip_line(csv_cursor *cursor) {
    const char *found = memchr(cursor->at, cursor->line_end, (size_t)(cursor->end - cursor->at));
    cursor->at = found == NULL ? cursor->end : found + 1;
    cursor->line++;
}

bool csv_find_record(csv_cursor *cursor) {
    for (; !csv_at_end(cursor); csv_skip_line(cursor)) {
        if (csv_at_comment(cursor)) continue;
        if (!cursor->skips_blank_lines) return true;
        csv_cursor rest = *cursor; /* is nothing but blanks left of the line? */
        while (rest.at < rest.end && (*rest.at == ' ' || (*rest.at == '\t' && rest.delimiter != '\t')))
            rest.at++;
        if (!csv_at_end(&rest) && !csv_at_line_end(&rest)) return true;
    }
    return false;
}

size_t csv_count_records(const csv_cursor *start) {
    csv_cursor cursor = *start;
    csv_field field;
    size_t count = 0;
    for (; csv_find_record(&cursor); count++)
        do
            csv_any_field(&cursor, &field);
        while (!field.is_last);
    return count;
}

static bool is_blank(const csv_cursor *cursor, char c) {
    return (c == ' ' && !cursor->is_single) || (c == '\t' && cursor->delimiter != '\t');
}

static void skip_blanks(csv_cursor *cursor) {
    while (cursor->at < cursor->end && is_blank(cursor, *cursor->at))
        cursor->at++;
}

/* Steps over what ends a field: the delimiter, or a line end, or the end of the file. False if none is there.
 */
static bool step_over_end(csv_cursor *cursor, csv_field *field) {
    const char *before = cursor->at;
    if (before < cursor->end && *before == cursor->delimiter && !csv_has_runs(cursor)) { /* most often */
        cursor->at++;
        return true;
    }
    if (csv_has_runs(cursor)) skip_blanks(cursor);
    if (csv_at_end(cursor)) return field->is_last = true;
    if (csv_at_line_end(cursor)) {
        cursor->at += *cursor->at == cursor->line_end ? 1 : 2;
        cursor->line++;
        return field->is_last = true;
    }
    return csv_has_runs(cursor) && cursor->at > before;
}

static tanda_status quoted_field(csv_cursor *cursor, size_t column, csv_field *field, tanda_error *error) {
    place place = {.path = cursor->path, .line = cursor->line, .column = column + 1};
    field->is_quoted = true;
    field->text = ++cursor->at;
    for (;; cursor->at++) {
        if (cursor->at == cursor->end)
            return fail_at(error, &place, "the quote that opens here is never closed");
        if (*cursor->at == cursor->line_end) cursor->line++;
        if (*cursor->at != '"') continue;
        if (cursor->at + 1 == cursor->end || cursor->at[1] != '"') break;
        field->has_quotes = true;
        cursor->at++;
    }
    field->length = (size_t)(cursor->at - field->text);
    cursor->at++;
    if (!csv_has_runs(cursor)) skip_blanks(cursor);
    if (step_over_end(cursor, field)) return TANDA_OK;
    place.line = cursor->line;
    return fail_at(error, &place, "text behind the closing quote; a quote inside quotes is written twice");
}

/* The field is what lies from the cursor to `end`, but for blanks. */
static void take_plain(csv_cursor *cursor, const char *end, csv_field *field) {
    const char *last = end;
    if (last > cursor->at && last[-1] == '\r' && (end == cursor->end || *end == '\n')) last--;
    while (last > cursor->at && is_blank(cursor, last[-1]))
        last--;
    field->text = cursor->at;
    field->length = (size_t)(last - cursor->at);
    cursor->at = end;
    step_over_end(cursor, field);
}

static tanda_status misplaced(const csv_cursor *cursor, size_t column, char found, tanda_error *error) {
    place place = {.path = cursor->path, .line = cursor->line, .column = column + 1};
    if (found == '"')
        return fail_at(error, &place,
                       "a quote inside a field that does not begin with one; quote the whole field");
    return fail_at(error, &place, "a %s inside a field, while the lines end in %s; quote the whole field",
                   found == '\r' ? "CR" : "LF", found == '\r' ? "LF" : "CR");
}

tanda_status csv_next_field(csv_cursor *cursor, size_t column, csv_field *field, tanda_error *error) {
    const char delimiter = cursor->delimiter, line_end = cursor->line_end;
    const char other = csv_has_runs(cursor) ? '\t' : delimiter;
    *field = (csv_field){0};
    skip_blanks(cursor);
    if (cursor->at < cursor->end && *cursor->at == '"') return quoted_field(cursor, column, field, error);
    const char *at = cursor->at, *end = cursor->end;
    for (; at < end && *at != delimiter && *at != other && *at != line_end; at++)
        if (*at == '"' || *at == '\n' || (*at == '\r' && at + 1 < end && at[1] != '\n'))
            return misplaced(cursor, column, *at, error); /* other programs would begin a row there */
    take_plain(cursor, at, field);
    return TANDA_OK;
}

void csv_any_field(csv_cursor *cursor, csv_field *field) {
    csv_cursor start = *cursor;
    if (csv_next_field(cursor, 0, field, NULL) == TANDA_OK) return;
    *cursor = start;
    *field = (csv_field){0};
    skip_blanks(cursor);
    const char *at = cursor->at;
    const char other = csv_has_runs(cursor) ? '\t' : cursor->delimiter;
    while (at < cursor->end && *at != cursor->delimiter && *at != other && *at != cursor->line_end)
        at++;
    take_plain(cursor, at, field);
}

size_t csv_count_fields(csv_cursor cursor, size_t most) {
    csv_field field = {0};
    size_t count = 0;
    do {
        if (csv_next_field(&cursor, count, &field, NULL) != TANDA_OK) return 0;
        count++;
    } while (!field.is_last && count < most);
    return count;
}

tanda_status csv_too_many_columns(const char *path, size_t line, tanda_error *error) {
    return fail(error, TANDA_BAD_INPUT,
                "%s:%zu: more than %zu fields in the first row; is it the right file?", path, line,
                CSV_COLUMNS_MAX);
}

size_t csv_unquote(const csv_field *field, char *text) {
    size_t length = 0;
    for (size_t i = 0; i < field->length; i++) {
        text[length++] = field->text[i];
        if (field->has_quotes && field->text[i] == '"') i++; /* the second of two */
    }
    return length;
}

/* The field's text with a decimal point and no blanks, in copy where that is another one; NULL: it is no number. */
static const char *plain_number(const csv_field *field, char decimal, char copy[NUMBER_LENGTH_MAX],
                                size_t *length) {
    const char *text = field->text, *end = field->text + field->length;
    for (; field->is_quoted && text < end && (*text == ' ' || *text == '\t'); text++)
        ;
    while (field->is_quoted && end > text && (end[-1] == ' ' || end[-1] == '\t'))
        end--;
    *length = (size_t)(end - text);
    if (decimal == '.') return text;
    if (*length >= NUMBER_LENGTH_MAX || memchr(text, '.', *length) != NULL) return NULL;
    memcpy(copy, text, *length);
    char *comma = memchr(copy, ',', *length);
    if (comma != NULL) *comma = '.';
    return copy;
}

#define DEFINE_TO_NUMBER(name, real, convert) \
    number_status name(const csv_field *field, char decimal, real *value) { \
        char copy[NUMBER_LENGTH_MAX]; \
        size_t length = 0; \
        if (decimal == '.' && !field->is_quoted) return convert(field->text, field->length, value); \
        const char *text = plain_number(field, decimal, copy, &length); \
        return text == NULL ? NUMBER_NOT : convert(text, length, value); \
    }
DEFINE_TO_NUMBER(csv_to_float, float, number_to_float)
DEFINE_TO_NUMBER(csv_to_double, double, number_to_double)
