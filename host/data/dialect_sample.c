#include "data/dialect_sample.h"

#include <stdlib.h>
#include <strings.h>

#include "data/dialect.h"
#include "support/memory.h"

#define TITLES_MOST 32
#define MOSTLY(part, whole) (10 * (part) >= 9 * (whole))

bool field_is_boolean(const char *text, size_t length, float *value) {
    if (length == 4 && strncasecmp(text, "true", 4) == 0) {
        *value = 1.0f;
        return true;
    }
    if (length != 5 || strncasecmp(text, "false", 5) != 0) return false;
    *value = 0.0f;
    return true;
}

/* Without quotes, `length` of them: digits alone. */
static bool is_plain_whole(const char *text, size_t length) {
    for (size_t i = 0; i < length; i++)
        if (text[i] < '0' || text[i] > '9') return false;
    return length > 0;
}

/* Digits from `at` on. */
static size_t count_digits(const char *at, const char *end) {
    const char *digit = at;
    while (digit < end && *digit >= '0' && *digit <= '9')
        digit++;
    return (size_t)(digit - at);
}

/* 1,234,567 or 1.234,5 and so on: two groups, or one and a fraction with the other sign. *groups: how many follow. */
static bool is_grouped(const char *at, const char *end, size_t *groups) {
    *groups = 0;
    if (at < end && (*at == '-' || *at == '+')) at++;
    size_t lead = count_digits(at, end);
    if (lead == 0 || lead > 3 || *at == '0' || at + lead == end) return false;
    at += lead;
    char separator = *at;
    if (separator != ',' && separator != '.' && separator != '\'') return false;
    for (; at < end && *at == separator && count_digits(at + 1, end) == 3; at += 4)
        ++*groups;
    if (at == end) return *groups > 1 || (*groups == 1 && separator == '\'');
    return *groups > 0 && *at != separator && (*at == ',' || *at == '.') &&
           at + 1 + count_digits(at + 1, end) == end;
}

static bool is_number(number_status status) {
    return status == NUMBER_OK || status == NUMBER_NOT_FINITE || status == NUMBER_TOO_LARGE;
}

field_kind field_kind_of(const tanda_dataset_options *options, const csv_field *field) {
    float value;
    size_t groups;
    const char *text = field->text, *end = field->text + field->length;
    if (number_scan(text, end, &value) == end && field->length > 0)
        return memchr(text, '.', field->length) == NULL ? FIELD_WHOLE : FIELD_POINT;
    if (missing_is_word(options, text, field->length)) return FIELD_MISSING;
    if (is_number(csv_to_float(field, '.', &value)))
        return memchr(text, '.', field->length) == NULL ? FIELD_WHOLE : FIELD_POINT;
    if (is_number(csv_to_float(field, ',', &value))) return FIELD_COMMA;
    if (field_is_boolean(text, field->length, &value)) return FIELD_BOOLEAN;
    return is_grouped(text, end, &groups) ? FIELD_GROUPED : FIELD_TEXT;
}

bool column_is_numeric(const column_sample *column) {
    size_t numbers = column->counts[FIELD_WHOLE] + column->counts[FIELD_POINT] + column->counts[FIELD_COMMA] +
                     column->counts[FIELD_BOOLEAN];
    size_t others = column->counts[FIELD_TEXT] + column->counts[FIELD_GROUPED];
    return numbers > 0 && MOSTLY(numbers, numbers + others);
}

/* Fields of the records of a sample. */
typedef struct counting {
    uint32_t *counts; /* of each record */
    size_t records, room;
    csv_cursor first[TITLES_MOST + 1]; /* where these records begin */
    size_t gap;                        /* records before the first blank line among them, or 0 */
    uint32_t *hashes;                  /* the same of lines that begin with # */
    size_t hash_count, hash_room;
} counting;

static tanda_status note(uint32_t **counts, size_t *count, size_t *room, uint32_t fields,
                         tanda_error *error) {
    if (*count == *room) {
        size_t larger = *room == 0 ? 1024 : 2 * *room;
        uint32_t *moved = reallocarray(*counts, larger, sizeof *moved);
        if (moved == NULL) return fail(error, TANDA_FAILED, "no memory for %zu records", larger);
        *counts = moved;
        *room = larger;
    }
    (*counts)[(*count)++] = fields;
    return TANDA_OK;
}

