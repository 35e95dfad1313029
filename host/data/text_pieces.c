#include "data/text_pieces.h"

#include <stdlib.h>
#include <string.h>

#include "data/format.h"
#include "data/text_source.h"
#include "support/memory.h"
#include "support/parallel.h"

#define HEAD \
    ((size_t)2 << 20) /* bytes in which the dialect is found, which looks at one MiB where it has to */
#define ROW_PIECES 4  /* a row is not longer than these, and so many bytes */

/* A part of the text, of which the bytes before `at` are done with. */
typedef struct text_part {
    char *bytes; /* (capacity), of which `size` are there */
    size_t capacity, size, at;
    bool ended; /* behind them is nothing */
} text_part;

struct text_pieces {
    text_source *source;
    piece_reader *reader;
    size_t piece;   /* bytes that are read before a piece is cut */
    text_part part; /* where pieces are cut */
    text_part next; /* what is read while they are worked on, by: */
    side_job ahead;
    bool is_ahead;
    tanda_status ahead_status;
    tanda_error ahead_error;
    size_t done; /* bytes of the file, when the part was there */
};

static tanda_status make_room(text_part *part, size_t wanted, tanda_error *error) {
    if (wanted <= part->capacity) return TANDA_OK;
    char *larger = realloc(part->bytes, wanted);
    if (larger == NULL) return fail(error, TANDA_FAILED, "no memory for %zu bytes of text", wanted);
    part->bytes = larger;
    part->capacity = wanted;
    return TANDA_OK;
}

/* Reads on until `wanted` bytes are there, or the end. */
static tanda_status fill(text_pieces *pieces, text_part *part, size_t wanted, tanda_error *error) {
    size_t got = 0;
    if (part->ended || wanted <= part->size) return TANDA_OK;
    tanda_status status = make_room(part, wanted, error);
    if (status != TANDA_OK) return status;
    const size_t room = wanted - part->size;
    status = text_source_read(pieces->source, part->bytes + part->size, room, &got, error);
    part->size += got;
    part->ended = got < room;
    return status;
}

/* Up to the last line end, of whatever kind. */
static size_t whole_lines(const char *text, size_t size) {
    const char *last = memrchr(text, '\n', size);
    if (last == NULL) last = memrchr(text, '\r', size);
    return last == NULL ? size : (size_t)(last + 1 - text);
}

static tanda_status open_reader(text_pieces *pieces, const char *path, const request *request,
                                tanda_error *error) {
    const char *name = request->options->format;
    const text_part *part = &pieces->part;
    const unsigned char *bytes = (const unsigned char *)part->bytes;
    const size_t size = part->ended ? part->size : whole_lines(part->bytes, part->size);
    const bool is_libsvm = name != NULL ? strcmp(name, "libsvm") == 0 : libsvm_looks_right(bytes, part->size);
    if (text_encoding_of(bytes, part->size) > TEXT_UTF8_MARK)
        return fail(
            error, TANDA_BAD_INPUT,
            "%s: is UTF-16, which is read in memory alone: give a greater --memory, or save it as UTF-8",
            path);
    return is_libsvm ? libsvm_pieces_open(path, request, part->bytes, size, &pieces->reader, error)
                     : csv_pieces_open(path, request, part->bytes, size, &pieces->reader, error);
}

tanda_status text_pieces_open(const char *path, const request *request, size_t bytes, text_pieces **pieces,
                              tanda_error *error) {
    text_pieces *made = NULL;
    tanda_status status = allocate(&made, 1, sizeof *made, "a text", error);
    if (status != TANDA_OK) return status;
    made->piece = bytes;
    status = text_source_open(path, &made->source, error);
    if (status == TANDA_OK) status = fill(made, &made->part, HEAD, error);
    if (status == TANDA_OK) status = open_reader(made, path, request, error);
    if (status == TANDA_OK) {
        made->reader->table_bytes = 2 * bytes;
        *pieces = made;
    } else {
        text_pieces_close(made);
    }
    return status;
}

void text_pieces_close(text_pieces *pieces) {
    if (pieces == NULL) return;
    piece_reader_free(pieces->reader);
    text_source_close(pieces->source);
    free(pieces->part.bytes);
    free(pieces->next.bytes);
    free(pieces);
}

piece_reader *text_pieces_reader(const text_pieces *pieces) {
    return pieces->reader;
}

static size_t count_lines(const text_pieces *pieces, const char *text, size_t size) {
    const char line_end = pieces->reader->dialect.line_end == '\r' ? '\r' : '\n';
    const char *end = text + size;
    size_t lines = 0;
    for (; (text = memchr(text, line_end, (size_t)(end - text))) != NULL; text++)
        lines++;
    return lines;
}

