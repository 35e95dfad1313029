/*
 * The one writer of whole files.
 *
 * A regular file, or one that is not there yet, is written to a temporary file beside it, flushed and renamed, and then
 * its folder is flushed: a reader sees the old file or the whole new one, whatever happens. Symbolic links are followed:
 * the file they lead to is replaced, the links stay. Mode, owner and group of the old file stay, and where they cannot
 * the file is refused. Other hard links of it keep the old content, since no file can be replaced whole under several
 * names at once.
 *
 * What is there and is a device, a pipe or a socket, or an open descriptor (/dev/stdout, /dev/fd/3), is written to as it is.
 *
 * A temporary file goes at any error. One of a process that was killed (path.unfinished-XXXXXX) is removed when the same
 * file is written again; a program that ends by a signal can remove its own, see unfinished_remove_all.
 */
#ifndef TANDA_SUPPORT_FILE_WRITER_H
#define TANDA_SUPPORT_FILE_WRITER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "support/file_target.h"

/* ---- temporary files ------------------------------------------------------------------------------------- */

/*
 * Named PATH.unfinished-XXXXXX beside the file that they become. Who writes one holds a lock (flock) on it, so that one of
 * a dead process can be told from one of a living.
 */
#define FILE_UNFINISHED ".unfinished-" /* six letters follow */

/* How many bytes of a name come before ".unfinished-XXXXXX", -1 where it does not end so. */
ssize_t unfinished_stem(const char *name);

/* A temporary file that is open for writing. */
typedef struct unfinished {
    int descriptor;
    int note; /* where its name is kept for unfinished_remove_all; -1: nowhere */
    char path[PATH_MAX];
} unfinished;

/*
 * Removes from a folder the regular files of this user, or of `owner`, that a dead process left there: those that
 * nobody holds, and for whose stem `is_of` is true.
 */
typedef bool unfinished_is_of(const char *stem, size_t length, const void *context);
void unfinished_remove_dead(const char *folder, uid_t owner, unfinished_is_of *is_of, const void *context);

/* A folder that is to go with what is unfinished in it; what is done is told by the number that comes back. */
int unfinished_folder(const char *path);
void unfinished_folder_done(int number);

/* Removes all that this process has open, as its last act. It may be called in a signal handler. */
void unfinished_remove_all(void);

/* ---- whole files ----------------------------------------------------------------------------------------- */

/* A file written piece by piece. A closed writer (all zero is one) may be abandoned. */
typedef struct file_writer {
    bool is_open;
    bool as_it_is; /* no temporary file */
    int descriptor;
    const char *path; /* borrowed */
    file_target target;
    unfinished temporary;
} file_writer;

/* TANDA_FAILED on any error; a regular file is then as it was, no temporary file is left, and the writer is closed. */
tanda_status file_writer_begin(const char *path, file_writer *writer, tanda_error *error);
tanda_status file_writer_add(file_writer *writer, const void *data, size_t size, tanda_error *error);
tanda_status file_writer_finish(file_writer *writer, tanda_error *error);
void file_writer_abandon(file_writer *writer);

/*
 * Writes at a place of the file, or reads back what was put there; no `add` goes with them. TANDA_FAILED also where the file
 * is none that has places: a pipe, a device.
 */
tanda_status file_writer_put(file_writer *writer, uint64_t offset, const void *data, size_t size,
                             tanda_error *error);
tanda_status file_writer_get(file_writer *writer, uint64_t offset, void *data, size_t size,
                             tanda_error *error);

/* Tries whether `path` could be written, by making the temporary file; nothing is left of it, no pipe is opened. */
tanda_status file_writer_check(const char *path, tanda_error *error);

/* The same for parts that are all in memory, one after the other. */
typedef struct file_part {
    const void *data;
    size_t size;
} file_part;
tanda_status file_write_atomically(const char *path, const file_part *parts, size_t part_count,
                                   tanda_error *error);

#endif
