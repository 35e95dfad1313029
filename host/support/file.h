/* Whole files, mapped for reading, and folders. Files are written by file_writer.h. */
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

/* The folder that a path lies in, to be freed; "." for a bare name. */
tanda_status file_folder(const char *path, char **folder, tanda_error *error);

/* Makes a folder, durably; one that is there already is as good. TANDA_FAILED when it cannot be made. */
tanda_status file_make_folder(const char *path, tanda_error *error);

/* A new name in a folder is durable only when the folder is flushed too. Returns 0 or errno. */
int file_flush_folder_of(const char *path);

#endif
