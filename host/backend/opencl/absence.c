#include "backend/opencl/absence.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "backend/opencl/query.h"
#include "support/text.h"

/* Where PoCL keeps what it compiles. It makes the folder, and without it has no device. */
static bool find_pocl_folder(char *folder, size_t size) {
    const char *chosen = getenv("POCL_CACHE_DIR"), *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    if (chosen != NULL) return text_fit(folder, size, "%s", chosen);
    if (cache != NULL && cache[0] != '\0') return text_fit(folder, size, "%s/pocl/kcache", cache);
    if (home != NULL) return text_fit(folder, size, "%s/.cache/pocl/kcache", home);
    return text_fit(folder, size, "/tmp/pocl/kcache");
}

static bool explain_pocl(char *text, size_t size) {
    char folder[PATH_MAX];
    if (!find_pocl_folder(folder, sizeof folder)) return false;
    if (faccessat(AT_FDCWD, folder, W_OK | X_OK, AT_EACCESS) == 0) return false;
    text_put(text, size,
             "has no device: PoCL cannot write to the folder %s: %s; name another in POCL_CACHE_DIR", folder,
             strerror(errno));
    return true;
}

bool opencl_explain_absence(const char *platform, char *text, size_t size) {
    if (strcmp(platform, POCL_NAME) == 0 && explain_pocl(text, size)) return true;
    if (strcmp(platform, "rusticl") == 0)
        text_put(text, size, "has no device: RUSTICL_ENABLE names the drivers that it may use");
    else
        text_put(text, size,
                 "has no device: its hardware is missing, or is not for this user (groups render and video)");
    return false;
}
