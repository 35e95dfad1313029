/* Status and message of a failure; see tanda.h for the codes. */
#ifndef TANDA_SUPPORT_STATUS_H
#define TANDA_SUPPORT_STATUS_H

#include "tanda.h"

/* Fills error (which may be NULL) with one clean line and returns status: callers write `return fail(error, ...)`. */
tanda_status fail(tanda_error *error, tanda_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
