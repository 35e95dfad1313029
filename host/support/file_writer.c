#include "support/file_writer.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/file.h"

#define LETTERS 6
#define NOTES 16
#define MOST_TRIES 100

ssize_t unfinished_stem(const char *name) {
    const size_t length = strlen(name), end = sizeof FILE_UNFINISHED - 1 + LETTERS;
    if (length <= end || strncmp(name + length - end, FILE_UNFINISHED, sizeof FILE_UNFINISHED - 1) != 0)
        return -1;
    for (const char *at = name + length - LETTERS; *at != '\0'; at++)
        if (!isalnum((unsigned char)*at)) return -1;
    return (ssize_t)(length - end);
}

/* ---- what is open -------------------------------------------------------------------------------------- */

/* In static memory: a signal may come at any moment. More files at once than notes stay until the next run. */
enum { NOTE_FREE, NOTE_CHANGING, NOTE_KEPT };
static struct {
    atomic_int state;
    char path[PATH_MAX];
} notes[NOTES];

static int note(const char *path) {
    for (int i = 0; i < NOTES; i++) {
        int expected = NOTE_FREE;
        if (!atomic_compare_exchange_strong(&notes[i].state, &expected, NOTE_CHANGING)) continue;
        strcpy(notes[i].path, path);
        notes[i].state = NOTE_KEPT;
        return i;
    }
    return -1;
}

static void forget(int index) {
    if (index >= 0) notes[index].state = NOTE_FREE;
}

void unfinished_remove_all(void) {
    for (int i = 0; i < NOTES; i++)
        if (notes[i].state == NOTE_KEPT) unlink(notes[i].path);
    for (int i = 0; i < NOTES; i++)
        if (notes[i].state == NOTE_KEPT) rmdir(notes[i].path);
}

int unfinished_folder(const char *path) {
    return strlen(path) < PATH_MAX ? note(path) : -1;
}

void unfinished_folder_done(int number) {
    forget(number);
}

/* ---- making -------------------------------------------------------------------------------------------- */

