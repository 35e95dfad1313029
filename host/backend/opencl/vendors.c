#include "backend/opencl/vendors.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "support/text.h"

#define VENDOR_FOLDER "/etc/OpenCL/vendors"

static bool is_icd(const char *name) {
    const size_t length = strlen(name);
    return length > strlen(".icd") && strcmp(name + length - strlen(".icd"), ".icd") == 0;
}

/* place names the library: the file that it stands in, or the variable. */
static void try_library(const char *place, const char *library, device_remarks *remarks) {
    void *loaded = dlopen(library, RTLD_LAZY | RTLD_LOCAL);
    if (loaded == NULL)
        remark_add(remarks->failures, "%s: %s; install that driver, or remove the file", place, dlerror());
    else if (dlsym(loaded, "clGetExtensionFunctionAddress") == NULL)
        remark_add(remarks->failures, "%s: %s is no OpenCL driver; remove the file", place, library);
    if (loaded != NULL) dlclose(loaded);
}

static void try_file(const char *path, device_remarks *remarks) {
    char library[PATH_MAX] = "";
    FILE *file = fopen(path, "re");
    const bool is_read = file != NULL && fgets(library, sizeof library, file) != NULL;
    const bool failed = file == NULL || ferror(file) != 0;
    const int code = errno;
    if (file != NULL) fclose(file);
    library[strcspn(library, "\r\n")] = '\0';
    if (failed)
        remark_add(remarks->failures, "%s: %s", path, strerror(code));
    else if (!is_read || library[0] == '\0')
        remark_add(remarks->failures, "%s: is empty; its first line is to name a library", path);
    else
        try_library(path, library, remarks);
}

static void try_folder(const char *folder, device_remarks *remarks) {
    char path[PATH_MAX];
    size_t files = 0;
    DIR *entries = opendir(folder);
    const int code = errno;
    for (struct dirent *entry; entries != NULL && (entry = readdir(entries)) != NULL;) {
        if (!is_icd(entry->d_name) || !text_fit(path, sizeof path, "%s/%s", folder, entry->d_name)) continue;
        try_file(path, remarks);
        files++;
    }
    if (entries == NULL && code != ENOENT)
        remark_add(remarks->failures, "%s: %s", folder, strerror(code));
    else if (files == 0)
        remark_add(remarks->absences, "%s: no driver (.icd) is there; install one (pocl-opencl-icd: the CPU)",
                   folder);
    if (entries != NULL) closedir(entries);
}

/* As ocl-icd reads OCL_ICD_VENDORS: a folder, an .icd file, or a library. */
void opencl_remark_vendors(device_remarks *remarks) {
    const char *chosen = getenv("OCL_ICD_VENDORS");
    struct stat information;
    if (chosen == NULL || chosen[0] == '\0') chosen = VENDOR_FOLDER;
    if (is_icd(chosen))
        try_file(chosen, remarks);
    else if (strchr(chosen, '/') != NULL || stat(chosen, &information) == 0)
        try_folder(chosen, remarks);
    else
        try_library("OCL_ICD_VENDORS", chosen, remarks);
}
