#include "support/file.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

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

/* The rename is durable only when the folder is flushed too. Returns 0 or errno. */
static int flush_folder_of(const char *path) {
    char copy[PATH_MAX];
    snprintf(copy, sizeof copy, "%s", path);
    int folder = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0) return errno;
    int code = fsync(folder) == 0 ? 0 : errno;
    close(folder);
    return code == EINVAL ? 0 : code; /* some file systems cannot flush a folder */
}

/* Abandons the file because of `code`. */
static tanda_status fail_writing(file_writer *writer, int code, tanda_error *error) {
    file_writer_abandon(writer);
    return fail(error, TANDA_FAILED, "%s: cannot be written: %s", writer->path, strerror(code));
}

tanda_status file_writer_begin(const char *path, file_writer *writer, tanda_error *error) {
    writer->is_open = false;
    writer->path = path;
    int length = snprintf(writer->temporary, sizeof writer->temporary, "%s" FILE_UNFINISHED "XXXXXX", path);
    if (length < 0 || (size_t)length >= sizeof writer->temporary)
        return fail(error, TANDA_FAILED, "%s: the path is too long", path);
    writer->descriptor = mkstemp(writer->temporary);
    if (writer->descriptor < 0)
        return fail(error, TANDA_FAILED, "%s: cannot be written: %s", path, strerror(errno));
    writer->is_open = true;
    mode_t mask = umask(0);
    umask(mask);
    if (fchmod(writer->descriptor, 0666 & ~mask) == 0) return TANDA_OK;
    return fail_writing(writer, errno, error);
}

tanda_status file_writer_add(file_writer *writer, const void *data, size_t size, tanda_error *error) {
    int code = write_all(writer->descriptor, data, size);
    return code == 0 ? TANDA_OK : fail_writing(writer, code, error);
}

tanda_status file_writer_finish(file_writer *writer, tanda_error *error) {
    int code = fsync(writer->descriptor) == 0 ? 0 : errno;
    if (code != 0) return fail_writing(writer, code, error);
    writer->is_open = false;
    if (close(writer->descriptor) != 0) code = errno;
    if (code == 0 && rename(writer->temporary, writer->path) != 0) code = errno;
    if (code != 0) {
        unlink(writer->temporary);
        return fail(error, TANDA_FAILED, "%s: cannot be written: %s", writer->path, strerror(code));
    }
    code = flush_folder_of(writer->path);
    if (code != 0)
        return fail(error, TANDA_FAILED, "%s: its folder cannot be flushed: %s", writer->path,
                    strerror(code));
    return TANDA_OK;
}

void file_writer_abandon(file_writer *writer) {
    if (!writer->is_open) return;
    close(writer->descriptor);
    unlink(writer->temporary);
    writer->is_open = false;
}

tanda_status file_write_atomically(const char *path, const file_part *parts, size_t part_count,
                                   tanda_error *error) {
    file_writer writer;
    tanda_status status = file_writer_begin(path, &writer, error);
    for (size_t i = 0; status == TANDA_OK && i < part_count; i++)
        status = file_writer_add(&writer, parts[i].data, parts[i].size, error);
    return status == TANDA_OK ? file_writer_finish(&writer, error) : status;
}

tanda_status file_folder(const char *path, char **folder, tanda_error *error) {
    const char *slash = strrchr(path, '/');
    const size_t length = slash == NULL ? 1 : slash == path ? 1 : (size_t)(slash - path);
    *folder = strndup(slash == NULL ? "." : path, length);
    return *folder != NULL ? TANDA_OK : fail(error, TANDA_FAILED, "out of memory for a path");
}

tanda_status file_make_folder(const char *path, tanda_error *error) {
    struct stat information;
    const int code = mkdir(path, 0777) == 0 ? flush_folder_of(path) : errno;
    if (code == EEXIST && stat(path, &information) == 0 && S_ISDIR(information.st_mode)) return TANDA_OK;
    return code == 0 ? TANDA_OK
                     : fail(error, TANDA_FAILED, "%s: the folder cannot be made: %s", path,
                            strerror(code == EEXIST ? ENOTDIR : code));
}
