/* Folders. Files are read by file_view.h and written by file_writer.h. */
#ifndef TANDA_SUPPORT_FILE_H
#define TANDA_SUPPORT_FILE_H

#include "support/file_view.h"
#include "support/status.h"

/* The folder that a path lies in, to be freed; "." for a bare name. */
tanda_status file_folder(const char *path, char **folder, tanda_error *error);

/* Makes a folder, durably; one that is there already is as good. TANDA_FAILED when it cannot be made. */
tanda_status file_make_folder(const char *path, tanda_error *error);

/* A new name in a folder is durable only when the folder is flushed too. Returns 0 or errno. */
int file_flush_folder_of(const char *path);

#endif
