/* Where a name leads to that is to be written. */
#ifndef TANDA_SUPPORT_FILE_TARGET_H
#define TANDA_SUPPORT_FILE_TARGET_H

#include <limits.h>
#include <sys/stat.h>

#include "support/status.h"

typedef enum file_kind {
    FILE_ABSENT,
    FILE_REGULAR,
    FILE_FOLDER,
    FILE_SPECIAL /* a device, pipe or socket, or an open descriptor of this process: /dev/stdout, /dev/fd/3 */
} file_kind;

typedef struct file_target {
    file_kind kind;
    int descriptor;          /* of this process, or -1 */
    struct stat information; /* of what is there */
    char path[PATH_MAX];     /* links are followed; a dangling one leads to the file that it would make */
} file_target;

/* Returns 0 or errno. */
int file_target_find(const char *path, file_target *target);

/*
 * TANDA_FAILED, naming `path` and why, where it may not be written: a folder; a file whose owner may not write it, also
 * for root, who took the right away from himself; no right to what is there. What is absent passes.
 */
tanda_status file_target_check(const file_target *target, const char *path, tanda_error *error);

/* Opens what is FILE_SPECIAL as it is. A pipe that nobody reads is waited for, for 5 s; TANDA_FAILED after that. */
tanda_status file_target_open(const file_target *target, const char *path, int *descriptor,
                              tanda_error *error);

/*
 * Opens a file that is written line by line, in place: what it held is cut off unless `append`, links, mode and owner stay.
 * What is FILE_SPECIAL is opened as above.
 */
tanda_status file_stream_open(const char *path, bool append, int *descriptor, tanda_error *error);

#endif
