/* gzip by zlib, which compares check sums and lengths: several members and zero padding behind them (RFC 1952). */
#include <stdlib.h>
#include <zlib.h>

#include "data/packed.h"
#include "support/memory.h"

#define GZIP_WINDOW (15 + 16)     /* zlib: largest window, gzip wrapping */
#define AT_ONCE ((size_t)1 << 30) /* zlib counts in 32 bits */

struct gzip_reader {
    const char *path;
    z_stream stream;
    const unsigned char *end; /* of the packed bytes */
    bool ended;
};

static uInt at_once(size_t size) {
    return (uInt)(size < AT_ONCE ? size : AT_ONCE);
}

tanda_status gzip_open(const char *path, const file_view *view, gzip_reader **reader, tanda_error *error) {
    gzip_reader *made = NULL;
    const tanda_status status = allocate(&made, 1, sizeof *made, "the gzip file", error);
    if (status != TANDA_OK) return status;
    made->path = path;
    made->end = view->data + view->size;
    made->stream.next_in = (Bytef *)(uintptr_t)view->data; /* zlib's interface lacks a const */
    if (inflateInit2(&made->stream, GZIP_WINDOW) != Z_OK) {
        free(made);
        return fail(error, TANDA_FAILED, "%s: no memory to unpack it", path);
    }
    *reader = made;
    return TANDA_OK;
}

void gzip_close(gzip_reader *reader) {
    inflateEnd(&reader->stream);
    free(reader);
}

/* Behind a member: another one, zeros (a tape's or a block device's padding), or nothing. */
static tanda_status go_on(gzip_reader *reader, tanda_error *error) {
    const unsigned char *at = reader->stream.next_in;
    if (reader->end - at >= 2 && at[0] == 0x1f && at[1] == 0x8b) {
        inflateReset(&reader->stream);
        return TANDA_OK;
    }
    reader->ended = true;
    while (at < reader->end && *at == 0)
        at++;
    if (at == reader->end) return TANDA_OK;
    return fail(error, TANDA_BAD_INPUT, "%s: %td bytes behind the end of the gzip file", reader->path,
                reader->end - at);
}

static tanda_status check(const gzip_reader *reader, int code, tanda_error *error) {
    const z_stream *stream = &reader->stream;
    if (code == Z_BUF_ERROR || (code == Z_OK && stream->next_in == reader->end && stream->avail_out > 0))
        return fail(error, TANDA_BAD_INPUT, "%s: the gzip file is cut off", reader->path);
    if (code == Z_MEM_ERROR) return fail(error, TANDA_FAILED, "%s: no memory to unpack it", reader->path);
    if (code != Z_OK && code != Z_STREAM_END)
        return fail(error, TANDA_BAD_INPUT, "%s: the gzip file is damaged: %s", reader->path,
                    stream->msg != NULL ? stream->msg : "it asks for a dictionary");
    return TANDA_OK;
}

tanda_status gzip_read(void *source, unsigned char *out, size_t size, size_t *got, tanda_error *error) {
    gzip_reader *reader = source;
    z_stream *stream = &reader->stream;
    tanda_status status = TANDA_OK;
    *got = 0;
    while (status == TANDA_OK && *got < size && !reader->ended) {
        const uInt room = at_once(size - *got);
        stream->avail_in = at_once((size_t)(reader->end - stream->next_in));
        stream->next_out = out + *got;
        stream->avail_out = room;
        const int code = inflate(stream, Z_NO_FLUSH);
        *got += room - stream->avail_out;
        status = check(reader, code, error);
        if (status == TANDA_OK && code == Z_STREAM_END) status = go_on(reader, error);
    }
    return status;
}