/* Fields of a line in which quotes mean nothing, or its words where blanks are the delimiter; steps over it. */
static uint32_t count_line(csv_cursor *cursor) {
    const char *at = cursor->at;
    csv_skip_line(cursor);
    const char *end = cursor->at > at && cursor->at[-1] == cursor->line_end ? cursor->at - 1 : cursor->at;
    uint32_t fields = 0;
    if (!csv_has_runs(cursor)) {
        for (fields = 1; at < end; at++)
            fields += *at == cursor->delimiter;
        return fields;
    }
    for (bool in_word = false; at < end; at++) {
        bool blank = *at == ' ' || *at == '\t' || *at == '\r';
        fields += !blank && !in_word;
        in_word = !blank;
    }
    return fields;
}

/* Fields of the record at the cursor, which is stepped over; 0 when the sample cuts it. */
static uint32_t count_record(csv_cursor *cursor, bool is_whole, bool has_quotes, size_t *damaged) {
    csv_field field;
    uint32_t fields = 0;
    if (!has_quotes && cursor->delimiter != RUN_OF_BLANKS) return count_line(cursor);
    do {
        csv_cursor start = *cursor;
        if (csv_next_field(cursor, 0, &field, NULL) != TANDA_OK) {
            if (cursor->at >= cursor->end && !is_whole) return 0;
            *cursor = start;
            csv_any_field(cursor, &field);
            ++*damaged;
        }
        fields++;
    } while (!field.is_last);
    return fields;
}

/* A line of comment, it seems. */
static bool at_hash(const csv_cursor *cursor) {
    return cursor->comment == NULL && csv_begins_with(cursor, "#");
}

static tanda_status count_records(csv_cursor cursor, reading *result, counting *counting,
                                  tanda_error *error) {
    tanda_status status = TANDA_OK;
    bool has_quotes = memchr(cursor.at, '"', (size_t)(cursor.end - cursor.at)) != NULL;
    for (size_t line = cursor.line; status == TANDA_OK && csv_find_record(&cursor); line = cursor.line) {
        if (cursor.line != line && counting->records <= TITLES_MOST && counting->gap == 0)
            counting->gap = counting->records;
        if (at_hash(&cursor)) {
            result->hash_is_first = result->hash_is_first || counting->records + counting->hash_count == 0;
            csv_cursor hash = cursor; /* it may be a comment, and then has any quotes */
            csv_skip_line(&cursor);
            hash.end = cursor.at;
            const bool quoted = memchr(hash.at, '"', (size_t)(hash.end - hash.at)) != NULL;
            size_t damaged = 0;
            if (!quoted) hash.end = cursor.end;
            const uint32_t fields = quoted ? count_record(&hash, true, true, &damaged) : count_line(&hash);
            status = note(&counting->hashes, &counting->hash_count, &counting->hash_room, fields, error);
            continue;
        }
        if (counting->records <= TITLES_MOST) counting->first[counting->records] = cursor;
        uint32_t fields = count_record(&cursor, result->is_whole, has_quotes, &result->damaged);
        if (fields == 0) break;
        status = note(&counting->counts, &counting->records, &counting->room, fields, error);
    }
    return status;
}

static int compare_counts(const void *a, const void *b) {
    uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;
    return left < right ? -1 : left > right;
}

static size_t how_many(const uint32_t *counts, size_t records, uint32_t wanted) {
    size_t count = 0;
    for (size_t i = 0; i < records; i++)
        count += counts[i] == wanted;
    return count;
}

/* The number of fields that most records have; of equals the first record's, else the largest. */
static tanda_status most_common(const uint32_t *counts, size_t records, size_t *result, tanda_error *error) {
    uint32_t *sorted = NULL, best = counts[0];
    size_t most = how_many(counts, records, best);
    if (best == 1 && 2 * most <= records) most = 0; /* lines above a table */
    *result = best;
    if (2 * most > records) return TANDA_OK;
    tanda_status status = allocate(&sorted, records, sizeof *sorted, "records", error);
    if (status != TANDA_OK) return status;
    memcpy(sorted, counts, records * sizeof *sorted);
    qsort(sorted, records, sizeof *sorted, compare_counts);
    for (size_t i = records, end = records; i > 0; i--) {
        if (i > 1 && sorted[i - 2] == sorted[i - 1]) continue;
        if (end - (i - 1) > most) {
            most = end - (i - 1);
            best = sorted[i - 1];
        }
        end = i - 1;
    }
    free(sorted);
    *result = best;
    return TANDA_OK;
}

