/*
 * IDX, the format of MNIST: two zero bytes, element type, number of dimensions, the sizes as big-endian
 * 32-bit integers, then the elements, big-endian (LeCun, Cortes and Burges). Plain or packed by gzip (RFC
 * 1952).
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <zlib.h>

#include "data/array.h"
#include "data/format.h"
#include "support/memory.h"

#define DIMENSIONS_MAX 8
#define HEADER_SIZE_MAX (4 + 4 * DIMENSIONS_MAX)
#define GZIP_WINDOW (15 + 16) /* zlib: largest window, gzip wrapping */
#define FIRST_UNPACKED ((size_t)1 << 20)
#define ZLIB_CHUNK ((size_t)1 << 30) /* zlib counts in 32 bits */
#define MOST_UNPACKED 1032           /* bytes of one packed byte (RFC 1951: 258 of 2 bits) */

static const struct {
    unsigned char code;
    element_kind kind;
    size_t size;
} elements[] = {
    {0x08, ELEMENT_UNSIGNED, 1}, {0x09, ELEMENT_SIGNED, 1}, {0x0B, ELEMENT_SIGNED, 2},
    {0x0C, ELEMENT_SIGNED, 4},   {0x0D, ELEMENT_FLOAT, 4},  {0x0E, ELEMENT_FLOAT, 8},
};
#define ELEMENT_COUNT (sizeof elements / sizeof *elements)

static bool is_gzip(const unsigned char *data, size_t size) {
    return size >= 2 && data[0] == 0x1f && data[1] == 0x8b;
}

static const char *const too_short = "the IDX header is cut off";

/* Index into elements, or ELEMENT_COUNT. */
static size_t find_element(unsigned char code) {
    size_t i = 0;
    while (i < ELEMENT_COUNT && elements[i].code != code)
        i++;
    return i;
}

bool idx_looks_right(const unsigned char *data, size_t size) {
    if (is_gzip(data, size)) return true;
    return size >= 4 && data[0] == 0 && data[1] == 0 && find_element(data[2]) < ELEMENT_COUNT && data[3] > 0;
}

/* ---- the header --------------------------------------------------------------------------------------- */

/* Bytes of the header that begins like this, or 0 when it is none; data holds at least 4 bytes. */
static size_t header_size(const unsigned char *data) {
    bool plausible = data[0] == 0 && data[1] == 0 && data[3] >= 1 && data[3] <= DIMENSIONS_MAX;
    return plausible ? 4 + 4 * (size_t)data[3] : 0;
}

static size_t read_dimension(const unsigned char *at) {
    return (size_t)at[0] << 24 | (size_t)at[1] << 16 | (size_t)at[2] << 8 | (size_t)at[3];
}

/* Shape and element type of the header, which is complete; *bytes is what must follow it. */
static tanda_status parse_header(const unsigned char *data, array *array, size_t *bytes, tanda_error *error) {
    size_t element = find_element(data[2]);
    if (element == ELEMENT_COUNT)
        return fail(error, TANDA_BAD_INPUT, "%s: IDX element type 0x%02x is unknown", array->path, data[2]);
    array->kind = elements[element].kind;
    array->size = elements[element].size;
    array->big_endian = array->size > 1;
    array->rows = read_dimension(data + 4);
    array->columns = 1;
    bool overflows = false;
    for (size_t i = 1; i < data[3]; i++)
        overflows = overflows ||
                    multiply_overflows(array->columns, read_dimension(data + 4 + 4 * i), &array->columns);
    if (!overflows && (array->rows == 0 || array->columns == 0))
        return fail(error, TANDA_BAD_INPUT, "%s: the IDX header declares no values (%zu rows of %zu)",
                    array->path, array->rows, array->columns);
    size_t count = 0;
    if (overflows || multiply_overflows(array->rows, array->columns, &count) ||
        multiply_overflows(count, array->size, bytes))
        return fail(error, TANDA_BAD_INPUT, "%s: the IDX header declares more values than any file holds",
                    array->path);
    return TANDA_OK;
}