/* Returns 0 or errno; EEXIST when another process took the file for one of a dead process before the lock was had. */
static int hold(const unfinished *file) {
    struct stat information;
    if (flock(file->descriptor, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) return EEXIST;
    if (fstat(file->descriptor, &information) == 0) return information.st_nlink > 0 ? 0 : EEXIST;
    const int code = errno;
    unlink(file->path);
    return code;
}

/* Makes one for `path`, with this mode less the umask. Returns 0 or errno. */
static int unfinished_make(const char *path, mode_t mode, unfinished *file) {
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789";
    const int length = snprintf(file->path, sizeof file->path, "%s" FILE_UNFINISHED "XXXXXX", path);
    if (length < 0 || (size_t)length >= sizeof file->path) return ENAMETOOLONG;
    int code = EEXIST;
    for (int tries = 0; tries < MOST_TRIES && code == EEXIST; tries++) {
        unsigned char random[LETTERS];
        if (getrandom(random, sizeof random, 0) != (ssize_t)sizeof random) return errno;
        for (int i = 0; i < LETTERS; i++)
            file->path[length - LETTERS + i] = letters[random[i] % (sizeof letters - 1)];
        file->note = note(file->path); /* before there is a file: a signal in between leaves none */
        file->descriptor = open(file->path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
        code = file->descriptor >= 0 ? 0 : errno;
        if (code == 0) code = hold(file);
        if (code != 0 && file->descriptor >= 0) close(file->descriptor);
        if (code != 0) forget(file->note);
    }
    return code;
}

/* It is closed after it has its name: without the lock another process could remove it. Returns 0 or errno. */
static int unfinished_rename(unfinished *file, const char *path) {
    const int code = rename(file->path, path) == 0 ? 0 : errno;
    if (code != 0) unlink(file->path);
    close(file->descriptor);
    forget(file->note);
    return code;
}

static void unfinished_remove(unfinished *file) {
    unlink(file->path);
    close(file->descriptor);
    forget(file->note);
}

/* ---- those of the dead --------------------------------------------------------------------------------- */

static void remove_if_dead(int folder, const char *name, uid_t owner) {
    struct stat information;
    const int descriptor = openat(folder, name, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (descriptor < 0) return;
    if (fstat(descriptor, &information) == 0 && S_ISREG(information.st_mode) &&
        (information.st_uid == geteuid() || information.st_uid == owner) &&
        flock(descriptor, LOCK_EX | LOCK_NB) == 0)
        unlinkat(folder, name, 0);
    close(descriptor);
}

void unfinished_remove_dead(const char *folder, uid_t owner, unfinished_is_of *is_of, const void *context) {
    DIR *directory = opendir(folder);
    if (directory == NULL) return;
    for (const struct dirent *entry; (entry = readdir(directory)) != NULL;) {
        const ssize_t stem = unfinished_stem(entry->d_name);
        if (stem > 0 && is_of(entry->d_name, (size_t)stem, context))
            remove_if_dead(dirfd(directory), entry->d_name, owner);
    }
    closedir(directory);
}

/* Returns 0, or the errno of the write that failed. */
static int write_all(int descriptor, const char *data, size_t left) {
    while (left > 0) {
        ssize_t written = write(descriptor, data, left);
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) return errno;
        data += written;
        left -= (size_t)written;
    }
    return 0;
}

/* Abandons the file because of `code`. */
static tanda_status fail_writing(file_writer *writer, int code, tanda_error *error) {
    file_writer_abandon(writer);
    return fail(error, TANDA_FAILED, "%s: cannot be written: %s", writer->path, strerror(code));
}

/* ---- beginning ----------------------------------------------------------------------------------------- */

static bool is_name(const char *stem, size_t length, const void *name) {
    return strlen(name) == length && strncmp(stem, name, length) == 0;
}

/* The new file is as the old one to all who may use it, before anything is in it. */
static tanda_status keep_owner_and_mode(file_writer *writer, tanda_error *error) {
    const struct stat *old = &writer->target.information;
    struct stat made;
    if (fstat(writer->descriptor, &made) != 0) return fail_writing(writer, errno, error);
    const bool same = made.st_uid == old->st_uid && made.st_gid == old->st_gid;
    if (!same && fchown(writer->descriptor, old->st_uid, old->st_gid) != 0) {
        const int code = errno;
        file_writer_abandon(writer);
        return fail(error, TANDA_FAILED,
                    "%s: cannot be written: it belongs to user %u, group %u, not kept: %s", writer->path,
                    old->st_uid, old->st_gid, strerror(code));
    }
    if (fchmod(writer->descriptor, old->st_mode & 07777) == 0) return TANDA_OK;
    return fail_writing(writer, errno, error);
}

static tanda_status open_temporary(file_writer *writer, tanda_error *error) {
    const file_target *target = &writer->target;
    const bool is_new = target->kind == FILE_ABSENT;
    const tanda_status status = file_target_check(target, writer->path, error);
    if (status != TANDA_OK) return status;
    char folder[PATH_MAX], name[PATH_MAX];
    strcpy(folder, target->path);
    strcpy(name, target->path);
    const uid_t owner = target->kind == FILE_REGULAR ? target->information.st_uid : geteuid();
    unfinished_remove_dead(dirname(folder), owner, is_name, basename(name));
    const int code = unfinished_make(target->path, is_new ? 0666 : 0600, &writer->temporary);
    if (code != 0) return fail_writing(writer, code, error);
    writer->descriptor = writer->temporary.descriptor;
    writer->is_open = true;
    return is_new ? TANDA_OK : keep_owner_and_mode(writer, error);
}

tanda_status file_writer_begin(const char *path, file_writer *writer, tanda_error *error) {
    writer->is_open = false;
    writer->path = path;
    const int code = file_target_find(path, &writer->target);
    if (code != 0) return fail_writing(writer, code, error);
    writer->as_it_is = writer->target.kind == FILE_SPECIAL;
    if (!writer->as_it_is) return open_temporary(writer, error);
    const tanda_status status = file_target_open(&writer->target, path, &writer->descriptor, error);
    writer->is_open = status == TANDA_OK;
    return status;
}

/* ---- going on ------------------------------------------------------------------------------------------ */

tanda_status file_writer_add(file_writer *writer, const void *data, size_t size, tanda_error *error) {
    int code = write_all(writer->descriptor, data, size);
    return code == 0 ? TANDA_OK : fail_writing(writer, code, error);
}

static tanda_status fail_without_places(file_writer *writer, tanda_error *error) {
    file_writer_abandon(writer);
    return fail(error, TANDA_FAILED, "%s: is a pipe or device, and rows are put in order in a file; name one",
                writer->path);
}

tanda_status file_writer_put(file_writer *writer, uint64_t offset, const void *data, size_t size,
                             tanda_error *error) {
    if (writer->as_it_is) return fail_without_places(writer, error);
    for (size_t done = 0; done < size;) {
        const ssize_t written =
            pwrite(writer->descriptor, (const char *)data + done, size - done, (off_t)(offset + done));
        if (written < 0 && errno != EINTR) return fail_writing(writer, errno, error);
        if (written > 0) done += (size_t)written;
    }
    return TANDA_OK;
}

tanda_status file_writer_get(file_writer *writer, uint64_t offset, void *data, size_t size,
                             tanda_error *error) {
    if (writer->as_it_is) return fail_without_places(writer, error);
    for (size_t done = 0; done < size;) {
        const ssize_t got =
            pread(writer->descriptor, (char *)data + done, size - done, (off_t)(offset + done));
        if (got == 0 || (got < 0 && errno != EINTR))
            return fail_writing(writer, got == 0 ? EIO : errno, error);
        if (got > 0) done += (size_t)got;
    }
    return TANDA_OK;
}

tanda_status file_writer_finish(file_writer *writer, tanda_error *error) {
    int code = fsync(writer->descriptor) == 0 ? 0 : errno;
    if (writer->as_it_is && (code == EINVAL || code == EROFS || code == ENOTSUP))
        code = 0; /* nothing to flush */
    if (code != 0) return fail_writing(writer, code, error);
    if (writer->as_it_is) {
        file_writer_abandon(writer);
        return TANDA_OK;
    }
    writer->is_open = false;
    code = unfinished_rename(&writer->temporary, writer->target.path);
    if (code != 0) return fail_writing(writer, code, error);
    code = file_flush_folder_of(writer->target.path);
    if (code == 0) return TANDA_OK;
    return fail(error, TANDA_FAILED, "%s: its folder cannot be flushed: %s", writer->path, strerror(code));
}

void file_writer_abandon(file_writer *writer) {
    if (!writer->is_open) return;
    writer->is_open = false;
    if (writer->as_it_is)
        close(writer->descriptor);
    else
        unfinished_remove(&writer->temporary);
}

tanda_status file_writer_check(const char *path, tanda_error *error) {
    file_writer writer = {.path = path};
    const int code = file_target_find(path, &writer.target);
    if (code != 0) return fail_writing(&writer, code, error);
    if (writer.target.kind == FILE_SPECIAL) return file_target_check(&writer.target, path, error);
    const tanda_status status = file_writer_begin(path, &writer, error);
    file_writer_abandon(&writer);
    return status;
}

tanda_status file_write_atomically(const char *path, const file_part *parts, size_t part_count,
                                   tanda_error *error) {
    file_writer writer;
    tanda_status status = file_writer_begin(path, &writer, error);
    for (size_t i = 0; status == TANDA_OK && i < part_count; i++)
        status = file_writer_add(&writer, parts[i].data, parts[i].size, error);
    return status == TANDA_OK ? file_writer_finish(&writer, error) : status;
}