tanda_status reading_shape(const csv_cursor *start, bool is_whole, reading *result, tanda_error *error) {
    *result = (reading){.start = *start, .is_whole = is_whole};
    counting counting = {0};
    size_t titles = 0;
    bool single = true;
    tanda_status status = count_records(*start, result, &counting, error);
    if (status == TANDA_OK && counting.records > 0)
        status = most_common(counting.counts, counting.records, &result->columns, error);
    if (status == TANDA_OK && counting.records > 0) {
        const uint32_t columns = (uint32_t)result->columns;
        /* lines above the table have one field each, or a blank line behind them */
        while (titles < counting.records && counting.counts[titles] != columns)
            single = counting.counts[titles++] == 1 && single;
        if (titles > 0 && titles <= TITLES_MOST && titles < counting.records && columns >= 2 &&
            (single || counting.gap == titles)) {
            result->titles = titles;
            result->title = counting.first[titles - 1].at;
        }
        result->start = counting.first[result->titles];
        result->records = counting.records - result->titles;
        result->lacks_name = counting.counts[result->titles] + 1 == columns;
        result->agreeing = how_many(counting.counts + result->titles, result->records, columns);
        result->hashes = counting.hash_count;
        result->like_rows = how_many(counting.hashes, counting.hash_count, columns);
    }
    free(counting.counts);
    free(counting.hashes);
    return status;
}

static void look_at(const tanda_dataset_options *options, reading *reading, size_t column,
                    const csv_field *field, bool is_first) {
    field_kind kind = field_kind_of(options, field);
    column_sample *sample = &reading->of[column];
    const csv_field *first = &reading->first[column];
    size_t groups = 0;
    sample->counts[kind]++;
    sample->quoted += field->is_quoted;
    if (kind == FIELD_COMMA) is_grouped(field->text, field->text + field->length, &groups);
    sample->like_thousands += groups == 1; /* 1,234: a fraction of three digits, or a thousand */
    for (size_t i = 0; kind == FIELD_TEXT && !field->is_quoted && i < DELIMITER_COUNT; i++)
        if (memchr(field->text, dialect_delimiters[i], field->length) != NULL) reading->inside |= 1u << i;
    if (!is_first && field->length == first->length && memcmp(field->text, first->text, first->length) == 0)
        sample->first_recurs = true;
}

static void look_at_record(const tanda_dataset_options *options, reading *reading, csv_cursor *cursor,
                           bool is_first) {
    csv_field field;
    uint64_t next = 0, number = 0;
    size_t run = 0;
    bool is_run = true; /* the numbers are a, a + 1, ... where the first row has digits */
    for (size_t i = 0;; i++) {
        csv_any_field(cursor, &field);
        if (i < reading->columns) look_at(options, reading, i, &field, is_first);
        if (i < reading->columns && is_run &&
            is_plain_whole(reading->first[i].text, reading->first[i].length)) {
            is_run = number_to_whole(field.text, field.length, &number) && (run == 0 || number == next);
            next = number + 1;
            run++;
        }
        if (field.is_last) break;
    }
    if (!is_first && is_run && run > 1) reading->other_runs++;
}

tanda_status reading_fields(const tanda_dataset_options *options, reading *reading, tanda_error *error) {
    tanda_status status = allocate(&reading->of, reading->columns, sizeof *reading->of, "columns", error);
    if (status == TANDA_OK)
        status = allocate(&reading->first, reading->columns, sizeof *reading->first, "columns", error);
    if (status != TANDA_OK || reading->records == 0) return status;
    csv_cursor cursor = reading->start;
    csv_field field = {0};
    for (size_t i = 0; !field.is_last; i++) {
        csv_any_field(&cursor, &field);
        if (i < reading->columns) reading->first[i] = field;
    }
    for (size_t i = 0; i < reading->columns; i++) /* those that the row lacks */
        if (reading->first[i].text == NULL) reading->first[i].text = "";
    if (reading->records == 1) {
        cursor = reading->start;
        look_at_record(options, reading, &cursor, true);
        return TANDA_OK;
    }
    for (size_t i = 1; i < reading->records && csv_find_record(&cursor);) {
        if (at_hash(&cursor)) {
            csv_skip_line(&cursor);
            continue;
        }
        look_at_record(options, reading, &cursor, false);
        i++;
    }
    return TANDA_OK;
}

void reading_free(reading *reading) {
    free(reading->of);
    free(reading->first);
    reading->of = NULL;
    reading->first = NULL;
}
