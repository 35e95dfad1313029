#include "support/file_target.h"
#include "support/text.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define MOST_LINKS 40 /* as in Linux */
#define READER_SECONDS 5
#define READER_PAUSE_MS 20

static tanda_status fail_writing(const char *path, int code, tanda_error *error) {
    return fail(error, TANDA_FAILED, "%s: cannot be written: %s", path, strerror(code));
}

/* ---- finding ------------------------------------------------------------------------------------------- */

/* True for /proc/self/fd/N by any name: its text is no path, and another file may have that name by now. */
static bool is_own_descriptor(const char *link, int *descriptor) {
    char copy[PATH_MAX], folder[PATH_MAX], own[PATH_MAX];
    const char *slash = strrchr(link, '/');
    if (slash == NULL || !isdigit((unsigned char)slash[1])) return false;
    if (!text_fit(copy, sizeof copy, "%s", link) || realpath(dirname(copy), folder) == NULL ||
        realpath("/proc/self/fd", own) == NULL || strcmp(folder, own) != 0)
        return false;
    *descriptor = atoi(slash + 1);
    return true;
}

/* path becomes what a link at path leads to. Returns 0 or errno. */
static int follow(char path[PATH_MAX], const char *text) {
    char joined[2 * PATH_MAX];
    const char *slash = strrchr(path, '/');
    const int folder = slash == NULL || text[0] == '/' ? 0 : (int)(slash - path) + 1;
    if (!text_fit(joined, sizeof joined, "%.*s%s", folder, path, text)) return ENAMETOOLONG;
    return text_fit(path, PATH_MAX, "%s", joined) ? 0 : ENAMETOOLONG;
}

static file_kind kind_of(const file_target *target) {
    const mode_t mode = target->information.st_mode;
    if (target->descriptor >= 0) return FILE_SPECIAL;
    return S_ISREG(mode) ? FILE_REGULAR : S_ISDIR(mode) ? FILE_FOLDER : FILE_SPECIAL;
}

/* Returns 0 or errno. */
static int look(file_target *target) {
    const int code = target->descriptor >= 0 ? fstat(target->descriptor, &target->information)
                                             : stat(target->path, &target->information);
    if (code == 0) {
        target->kind = kind_of(target);
        return 0;
    }
    const size_t length = strlen(target->path);
    if (errno != ENOENT || length == 0) return errno;
    return target->path[length - 1] == '/' ? EISDIR : 0;
}

int file_target_find(const char *path, file_target *target) {
    *target = (file_target){.kind = FILE_ABSENT, .descriptor = -1};
    if (strlen(path) >= sizeof target->path) return ENAMETOOLONG;
    strcpy(target->path, path);
    for (int links = 0; links < MOST_LINKS; links++) {
        char text[PATH_MAX];
        const ssize_t length = readlink(target->path, text, sizeof text - 1);
        if (length < 0 && errno != EINVAL && errno != ENOENT) return errno;
        if (length < 0 || is_own_descriptor(target->path, &target->descriptor)) return look(target);
        text[length] = '\0';
        const int code = follow(target->path, text);
        if (code != 0) return code;
    }
    return ELOOP;
}

/* ---- the right to write --------------------------------------------------------------------------------- */

tanda_status file_target_check(const file_target *target, const char *path, tanda_error *error) {
    const mode_t mode = target->information.st_mode;
    if (target->kind == FILE_ABSENT) return TANDA_OK;
    if (target->kind == FILE_FOLDER)
        return fail(error, TANDA_FAILED, "%s: cannot be written: it is a folder; name a file", path);
    if (target->descriptor >= 0) {
        const int flags = fcntl(target->descriptor, F_GETFL);
        if (flags < 0) return fail_writing(path, errno, error);
        return (flags & O_ACCMODE) == O_RDONLY ? fail_writing(path, EBADF, error) : TANDA_OK;
    }
    if (target->kind == FILE_REGULAR && (mode & S_IWUSR) == 0)
        return fail(
            error, TANDA_FAILED,
            "%s: cannot be written: its mode is %04o, its owner may not write it; chmod u+w allows it", path,
            (unsigned)(mode & 07777));
    const bool may = faccessat(AT_FDCWD, target->path, W_OK, AT_EACCESS) == 0;
    return may ? TANDA_OK : fail_writing(path, errno, error);
}

/* ---- opening ------------------------------------------------------------------------------------------- */

/* Waiting without an end would look like a training that hangs. */
static tanda_status open_pipe(const file_target *target, const char *path, int *descriptor,
                              tanda_error *error) {
    const struct timespec pause = {.tv_nsec = READER_PAUSE_MS * 1000000L};
    for (int left = READER_SECONDS * 1000 / READER_PAUSE_MS; left >= 0; left--) {
        *descriptor = open(target->path, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
        if (*descriptor >= 0 || errno != ENXIO) break;
        nanosleep(&pause, NULL);
    }
    if (*descriptor < 0 && errno == ENXIO)
        return fail(error, TANDA_FAILED,
                    "%s: cannot be written: it is a pipe that nobody opened for reading within %d s", path,
                    READER_SECONDS);
    if (*descriptor < 0) return fail_writing(path, errno, error);
    const int flags = fcntl(*descriptor, F_GETFL);
    fcntl(*descriptor, F_SETFL, flags & ~O_NONBLOCK);
    return TANDA_OK;
}

/* Returns a descriptor, or -1 with errno. */
static int connect_socket(const char *path) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address.sun_path) {
        errno = ENAMETOOLONG;
        return -1;
    }
    strcpy(address.sun_path, path);
    const int made = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (made < 0 || connect(made, (const struct sockaddr *)&address, sizeof address) == 0) return made;
    const int code = errno;
    close(made);
    errno = code;
    return -1;
}

tanda_status file_target_open(const file_target *target, const char *path, int *descriptor,
                              tanda_error *error) {
    const mode_t mode = target->information.st_mode;
    tanda_status status = file_target_check(target, path, error);
    if (status != TANDA_OK) return status;
    if (target->descriptor >= 0)
        *descriptor = fcntl(target->descriptor, F_DUPFD_CLOEXEC, 0); /* its place in the file is shared */
    else if (S_ISFIFO(mode))
        return open_pipe(target, path, descriptor, error);
    else if (S_ISSOCK(mode))
        *descriptor = connect_socket(target->path);
    else
        *descriptor = open(target->path, O_WRONLY | O_NOCTTY | O_CLOEXEC);
    return *descriptor >= 0 ? TANDA_OK : fail_writing(path, errno, error);
}

tanda_status file_stream_open(const char *path, bool append, int *descriptor, tanda_error *error) {
    file_target target;
    const int code = file_target_find(path, &target);
    if (code != 0) return fail_writing(path, code, error);
    if (target.kind == FILE_SPECIAL) return file_target_open(&target, path, descriptor, error);
    const tanda_status status = file_target_check(&target, path, error);
    if (status != TANDA_OK) return status;
    *descriptor =
        open(target.path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOCTTY | (append ? O_APPEND : O_TRUNC), 0666);
    return *descriptor >= 0 ? TANDA_OK : fail_writing(path, errno, error);
}
