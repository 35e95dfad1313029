#include "support_kernels.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/file.h"
#include "support/file_writer.h"

#define PATH_SIZE 1024
#define POCL_KERNELS TANDA_TEST_KERNELS "/pocl"
#define MESA_KERNELS TANDA_TEST_KERNELS "/mesa"

typedef void file_action(const char *from, const char *to);

static void make_folder(const char *path) {
    struct stat information;
    mkdir(path, 0700); /* another test may have made it just now */
    cr_assert(stat(path, &information) == 0 && S_ISDIR(information.st_mode), "%s cannot be made", path);
}

/* Not PoCL's marks of use, nor what a process that was killed left half written. */
static bool is_kernel_file(const char *name) {
    return name[0] != '.' && strncmp(name, "tempfile", 8) != 0 && strcmp(name, "last_accessed") != 0 &&
           unfinished_stem(name) < 0;
}

/* Does `action` with each file below `from` and its place below `to`, whose folders are made. */
static void walk(const char *from, const char *to, file_action *action) {
    DIR *folder = opendir(from);
    if (folder == NULL) return;
    make_folder(to);
    for (const struct dirent *entry = readdir(folder); entry != NULL; entry = readdir(folder)) {
        char here[PATH_SIZE], there[PATH_SIZE];
        if (!is_kernel_file(entry->d_name)) continue;
        cr_assert_lt(snprintf(here, sizeof here, "%s/%s", from, entry->d_name), PATH_SIZE);
        cr_assert_lt(snprintf(there, sizeof there, "%s/%s", to, entry->d_name), PATH_SIZE);
        if (entry->d_type == DT_DIR)
            walk(here, there, action);
        else
            action(here, there);
    }
    closedir(folder);
}

/* A symbolic link, as the two folders may lie on different file systems. */
static void borrow(const char *from, const char *to) {
    cr_assert_eq(symlink(from, to), 0, "%s cannot be made", to);
}

/* Other tests see the whole file or none. What was borrowed is there already; what cannot be given is compiled again. */
static void give(const char *from, const char *to) {
    struct stat information;
    file_view view = {0};
    if (lstat(from, &information) != 0 || !S_ISREG(information.st_mode) || access(to, F_OK) == 0) return;
    if (file_view_open(from, &view, NULL) != TANDA_OK) return;
    const file_part whole = {view.data, view.size};
    file_write_atomically(to, &whole, 1, NULL);
    file_view_close(&view);
}

void keep_kernels(const char *folder) {
    make_folder(folder);
    make_folder(TANDA_TEST_KERNELS);
    make_folder(MESA_KERNELS);
    setenv("POCL_CACHE_DIR", folder, 1);
    setenv("MESA_SHADER_CACHE_DIR", MESA_KERNELS, 1);
}

void borrow_kernels(const char *folder) {
    walk(POCL_KERNELS, folder, borrow);
}

void give_kernels(const char *folder) {
    make_folder(TANDA_TEST_KERNELS);
    walk(folder, POCL_KERNELS, give);
}
