#include "support/file_writer.h"

#include <errno.h>
#include <libgen.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "support/file.h"

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

static void remove_dead(const file_target *target) {
    char folder[PATH_MAX], name[PATH_MAX];
    strcpy(folder, target->path);
    strcpy(name, target->path);
    const uid_t owner = target->kind == FILE_REGULAR ? target->information.st_uid : geteuid();
    unfinished_remove_dead(dirname(folder), owner, is_name, basename(name));
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
    remove_dead(target);
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
