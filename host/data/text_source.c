#include "data/text_source.h"

#include <stdlib.h>

#include "data/packed.h"
#include "support/file_range.h"
#include "support/memory.h"

#define BEGIN ((size_t)16) /* bytes that tell whether a file is packed */
#define LOOKED_AT ((size_t)1 << 20)

struct text_source {
    file_range *file;
    size_t at;             /* of a file that is not packed */
    file_view view;        /* of a packed file; else empty */
    packed_stream *packed; /* or NULL */
    size_t passed;         /* bytes of the view that need not stay in memory */
};

static tanda_status open_packed(text_source *source, tanda_error *error) {
    unsigned char begin[BEGIN];
    const char *path = file_range_path(source->file);
    const size_t size = file_range_size(source->file), looked_at = size < BEGIN ? size : BEGIN;
    if (size == 0) return fail(error, TANDA_BAD_INPUT, "%s: the file is empty", path);
    tanda_status status = file_range_read(source->file, 0, begin, looked_at, error);
    if (status != TANDA_OK || packed_name(begin, looked_at) == NULL) return status;
    status = file_view_open(path, &source->view, error);
    return status == TANDA_OK ? packed_stream_open(path, &source->view, &source->packed, error) : status;
}

tanda_status text_source_open(const char *path, text_source **source, tanda_error *error) {
    text_source *made = NULL;
    tanda_status status = allocate(&made, 1, sizeof *made, "a text", error);
    if (status != TANDA_OK) return status;
    status = file_range_open(path, true, &made->file, error);
    if (status == TANDA_OK) status = open_packed(made, error);
    if (status == TANDA_OK)
        *source = made;
    else
        text_source_close(made);
    return status;
}

void text_source_close(text_source *source) {
    if (source == NULL) return;
    packed_stream_close(source->packed);
    file_view_close(&source->view);
    file_range_close(source->file);
    free(source);
}

static tanda_status unpack(text_source *source, char *bytes, size_t size, size_t *got, tanda_error *error) {
    const tanda_status status = packed_stream_read(source->packed, (unsigned char *)bytes, size, got, error);
    const size_t taken = packed_stream_taken(source->packed);
    if (taken > source->passed) file_view_pass(&source->view, source->passed, taken);
    source->passed = taken;
    return file_view_check(&source->view, status, error);
}

tanda_status text_source_read(text_source *source, char *bytes, size_t size, size_t *got,
                              tanda_error *error) {
    if (source->packed != NULL) return unpack(source, bytes, size, got, error);
    const size_t left = file_range_size(source->file) - source->at;
    *got = size < left ? size : left;
    const tanda_status status = file_range_read(source->file, source->at, bytes, *got, error);
    source->at += *got;
    return status;
}

tanda_status text_source_rewind(text_source *source, tanda_error *error) {
    source->at = source->passed = 0;
    if (source->packed == NULL) return TANDA_OK;
    packed_stream_close(source->packed);
    source->packed = NULL;
    return packed_stream_open(file_range_path(source->file), &source->view, &source->packed, error);
}

size_t text_source_done(const text_source *source) {
    return source->packed != NULL ? source->passed : source->at;
}

size_t text_source_size(const text_source *source) {
    return file_range_size(source->file);
}

tanda_status text_source_check(const text_source *source, tanda_error *error) {
    return file_range_check(source->file, error);
}

tanda_status text_begin_read(const char *path, text_begin *begin, tanda_error *error) {
    text_source *source = NULL;
    *begin = (text_begin){0};
    const tanda_status status = allocate(&begin->bytes, LOOKED_AT, 1, "the begin of a file", error);
    if (status != TANDA_OK || text_source_open(path, &source, NULL) != TANDA_OK) return status;
    if (text_source_read(source, (char *)begin->bytes, LOOKED_AT, &begin->count, NULL) != TANDA_OK)
        begin->count = 0;
    const size_t done = text_source_done(source);
    begin->size = text_source_size(source);
    begin->whole = (double)begin->count;
    if (begin->count == LOOKED_AT && done > 0) begin->whole *= (double)begin->size / (double)done;
    begin->is_packed = source->packed != NULL;
    text_source_close(source);
    return status;
}
