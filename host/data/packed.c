#include "data/packed.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "support/memory.h"

#define GZIP_FACTOR 1032               /* bytes of one packed byte (RFC 1951: 258 of 2 bits) */
#define FIRST_PIECE ((size_t)64 << 10) /* what a bound is told from */

static const struct {
    const char *name;
    size_t length;
    const char *magic;
    int (*support)(struct archive *);
} packings[] = {
    {"gzip", 2, "\x1f\x8b", NULL},
    {"xz", 6,
     "\xfd"
     "7zXZ",
     archive_read_support_filter_xz},
    {"zstd", 4, "\x28\xb5\x2f\xfd", archive_read_support_filter_zstd},
    {"bzip2", 3, "BZh", archive_read_support_filter_bzip2},
};
#define PACKING_COUNT (sizeof packings / sizeof *packings)

/* Index into packings, or PACKING_COUNT. bzip2 begins like a word, but for the digits of pi behind its level. */
static size_t find_packing(const unsigned char *data, size_t size) {
    size_t i = 0;
    while (i < PACKING_COUNT &&
           (size < packings[i].length || memcmp(data, packings[i].magic, packings[i].length) != 0))
        i++;
    const bool is_word =
        i < PACKING_COUNT && data[0] == 'B' &&
        (size < 10 || (memcmp(data + 4, "1AY&SY", 6) != 0 && memcmp(data + 4, "\x17rE8P\x90", 6) != 0));
    return is_word ? PACKING_COUNT : i;
}

const char *packed_name(const unsigned char *data, size_t size) {
    const size_t i = find_packing(data, size);
    return i < PACKING_COUNT ? packings[i].name : NULL;
}

tanda_status packed_take(const char *path, packed_read read, void *source, size_t packed_size,
                         size_t possible, packed_bound bound, file_view *view, tanda_error *error) {
    const size_t most = bytes_most();
    bytes bytes = {0};
    size_t got = 1, room = 0, declared = SIZE_MAX;
    if (__builtin_mul_overflow(packed_size, (size_t)PACKED_FACTOR, &bytes.limit)) bytes.limit = SIZE_MAX;
    if (bytes.limit < PACKED_FREE) bytes.limit = PACKED_FREE;
    if (bytes.limit > most) bytes.limit = most;
    tanda_status status = bytes_room(&bytes, path, &room, error);
    if (room > FIRST_PIECE) room = FIRST_PIECE;
    while (status == TANDA_OK && got > 0 && room > 0) {
        const bool is_first = bytes.size == 0;
        status = read(source, bytes.data + bytes.size, room, &got, error);
        bytes.size += got;
        if (is_first) declared = bound(bytes.data, bytes.size);
        if (declared != SIZE_MAX && declared > possible) { /* the reader will say so */
            *view = bytes_view(&bytes);
            return TANDA_OK;
        }
        if (declared != SIZE_MAX) { /* a byte more shows that it is too much */
            const size_t wanted = declared < most ? declared + 1 : most;
            bytes.limit = wanted < bytes.size ? bytes.size : wanted;
        }
        if (status == TANDA_OK) status = bytes_room(&bytes, path, &room, error);
    }
    if (status == TANDA_OK && got > 0 && bytes.size <= declared)
        status = bytes.limit == most
                     ? fail(error, TANDA_BAD_INPUT,
                            "%s: unpacks to more than %zu bytes, all that the memory allows", path, most)
                     : fail(error, TANDA_BAD_INPUT,
                            "%s: its %zu bytes unpack to more than %zu, which is hardly text; if it is, "
                            "unpack it first",
                            path, packed_size, bytes.limit);
    if (status == TANDA_OK)
        *view = bytes_view(&bytes);
    else
        bytes_free(&bytes);
    return status;
}

#define GZIP_WINDOW (15 + 16)     /* zlib: largest window, gzip wrapping */
#define AT_ONCE ((size_t)1 << 30) /* zlib counts in 32 bits */

/* gzip by zlib, which compares check sums and lengths: several members and zero padding behind them (RFC 1952). */
typedef struct gzip_reader {
    const char *path;
    z_stream stream;
    const unsigned char *end; /* of the packed bytes */
    bool ended;
} gzip_reader;

static uInt at_once(size_t size) {
    return (uInt)(size < AT_ONCE ? size : AT_ONCE);
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

static tanda_status gzip_take(void *source, unsigned char *out, size_t size, size_t *got,
                              tanda_error *error) {
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
        if (code == Z_STREAM_END)
            status = go_on(reader, error);
        else if (code == Z_BUF_ERROR ||
                 (code == Z_OK && stream->next_in == reader->end && stream->avail_out > 0))
            status = fail(error, TANDA_BAD_INPUT, "%s: the gzip file is cut off", reader->path);
        else if (code == Z_MEM_ERROR)
            status = fail(error, TANDA_FAILED, "%s: no memory to unpack it", reader->path);
        else if (code != Z_OK)
            status = fail(error, TANDA_BAD_INPUT, "%s: the gzip file is damaged: %s", reader->path,
                          stream->msg != NULL ? stream->msg : "it asks for a dictionary");
    }
    return status;
}

typedef struct archive_reader {
    const char *path;
    const char *packing;
    const file_view *view;
    struct archive *archive;
    bool ended;
} archive_reader;

/* libarchive says what is wrong, but for some that are cut off. */
static tanda_status damaged(const archive_reader *reader, tanda_error *error) {
    if (archive_errno(reader->archive) == ENOMEM)
        return fail(error, TANDA_FAILED, "%s: no memory to unpack it", reader->path);
    const char *reason = archive_error_string(reader->archive);
    const bool cut =
        reason == NULL || strstr(reason, "runcated") != NULL || strstr(reason, "No progress") != NULL;
    if (cut) return fail(error, TANDA_BAD_INPUT, "%s: the %s file is cut off", reader->path, reader->packing);
    return fail(error, TANDA_BAD_INPUT, "%s: the %s file is damaged: %.*s", reader->path, reader->packing,
                (int)strcspn(reason, "\n"), reason);
}

