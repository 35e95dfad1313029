#include "hosts/plugin_load.h"

#include <dlfcn.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support/text.h"

/* Each MPI with the package that the build finds it by. */
static const struct known {
    const char *mpi, *title, *package;
} known[] = {
    {"openmpi", "Open MPI", "libopenmpi-dev"},
    {"mpich", "MPICH", "libmpich-dev"},
};

/* From the folder of the library: the build's own, the installed library's, the installed program's. */
static const char *const places[] = {"", "/tanda", ("/" TANDA_PLUGINS_FROM_PROGRAM)};

static const struct known *find_known(const char *mpi) {
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strcmp(known[i].mpi, mpi) == 0) return &known[i];
    return NULL;
}

/* Of the file that this code was loaded from; a program's own name need not be a path. */
static bool find_own_folder(char folder[PATH_MAX]) {
    Dl_info information;
    const bool is_known = dladdr((void *)(uintptr_t)plugin_load, &information) != 0;
    const char *name =
        is_known && strchr(information.dli_fname, '/') != NULL ? information.dli_fname : "/proc/self/exe";
    if (realpath(name, folder) == NULL) return false;
    *strrchr(folder, '/') = '\0';
    return true;
}

static bool find_file(const char *mpi, char path[PATH_MAX]) {
    char folder[PATH_MAX];
    if (!find_own_folder(folder)) return false;
    for (size_t i = 0; i < sizeof places / sizeof *places; i++)
        if (text_fit(path, PATH_MAX, "%s%s/tanda_%s.so", folder, places[i], mpi) && access(path, R_OK) == 0)
            return true;
    return false;
}

static tanda_status open_file(const char *path, void **library, const hosts_plugin **plugin,
                              tanda_error *error) {
    /* Parts of Open MPI look for its names among those of the program. */
    *library = dlopen(path, RTLD_NOW | RTLD_GLOBAL);
    if (*library == NULL) return fail(error, TANDA_FAILED, "%s: %s", path, dlerror());
    hosts_plugin_entry *entry = NULL;
    *(void **)&entry = dlsym(*library, HOSTS_PLUGIN_ENTRY);
    const hosts_plugin *found = entry == NULL ? NULL : entry();
    if (found == NULL || found->version != HOSTS_PLUGIN_VERSION)
        return fail(error, TANDA_FAILED, "%s: it is of another version of tanda; build it with this one",
                    path);
    *plugin = found;
    return TANDA_OK;
}

tanda_status plugin_load(const char *mpi, const launcher *launched, void **library,
                         const hosts_plugin **plugin, tanda_error *error) {
    const struct known *wanted = find_known(mpi);
    char path[PATH_MAX], what[64] = "";
    if (wanted == NULL)
        return fail(error, TANDA_USAGE, "--mpi: '%.40s' is none of auto, no, openmpi, mpich", mpi);
    if (find_file(mpi, path)) return open_file(path, library, plugin, error);
    if (launched->ranks > 1) text_put(what, sizeof what, "%zu ranks were started, and ", launched->ranks);
    return fail(error, TANDA_USAGE,
                "--mpi %s: %standa_%s.so, which speaks %s, is not beside tanda; build with %s, or give --mpi "
                "no for programs that know nothing of one another",
                mpi, what, mpi, wanted->title, wanted->package);
}
