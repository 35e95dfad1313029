/* Whether two looks at a file met the same one, and the same content. */
#ifndef TANDA_SUPPORT_FILE_SAME_H
#define TANDA_SUPPORT_FILE_SAME_H

#include <stdbool.h>
#include <sys/stat.h>

#include "support/status.h"

static inline bool is_same_file(const struct stat *a, const struct stat *b) {
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

/* TANDA_BAD_INPUT, naming the path, where it is another file by now, or was written to. */
tanda_status file_compare(const char *path, const struct stat *opened, const struct stat *now,
                          tanda_error *error);

#endif
