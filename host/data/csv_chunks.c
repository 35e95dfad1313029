/* Many rows at once: the text cut into chunks, each read by whichever thread is free. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "data/csv_rows.h"
#include "support/memory.h"
#include "support/parallel.h"

#define CHUNK_BYTES ((size_t)128 << 10)
#define COUNTED_AT_ONCE 128 /* bytes whose line ends fit a byte, so that vectors of bytes count them */

static void count_lines(csv_chunk *chunk, char line_end) {
    const char *at = chunk->at;
    unsigned char quotes = 0;
    size_t lines = 0;
    for (; chunk->end - at >= COUNTED_AT_ONCE; at += COUNTED_AT_ONCE) {
        unsigned char count = 0;
        for (int i = 0; i < COUNTED_AT_ONCE; i++) {
            count += at[i] == line_end;
            quotes |= at[i] == '"';
        }
        lines += count;
    }
    for (; at < chunk->end; at++) {
        lines += *at == line_end;
        quotes |= *at == '"';
    }
    chunk->lines = lines;
    chunk->has_quotes = quotes != 0;
}

typedef struct count_work {
    const csv_cursor *start;
    csv_chunk *chunks;
} count_work;

static void count_chunks(void *context, size_t first, size_t end) {
    const count_work *work = context;
    for (size_t i = first; i < end; i++) {
        csv_chunk *chunk = &work->chunks[i];
        csv_cursor cursor = *work->start;
        count_lines(chunk, cursor.line_end);
        if (cursor.comment == NULL) continue;
        for (cursor.at = chunk->at; cursor.at < chunk->end; csv_skip_line(&cursor))
            chunk->comments += csv_at_comment(&cursor); /* such lines are no rows */
    }
}

tanda_status csv_find_chunks(const csv_cursor *start, csv_chunks *chunks, tanda_error *error) {
    *chunks = (csv_chunks){0};
    size_t most = (size_t)(start->end - start->at) / CHUNK_BYTES + 1;
    tanda_status status = allocate(&chunks->chunks, most, sizeof *chunks->chunks, "chunks", error);
    if (status != TANDA_OK) return status;
    for (const char *at = start->at; at < start->end; chunks->count++) {
        const size_t left = (size_t)(start->end - at);
        const char *found =
            left <= CHUNK_BYTES ? NULL : memchr(at + CHUNK_BYTES, start->line_end, left - CHUNK_BYTES);
        const char *end = found == NULL ? start->end : found + 1;
        chunks->chunks[chunks->count] = (csv_chunk){.at = at, .end = end};
        at = end;
    }
    count_work work = {.start = start, .chunks = chunks->chunks};
    parallel_ranges(chunks->count, 1, count_chunks, &work);
    size_t lines = 0;
    for (size_t i = 0; i < chunks->count; i++) {
        csv_chunk *chunk = &chunks->chunks[i];
        chunk->first_row = chunks->rows;
        chunk->first_line = start->line + lines;
        lines += chunk->lines;
        chunks->rows += chunk->lines - chunk->comments;
        chunks->has_quotes = chunks->has_quotes || chunk->has_quotes;
    }
    if (chunks->has_quotes)
        chunks->rows = csv_count_records(start);
    else
        chunks->rows += chunks->count > 0; /* the last line, a row, has no line end */
    return TANDA_OK;
}

typedef struct chunk_work {
    const csv_reader *reader;
    const csv_aside *aside;
    const csv_chunk *chunks;
    table *table;
    size_t *counts; /* (chunks, columns, FIELD_KIND_COUNT) of fields of each kind */
    bool failed;
} chunk_work;

static bool read_chunk(const chunk_work *work, const csv_chunk *chunk) {
    csv_reader reader = *work->reader;
    csv_cursor cursor = reader.start;
    reader.aside = work->aside;
    cursor.at = chunk->at;
    cursor.line = chunk->first_line;
    const size_t end = chunk->first_row + chunk->lines - chunk->comments + (chunk->end == reader.start.end);
    size_t row = chunk->first_row; /* other bytes than were counted may lie there now */
    while (cursor.at < chunk->end) {
        if (csv_at_comment(&cursor))
            csv_skip_line(&cursor);
        else if (row >= end || row >= work->table->rows ||
                 csv_read_record(&reader, &cursor, row++, work->table, NULL) != TANDA_OK)
            return false;
    }
    return row == end;
}