static tanda_status archive_take(void *source, unsigned char *out, size_t size, size_t *got,
                                 tanda_error *error) {
    archive_reader *reader = source;
    const file_view *view = reader->view;
    *got = 0;
    while (*got < size && !reader->ended) {
        const la_ssize_t length = archive_read_data(reader->archive, out + *got, size - *got);
        if (length < 0) return damaged(reader, error);
        *got += (size_t)length;
        reader->ended = length == 0;
    }
    if (!reader->ended) return TANDA_OK;
    size_t at = (size_t)archive_filter_bytes(reader->archive, -1);
    while (at < view->size && view->data[at] == 0) /* what libarchive has not looked at may only be padding */
        at++;
    if (at >= view->size) return TANDA_OK;
    return fail(error, TANDA_BAD_INPUT, "%s: %zu bytes behind the end of the %s file", reader->path,
                view->size - at, reader->packing);
}

/* ---- one file -------------------------------------------------------------------------------------------- */

struct packed_stream {
    bool is_gzip;
    gzip_reader gzip;
    archive_reader archive;
};

static tanda_status open_archive(archive_reader *reader, size_t packing, tanda_error *error) {
    struct archive *archive = reader->archive = archive_read_new();
    struct archive_entry *entry;
    if (archive == NULL) return fail(error, TANDA_FAILED, "%s: no memory to unpack it", reader->path);
    if (packings[packing].support(archive) != ARCHIVE_OK ||
        archive_read_support_format_raw(archive) != ARCHIVE_OK ||
        archive_read_support_format_empty(archive) != ARCHIVE_OK)
        return fail(error, TANDA_FAILED, "%s: this libarchive does not unpack %s", reader->path,
                    reader->packing);
    if (archive_read_open_memory(archive, reader->view->data, reader->view->size) != ARCHIVE_OK)
        return damaged(reader, error);
    if (archive_filter_code(archive, 0) == ARCHIVE_FILTER_NONE) /* else it would be given as it is */
        return fail(error, TANDA_BAD_INPUT, "%s: the %s file is cut off", reader->path, reader->packing);
    const int code = archive_read_next_header(archive, &entry);
    reader->ended = code == ARCHIVE_EOF; /* nothing is in it */
    return code == ARCHIVE_OK || code == ARCHIVE_EOF ? TANDA_OK : damaged(reader, error);
}

static tanda_status open_gzip(gzip_reader *reader, const file_view *view, tanda_error *error) {
    reader->end = view->data + view->size;
    reader->stream.next_in = (Bytef *)(uintptr_t)view->data; /* zlib's interface lacks a const */
    if (inflateInit2(&reader->stream, GZIP_WINDOW) == Z_OK) return TANDA_OK;
    return fail(error, TANDA_FAILED, "%s: no memory to unpack it", reader->path);
}

tanda_status packed_stream_open(const char *path, const file_view *view, packed_stream **stream,
                                tanda_error *error) {
    const size_t packing = find_packing(view->data, view->size);
    packed_stream *made = NULL;
    tanda_status status = allocate(&made, 1, sizeof *made, "what unpacks a file", error);
    if (status != TANDA_OK) return status;
    made->is_gzip = packings[packing].support == NULL;
    made->gzip = (gzip_reader){.path = path};
    made->archive = (archive_reader){.path = path, .packing = packings[packing].name, .view = view};
    status =
        made->is_gzip ? open_gzip(&made->gzip, view, error) : open_archive(&made->archive, packing, error);
    if (status == TANDA_OK)
        *stream = made;
    else
        packed_stream_close(made);
    return status;
}

void packed_stream_close(packed_stream *stream) {
    if (stream == NULL) return;
    if (stream->is_gzip) inflateEnd(&stream->gzip.stream); /* also of what was never begun */
    if (stream->archive.archive != NULL) archive_read_free(stream->archive.archive);
    free(stream);
}

tanda_status packed_stream_read(void *source, unsigned char *out, size_t size, size_t *got,
                                tanda_error *error) {
    packed_stream *stream = source;
    return stream->is_gzip ? gzip_take(&stream->gzip, out, size, got, error)
                           : archive_take(&stream->archive, out, size, got, error);
}

size_t packed_stream_taken(const packed_stream *stream) {
    const archive_reader *archive = &stream->archive;
    if (!stream->is_gzip) return (size_t)archive_filter_bytes(archive->archive, -1);
    return (size_t)(stream->gzip.stream.next_in - archive->view->data);
}

tanda_status packed_open(const char *path, packed_bound bound, file_view *view, tanda_error *error) {
    file_view unpacked = {0};
    packed_stream *stream = NULL;
    size_t possible = SIZE_MAX;
    tanda_status status = packed_stream_open(path, view, &stream, error);
    if (status == TANDA_OK && stream->is_gzip &&
        __builtin_mul_overflow(view->size, (size_t)GZIP_FACTOR, &possible))
        possible = SIZE_MAX;
    if (status == TANDA_OK)
        status = packed_take(path, packed_stream_read, stream, view->size, possible, bound, &unpacked, error);
    packed_stream_close(stream);
    status = file_view_check(view, status, error); /* nobody can ask once it is closed */
    if (status != TANDA_OK) {
        file_view_close(&unpacked);
        return status;
    }
    file_view_close(view);
    *view = unpacked;
    return TANDA_OK;
}
