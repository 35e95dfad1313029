#include "support/file_range.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/memory.h"

/* Files that take more of the machine's memory than this share would push out everything else, and not stay either. */
#define SHARE_KEPT 2

struct file_range {
    char *path;
    int descriptor; /* or -1: it is opened for each piece */
    bool drops;     /* what has been read is not to stay in the system's memory */
    struct stat opened;
};

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

static size_t memory_of_machine(void) {
    const long pages = sysconf(_SC_PHYS_PAGES), size = sysconf(_SC_PAGESIZE);
    return pages > 0 && size > 0 ? (size_t)pages * (size_t)size : 0;
}

tanda_status file_range_open(const char *path, bool keeps, file_range **file, tanda_error *error) {
    file_range *made = NULL;
    tanda_status status = allocate(&made, 1, sizeof *made, "file", error);
    if (status != TANDA_OK) return status;
    made->descriptor = -1;
    status = copy_text(&made->path, path, error);
    if (status == TANDA_OK) status = open_file(path, &made->descriptor, &made->opened, error);
    if (status != TANDA_OK) {
        file_range_close(made);
        return status;
    }
    made->drops = (size_t)made->opened.st_size > memory_of_machine() / SHARE_KEPT;
    if (!keeps) {
        close(made->descriptor);
        made->descriptor = -1;
    }
    *file = made;
    return TANDA_OK;
}

void file_range_close(file_range *file) {
    if (file == NULL) return;
    if (file->descriptor >= 0) close(file->descriptor);
    free(file->path);
    free(file);
}

size_t file_range_size(const file_range *file) {
    return (size_t)file->opened.st_size;
}

const char *file_range_path(const file_range *file) {
    return file->path;
}

static bool same_time(struct timespec a, struct timespec b) {
    return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

static tanda_status compare(const file_range *file, const struct stat *now, tanda_error *error) {
    const struct stat *opened = &file->opened;
    if (now->st_size != opened->st_size)
        return fail(
            error, TANDA_BAD_INPUT,
            "%s: changed while it was in use: it has %lld bytes, and had %lld; start again when it is "
            "as it should be",
            file->path, (long long)now->st_size, (long long)opened->st_size);
    if (same_time(now->st_mtim, opened->st_mtim) && now->st_ino == opened->st_ino &&
        now->st_dev == opened->st_dev)
        return TANDA_OK;
    return fail(error, TANDA_BAD_INPUT,
                "%s: changed while it was in use: it was written to; start again when it is as it should be",
                file->path);
}

/* The file, open, and whether it is as it was. */
static tanda_status begin(const file_range *file, int *descriptor, tanda_error *error) {
    struct stat now;
    *descriptor = file->descriptor;
    if (file->descriptor < 0) {
        const tanda_status status = open_file(file->path, descriptor, &now, error);
        if (status != TANDA_OK) return status;
    } else if (fstat(file->descriptor, &now) != 0) {
        return fail_path(error, file->path, "", errno);
    }
    return compare(file, &now, error);
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

tanda_status file_range_read(const file_range *file, size_t at, void *data, size_t size, tanda_error *error) {
    int descriptor = -1;
    tanda_status status = begin(file, &descriptor, error);
    if (status == TANDA_OK) status = read_all(file, descriptor, at, data, size, error);
    if (status == TANDA_OK && file->drops)
        posix_fadvise(descriptor, (off_t)at, (off_t)size, POSIX_FADV_DONTNEED);
    end(file, descriptor);
    return status;
}

tanda_status file_range_check(const file_range *file, tanda_error *error) {
    int descriptor = -1;
    const tanda_status status = begin(file, &descriptor, error);
    end(file, descriptor);
    return status;
}
