/*
 * Temporary files, named PATH.unfinished-XXXXXX beside the file that they become. Who writes one holds a lock (flock)
 * on it, so that one of a dead process can be told from one of a living.
 */
#ifndef TANDA_SUPPORT_UNFINISHED_H
#define TANDA_SUPPORT_UNFINISHED_H

#include <limits.h>
#include <stdbool.h>
#include <sys/types.h>

#define FILE_UNFINISHED ".unfinished-" /* six letters follow */

/* How many bytes of a name come before ".unfinished-XXXXXX", -1 where it does not end so. */
ssize_t unfinished_stem(const char *name);

/* A temporary file that is open for writing. */
typedef struct unfinished {
    int descriptor;
    int note; /* where its name is kept for unfinished_remove_all; -1: nowhere */
    char path[PATH_MAX];
} unfinished;

/* Makes one for `path`, with this mode less the umask. Returns 0 or errno. */
int unfinished_make(const char *path, mode_t mode, unfinished *file);

/* Gives the file the name `path`. Returns 0 or errno; it is closed and its old name is gone in any case. */
int unfinished_rename(unfinished *file, const char *path);
void unfinished_remove(unfinished *file);

/*
 * Removes from a folder the regular files of this user, or of `owner`, that a dead process left there: those that
 * nobody holds, and for whose stem `is_of` is true.
 */
typedef bool unfinished_is_of(const char *stem, size_t length, const void *context);
void unfinished_remove_dead(const char *folder, uid_t owner, unfinished_is_of *is_of, const void *context);

/* Removes all that this process has open, as its last act. It may be called in a signal handler. */
void unfinished_remove_all(void);

#endif
