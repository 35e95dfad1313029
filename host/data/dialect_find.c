#include "data/dialect_sample.h"

#include <ctype.h>

#define FIRST_SAMPLE ((size_t)64 << 10)
#define LARGE_SAMPLE ((size_t)1 << 20)

/* The first line end outside of quotes, or NULL. */
static const char *first_line_end(const char *at, const char *end, bool with_quotes) {
    bool quoted = false;
    for (; at < end; at++) {
        if (*at == '"' && with_quotes) quoted = !quoted;
        if (!quoted && (*at == '\n' || *at == '\r')) return at;
    }
    return NULL;
}

static tanda_status skip_lines(csv_cursor *cursor, size_t lines, dialect *dialect, tanda_error *error) {
    for (size_t i = 0; i < lines; i++) {
        if (csv_at_end(cursor))
            return fail(error, TANDA_BAD_INPUT, "%s: --skip-lines %zu leaves nothing; it has %zu lines",
                        cursor->path, lines, i);
        csv_skip_line(cursor);
    }
    dialect->skipped_lines = lines;
    return TANDA_OK;
}

/* Excel's first line, sep=; where it is one. */
static tanda_status take_separator_line(csv_cursor *cursor, dialect *dialect, tanda_error *error) {
    csv_cursor line = *cursor;
    const char *at = cursor->at;
    bool quoted = at < cursor->end && *at == '"';
    at += quoted;
    if (cursor->end - at < 5 || memcmp(at, "sep=", 4) != 0) return TANDA_OK;
    line.at = at + 5 + quoted;
    if (line.at > line.end || (line.at < line.end && !csv_at_line_end(&line))) return TANDA_OK;
    if (dialect_delimiter_name(at[4]) == NULL)
        return fail(error, TANDA_BAD_INPUT,
                    "%s:1: the delimiter '%c' is none of comma, semicolon, tab, bar and blank", cursor->path,
                    isprint((unsigned char)at[4]) ? at[4] : '?');
    if (dialect->delimiter == '\0') dialect->delimiter = at[4];
    dialect->skipped_lines++;
    csv_skip_line(cursor);
    return TANDA_OK;
}

static tanda_status take_options(const tanda_dataset_options *options, csv_cursor *cursor,
                                 const char *text_end, dialect *dialect, tanda_error *error) {
    dialect->delimiter = options->delimiter;
    dialect->decimal = options->decimal;
    if (options->comment != NULL && strlen(options->comment) >= DIALECT_COMMENT_SIZE)
        return fail(error, TANDA_USAGE, "--comment: is longer than %d characters", DIALECT_COMMENT_SIZE - 1);
    if (options->comment != NULL) {
        strcpy(dialect->comment, options->comment);
        cursor->comment = dialect->comment;
    }
    const char *found = first_line_end(cursor->at, cursor->end, true);
    if (found == NULL) found = first_line_end(cursor->at, cursor->end, false); /* a quote that is a letter */
    bool is_return = found != NULL && *found == '\r';
    dialect->has_crlf = is_return && found + 1 < cursor->end && found[1] == '\n';
    cursor->line_end = is_return && !dialect->has_crlf ? '\r' : '\n';
    /* one of a kind within a field may come first: the last line end of the text, where it has one, is certain */
    if (found != NULL && !dialect->has_crlf && text_end - found >= 2 &&
        (text_end[-1] == '\r' || (text_end[-1] == '\n' && text_end[-2] != '\r')))
        cursor->line_end = text_end[-1];
    tanda_status status = skip_lines(cursor, options->skip_lines, dialect, error);
    return status == TANDA_OK ? take_separator_line(cursor, dialect, error) : status;
}

/* In the text up to the last line end within a sample's size; in all of it when there is none, or it is not larger. */
static tanda_status find_in_samples(const request *request, const csv_cursor *text, dialect *dialect,
                                    reading *reading, tanda_error *error) {
    const struct dialect before = *dialect;
    const size_t sizes[] = {FIRST_SAMPLE, LARGE_SAMPLE, SIZE_MAX};
    tanda_status status = TANDA_OK;
    for (size_t i = 0; i < 3; i++) {
        csv_cursor sample = *text;
        if (i > 0 && status == TANDA_OK) reading_free(reading);
        if (i == 2 && status != TANDA_OK) break; /* a doubt that 1 MiB leave is told */
        *dialect = before;
        const char *last =
            (size_t)(text->end - text->at) <= sizes[i] ? NULL : memrchr(text->at, text->line_end, sizes[i]);
        if (last != NULL) sample.end = last + 1;
        status = dialect_choose(request, &sample, last == NULL, dialect, reading, error);
        if (last == NULL || (status != TANDA_OK && status != TANDA_BAD_INPUT)) break;
        if (status == TANDA_OK && reading->records > 1 && (i == 1 || reading->agreeing == reading->records))
            break;
    }
    return status;
}

tanda_status dialect_find(const char *path, const request *request, const char *text, size_t size,
                          dialect *dialect, reading *reading, tanda_error *error) {
    csv_cursor cursor = csv_open(path, text, size);
    dialect->is_text = true;
    tanda_status status = take_options(request->options, &cursor, text + size, dialect, error);
    if (status == TANDA_OK) status = find_in_samples(request, &cursor, dialect, reading, error);
    if (status != TANDA_OK) return status;
    dialect->line_end = cursor.line_end;
    dialect->skipped_lines += reading->titles;
    reading->start.end = cursor.end;
    reading->start.delimiter = dialect->delimiter;
    dialect->single_blanks = reading->start.is_single;
    reading->start.decimal = dialect->decimal;
    reading->start.comment = dialect->comment[0] == '\0' ? NULL : dialect->comment;
    reading->start.skips_blank_lines = reading->columns > 1;
    return TANDA_OK;
}
