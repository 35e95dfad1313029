#include "support/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "support/file.h"
#include "support/file_same.h"

#define NUMBER_SIZE 24 /* a process's number, a line end and a zero byte */
#define MOST_LOOKS 40  /* for the number of a process that has just taken the lock */
#define LOOK_NANOSECONDS 5000000

#define EMPTY 0
#define FOREIGN (-2)

/* The number in the file, EMPTY or FOREIGN. */
static long read_number(int file) {
    char text[NUMBER_SIZE] = "";
    const ssize_t length = pread(file, text, sizeof text - 1, 0);
    if (length == 0) return EMPTY;
    const size_t digits = strspn(text, "0123456789");
    if (length < 0 || digits == 0 || strcmp(text + digits, "\n") != 0) return FOREIGN;
    const long number = strtol(text, NULL, 10);
    return number > 0 ? number : FOREIGN;
}

/* Without space for it, a second process is told of no number. */
static void write_number(int file) {
    char text[NUMBER_SIZE];
    const int length = snprintf(text, sizeof text, "%ld\n", (long)getpid());
    if (ftruncate(file, 0) == 0 && pwrite(file, text, (size_t)length, 0) != length) (void)!ftruncate(file, 0);
}

/* The number of whom has the lock. Between its lock and its number lies a moment with none, or a dead process's. */
static long read_holder(int file) {
    long number = EMPTY;
    for (size_t i = 0; i < MOST_LOOKS; i++) {
        number = read_number(file);
        if (number > 0 && (kill((pid_t)number, 0) == 0 || errno != ESRCH)) break;
        nanosleep(&(struct timespec){.tv_nsec = LOOK_NANOSECONDS}, NULL);
    }
    return number > 0 ? number : LOCK_HOLDER_UNKNOWN;
}

/* False when the name, in a folder or AT_FDCWD, is of something else by now, or of none. */
static bool is_in_place(int descriptor, int folder, const char *name, int flags) {
    struct stat opened, named;
    return fstat(descriptor, &opened) == 0 && fstatat(folder, name, &named, flags) == 0 &&
           is_same_file(&opened, &named);
}

static bool is_lock_in_place(const file_lock *lock) {
    return is_in_place(lock->file, lock->folder, lock->name, AT_SYMLINK_NOFOLLOW);
}

static void close_file(file_lock *lock) {
    if (lock->file >= 0) close(lock->file);
    lock->file = -1;
}

/* One attempt; *again where the file was removed before it could be locked. */
static tanda_status try_lock(const char *folder, file_lock *lock, long *holder, bool *again,
                             tanda_error *error) {
    struct stat information;
    const int flags = O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
    *again = false;
    lock->file = openat(lock->folder, lock->name, flags, 0666);
    if (lock->file < 0 || fstat(lock->file, &information) != 0)
        return fail(error, TANDA_FAILED, "%s/%s: the lock cannot be opened: %s", folder, lock->name,
                    strerror(errno));
    if (!S_ISREG(information.st_mode) || read_number(lock->file) == FOREIGN)
        return fail(error, TANDA_FAILED, "%s/%s: holds something else than a lock; move it away", folder,
                    lock->name);
    if (flock(lock->file, LOCK_EX | LOCK_NB) == 0) {
        *again = !is_lock_in_place(lock);
        if (!*again) write_number(lock->file);
    } else if (errno == EWOULDBLOCK) {
        *holder = read_holder(lock->file);
    }
    return TANDA_OK;
}

tanda_status lock_take(const char *folder, const char *name, file_lock *lock, long *holder,
                       tanda_error *error) {
    *lock = (file_lock){.file = -1};
    *holder = 0;
    const int length = snprintf(lock->name, sizeof lock->name, "%s", name);
    if (length < 0 || (size_t)length >= sizeof lock->name)
        return fail(error, TANDA_FAILED, "%s/%s: the name is too long", folder, name);
    lock->folder = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (lock->folder < 0) return fail(error, TANDA_FAILED, "%s: %s", folder, strerror(errno));
    tanda_status status = TANDA_OK;
    for (bool again = true; status == TANDA_OK && again;) {
        close_file(lock);
        status = try_lock(folder, lock, holder, &again, error);
    }
    lock->is_open = status == TANDA_OK && *holder == 0;
    if (lock->is_open) return TANDA_OK;
    close_file(lock);
    close(lock->folder);
    return status;
}

void lock_release(file_lock *lock) {
    if (!lock->is_open) return;
    if (is_lock_in_place(lock)) unlinkat(lock->folder, lock->name, 0);
    close_file(lock);
    close(lock->folder);
    lock->is_open = false;
}

tanda_status lock_folder(const char *path, int *descriptor, bool *is_held, tanda_error *error) {
    for (;;) {
        const tanda_status status = file_make_folder(path, error);
        if (status != TANDA_OK) return status;
        *descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (*descriptor < 0 && errno == ENOENT) continue; /* who had it before has removed it */
        if (*descriptor < 0) return fail_path(error, path, "", errno);
        int code = 0;
        do
            code = flock(*descriptor, LOCK_EX) == 0 ? 0 : errno;
        while (code == EINTR);
        *is_held = code == 0;
        if (is_in_place(*descriptor, AT_FDCWD, path, 0)) return TANDA_OK;
        close(*descriptor);
    }
}
