#include "data/csv_text.h"

#include <string.h>

#include "data/place.h"

/* Comma, unless the first line has none and has semicolons or tabs. Quoted text does not count. */
static char find_delimiter(const char *at, const char *end) {
    bool quoted = false;
    bool semicolon = false;
    bool tab = false;
    for (; at < end && (quoted || *at != '\n'); at++) {
        if (*at == '"') quoted = !quoted;
        if (quoted) continue;
        if (*at == ',') return ',';
        semicolon = semicolon || *at == ';';
        tab = tab || *at == '\t';
    }
    return semicolon ? ';' : tab ? '\t' : ',';
}

csv_cursor csv_open(const char *path, const unsigned char *data, size_t size) {
    csv_cursor cursor = {.path = path, .at = (const char *)data, .end = (const char *)data + size, .line = 1};
    if (size >= 3 && memcmp(data, "\xef\xbb\xbf", 3) == 0) cursor.at += 3;
    while (cursor.end > cursor.at && (cursor.end[-1] == '\n' || cursor.end[-1] == '\r'))
        cursor.end--;
    cursor.delimiter = find_delimiter(cursor.at, cursor.end);
    return cursor;
}

size_t csv_count_records(const csv_cursor *cursor) {
    const char *at = cursor->at;
    size_t left = (size_t)(cursor->end - at);
    if (left == 0) return 0;
    size_t count = 1;
    if (memchr(at, '"', left) == NULL) {
        while ((at = memchr(at, '\n', (size_t)(cursor->end - at))) != NULL) {
            count++;
            at++;
        }
        return count;
    }
    bool quoted = false;
    for (; at < cursor->end; at++) {
        if (*at == '"') quoted = !quoted;
        count += *at == '\n' && !quoted;
    }
    return count;
}

/* Steps over what ends a field: the delimiter, or a line end, or the end of the file. False if none is there.
 */
static bool step_over_end(csv_cursor *cursor, csv_field *field) {
    const char *at = cursor->at;
    if (at < cursor->end && *at == cursor->delimiter) {
        cursor->at = at + 1;
        return true;
    }
    if (at < cursor->end && *at == '\r') at++;
    if (at < cursor->end && *at != '\n') return false;
    field->is_last = true;
    if (at < cursor->end) {
        at++;
        cursor->line++;
    }
    cursor->at = at;
    return true;
}

static bool is_blank(const csv_cursor *cursor, char c) {
    return c == ' ' || (c == '\t' && cursor->delimiter != '\t');
}

static tanda_status quoted_field(csv_cursor *cursor, size_t column, csv_field *field, tanda_error *error) {
    place place = {.path = cursor->path, .line = cursor->line, .column = column + 1};
    field->text = ++cursor->at;
    for (;; cursor->at++) {
        if (cursor->at == cursor->end)
            return fail_at(error, &place, "the quote that opens here is never closed");
        if (*cursor->at == '\n') cursor->line++;
        if (*cursor->at != '"') continue;
        if (cursor->at + 1 == cursor->end || cursor->at[1] != '"') break;
        field->has_quotes = true;
        cursor->at++;
    }
    field->length = (size_t)(cursor->at - field->text);
    cursor->at++;
    while (cursor->at < cursor->end && is_blank(cursor, *cursor->at))
        cursor->at++;
    if (step_over_end(cursor, field)) return TANDA_OK;
    place.line = cursor->line;
    return fail_at(error, &place, "text behind the closing quote; a quote inside quotes is written twice");
}

tanda_status csv_next_field(csv_cursor *cursor, size_t column, csv_field *field, tanda_error *error) {
    *field = (csv_field){0};
    while (cursor->at < cursor->end && is_blank(cursor, *cursor->at))
        cursor->at++;
    if (cursor->at < cursor->end && *cursor->at == '"') return quoted_field(cursor, column, field, error);
    const char *at = cursor->at;
    for (; at < cursor->end && *at != cursor->delimiter && *at != '\n'; at++) {
        if (*at != '"') continue;
        place place = {.path = cursor->path, .line = cursor->line, .column = column + 1};
        return fail_at(error, &place,
                       "a quote inside a field that does not begin with one; quote the whole field");
    }
    const char *last = at;
    if (last > cursor->at && last[-1] == '\r' && (at == cursor->end || *at == '\n')) last--;
    while (last > cursor->at && is_blank(cursor, last[-1]))
        last--;
    field->text = cursor->at;
    field->length = (size_t)(last - cursor->at);
    cursor->at = at;
    step_over_end(cursor, field);
    return TANDA_OK;
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

size_t csv_unquote(const csv_field *field, char *text) {
    size_t length = 0;
    for (size_t i = 0; i < field->length; i++) {
        text[length++] = field->text[i];
        if (field->has_quotes && field->text[i] == '"') i++; /* the second of two */
    }
    return length;
}
