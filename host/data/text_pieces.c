#include "data/text_pieces.h"

#include <stdlib.h>
#include <string.h>

#include "data/format.h"
#include "data/text_source.h"
#include "support/memory.h"

#define HEAD \
    ((size_t)2 << 20) /* bytes in which the dialect is found, which looks at one MiB where it has to */

struct text_pieces {
    text_source *source;
    piece_reader *reader;
    size_t piece; /* bytes that are read before a piece is cut */
    char *buffer; /* (capacity), of which `size` bytes are there */
    size_t capacity, size;
    bool ended; /* behind them is nothing */
};

/* Reads on until `wanted` bytes are there, or the end. */
static tanda_status fill(text_pieces *pieces, size_t wanted, tanda_error *error) {
    size_t got = 0;
    if (wanted > pieces->capacity) {
        char *larger = realloc(pieces->buffer, wanted);
        if (larger == NULL) return fail(error, TANDA_FAILED, "no memory for %zu bytes of text", wanted);
        pieces->buffer = larger;
        pieces->capacity = wanted;
    }
    if (pieces->ended || wanted <= pieces->size) return TANDA_OK;
    const size_t room = wanted - pieces->size;
    const tanda_status status =
        text_source_read(pieces->source, pieces->buffer + pieces->size, room, &got, error);
    pieces->size += got;
    pieces->ended = got < room;
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
    const unsigned char *bytes = (const unsigned char *)pieces->buffer;
    const size_t size = pieces->ended ? pieces->size : whole_lines(pieces->buffer, pieces->size);
    const bool is_libsvm =
        name != NULL ? strcmp(name, "libsvm") == 0 : libsvm_looks_right(bytes, pieces->size);
    if (text_encoding_of(bytes, pieces->size) > TEXT_UTF8_MARK)
        return fail(
            error, TANDA_BAD_INPUT,
            "%s: is UTF-16, which is read in memory alone: give a greater --memory, or save it as UTF-8",
            path);
    return is_libsvm ? libsvm_pieces_open(path, request, pieces->buffer, size, &pieces->reader, error)
                     : csv_pieces_open(path, request, pieces->buffer, size, &pieces->reader, error);
}

tanda_status text_pieces_open(const char *path, const request *request, size_t bytes, text_pieces **pieces,
                              tanda_error *error) {
    text_pieces *made = NULL;
    tanda_status status = allocate(&made, 1, sizeof *made, "a text", error);
    if (status != TANDA_OK) return status;
    made->piece = bytes;
    status = text_source_open(path, &made->source, error);
    if (status == TANDA_OK) status = fill(made, HEAD, error);
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
    free(pieces->buffer);
    free(pieces);
}

piece_reader *text_pieces_reader(const text_pieces *pieces) {
    return pieces->reader;
}

static size_t count_lines(const text_pieces *pieces, const char *text, size_t size) {
    const char line_end = pieces->reader->dialect.line_end == '\r' ? '\r' : '\n';
    size_t lines = 0;
    for (size_t i = 0; i < size; i++)
        lines += text[i] == line_end;
    return lines;
}

/* Before the first row. */
static tanda_status begin(text_pieces *pieces, tanda_error *error) {
    const size_t before = pieces->reader->begin;
    pieces->size = 0;
    pieces->ended = false;
    tanda_status status = text_source_rewind(pieces->source, error);
    if (status == TANDA_OK) status = fill(pieces, before < pieces->piece ? pieces->piece : before, error);
    if (status != TANDA_OK) return status;
    if (pieces->size < before)
        return fail(error, TANDA_BAD_INPUT, "%s: changes while it is read", pieces->reader->path);
    pieces->size -= before;
    memmove(pieces->buffer, pieces->buffer + before, pieces->size);
    return TANDA_OK;
}

/* Bytes of whole rows at the buffer's begin, which grows until there is a row; 0: none is left. */
static tanda_status find_piece(text_pieces *pieces, size_t *size, tanda_error *error) {
    const piece_reader *reader = pieces->reader;
    tanda_status status = fill(pieces, pieces->piece, error);
    *size = 0;
    while (status == TANDA_OK && pieces->size > 0 && *size == 0) {
        *size = reader->kind->cut(reader, pieces->buffer, pieces->size, pieces->ended);
        if (*size == 0) status = fill(pieces, 2 * pieces->capacity, error);
    }
    return status;
}

tanda_status text_pieces_each(text_pieces *pieces, text_on_piece *on_piece, void *context,
                              tanda_error *error) {
    size_t line = pieces->reader->begin_line;
    tanda_status status = begin(pieces, error);
    while (status == TANDA_OK) {
        text_piece piece = {.text = pieces->buffer, .line = line};
        status = find_piece(pieces, &piece.size, error);
        piece.text = pieces->buffer; /* it may have moved */
        if (status != TANDA_OK || piece.size == 0) break;
        line += count_lines(pieces, piece.text, piece.size);
        status = on_piece(context, &piece, error);
        pieces->size -= piece.size;
        memmove(pieces->buffer, pieces->buffer + piece.size, pieces->size);
    }
    return status;
}

size_t text_pieces_done(const text_pieces *pieces) {
    return text_source_done(pieces->source);
}

size_t text_pieces_all(const text_pieces *pieces) {
    return text_source_size(pieces->source);
}

tanda_status text_pieces_check(const text_pieces *pieces, tanda_error *error) {
    return text_source_check(pieces->source, error);
}

void piece_reader_free(piece_reader *reader) {
    if (reader == NULL) return;
    selection_free(&reader->selection);
    free_texts(reader->names, reader->columns);
    free(reader->remark);
    reader->kind->free(reader);
}
