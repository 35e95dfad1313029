#include "data/csv_write.h"

#include <stdlib.h>
#include <string.h>

#include "data/number_text.h"
#include "support/memory.h"

#define LEAST_CAPACITY 4096

/* Where `size` more bytes go, or NULL. */
static char *room(csv_lines *lines, size_t size) {
    if (lines->failed) return NULL;
    if (size <= lines->capacity - lines->size) return lines->data + lines->size;
    size_t needed = 0, capacity = lines->capacity < LEAST_CAPACITY ? LEAST_CAPACITY : lines->capacity;
    lines->failed = add_overflows(lines->size, size, &needed) || multiply_overflows(needed, 2, &needed);
    if (lines->failed) return NULL;
    if (capacity < needed) capacity = needed;
    char *larger = realloc(lines->data, capacity);
    lines->failed = larger == NULL;
    if (larger == NULL) return NULL;
    lines->data = larger;
    lines->capacity = capacity;
    return larger + lines->size;
}

void csv_add(csv_lines *lines, const char *text, size_t length) {
    char *to = room(lines, length);
    if (to == NULL) return;
    memcpy(to, text, length);
    lines->size += length;
}

void csv_add_field(csv_lines *lines, const char *text, size_t length) {
    bool is_plain = true;
    for (size_t i = 0; i < length; i++)
        is_plain = is_plain && text[i] != ',' && text[i] != '"' && text[i] != '\r' && text[i] != '\n';
    if (is_plain) {
        csv_add(lines, text, length);
        return;
    }
    csv_add(lines, "\"", 1);
    for (const char *end = text + length; text < end;) {
        const char *quote = memchr(text, '"', (size_t)(end - text));
        const size_t piece = quote == NULL ? (size_t)(end - text) : (size_t)(quote - text) + 1;
        csv_add(lines, text, piece);
        if (quote != NULL) csv_add(lines, "\"", 1);
        text += piece;
    }
    csv_add(lines, "\"", 1);
}

void csv_add_number(csv_lines *lines, float value) {
    char *to = room(lines, NUMBER_TEXT_SIZE);
    if (to != NULL) lines->size += number_text(value, to);
}

tanda_status csv_lines_check(const csv_lines *lines, tanda_error *error) {
    return lines->failed ? fail(error, TANDA_FAILED, "no memory for more than %zu bytes of text", lines->size)
                         : TANDA_OK;
}

void csv_lines_free(csv_lines *lines) {
    free(lines->data);
    *lines = (csv_lines){0};
}

const char *copied_row(const copied_columns *copied, size_t row, size_t *length) {
    *length = 0;
    if (row >= copied->count) return NULL;
    const size_t begin = row == 0 ? 0 : copied->ends[row - 1];
    *length = copied->ends[row] - begin;
    return copied->rows.data + begin;
}

tanda_status copied_append(copied_columns *copied, const copied_columns *more, tanda_error *error) {
    const size_t before = copied->rows.size;
    size_t bytes = 0;
    if (more->count == 0) return TANDA_OK;
    if (multiply_overflows(copied->count + more->count, sizeof *copied->ends, &bytes))
        return fail(error, TANDA_FAILED, "%zu rows of text are too many", more->count);
    size_t *ends = realloc(copied->ends, bytes);
    if (ends == NULL) return fail(error, TANDA_FAILED, "no memory for %zu rows of text", more->count);
    copied->ends = ends;
    for (size_t i = 0; i < more->count; i++)
        ends[copied->count + i] = before + more->ends[i];
    copied->count += more->count;
    csv_add(&copied->rows, more->rows.data, more->rows.size);
    return csv_lines_check(&copied->rows, error);
}

void copied_free(copied_columns *copied) {
    csv_lines_free(&copied->names);
    csv_lines_free(&copied->rows);
    free(copied->ends);
    *copied = (copied_columns){0};
}
