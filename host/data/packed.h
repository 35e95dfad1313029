/*
 * Packed files: gzip (RFC 1952) by zlib; xz, Zstandard and bzip2, and the arrays of an .npz, by libarchive. gzip is
 * zlib's because libarchive (3.6) does not compare gzip's check sums, so that a damaged file would be read.
 */
#ifndef TANDA_DATA_PACKED_H
#define TANDA_DATA_PACKED_H

#include "data/pipe.h"

/* How many bytes a file has that begins like this, by its own header; SIZE_MAX when its beginning does not tell. */
typedef size_t (*packed_bound)(const unsigned char *data, size_t size);

/* Goes by the first bytes; NULL for what is not packed, else the packing's name. */
const char *packed_name(const unsigned char *data, size_t size);

/*
 * Replaces the packed view by what it holds. It ends one byte behind the bound, for the reader to complain; text may be
 * PACKED_FACTOR times as large as it is packed, at least PACKED_FREE bytes, and must fit the memory. TANDA_BAD_INPUT
 * for what is cut off, damaged, followed by other bytes, or larger. On failure the view is as it was.
 */
#define PACKED_FACTOR 300
#define PACKED_FREE ((size_t)256 << 20)
tanda_status packed_open(const char *path, packed_bound bound, file_view *view, tanda_error *error);

/* Gives up to `size` bytes; *got is less only at the end. */
typedef tanda_status (*packed_read)(void *source, unsigned char *out, size_t size, size_t *got,
                                    tanda_error *error);

/*
 * The same, piece by piece: packed_stream_read is the packed_read whose source is the stream. The view stays the caller's, and
 * outlives the stream, whose `taken` is how many of its bytes are done with.
 */
typedef struct packed_stream packed_stream;
tanda_status packed_stream_open(const char *path, const file_view *view, packed_stream **stream,
                                tanda_error *error);
tanda_status packed_stream_read(void *source, unsigned char *out, size_t size, size_t *got,
                                tanda_error *error);
size_t packed_stream_taken(const packed_stream *stream);
void packed_stream_close(packed_stream *stream); /* NULL is nothing */

/*
 * All that `read` gives, which was packed_size bytes; the common part of packed files and of the arrays of an .npz. Where
 * the beginning declares more bytes than are possible, it is all that the view gets: the reader will refuse it.
 */
tanda_status packed_take(const char *path, packed_read read, void *source, size_t packed_size,
                         size_t possible, packed_bound bound, file_view *view, tanda_error *error);

#endif
