#include "support/unfinished.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

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

/* Returns 0 or errno; EEXIST when another name is to be tried. */
static int try_to_make(unfinished *file, mode_t mode) {
    file->note = note(file->path); /* before there is a file: a signal in between leaves none */
    file->descriptor = open(file->path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
    int code = file->descriptor >= 0 ? 0 : errno;
    if (code == 0) code = hold(file);
    if (code != 0 && file->descriptor >= 0) close(file->descriptor);
    if (code != 0) forget(file->note);
    return code;
}

int unfinished_make(const char *path, mode_t mode, unfinished *file) {
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789";
    const int length = snprintf(file->path, sizeof file->path, "%s" FILE_UNFINISHED "XXXXXX", path);
    if (length < 0 || (size_t)length >= sizeof file->path) return ENAMETOOLONG;
    int code = EEXIST;
    for (int tries = 0; tries < MOST_TRIES && code == EEXIST; tries++) {
        unsigned char random[LETTERS];
        if (getrandom(random, sizeof random, 0) != (ssize_t)sizeof random) return errno;
        for (int i = 0; i < LETTERS; i++)
            file->path[length - LETTERS + i] = letters[random[i] % (sizeof letters - 1)];
        code = try_to_make(file, mode);
    }
    return code;
}

/* It is closed after it has its name: without the lock another process could remove it. */
int unfinished_rename(unfinished *file, const char *path) {
    const int code = rename(file->path, path) == 0 ? 0 : errno;
    if (code != 0) unlink(file->path);
    close(file->descriptor);
    forget(file->note);
    return code;
}

void unfinished_remove(unfinished *file) {
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