static tanda_status wrong_size(const array *array, size_t wanted, const char *found, tanda_error *error) {
    return fail(error, TANDA_BAD_INPUT,
                "%s: the IDX header declares %zu rows of %zu values, which take %zu bytes, but %s follow it",
                array->path, array->rows, array->columns, wanted, found);
}

/* ---- gzip --------------------------------------------------------------------------------------------- */

/* A stream that is unpacked piece by piece. */
typedef struct unpacker {
    const char *path;
    z_stream stream;
    const unsigned char *end; /* of the packed bytes */
    bool ended;
} unpacker;

/* Unpacks up to `size` bytes; *got is less only at the end of the stream. */
static tanda_status unpack(unpacker *unpacker, unsigned char *out, size_t size, size_t *got,
                           tanda_error *error) {
    z_stream *stream = &unpacker->stream;
    *got = 0;
    while (*got < size && !unpacker->ended) {
        size_t left = (size_t)(unpacker->end - stream->next_in);
        size_t room = size - *got < ZLIB_CHUNK ? size - *got : ZLIB_CHUNK;
        stream->avail_in = (uInt)(left < ZLIB_CHUNK ? left : ZLIB_CHUNK);
        stream->next_out = out + *got;
        stream->avail_out = (uInt)room;
        int code = inflate(stream, Z_NO_FLUSH);
        *got += room - stream->avail_out;
        unpacker->ended = code == Z_STREAM_END;
        if (code == Z_BUF_ERROR ||
            (code == Z_OK && stream->next_in == unpacker->end && stream->avail_out > 0))
            return fail(error, TANDA_BAD_INPUT, "%s: the gzip file is cut off", unpacker->path);
        if (code == Z_MEM_ERROR)
            return fail(error, TANDA_FAILED, "%s: no memory to unpack it", unpacker->path);
        if (code != Z_OK && code != Z_STREAM_END)
            return fail(error, TANDA_BAD_INPUT, "%s: the gzip file is damaged: %s", unpacker->path,
                        stream->msg != NULL ? stream->msg : "it asks for a dictionary");
    }
    return TANDA_OK;
}

/* Unpacks the elements into memory that grows with what really comes, whatever the header declares. */
static tanda_status unpack_elements(unpacker *unpacker, size_t bytes, unsigned char **elements_read,
                                    size_t *got, tanda_error *error) {
    unsigned char *block = NULL;
    tanda_status status = TANDA_OK;
    size_t capacity = 0;
    *got = 0;
    while (status == TANDA_OK && *got == capacity && capacity < bytes) {
        size_t wanted = capacity == 0 ? FIRST_UNPACKED : 2 * capacity;
        if (wanted > bytes) wanted = bytes;
        unsigned char *larger = realloc(block, wanted);
        if (larger == NULL) {
            status = fail(error, TANDA_FAILED, "%s: no memory for %zu bytes", unpacker->path, wanted);
            break;
        }
        size_t piece = 0;
        block = larger;
        status = unpack(unpacker, block + capacity, wanted - capacity, &piece, error);
        *got += piece;
        capacity = wanted;
    }
    *elements_read = block;
    return status;
}

static tanda_status unpack_header(unpacker *unpacker, unsigned char header[HEADER_SIZE_MAX],
                                  tanda_error *error) {
    size_t got = 0;
    tanda_status status = unpack(unpacker, header, 4, &got, error);
    if (status != TANDA_OK) return status;
    size_t size = got == 4 ? header_size(header) : 0;
    if (size == 0)
        return fail(error, TANDA_BAD_INPUT, "%s: the gzip file does not hold an IDX file", unpacker->path);
    status = unpack(unpacker, header + 4, size - 4, &got, error);
    if (status != TANDA_OK) return status;
    return got == size - 4 ? TANDA_OK : fail(error, TANDA_BAD_INPUT, "%s: %s", unpacker->path, too_short);
}