static void read_some_chunks(void *context, size_t first, size_t end) {
    chunk_work *work = context;
    for (size_t i = first; i < end; i++)
        if (__atomic_load_n(&work->failed, __ATOMIC_RELAXED) || !read_chunk(work, &work->chunks[i]))
            __atomic_store_n(&work->failed, true, __ATOMIC_RELAXED);
}

static bool make_room_aside(const csv_reader *reader, const table *table, csv_aside *aside) {
    const size_t rows = table->rows, columns = reader->columns;
    const labels *labels = table->labels;
    tanda_status status = TANDA_OK;
    if (table->labels != NULL && labels->text)
        status = allocate(&aside->texts, rows, sizeof *aside->texts, "labels", NULL);
    else if (table->labels != NULL && !labels->is_quantity)
        status = allocate(&aside->exact, rows, sizeof *aside->exact, "labels", NULL);
    if (status != TANDA_OK || table->raw.categories == NULL) return status == TANDA_OK;
    status = allocate(&aside->categories, columns, sizeof *aside->categories, "columns", NULL);
    for (size_t i = 0; status == TANDA_OK && i < columns; i++)
        if (reader->roles[i] == ROLE_CATEGORY)
            status = allocate(&aside->categories[i], rows, sizeof *aside->categories[i], "categories", NULL);
    return status == TANDA_OK;
}

/* Classes are found in the order of the rows. */
static bool add_labels(const csv_aside *aside, labels *labels, size_t rows) {
    const place nowhere = {.path = ""};
    tanda_status status = TANDA_OK;
    for (size_t row = 0; status == TANDA_OK && row < rows; row++) {
        if (aside->texts != NULL ? aside->texts[row].text == NULL
                                 : aside->exact != NULL && isnan(aside->exact[row]))
            labels_add_missing(labels, row);
        else if (aside->texts != NULL)
            status = labels_add_text(labels, row, aside->texts[row].text, aside->texts[row].length, &nowhere,
                                     NULL);
        else if (aside->exact != NULL)
            status = labels_add_number(labels, row, aside->exact[row], labels->numbers[row], &nowhere, NULL);
    }
    return status == TANDA_OK;
}

/* So are categories, column by column. A text without quotes has a row per line. */
static void add_categories(void *context, size_t first, size_t end) {
    chunk_work *work = context;
    const csv_reader *reader = work->reader;
    table *table = work->table;
    for (size_t column = first; column < end; column++) {
        const csv_text *texts = work->aside->categories[column];
        size_t feature = reader->places[column], index = 0;
        tanda_status status = TANDA_OK;
        for (size_t row = 0; texts != NULL && status == TANDA_OK && row < table->rows; row++) {
            float *value = &table->owned[row * table->features + feature];
            place place = {.line = reader->start.line + row, .column = column + 1};
            *value = NAN;
            if (texts[row].text == NULL) continue;
            status = categories_add(&table->raw.categories[feature], texts[row].text, texts[row].length,
                                    &place, &index, NULL);
            *value = (float)index;
        }
        if (status != TANDA_OK) __atomic_store_n(&work->failed, true, __ATOMIC_RELAXED);
    }
}

bool csv_read_chunks(const csv_reader *reader, const csv_chunks *chunks, table *table) {
    csv_aside aside = {0};
    chunk_work work = {.reader = reader, .aside = &aside, .chunks = chunks->chunks, .table = table};
    bool done = make_room_aside(reader, table, &aside);
    if (done) parallel_ranges(chunks->count, 1, read_some_chunks, &work);
    done = done && !work.failed && (table->labels == NULL || add_labels(&aside, table->labels, table->rows));
    if (done && aside.categories != NULL) parallel_ranges(reader->columns, 1, add_categories, &work);
    for (size_t i = 0; aside.categories != NULL && i < reader->columns; i++)
        free(aside.categories[i]);
    free(aside.categories);
    free(aside.texts);
    free(aside.exact);
    return done && !work.failed;
}

