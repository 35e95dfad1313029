/* Which columns are text: the values of all rows are counted by their kinds, chunk by chunk. */
#include <stdlib.h>

#include "data/csv_rows.h"
#include "support/memory.h"
#include "support/parallel.h"

#define COLUMNS_IN_PARTS 2048 /* with more, the counts of a chunk would take more memory than its text */

typedef struct kinds_work {
    const csv_reader *reader;
    const csv_chunks *chunks;
    size_t *counts; /* (chunks, columns, FIELD_KIND_COUNT) */
} kinds_work;

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

static void count_chunks(void *context, size_t first, size_t end) {
    const kinds_work *work = context;
    const csv_reader *reader = work->reader;
    for (size_t i = first; i < end; i++) {
        csv_cursor cursor = reader->start;
        cursor.at = work->chunks->chunks[i].at;
        if (i + 1 < work->chunks->count) cursor.end = work->chunks->chunks[i].end;
        count_text(reader, cursor, work->counts + i * reader->columns * FIELD_KIND_COUNT);
    }
}

static void mark_text(csv_reader *reader, const size_t *counts, size_t parts) {
    for (size_t i = 0; i < reader->columns; i++) {
        column_sample column = {0};
        if (reader->roles[i] < 0) continue;
        for (size_t part = 0; part < parts; part++)
            for (size_t kind = 0; kind < FIELD_KIND_COUNT; kind++)
                column.counts[kind] += counts[(part * reader->columns + i) * FIELD_KIND_COUNT + kind];
        if (column.counts[FIELD_TEXT] + column.counts[FIELD_GROUPED] > 0 && !column_is_numeric(&column))
            reader->selection.is_category[reader->roles[i]] = true;
    }
}

tanda_status csv_find_text(csv_reader *reader, const csv_chunks *chunks, tanda_error *error) {
    kinds_work work = {.reader = reader, .chunks = chunks};
    const bool alone = chunks->has_quotes || chunks->count == 0 || reader->columns > COLUMNS_IN_PARTS;
    size_t parts = alone ? 1 : chunks->count, count = 0;
    if (multiply_overflows(parts, reader->columns * FIELD_KIND_COUNT, &count))
        return fail(error, TANDA_FAILED, "%s: no memory for its columns", reader->path);
    tanda_status status = allocate(&work.counts, count, sizeof *work.counts, "columns", error);
    if (status != TANDA_OK) return status;
    if (!alone)
        parallel_ranges(parts, 1, count_chunks, &work);
    else
        count_text(reader, reader->start, work.counts);
    mark_text(reader, work.counts, parts);
    free(work.counts);
    return TANDA_OK;
}