/* Everything in the stream; *block is the caller's also on failure. */
static tanda_status unpack_all(unpacker *unpacker, array *array, unsigned char **block, tanda_error *error) {
    unsigned char header[HEADER_SIZE_MAX];
    unsigned char extra = 0;
    size_t bytes = 0;
    size_t got = 0;
    size_t more = 0;
    const size_t packed = (size_t)(unpacker->end - unpacker->stream.next_in);
    tanda_status status = unpack_header(unpacker, header, error);
    if (status == TANDA_OK) status = parse_header(header, array, &bytes, error);
    if (status == TANDA_OK && bytes / MOST_UNPACKED > packed)
        status = wrong_size(array, bytes, "fewer", error);
    if (status != TANDA_OK) return status;
    status = unpack_elements(unpacker, bytes, block, &got, error);
    if (status == TANDA_OK && got == bytes) status = unpack(unpacker, &extra, 1, &more, error);
    if (status != TANDA_OK) return status;
    if (got + more != bytes) return wrong_size(array, bytes, more > 0 ? "more" : "fewer", error);
    if (unpacker->stream.next_in != unpacker->end)
        return fail(error, TANDA_BAD_INPUT, "%s: %td bytes behind the end of the gzip file", array->path,
                    unpacker->end - unpacker->stream.next_in);
    array->data = *block;
    return TANDA_OK;
}

static tanda_status read_gzip(const file_view *view, array *array, unsigned char **block,
                              tanda_error *error) {
    unpacker unpacker = {.path = array->path, .end = view->data + view->size};
    unpacker.stream.next_in = (Bytef *)(uintptr_t)view->data; /* zlib's interface lacks a const */
    if (inflateInit2(&unpacker.stream, GZIP_WINDOW) != Z_OK)
        return fail(error, TANDA_FAILED, "%s: no memory to unpack it", array->path);
    tanda_status status = unpack_all(&unpacker, array, block, error);
    inflateEnd(&unpacker.stream);
    return status;
}

/* ---- the file ----------------------------------------------------------------------------------------- */

static tanda_status read_plain(const file_view *view, array *array, tanda_error *error) {
    unsigned char header[HEADER_SIZE_MAX] = {0}; /* the file's may change */
    if (view->size >= 4) memcpy(header, view->data, view->size < sizeof header ? view->size : sizeof header);
    size_t size = header_size(header);
    size_t bytes = 0;
    if (size == 0) return fail(error, TANDA_BAD_INPUT, "%s: does not begin like an IDX file", array->path);
    if (view->size < size) return fail(error, TANDA_BAD_INPUT, "%s: %s", array->path, too_short);
    tanda_status status = parse_header(header, array, &bytes, error);
    if (status != TANDA_OK) return status;
    if (view->size - size != bytes)
        return wrong_size(array, bytes, view->size - size > bytes ? "more" : "fewer", error);
    array->data = view->data + size;
    return TANDA_OK;
}

tanda_status idx_read(const char *path, file_view *view, const request *request, table *table,
                      tanda_error *error) {
    array array = {.path = path};
    unsigned char *block = NULL;
    bool packed = is_gzip(view->data, view->size);
    tanda_status status = packed ? read_gzip(view, &array, &block, error) : read_plain(view, &array, error);
    const tanda_dataset_options *options = request->options;
    bool has_labels = options->labels != NULL || options->target != NULL || options->without_target;
    if (status == TANDA_OK && !request->labels_only && !has_labels) /* no pixel is a label */
        status = fail(error, TANDA_USAGE, "--labels: %s holds no labels; name the file that does", path);
    if (status == TANDA_OK) status = array_read(&array, NULL, request, table, error);
    free(block);
    return status;
}
