/* One look at all files that a command names, before it opens any: what would be lost is told, and what cannot be written. */
#ifndef TANDA_SUPPORT_FILE_CHECK_H
#define TANDA_SUPPORT_FILE_CHECK_H

#include "support/status.h"

typedef enum file_use {
    FILE_READ,       /* while outputs may be written already */
    FILE_READ_FIRST, /* whole, before an output takes its place: it may be one that is FILE_REPLACED */
    FILE_REPLACED,   /* an output that is written whole, by file_writer.h */
    FILE_STREAMED    /* an output that is written in place, line by line, by file_stream_open */
} file_use;

typedef struct named_file {
    const char *flag; /* for messages */
    const char *path; /* NULL: not given */
    file_use use;
    bool (*holds)(
        const char *name); /* path is a folder, and these names in it are read or written; NULL: a file */
} named_file;

/*
 * TANDA_USAGE, naming both flags, where an output is another output or a file that is read: the same regular file (device
 * and inode, links followed) or, where there is none yet, the same name in the same folder; and where one lies in another's
 * folder under a name that this holds. Two outputs on one device or pipe are well. TANDA_FAILED, naming the flag, for an
 * output that could not be written in the end; TANDA_USAGE for one without a name.
 */
tanda_status files_check(const named_file *files, size_t count, tanda_error *error);

#endif
