#include "support/file_same.h"

tanda_status file_compare(const char *path, const struct stat *opened, const struct stat *now,
                          tanda_error *error) {
    if (now->st_size != opened->st_size)
        return fail(
            error, TANDA_BAD_INPUT,
            "%s: changed while it was in use: it has %lld bytes, and had %lld; start again when it is "
            "as it should be",
            path, (long long)now->st_size, (long long)opened->st_size);
    /* st_ctim changes with the name too, which does no harm */
    if (is_same_file(now, opened) && now->st_mtim.tv_sec == opened->st_mtim.tv_sec &&
        now->st_mtim.tv_nsec == opened->st_mtim.tv_nsec)
        return TANDA_OK;
    return fail(error, TANDA_BAD_INPUT,
                "%s: changed while it was in use: it was written to; start again when it is as it should be",
                path);
}
