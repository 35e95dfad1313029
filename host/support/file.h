/* Whole files: mapped for reading, written atomically. */
#ifndef TANDA_SUPPORT_FILE_H
#define TANDA_SUPPORT_FILE_H

#include "support/status.h"

/* A file mapped read-only. An empty file has size 0 and a NULL data. */
typedef struct file_view {
    const unsigned char *data;
    size_t size;
} file_view;

/* Fails with TANDA_BAD_INPUT, naming the path. */
tanda_status file_view_open(const char *path, file_view *view, tanda_error *error);
void file_view_close(file_view *view);

/*
 * Writes `parts` one after the other to a temporary file beside path, flushes it to the disk, renames it to
 * path and flushes the folder: a reader sees the old file or the whole new one. TANDA_FAILED on any error,
 * and then path is as it was and no temporary file is left.
 */
typedef struct file_part {
    const void *data;
    size_t size;
} file_part;
tanda_status file_write_atomically(const char *path, const file_part *parts, size_t part_count,
                                   tanda_error *error);

#endif
