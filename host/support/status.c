#include "support/status.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "support/text.h"

tanda_status fail(tanda_error *error, tanda_status status, const char *format, ...) {
    if (error == NULL) return status;
    error->status = status;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(error->message, sizeof error->message, format, arguments);
    va_end(arguments);
    text_clean(error->message); /* it has names of files and arguments; it is one line all the same */
    return status;
}

const char *tanda_version(void) {
    return TANDA_VERSION;
}

uint32_t tanda_version_number(void) {
    return TANDA_VERSION_NUMBER;
}

tanda_status fail_path(tanda_error *error, const char *path, const char *what, int code) {
    static const int of_paths[] = {ENOENT, ENOTDIR, EACCES, EPERM,  ELOOP,  ENAMETOOLONG, EISDIR,
                                   ENXIO,  ENODEV,  EBADF,  EINVAL, ESTALE, ENODATA};
    tanda_status status = TANDA_FAILED;
    for (size_t i = 0; i < sizeof of_paths / sizeof *of_paths; i++)
        if (code == of_paths[i]) status = TANDA_BAD_INPUT;
    return fail(error, status, "%s: %s%s", path, what, strerror(code));
}
