#include "support_devices.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support_kernels.h"

#define VENDOR_FOLDER "/etc/OpenCL/vendors"

const char *const isa_names[ISA_COUNT] = {"x86-64-v4", "x86-64-v3", "generic"};

static char folder[64];

const char *temporary_folder(void) {
    if (folder[0] == '\0') {
        strcpy(folder, "/tmp/tanda_test_XXXXXX");
        cr_assert_not_null(mkdtemp(folder));
    }
    return folder;
}

static int remove_entry(const char *path, const struct stat *information, int type, struct FTW *place) {
    (void)information, (void)type, (void)place;
    return remove(path);
}

static const char *kernel_cache(void) {
    static char path[128];
    snprintf(path, sizeof path, "%s/pocl", temporary_folder());
    return path;
}

void forget_opencl(void) {
    if (folder[0] != '\0') {
        give_kernels(kernel_cache());
        nftw(folder, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
    }
    folder[0] = '\0';
}

/* A vendor file holds one line: the library that implements OpenCL. */
static void copy_vendor(const char *file, const char *target_folder) {
    char from[512], to[512], line[256] = "";
    snprintf(from, sizeof from, VENDOR_FOLDER "/%s", file);
    snprintf(to, sizeof to, "%s/%s", target_folder, file);
    FILE *source = fopen(from, "r");
    cr_assert_not_null(source, "%s cannot be read", from);
    cr_assert_not_null(fgets(line, sizeof line, source), "%s is empty", from);
    fclose(source);
    FILE *target = fopen(to, "w");
    cr_assert_not_null(target);
    fputs(line, target);
    cr_assert_eq(fclose(target), 0);
}

static bool copy_vendors(const char *name, const char *target_folder) {
    DIR *vendors = opendir(VENDOR_FOLDER);
    bool found = false;
    if (vendors == NULL) return false;
    for (struct dirent *entry = readdir(vendors); entry != NULL; entry = readdir(vendors)) {
        if (strncmp(entry->d_name, name, strlen(name)) != 0 || strstr(entry->d_name, ".icd") == NULL)
            continue;
        copy_vendor(entry->d_name, target_folder);
        found = true;
    }
    closedir(vendors);
    return found;
}

bool use_opencl(const char *name) {
    char vendors[128];
    snprintf(vendors, sizeof vendors, "%s/vendors", temporary_folder());
    cr_assert_eq(mkdir(vendors, 0700), 0);
    setenv("OCL_ICD_VENDORS", vendors, 1);
    keep_kernels(kernel_cache());
    borrow_kernels(kernel_cache());
    setenv("TANDA_CACHE_DIR", "", 1); /* nothing is kept */
    setenv("RUSTICL_ENABLE", "llvmpipe", 1);
    unsetenv("TANDA_KERNELS");
    if (*name == '\0' || copy_vendors(name, vendors)) return true;
    fprintf(stderr, "SKIPPED: OpenCL implementation '%s' is not installed (no %s/%s*.icd)\n", name,
            VENDOR_FOLDER, name);
    return false;
}

backend *open_openmp(const char *isa, size_t threads) {
    const tanda_device_options options = {.size = sizeof options, .isa = isa, .threads = threads};
    backend *made = NULL;
    tanda_error error = {0};
    tanda_status status = openmp_backend.open("cpu", &options, &made, &error);
    if (status == TANDA_OK) return made;
    cr_assert_eq(status, TANDA_DEVICE, "%s", error.message);
    fprintf(stderr, "SKIPPED: %s\n", error.message);
    return NULL;
}

backend *open_best_openmp(size_t threads) {
    backend *made = NULL;
    for (size_t i = 0; made == NULL && i < ISA_COUNT; i++)
        made = open_openmp(isa_names[i], threads);
    return made;
}

void check_threads(device_check *check, const size_t *threads, size_t count) {
    for (size_t i = 0; i < count; i++) {
        char how[32];
        snprintf(how, sizeof how, "%zu threads", threads[i]);
        backend *backend = open_best_openmp(threads[i]);
        check(backend, 0, how);
        tanda_device_close(backend);
    }
}

void check_instruction_sets(device_check *check) {
    for (size_t i = 0; i < ISA_COUNT; i++) {
        backend *backend = open_openmp(isa_names[i], 2);
        if (backend == NULL) continue;
        check(backend, 0, "2 threads");
        check(backend, 2, "2 threads, waves of 2 tiles");
        tanda_device_close(backend);
    }
}

backend *open_opencl(const char *kernel_folder) {
    const tanda_device_options options = {.size = sizeof options, .kernel_folder = kernel_folder};
    tanda_device_information *devices = NULL;
    size_t count = 0;
    device_remarks remarks = {0};
    backend *made = NULL;
    tanda_error error = {0};
    cr_assert_eq(opencl_backend.list(&devices, &count, &remarks, &error), TANDA_OK, "%s", error.message);
    cr_assert_gt(count, 0, "an OpenCL implementation is installed, but: %s%s", remarks.failures,
                 remarks.absences);
    cr_assert_eq(opencl_backend.open(devices[0].id, &options, &made, &error), TANDA_OK, "%s", error.message);
    free(devices);
    return made;
}

const char *backend_title(const backend *backend) {
    return backend->information.platform;
}
