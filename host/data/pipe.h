/* Data that can be read once, as it comes: standard input, FIFOs, process substitution. */
#ifndef TANDA_DATA_PIPE_H
#define TANDA_DATA_PIPE_H

#include "data/bytes.h"

/* Whether a path names what is not mapped but read: "-", standard input behind a pipe, a FIFO, a terminal. */
bool pipe_is_named(const char *path);

/*
 * Opens it, which waits for the writer of a FIFO; "-" is standard input. TANDA_BAD_INPUT, naming the path, for a device
 * that never ends, and for standard input that is closed. The descriptor is the caller's.
 */
tanda_status pipe_open(const char *path, int *descriptor, tanda_error *error);

/*
 * What has come, at least a byte and at most `most`; *got is 0 at the end. TANDA_BAD_INPUT when more comes than
 * bytes->limit allows.
 */
tanda_status pipe_read(const char *path, int descriptor, size_t most, bytes *bytes, size_t *got,
                       tanda_error *error);

/* Everything until the end. view becomes memory that file_view_close releases. */
tanda_status pipe_read_all(const char *path, file_view *view, tanda_error *error);

#endif
