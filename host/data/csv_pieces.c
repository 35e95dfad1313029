/* CSV piece by piece: begun with the first part of a text, whose header and dialect hold for all of it. */
#include <stdlib.h>
#include <string.h>

#include "data/csv_rows.h"
#include "data/dialect_sample.h"
#include "data/text_pieces.h"
#include "support/memory.h"

typedef struct csv_pieces {
    piece_reader base;
    csv_reader reader; /* its names and its selection are the base's */
    reading sample;
    size_t *totals; /* of a survey, see csv_count_text */
} csv_pieces;

/* Whole records. Without quotes every line is one; inside them line ends end none. */
static size_t cut_csv(const piece_reader *base, const char *text, size_t size, bool is_last) {
    const csv_cursor *start = &((const csv_pieces *)base)->reader.start;
    if (is_last) return size;
    if (memchr(text, '"', size) == NULL) {
        const char *last = memrchr(text, start->line_end, size);
        return last == NULL ? 0 : (size_t)(last + 1 - text);
    }
    csv_cursor cursor = *start;
    cursor.at = text;
    cursor.end = text + size;
    for (size_t whole = 0;; whole = (size_t)(cursor.at - text)) {
        csv_field field = {0};
        if (!csv_find_record(&cursor)) return whole;
        while (!field.is_last) {
            csv_cursor before = cursor;
            const bool is_plain = csv_next_field(&cursor, 0, &field, NULL) == TANDA_OK;
            if (cursor.at >= cursor.end) return whole; /* what is behind the end may belong to it */
            if (is_plain) continue;
            cursor = before;
            csv_any_field(&cursor, &field);
        }
    }
}

static void go_to(csv_pieces *own, const text_piece *piece) {
    csv_cursor *start = &own->reader.start;
    start->at = piece->text;
    start->end = piece->text + piece->size;
    start->line = piece->line;
    if (!start->skips_blank_lines) return;
    while (start->end > start->at && (start->end[-1] == '\n' || start->end[-1] == '\r'))
        start->end--;
}

static tanda_status survey_csv(piece_reader *base, const text_piece *piece, tanda_error *error) {
    csv_pieces *own = (csv_pieces *)base;
    csv_chunks chunks = {0};
    go_to(own, piece);
    tanda_status status = csv_find_chunks(&own->reader.start, &chunks, error);
    if (status == TANDA_OK) status = csv_count_text(&own->reader, &chunks, own->totals, error);
    free(chunks.chunks);
    return status;
}

static tanda_status settle_csv(piece_reader *base, tanda_error *error) {
    csv_pieces *own = (csv_pieces *)base;
    (void)error;
    csv_settle_categories(&own->reader, own->totals);
    base->wants_survey = base->is_unread = false;
    return TANDA_OK;
}

static tanda_status read_csv_piece(piece_reader *base, const text_piece *piece, table *table,
                                   tanda_error *error) {
    csv_pieces *own = (csv_pieces *)base;
    csv_reader *reader = &own->reader;
    csv_chunks chunks = {0};
    go_to(own, piece);
    csv_cursor first = reader->start;
    if (!csv_find_record(&first)) return TANDA_OK; /* comments and blank lines alone */
    tanda_status status = csv_find_chunks(&reader->start, &chunks, error);
    chunks.has_quotes = chunks.has_quotes || !reader->start.skips_blank_lines; /* to be read with care */
    if (status == TANDA_OK) status = csv_read_rows(reader, &chunks, table, error);
    if (status == TANDA_OK && reader->is_unread) base->is_unread = base->wants_survey = true;
    if (status == TANDA_OK && !base->is_unread)
        status = columns_name(&reader->selection, reader->names, table, error);
    if (status == TANDA_OK && !base->is_unread) status = piece_choose_exact(base, table, error);
    if (status == TANDA_OK && !base->is_unread) status = csv_read_exact(reader, &chunks, table, error);
    free(chunks.chunks);
    if (status != TANDA_OK || base->is_unread) table_free(table);
    return status;
}

static place find_csv_place(const piece_reader *base, size_t row, size_t column) {
    return csv_find_place(&((const csv_pieces *)base)->reader, row, column);
}

static void free_csv_pieces(piece_reader *base) {
    csv_pieces *own = (csv_pieces *)base;
    free(own->reader.roles);
    free(own->reader.places);
    free(own->reader.scratch);
    free(own->totals);
    reading_free(&own->sample);
    free(own);
}

tanda_status csv_pieces_open(const char *path, const request *request, const char *text, size_t size,
                             piece_reader **result, tanda_error *error) {
    static const struct piece_reader_kind kind = {.cut = cut_csv,
                                                  .survey = survey_csv,
                                                  .settle = settle_csv,
                                                  .read = read_csv_piece,
                                                  .find_place = find_csv_place,
                                                  .free = free_csv_pieces};
    csv_pieces *own = NULL;
    bool holds_text = false;
    tanda_status status = allocate(&own, 1, sizeof *own, "a text", error);
    if (status != TANDA_OK) return status;
    piece_reader *base = &own->base;
    csv_reader *reader = &own->reader;
    *base = (piece_reader){.kind = &kind, .path = path, .request = *request};
    *reader = (csv_reader){.path = path, .request = &base->request, .sample = &own->sample, .is_piece = true};
    status = csv_begin_text(reader, text, size, text_encoding_of((const unsigned char *)text, size), error);
    if (status == TANDA_OK) status = csv_assign_roles(reader, &holds_text, error);
    if (status == TANDA_OK)
        status =
            allocate(&own->totals, reader->columns, FIELD_KIND_COUNT * sizeof *own->totals, "columns", error);
    base->selection = reader->selection;
    base->names = reader->names;
    base->columns = reader->columns;
    base->dialect = reader->dialect;
    base->wants_survey = reader->may_find_text && holds_text;
    base->begin_line = reader->start.line;
    if (status == TANDA_OK) base->begin = (size_t)(reader->start.at - text);
    if (status == TANDA_OK)
        *result = base;
    else
        piece_reader_free(base);
    return status;
}
