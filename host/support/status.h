/* Status and message of a failure; see tanda.h for the codes. */
#ifndef TANDA_SUPPORT_STATUS_H
#define TANDA_SUPPORT_STATUS_H

#include "tanda.h"

/* Fills error (which may be NULL) with one clean line and returns status: callers write `return fail(error, ...)`. */
tanda_status fail(tanda_error *error, tanda_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/*
 * Of a system call on `path` that failed with errno `code`; `what` says which, and may be "". TANDA_BAD_INPUT where the path
 * is at fault, as when nothing is there; TANDA_FAILED where the machine is, as when it has no memory or its disk fails.
 */
tanda_status fail_path(tanda_error *error, const char *path, const char *what, int code);

#endif
