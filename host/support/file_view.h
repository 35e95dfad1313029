/* Whole files, mapped for reading, that somebody else may change meanwhile. */
#ifndef TANDA_SUPPORT_FILE_VIEW_H
#define TANDA_SUPPORT_FILE_VIEW_H

#include <stdbool.h>

#include "support/status.h"

/*
 * A file mapped read-only, pages of memory, or bytes of the caller's. An empty file has size 0 and a NULL data. The bytes of a file may
 * change between two looks at them, and become zeros: what has been checked is to be copied before it is relied on.
 */
typedef struct file_view {
    const unsigned char *data;
    size_t size;
    struct mapped_file *file; /* NULL for bytes in memory and for an empty file */
    bool is_memory;           /* pages of memory, which file_view_close releases */
} file_view;

/*
 * Only a regular file is opened; a FIFO or a device is refused, and not waited for. TANDA_BAD_INPUT, naming the path;
 * TANDA_FAILED for want of memory or descriptors. The first call makes SIGBUS a matter of this file: a page that is
 * no more, because the file became shorter or its disk fails, becomes a page of zeros, and file_view_check tells.
 */
tanda_status file_view_open(const char *path, file_view *view, tanda_error *error);
void file_view_close(file_view *view);

/* Whole pages among these bytes need not stay in memory: they are read again where they are looked at. */
void file_view_pass(const file_view *view, size_t begin, size_t end);

/*
 * Returns status, unless the file is not as it was when it was opened: by its size, by the time of its last change, or
 * by a page that could not be read. Then it is TANDA_BAD_INPUT, whatever status says, since what was made of the bytes
 * does not count. A file that another one replaced under its name is still as it was.
 */
tanda_status file_view_check(const file_view *view, tanda_status status, tanda_error *error);

#endif
