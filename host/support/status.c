#include "support/status.h"

#include <stdarg.h>
#include <stdio.h>

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
