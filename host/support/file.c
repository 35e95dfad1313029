#include "support/file.h"
#include "support/text.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int file_flush_folder_of(const char *path) {
    char copy[PATH_MAX];
    if (!text_fit(copy, sizeof copy, "%s", path)) return ENAMETOOLONG;
    int folder = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0) return errno;
    int code = fsync(folder) == 0 ? 0 : errno;
    close(folder);
    return code == EINVAL ? 0 : code; /* some file systems cannot flush a folder */
}

tanda_status file_folder(const char *path, char **folder, tanda_error *error) {
    const char *slash = strrchr(path, '/');
    const size_t length = slash == NULL ? 1 : slash == path ? 1 : (size_t)(slash - path);
    *folder = strndup(slash == NULL ? "." : path, length);
    return *folder != NULL ? TANDA_OK : fail(error, TANDA_FAILED, "out of memory for a path");
}

tanda_status file_make_folder(const char *path, tanda_error *error) {
    struct stat information;
    const int code = mkdir(path, 0777) == 0 ? file_flush_folder_of(path) : errno;
    if (code == EEXIST && stat(path, &information) == 0 && S_ISDIR(information.st_mode)) return TANDA_OK;
    if (path[0] == '\0') return fail(error, TANDA_USAGE, "the name of a folder is empty; name one");
    if (code == EEXIST)
        return fail(error, TANDA_FAILED, "%s: is there, and is no folder; name another one", path);
    return code == 0 ? TANDA_OK
                     : fail(error, TANDA_FAILED, "%s: the folder cannot be made: %s", path, strerror(code));
}
