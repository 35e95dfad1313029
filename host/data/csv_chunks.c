/* Many rows at once: the text cut into chunks, each read by whichever thread is free. */
#include <stdlib.h>
#include <string.h>

#include "data/csv_rows.h"
#include "support/memory.h"
#include "support/parallel.h"

#define CHUNK_BYTES ((size_t)128 << 10)
#define COUNTED_AT_ONCE 128 /* bytes whose line ends fit a byte, so that vectors of bytes count them */

/* ---- cutting ------------------------------------------------------------------------------------------ */

static void count_lines(csv_chunk *chunk) {
    const char *at = chunk->at;
    unsigned char quotes = 0;
    size_t lines = 0;
    for (; chunk->end - at >= COUNTED_AT_ONCE; at += COUNTED_AT_ONCE) {
        unsigned char count = 0;
        for (int i = 0; i < COUNTED_AT_ONCE; i++) {
            count += at[i] == '\n';
            quotes |= at[i] == '"';
        }
        lines += count;
    }
    for (; at < chunk->end; at++) {
        lines += *at == '\n';
        quotes |= *at == '"';
    }
    chunk->lines = lines;
    chunk->has_quotes = quotes != 0;
}

static void count_chunks(void *context, size_t first, size_t end) {
    csv_chunk *chunks = context;
    for (size_t i = first; i < end; i++)
        count_lines(&chunks[i]);
}

/* The end of a chunk that begins at `at`: behind a line end, or the end of the file. */
static const char *find_chunk_end(const char *at, const char *end) {
    if ((size_t)(end - at) <= CHUNK_BYTES) return end;
    const char *line_end = memchr(at + CHUNK_BYTES, '\n', (size_t)(end - at) - CHUNK_BYTES);
    return line_end == NULL ? end : line_end + 1;
}

tanda_status csv_find_chunks(const csv_cursor *start, csv_chunks *chunks, tanda_error *error) {
    *chunks = (csv_chunks){0};
    size_t most = (size_t)(start->end - start->at) / CHUNK_BYTES + 1;
    tanda_status status = allocate(&chunks->chunks, most, sizeof *chunks->chunks, "chunks", error);
    if (status != TANDA_OK) return status;
    for (const char *at = start->at; at < start->end; chunks->count++) {
        chunks->chunks[chunks->count] = (csv_chunk){.at = at, .end = find_chunk_end(at, start->end)};
        at = chunks->chunks[chunks->count].end;
    }
    parallel_ranges(chunks->count, 1, count_chunks, chunks->chunks);
    for (size_t i = 0; i < chunks->count; i++) {
        csv_chunk *chunk = &chunks->chunks[i];
        chunk->first_row = chunks->rows;
        chunk->first_line = start->line + chunks->rows;
        chunks->rows += chunk->lines;
        chunks->has_quotes = chunks->has_quotes || chunk->has_quotes;
    }
    if (chunks->has_quotes)
        chunks->rows = csv_count_records(start);
    else
        chunks->rows += chunks->count > 0; /* the last row has no line end */
    return TANDA_OK;
}

/* ---- reading ------------------------------------------------------------------------------------------ */

typedef struct chunk_work {
    const csv_reader *reader;
    const csv_labels *aside;
    const csv_chunk *chunks;
    table *table;
    bool failed;
} chunk_work;

static bool read_chunk(const chunk_work *work, const csv_chunk *chunk) {
    csv_reader reader = *work->reader;
    csv_cursor cursor = reader.start;
    reader.aside = work->aside;
    cursor.at = chunk->at;
    cursor.line = chunk->first_line;
    for (size_t row = chunk->first_row; cursor.at < chunk->end; row++)
        if (csv_read_record(&reader, &cursor, row, work->table, NULL) != TANDA_OK) return false;
    return true;
}

static void read_some_chunks(void *context, size_t first, size_t end) {
    chunk_work *work = context;
    for (size_t i = first; i < end; i++)
        if (__atomic_load_n(&work->failed, __ATOMIC_RELAXED) || !read_chunk(work, &work->chunks[i]))
            __atomic_store_n(&work->failed, true, __ATOMIC_RELAXED);
}

static bool make_room_aside(const labels *labels, size_t rows, csv_labels *aside) {
    if (labels->text) return allocate(&aside->texts, rows, sizeof *aside->texts, "labels", NULL) == TANDA_OK;
    if (labels->is_quantity) return true;
    return allocate(&aside->exact, rows, sizeof *aside->exact, "labels", NULL) == TANDA_OK;
}

/* Classes are found in the order of the rows. */
static bool add_labels(const csv_labels *aside, labels *labels, size_t rows) {
    const place nowhere = {.path = ""};
    tanda_status status = TANDA_OK;
    for (size_t row = 0; status == TANDA_OK && row < rows; row++) {
        if (aside->texts != NULL)
            status = labels_add_text(labels, row, aside->texts[row].text, aside->texts[row].length, &nowhere,
                                     NULL);
        else if (aside->exact != NULL)
            status = labels_add_number(labels, row, aside->exact[row], labels->numbers[row], &nowhere, NULL);
    }
    return status == TANDA_OK;
}

bool csv_read_chunks(const csv_reader *reader, const csv_chunks *chunks, table *table) {
    csv_labels aside = {0};
    chunk_work work = {.reader = reader, .aside = &aside, .chunks = chunks->chunks, .table = table};
    bool done = !table->has_labels || make_room_aside(&table->labels, table->rows, &aside);
    if (done) parallel_ranges(chunks->count, 1, read_some_chunks, &work);
    done = done && !work.failed && (!table->has_labels || add_labels(&aside, &table->labels, table->rows));
    free(aside.texts);
    free(aside.exact);
    return done;
}