/* Before the first row. */
static tanda_status begin(text_pieces *pieces, tanda_error *error) {
    const size_t before = pieces->reader->begin;
    text_part *part = &pieces->part;
    part->size = 0;
    part->ended = false;
    part->at = before;
    tanda_status status = text_source_rewind(pieces->source, error);
    if (status == TANDA_OK)
        status = fill(pieces, part, before < pieces->piece ? pieces->piece : before, error);
    pieces->done = text_source_done(pieces->source);
    if (status != TANDA_OK || part->size >= before) return status;
    return fail(error, TANDA_BAD_INPUT, "%s: changes while it is read", pieces->reader->path);
}

/* The next piece of the part, which grows until there is one; of size 0: none is left. */
static tanda_status find_piece(text_pieces *pieces, text_piece *piece, tanda_error *error) {
    const piece_reader *reader = pieces->reader;
    text_part *part = &pieces->part;
    tanda_status status = TANDA_OK;
    while (status == TANDA_OK && part->at < part->size && piece->size == 0) {
        piece->size = reader->kind->cut(reader, part->bytes + part->at, part->size - part->at, part->ended);
        if (piece->size > 0) break;
        if (part->size - part->at > HEAD + ROW_PIECES * pieces->piece)
            return fail(
                error, TANDA_BAD_INPUT,
                "%s:%zu: the row that begins here is longer than %zu bytes, all that --memory allows; or "
                "a quote in it is never closed",
                reader->path, piece->line, part->size - part->at);
        status = fill(pieces, part, part->size + pieces->piece, error);
    }
    piece->text = part->bytes + part->at; /* it may have moved */
    return status;
}

static void read_ahead(void *context) {
    text_pieces *pieces = context;
    pieces->ahead_status = fill(pieces, &pieces->next, pieces->piece, &pieces->ahead_error);
}

/* Reads on while a piece that goes to `end` is worked on. What is left of the part goes before that, unless it is much. */
static tanda_status begin_next(text_pieces *pieces, size_t end, tanda_error *error) {
    const text_part *part = &pieces->part;
    const size_t left = part->size - end;
    text_part *next = &pieces->next;
    pieces->is_ahead = !part->ended && left <= pieces->piece / 2;
    if (!pieces->is_ahead) return TANDA_OK;
    const tanda_status status = make_room(next, pieces->piece, error);
    pieces->is_ahead = status == TANDA_OK;
    if (status != TANDA_OK) return status;
    memcpy(next->bytes, part->bytes + end, left);
    next->size = left;
    next->at = 0;
    next->ended = false;
    side_job_begin(&pieces->ahead, read_ahead, pieces);
    return TANDA_OK;
}

static tanda_status take_next(text_pieces *pieces, tanda_status status, tanda_error *error) {
    if (!pieces->is_ahead) return status;
    side_job_wait(&pieces->ahead);
    pieces->is_ahead = false;
    pieces->done = text_source_done(pieces->source);
    const text_part done = pieces->part;
    pieces->part = pieces->next;
    pieces->next = done;
    if (status != TANDA_OK || pieces->ahead_status == TANDA_OK) return status;
    return fail(error, pieces->ahead_status, "%s", pieces->ahead_error.message);
}

tanda_status text_pieces_each(text_pieces *pieces, text_on_piece *on_piece, void *context,
                              tanda_error *error) {
    size_t line = pieces->reader->begin_line;
    tanda_status status = begin(pieces, error);
    while (status == TANDA_OK) {
        text_piece piece = {.line = line};
        status = find_piece(pieces, &piece, error);
        if (status != TANDA_OK || piece.size == 0) break;
        line += count_lines(pieces, piece.text, piece.size);
        const size_t end = pieces->part.at + piece.size;
        status = begin_next(pieces, end, error);
        if (status == TANDA_OK) status = on_piece(context, &piece, error);
        pieces->part.at = end;
        status = take_next(pieces, status, error);
    }
    return status;
}

size_t text_pieces_done(const text_pieces *pieces) {
    return pieces->done;
}

tanda_status text_pieces_check(const text_pieces *pieces, tanda_error *error) {
    return text_source_check(pieces->source, error);
}

tanda_status piece_choose_exact(const piece_reader *reader, table *table, tanda_error *error) {
    exact_columns *exact = &table->exact;
    const size_t count = reader->exact_count;
    if (count == 0) return TANDA_OK;
    const tanda_status status = allocate(&exact->features, count, sizeof *exact->features, "columns", error);
    if (status != TANDA_OK) return status;
    memcpy(exact->features, reader->exact, count * sizeof *exact->features);
    exact->count = count;
    return TANDA_OK;
}

void piece_reader_free(piece_reader *reader) {
    if (reader == NULL) return;
    selection_free(&reader->selection);
    free_texts(reader->names, reader->columns);
    free(reader->remark);
    reader->kind->free(reader);
}
