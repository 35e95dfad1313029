#include "data/pipe.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PIECE ((size_t)1 << 20)

static bool is_standard_input(const char *path) {
    return strcmp(path, "-") == 0 || strcmp(path, "/dev/stdin") == 0 || strcmp(path, "/dev/fd/0") == 0;
}

/* A file behind standard input of which some is read already is gone on with, not begun again. */
static bool is_begun(int descriptor) {
    return lseek(descriptor, 0, SEEK_CUR) > 0;
}

bool pipe_is_named(const char *path) {
    struct stat information;
    if (is_standard_input(path))
        return fstat(STDIN_FILENO, &information) != 0 || !S_ISREG(information.st_mode) ||
               strcmp(path, "-") == 0 || is_begun(STDIN_FILENO);
    return stat(path, &information) == 0 && !S_ISREG(information.st_mode) && !S_ISDIR(information.st_mode) &&
           !S_ISBLK(information.st_mode);
}

/* A terminal ends when its user says so; /dev/zero never does. */
static tanda_status check_kind(const char *path, int descriptor, tanda_error *error) {
    struct stat information;
    if (fstat(descriptor, &information) != 0) return fail_path(error, path, "", errno);
    if (S_ISDIR(information.st_mode)) return fail(error, TANDA_BAD_INPUT, "%s: is a folder", path);
    if (S_ISREG(information.st_mode) || S_ISFIFO(information.st_mode) || S_ISSOCK(information.st_mode) ||
        isatty(descriptor))
        return TANDA_OK;
    return fail(error, TANDA_BAD_INPUT, "%s: is a device, neither a file nor a pipe", path);
}

tanda_status pipe_open(const char *path, int *descriptor, tanda_error *error) {
    const int opened = is_standard_input(path) ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3)
                                               : open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (opened < 0) return fail_path(error, path, "", errno);
    const tanda_status status = check_kind(path, opened, error);
    if (status == TANDA_OK)
        *descriptor = opened;
    else
        close(opened);
    return status;
}

tanda_status pipe_read(const char *path, int descriptor, size_t most, bytes *bytes, size_t *got,
                       tanda_error *error) {
    size_t room = 0;
    ssize_t length = 0;
    const tanda_status status = bytes_room(bytes, path, &room, error);
    if (status != TANDA_OK) return status;
    if (room == 0)
        return fail(
            error, TANDA_BAD_INPUT,
            "%s: more than %zu bytes came, which is as much as the memory allows; save them as a file", path,
            bytes->limit);
    do
        length = read(descriptor, bytes->data + bytes->size, room < most ? room : most);
    while (length < 0 && errno == EINTR);
    if (length < 0) return fail_path(error, path, "cannot be read: ", errno);
    *got = (size_t)length;
    bytes->size += (size_t)length;
    return TANDA_OK;
}

tanda_status pipe_read_all(const char *path, file_view *view, tanda_error *error) {
    bytes bytes = {.limit = bytes_most()};
    int descriptor = -1;
    size_t got = 1;
    tanda_status status = pipe_open(path, &descriptor, error);
    if (status != TANDA_OK) return status;
    while (status == TANDA_OK && got > 0)
        status = pipe_read(path, descriptor, PIECE, &bytes, &got, error);
    close(descriptor);
    if (status == TANDA_OK)
        *view = bytes_view(&bytes);
    else
        bytes_free(&bytes);
    return status;
}
