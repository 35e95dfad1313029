/* Whole files, written atomically, and folders. */
#ifndef TANDA_SUPPORT_FILE_H
#define TANDA_SUPPORT_FILE_H

#include "support/file_view.h"
#include "support/status.h"

#define FILE_UNFINISHED ".unfinished-" /* between the path and six letters: the name of a temporary file */

/*
 * A file written piece by piece to a temporary file beside path, which file_writer_finish flushes to the disk and
 * renames to path, and then flushes the folder: a reader sees the old file or the whole new one. TANDA_FAILED on any
 * error; path is then as it was, no temporary file is left, and the writer is closed. A closed writer (all zero is
 * one) may be abandoned. A process that is killed may leave its temporary file, named path.unfinished-XXXXXX.
 */
typedef struct file_writer {
    bool is_open;
    int descriptor;
    const char *path; /* borrowed */
    char temporary[4096];
} file_writer;
tanda_status file_writer_begin(const char *path, file_writer *writer, tanda_error *error);
tanda_status file_writer_add(file_writer *writer, const void *data, size_t size, tanda_error *error);
tanda_status file_writer_finish(file_writer *writer, tanda_error *error);
void file_writer_abandon(file_writer *writer);

/* The same for parts that are all in memory, one after the other. */
typedef struct file_part {
    const void *data;
    size_t size;
} file_part;
tanda_status file_write_atomically(const char *path, const file_part *parts, size_t part_count,
                                   tanda_error *error);

/* The folder that a path lies in, to be freed; "." for a bare name. */
tanda_status file_folder(const char *path, char **folder, tanda_error *error);

/* Makes a folder, durably; one that is there already is as good. TANDA_FAILED when it cannot be made. */
tanda_status file_make_folder(const char *path, tanda_error *error);

#endif
