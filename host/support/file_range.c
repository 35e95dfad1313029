#include "support/file_range.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "support/direct_read.h"
#include "support/file_same.h"
#include "support/memory.h"
#include "support/system_file.h"

/*
 * Open files that together are more than this part of memory go past the system's: they would push out everything else, and
 * not stay either. Of others the system keeps what was read, and is asked for what lies around it, too: several times as much,
 * as most will be wanted, and disks are slow at small pieces.
 */
#define SHARE_KEPT 8
#define AROUND 4
#define LEAST_AROUND ((size_t)64 << 10)
#define MOST_AROUND ((size_t)4 << 20)

#define NOT_OPEN (-1)
#define NOT_TRIED (-2)

struct file_range {
    char *path;
    int descriptor; /* or NOT_OPEN: it is opened for each piece */
    int direct;     /* the same file for reading past the system's memory, of one that stays open */
    size_t share;   /* how many bytes of open files the system may keep */
    struct stat opened;
    int64_t checked; /* when it was last looked at, of one that stays open; 0: never */
};

static size_t open_bytes; /* of all files that are open */

/* The open waits for nothing: neither for the other end of a FIFO nor for a device. */
static tanda_status open_file(const char *path, int *descriptor, struct stat *information,
                              tanda_error *error) {
    *descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (*descriptor < 0) return fail_path(error, path, "", errno);
    tanda_status status = TANDA_OK;
    if (fstat(*descriptor, information) != 0)
        status = fail_path(error, path, "", errno);
    else if (!S_ISREG(information->st_mode))
        status = fail(error, TANDA_BAD_INPUT, "%s: is not a regular file", path);
    if (status != TANDA_OK) {
        close(*descriptor);
        *descriptor = -1;
        return status;
    }
    posix_fadvise(*descriptor, 0, 0, POSIX_FADV_SEQUENTIAL);
    return TANDA_OK;
}

static void count_bytes(const file_range *file, bool more) {
    const size_t bytes = (size_t)file->opened.st_size;
    __atomic_fetch_add(&open_bytes, more ? bytes : 0 - bytes, __ATOMIC_RELAXED);
}

static bool is_kept(const file_range *file) {
    return __atomic_load_n(&open_bytes, __ATOMIC_RELAXED) <= file->share;
}

tanda_status file_range_open(const char *path, bool keeps, file_range **file, tanda_error *error) {
    file_range *made = NULL;
    tanda_status status = allocate(&made, 1, sizeof *made, "file", error);
    if (status != TANDA_OK) return status;
    made->descriptor = NOT_OPEN;
    made->direct = NOT_TRIED;
    status = copy_text(&made->path, path, error);
    if (status == TANDA_OK) status = open_file(path, &made->descriptor, &made->opened, error);
    if (status != TANDA_OK) {
        file_range_close(made);
        return status;
    }
    made->share = memory_limit() / SHARE_KEPT;
    count_bytes(made, true);
    if (!keeps) {
        close(made->descriptor);
        made->descriptor = NOT_OPEN;
    }
    *file = made;
    return TANDA_OK;
}

void file_range_close(file_range *file) {
    if (file == NULL) return;
    if (file->descriptor >= 0) close(file->descriptor);
    if (file->direct >= 0) close(file->direct);
    count_bytes(file, false);
    free(file->path);
    free(file);
}

size_t file_range_size(const file_range *file) {
    return (size_t)file->opened.st_size;
}

const char *file_range_path(const file_range *file) {
    return file->path;
}

/* Of a clock that costs next to nothing, and goes on every few milliseconds. */
static int64_t coarse_time(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
    return now.tv_sec * (int64_t)1000000000 + now.tv_nsec;
}

/* One that does not stay open. *descriptor is to be closed, whatever is returned. */
static tanda_status open_again(const file_range *file, int *descriptor, tanda_error *error) {
    struct stat now;
    const tanda_status status = open_file(file->path, descriptor, &now, error);
    return status == TANDA_OK ? file_compare(file->path, &file->opened, &now, error) : status;
}

