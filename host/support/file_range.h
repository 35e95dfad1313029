/*
 * A regular file that is read in pieces, by any number of threads, and not mapped. The system keeps small files in its memory;
 * where those that are open are too large for that, they are read past it, at less cost.
 */
#ifndef TANDA_SUPPORT_FILE_RANGE_H
#define TANDA_SUPPORT_FILE_RANGE_H

#include <stdbool.h>
#include <stddef.h>

#include "support/status.h"

typedef struct file_range file_range;

/*
 * keeps: it stays open, and is then the same file whatever happens to its name; else it is opened for each piece, as files
 * may be more than a process can have open. TANDA_BAD_INPUT, naming the path; TANDA_FAILED for want of memory.
 */
tanda_status file_range_open(const char *path, bool keeps, file_range **file, tanda_error *error);
void file_range_close(file_range *file); /* NULL is nothing */

size_t file_range_size(const file_range *file);
const char *file_range_path(const file_range *file);

/*
 * `size` bytes from `at` on. TANDA_BAD_INPUT where the file is seen not to be as it was when it was opened, which is looked for
 * every few milliseconds: what was read counts when file_range_check has succeeded. TANDA_FAILED where its disk fails.
 */
tanda_status file_range_read(file_range *file, size_t at, void *data, size_t size, tanda_error *error);

/* Whether the file is as it was: its size and the time of its last change, and that it is the same one. */
tanda_status file_range_check(const file_range *file, tanda_error *error);

#endif