/* Only the columns of table->exact are read. */
static void choose_exact(csv_reader *reader, const table *table) {
    for (size_t i = 0; i < reader->columns; i++)
        reader->roles[i] = ROLE_IGNORED;
    for (size_t i = 0; i < table->exact.count; i++) {
        const size_t feature = table->exact.features[i];
        reader->roles[reader->selection.features[feature]] = (ptrdiff_t)feature;
    }
    csv_take_exact(reader, table);
}

tanda_status csv_read_exact(const csv_reader *reader, const csv_chunks *chunks, table *table,
                            tanda_error *error) {
    csv_reader exact = *reader;
    chunk_work work = {.reader = &exact, .chunks = chunks->chunks, .table = table};
    exact.roles = NULL;
    exact.places = NULL;
    if (table->exact.count == 0) return TANDA_OK;
    tanda_status status = exact_columns_make(table->rows, &table->exact, error);
    if (status == TANDA_OK)
        status = allocate(&exact.places, reader->columns, sizeof *exact.places, "columns", error);
    if (status == TANDA_OK)
        status = allocate(&exact.roles, reader->columns, sizeof *exact.roles, "columns", error);
    if (status == TANDA_OK) {
        choose_exact(&exact, table);
        work.failed = chunks->has_quotes;
        if (!work.failed) parallel_ranges(chunks->count, 1, read_some_chunks, &work);
        if (work.failed) status = csv_read_records(&exact, table, error);
    }
    free(exact.roles);
    free(exact.places);
    return status;
}

#define COLUMNS_IN_PARTS 2048 /* with more, the counts of a chunk would take more memory than its text */

/* Fields beyond the columns are a fault that the reading will tell. */
static void count_text(const csv_reader *reader, csv_cursor cursor, size_t *counts) {
    csv_field field;
    while (csv_find_record(&cursor)) {
        field.is_last = false;
        for (size_t i = 0; !field.is_last; i++) {
            csv_any_field(&cursor, &field);
            if (i < reader->columns && reader->roles[i] >= 0)
                counts[i * FIELD_KIND_COUNT + field_kind_of(reader->request->options, &field)]++;
        }
    }
}

static void count_kinds(void *context, size_t first, size_t end) {
    const chunk_work *work = context;
    const csv_reader *reader = work->reader;
    for (size_t i = first; i < end; i++) {
        csv_cursor cursor = reader->start;
        cursor.at = work->chunks[i].at;
        cursor.end = work->chunks[i].end;
        count_text(reader, cursor, work->counts + i * reader->columns * FIELD_KIND_COUNT);
    }
}

tanda_status csv_count_text(const csv_reader *reader, const csv_chunks *chunks, size_t *totals,
                            tanda_error *error) {
    chunk_work work = {.reader = reader, .chunks = chunks->chunks};
    const bool alone = chunks->has_quotes || chunks->count == 0 || reader->columns > COLUMNS_IN_PARTS;
    const size_t parts = chunks->count, kinds = reader->columns * FIELD_KIND_COUNT;
    size_t count = 0;
    if (alone) {
        count_text(reader, reader->start, totals);
        return TANDA_OK;
    }
    if (multiply_overflows(parts, kinds, &count))
        return fail(error, TANDA_FAILED, "%s: no memory for its columns", reader->path);
    const tanda_status status = allocate(&work.counts, count, sizeof *work.counts, "columns", error);
    if (status != TANDA_OK) return status;
    parallel_ranges(parts, 1, count_kinds, &work);
    for (size_t part = 0; part < parts; part++)
        for (size_t i = 0; i < kinds; i++)
            totals[i] += work.counts[part * kinds + i];
    free(work.counts);
    return TANDA_OK;
}

void csv_mark_text(csv_reader *reader, const size_t *totals) {
    for (size_t i = 0; i < reader->columns; i++) {
        column_sample column = {0};
        if (reader->roles[i] < 0) continue;
        memcpy(column.counts, totals + i * FIELD_KIND_COUNT, sizeof column.counts);
        if (column.counts[FIELD_TEXT] + column.counts[FIELD_GROUPED] > 0 && !column_is_numeric(&column))
            reader->selection.is_category[reader->roles[i]] = true;
    }
}