static tanda_status look_at(const file_range *file, tanda_error *error) {
    struct stat now;
    if (fstat(file->descriptor, &now) != 0) return fail_path(error, file->path, "", errno);
    return file_compare(file->path, &file->opened, &now, error);
}

/* The file, open, and whether it is as it was; of one that stays open, whether it was a few milliseconds ago. */
static tanda_status begin(file_range *file, int *descriptor, tanda_error *error) {
    *descriptor = file->descriptor;
    if (file->descriptor < 0) return open_again(file, descriptor, error);
    const int64_t time = coarse_time();
    if (__atomic_load_n(&file->checked, __ATOMIC_RELAXED) == time) return TANDA_OK;
    const tanda_status status = look_at(file, error);
    if (status == TANDA_OK) __atomic_store_n(&file->checked, time, __ATOMIC_RELAXED);
    return status;
}

static void end(const file_range *file, int descriptor) {
    if (descriptor >= 0 && descriptor != file->descriptor) close(descriptor);
}

static tanda_status read_all(const file_range *file, int descriptor, size_t at, char *data, size_t left,
                             tanda_error *error) {
    while (left > 0) {
        const ssize_t got = pread(descriptor, data, left, (off_t)at);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return fail_path(error, file->path, "cannot be read: ", errno);
        if (got == 0)
            return fail(error, TANDA_BAD_INPUT,
                        "%s: changed while it was in use: it ends at byte %zu, and had %lld; start again "
                        "when it is as it should be",
                        file->path, at, (long long)file->opened.st_size);
        data += got;
        at += (size_t)got;
        left -= (size_t)got;
    }
    return TANDA_OK;
}

/* A file that stays open once more, or NOT_OPEN: whoever comes first opens it for all, which no reader can tell. */
static int open_direct(file_range *file) {
    int known = __atomic_load_n(&file->direct, __ATOMIC_ACQUIRE);
    if (known != NOT_TRIED) return known;
    int made = direct_read_open(file->path, &file->opened);
    if (__atomic_compare_exchange_n(&file->direct, &known, made, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
        return made;
    if (made >= 0) close(made);
    return known;
}

/* How many bytes, from the front on. */
static size_t read_past_memory(file_range *file, size_t at, void *data, size_t size) {
    const bool stays_open = file->descriptor >= 0;
    const int direct = stays_open ? open_direct(file) : direct_read_open(file->path, &file->opened);
    const size_t done = direct_read(direct, at, data, size);
    if (!stays_open && direct >= 0) close(direct);
    return done;
}

/* The system begins to read these bytes, and what lies around them. */
static void ask_for(int descriptor, size_t at, size_t size) {
    size_t around = LEAST_AROUND;
    while (around < MOST_AROUND && around / AROUND < size)
        around *= 2;
    const size_t first = at / around * around;
    posix_fadvise(descriptor, (off_t)first, (off_t)(round_up(at + size, around) - first),
                  POSIX_FADV_WILLNEED);
}

tanda_status file_range_read(file_range *file, size_t at, void *data, size_t size, tanda_error *error) {
    int descriptor = NOT_OPEN;
    size_t done = 0;
    tanda_status status = begin(file, &descriptor, error);
    if (status == TANDA_OK && !direct_read_is_cached(descriptor, at, size)) {
        if (is_kept(file))
            ask_for(descriptor, at, size);
        else
            done = read_past_memory(file, at, data, size);
    }
    if (status == TANDA_OK)
        status = read_all(file, descriptor, at + done, (char *)data + done, size - done, error);
    end(file, descriptor);
    return status;
}

tanda_status file_range_check(const file_range *file, tanda_error *error) {
    if (file->descriptor >= 0) return look_at(file, error);
    int descriptor = NOT_OPEN;
    const tanda_status status = open_again(file, &descriptor, error);
    end(file, descriptor);
    return status;
}
