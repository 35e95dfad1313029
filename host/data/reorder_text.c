/* The records of a CSV file in another order. */
#include <stdlib.h>
#include <string.h>

#include "data/csv_text.h"
#include "data/format.h"
#include "data/reorder.h"
#include "data/reorder_parts.h"
#include "kernels/shuffle.h"
#include "support/memory.h"

#define PIECE_BYTES ((size_t)1 << 20) /* written at once */

typedef struct text_work {
    csv_cursor start;   /* behind the names */
    const char *text;   /* all of it; what comes before `start` stays */
    text_span *records; /* from `text` on, without their line ends */
    size_t count;
    file_writer *writer;
    char *piece;
    size_t used;
} text_work;

/* As the reader of the format takes it, which decides whether the first row are names. */
static tanda_status find_records_begin(const reordering *given, const file_view *view, text_work *work,
                                       tanda_error *error) {
    tanda_dataset_options reading = {
        .missing = TANDA_MISSING_MEAN, .categorical_auto = true, .without_target = true};
    text_span names = {0};
    table table = {0};
    const request request = {.options = &reading, .is_look = true, .names = &names};
    file_view text = {.data = view->data, .size = view->size};
    const tanda_status status = csv_read(given->input, &text, &request, &table, error);
    if (status != TANDA_OK) return status;
    work->text = (const char *)view->data;
    work->start = csv_open(given->input, work->text, view->size);
    work->start.delimiter = table.dialect.delimiter;
    work->start.is_single = table.dialect.single_blanks;
    work->start.line_end = table.dialect.line_end;
    work->start.skips_blank_lines = table.columns > 1;
    work->start.at = work->text + names.end;
    const bool is_wide =
        table.dialect.encoding == TEXT_UTF16_LITTLE || table.dialect.encoding == TEXT_UTF16_BIG;
    const bool has_comments = table.dialect.comment[0] != '\0';
    table_free(&table);
    if (is_wide) return fail(error, TANDA_BAD_INPUT, "%s: is UTF-16; save the file as UTF-8", given->input);
    if (has_comments)
        return fail(error, TANDA_BAD_INPUT, "%s: has lines of comment, which belong to no row; take them out",
                    given->input);
    return TANDA_OK;
}

/* Steps over a record; gives where its text lies. */
static text_span take_record(const text_work *work, csv_cursor *cursor) {
    csv_field field = {0};
    const char *begin = cursor->at, *end = begin;
    while (!field.is_last && !csv_at_end(cursor))
        csv_any_field(cursor, &field);
    end = cursor->at;
    while (end > begin && (end[-1] == '\n' || end[-1] == '\r'))
        end--;
    return (text_span){.begin = (size_t)(begin - work->text), .end = (size_t)(end - work->text)};
}

static tanda_status find_records(text_work *work, tanda_error *error) {
    csv_cursor cursor = work->start;
    while (csv_find_record(&cursor)) {
        take_record(work, &cursor);
        work->count++;
    }
    const tanda_status status = allocate(&work->records, work->count, sizeof *work->records, "rows", error);
    cursor = work->start;
    for (size_t i = 0; status == TANDA_OK && i < work->count && csv_find_record(&cursor); i++)
        work->records[i] = take_record(work, &cursor);
    return status;
}

static tanda_status write_piece(text_work *work, tanda_error *error) {
    const size_t used = work->used;
    work->used = 0;
    return file_writer_add(work->writer, work->piece, used, error);
}

static tanda_status add_text(text_work *work, const char *text, size_t size, tanda_error *error) {
    tanda_status status = TANDA_OK;
    if (work->used + size > PIECE_BYTES) status = write_piece(work, error);
    if (status != TANDA_OK || size > PIECE_BYTES)
        return status == TANDA_OK ? file_writer_add(work->writer, text, size, error) : status;
    memcpy(work->piece + work->used, text, size);
    work->used += size;
    return TANDA_OK;
}

static tanda_status write_records(text_work *work, uint64_t seed, const char *line_end, tanda_error *error) {
    const shuffle_key key =
        shuffle_make_key(seed, 0, philox_stream(PURPOSE_SHUFFLE, REORDER_LAYER), work->count);
    tanda_status status = add_text(work, work->text, (size_t)(work->start.at - work->text), error);
    for (size_t i = 0; status == TANDA_OK && i < work->count; i++) {
        const text_span record = work->records[shuffle_position(key, i)];
        status = add_text(work, work->text + record.begin, record.end - record.begin, error);
        if (status == TANDA_OK) status = add_text(work, line_end, strlen(line_end), error);
    }
    return status == TANDA_OK ? write_piece(work, error) : status;
}

tanda_status reorder_text(reordering *given, const file_view *view, tanda_error *error) {
    text_work work = {.writer = &given->writer};
    tanda_status status = find_records_begin(given, view, &work, error);
    if (status == TANDA_OK) status = find_records(&work, error);
    if (status == TANDA_OK) status = allocate(&work.piece, PIECE_BYTES, 1, "lines", error);
    if (status == TANDA_OK) status = file_writer_begin(given->output, work.writer, error);
    if (status == TANDA_OK) {
        const char *first = memchr(view->data, work.start.line_end, view->size);
        const bool has_crlf = first != NULL && first > work.text && first[-1] == '\r';
        status = write_records(&work, given->seed,
                               work.start.line_end == '\r' ? "\r"
                               : has_crlf                  ? "\r\n"
                                                           : "\n",
                               error);
        status = file_view_check(view, status, error);
    }
    given->rows = work.count;
    free(work.records);
    free(work.piece);
    return status;
}
