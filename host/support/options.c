#include "support/options.h"

#include <string.h>

tanda_status options_take(const char *name, const void *given, void *taken, size_t size, tanda_error *error) {
    size_t known = sizeof known;
    if (given != NULL) memcpy(&known, given, sizeof known);
    if (known < sizeof known || known > size)
        return fail(error, TANDA_USAGE,
                    "%s: its size is %zu, and this tanda knows %zu bytes; set it to sizeof(%s); a newer "
                    "program needs a newer tanda",
                    name, known, size, name);
    memset(taken, 0, size);
    if (given != NULL) memcpy(taken, given, known);
    memcpy(taken, &size, sizeof size);
    return TANDA_OK;
}
