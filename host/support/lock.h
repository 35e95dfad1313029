/*
 * A lock on a place for the time that a process works there: a file in a folder, locked by flock, so that a process that
 * ends in whatever way gives it back. The file holds the process's number, and goes with the lock.
 */
#ifndef TANDA_SUPPORT_LOCK_H
#define TANDA_SUPPORT_LOCK_H

#include <limits.h>
#include <stdbool.h>

#include "support/status.h"

typedef struct file_lock {
    bool is_open;
    int folder, file; /* descriptors */
    char name[NAME_MAX + 1];
} file_lock;

#define LOCK_HOLDER_UNKNOWN (-1) /* one that could not write its number */

/*
 * Locks `name` in the folder, which it makes there; without waiting. *holder becomes 0, or the process that has the lock,
 * maybe this one; the lock is then not open. A file that is left of a dead process is taken over; one that holds anything
 * else than a number is TANDA_FAILED, as what cannot be opened is. Where the file system has no locks, none is held, and
 * that is TANDA_OK.
 */
tanda_status lock_take(const char *folder, const char *name, file_lock *lock, long *holder,
                       tanda_error *error);

/* Removes the file and gives the lock back; nothing for one that is not open (all zero is one). */
void lock_release(file_lock *lock);

/*
 * Makes a folder where there is none, and waits until no other process has it locked so. *descriptor holds the lock until it is
 * closed; *is_held is false where the file system has no locks. TANDA_FAILED where it can be neither made nor opened.
 */
tanda_status lock_folder(const char *path, int *descriptor, bool *is_held, tanda_error *error);

#endif
