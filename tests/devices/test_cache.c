/* Compiled kernels kept in files: where, when they are taken, and that a bad file does no harm. */
#include <criterion/criterion.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backend/opencl/cache.h"
#include "backend/opencl/find.h"
#include "backend/selftest.h"
#include "support/digest.h"
#include "support/file.h"
#include "support/file_writer.h"
#include "support_checks.h"

#define NOBODY 65534

TestSuite(cache, .fini = forget_opencl);

static char path[512]; /* of the one file, after find_file */

/* How many files are in a folder below the test's own; a folder that is not there has none. */
static size_t find_file(const char *name) {
    char folder[256];
    size_t count = 0;
    snprintf(folder, sizeof folder, "%s/%s", temporary_folder(), name);
    DIR *entries = opendir(folder);
    for (struct dirent *entry; entries != NULL && (entry = readdir(entries)) != NULL;) {
        if (entry->d_name[0] == '.') continue;
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        count++;
    }
    if (entries != NULL) closedir(entries);
    return count;
}

/* A file that is written anew has another number: it is made beside the old one. */
static ino_t number_of_file(void) {
    struct stat information;
    cr_assert_eq(find_file("deep/cache"), 1);
    cr_assert_eq(stat(path, &information), 0);
    return information.st_ino;
}

static void set_folder(const char *variable, const char *name) {
    char folder[256];
    snprintf(folder, sizeof folder, "%s/%s", temporary_folder(), name);
    setenv(variable, folder, 1);
}

/* Building is enough to see which files there are; to run what it has built takes rusticl most of a minute. */
static void open_and_close(const char *kernel_folder) {
    tanda_device_close(open_opencl(kernel_folder));
}

/* ---- a kernel that compiles at once ------------------------------------------------------------------- */

static const char tiny_kernel[] = "kernel void set(global int *x) { x[0] = 1; }";

/* With its place in deep/cache. */
typedef struct kept_kernel {
    cl_device_id device;
    cl_context context;
    cl_program program;
    opencl_cache cache;
} kept_kernel;

static kept_kernel keep_kernel(void) {
    kept_kernel made = {0};
    found_device found[MOST_DEVICES];
    device_remarks remarks = {0};
    const char *text = tiny_kernel;
    cr_assert_gt(opencl_find_devices(found, &remarks), 0);
    made.device = found[0].device;
    made.context = clCreateContext(NULL, 1, &made.device, NULL, NULL, NULL);
    made.program = clCreateProgramWithSource(made.context, 1, &text, NULL, NULL);
    cr_assert_eq(clBuildProgram(made.program, 1, &made.device, "", NULL, NULL), CL_SUCCESS);
    set_folder("TANDA_CACHE_DIR", "deep/cache");
    cr_assert(opencl_cache_find(made.device, text, "", &made.cache));
    opencl_cache_keep(&made.cache, made.program);
    cr_assert_eq(find_file("deep/cache"), 1);
    return made;
}

static void forget_kernel(kept_kernel *kept) {
    clReleaseProgram(kept->program);
    clReleaseContext(kept->context);
}

static bool is_taken(const kept_kernel *kept) {
    cl_program program = opencl_cache_load(&kept->cache, kept->context, kept->device, "");
    if (program != NULL) clReleaseProgram(program);
    return program != NULL;
}

/* ---- what is kept is taken ---------------------------------------------------------------------------- */

static void write_file(const void *data, size_t size) {
    tanda_error error = {0};
    const file_part part = {data, size};
    cr_assert_eq(file_write_atomically(path, &part, 1, &error), TANDA_OK, "%s", error.message);
}

/* The file, with one bit another, then cut short, then with nothing in it. */
static void damage_file(int how) {
    tanda_error error = {0};
    file_view view = {0};
    cr_assert_eq(file_view_open(path, &view, &error), TANDA_OK, "%s", error.message);
    unsigned char *copy = malloc(view.size);
    memcpy(copy, view.data, view.size);
    copy[view.size / 2] ^= 1;
    write_file(copy, how == 0 ? view.size : how == 1 ? view.size / 2 : 0);
    free(copy);
    file_view_close(&view);
}

/* What passes for whole, but is no program: the driver refuses it. */
static void write_nonsense(void) {
    static const char nonsense[] = "this is no program of any driver";
    char digest[DIGEST_TEXT_SIZE], text[256];
    digest_sha256(nonsense, sizeof nonsense - 1, digest);
    int length = snprintf(text, sizeof text, "tanda kernels 1\n%s\n%s", digest, nonsense);
    write_file(text, (size_t)length);
}

static void expect_kept_and_taken(void) {
    set_folder("TANDA_CACHE_DIR", "deep/cache");
    open_and_close(NULL);
    ino_t kept = number_of_file();
    open_and_close(NULL);
    cr_expect_eq(number_of_file(), kept, "the kernels were built again");
}

/* rusticl would end the process: no driver sees a damaged file. */
Test(cache, a_damaged_file_is_not_taken) {
    if (!use_opencl("rusticl")) return;
    kept_kernel kept = keep_kernel();
    for (int how = 0; how < 3; how++) {
        cr_expect(is_taken(&kept));
        damage_file(how);
        cr_expect_not(is_taken(&kept), "damage %d was not noticed", how);
        opencl_cache_keep(&kept.cache, kept.program);
    }
    cr_expect(is_taken(&kept), "the kernels are not kept any more");
    forget_kernel(&kept);
}

Test(cache, kernels_are_built_once_unless_the_driver_refuses_their_file_and_the_next_ones_are_exact) {
    if (!use_opencl("pocl")) return;
    expect_kept_and_taken();
    write_nonsense();
    ino_t bad = number_of_file();
    backend *backend = open_opencl(NULL);
    ino_t replaced = number_of_file();
    cr_expect_neq(replaced, bad, "the nonsense was not noticed");
    backend->executor = "ops"; /* of this file alone */
    MUST(selftest_run(backend, NULL, error));
    cr_expect_eq(tanda_device_grade(backend, NULL), TANDA_GRADE_EXACT);
    tanda_device_close(backend);
    open_and_close(NULL);
    cr_expect_eq(number_of_file(), replaced, "the kernels are not kept any more");
}

/* ---- what others could have made ---------------------------------------------------------------------- */

/* What is at path is not taken; one that is ours comes in its place. */
static void expect_replaced(const kept_kernel *kept, const char *what) {
    struct stat after;
    cr_expect_not(is_taken(kept), "%s was taken", what);
    opencl_cache_keep(&kept->cache, kept->program);
    cr_assert_eq(lstat(path, &after), 0);
    cr_expect(S_ISREG(after.st_mode) && (after.st_mode & 07777) == 0600 && after.st_uid == geteuid(), "%s",
              what);
    cr_expect(is_taken(kept), "%s: the kernels are not kept any more", what);
    cr_expect_eq(find_file("deep/cache"), 1);
}

Test(cache, a_file_that_others_may_write_is_not_taken) {
    static const mode_t modes[] = {0666, 0620, 0602};
    if (!use_opencl("rusticl")) return;
    umask(0);
    kept_kernel kept = keep_kernel();
    cr_expect(is_taken(&kept));
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
        cr_assert_eq(chmod(path, modes[i]), 0);
        expect_replaced(&kept, "a file that others may write");
    }
    cr_assert_eq(chmod(path, 0644), 0);
    cr_expect(is_taken(&kept), "a file that others may read is not taken");
    if (geteuid() == 0) {
        cr_assert_eq(chown(path, NOBODY, NOBODY), 0);
        expect_replaced(&kept, "a file of nobody");
    }
    forget_kernel(&kept);
}

Test(cache, only_a_regular_file_is_taken_and_no_link_is_followed, .timeout = 60) {
    char elsewhere[512];
    if (!use_opencl("rusticl")) return;
    kept_kernel kept = keep_kernel();
    snprintf(elsewhere, sizeof elsewhere, "%s/elsewhere", temporary_folder());
    cr_assert_eq(rename(path, elsewhere), 0);
    cr_expect_not(is_taken(&kept), "there is none");
    cr_assert_eq(symlink(elsewhere, path), 0);
    expect_replaced(&kept, "a link");
    cr_assert_eq(unlink(path), 0);
    cr_assert_eq(mkfifo(path, 0600), 0);
    expect_replaced(&kept, "a FIFO");
    cr_assert_eq(unlink(path), 0);
    cr_assert_eq(mkdir(path, 0700), 0);
    opencl_cache_keep(&kept.cache, kept.program);
    cr_expect_not(is_taken(&kept), "a folder is no file");
    cr_expect_eq(find_file("deep/cache"), 1, "something was left beside it");
    forget_kernel(&kept);
}

/* Neither read nor written: another could put a file in the place of ours. */
static void expect_left_alone(const kept_kernel *kept, const char *what) {
    struct stat before, after;
    cr_assert_eq(stat(path, &before), 0);
    cr_expect_not(is_taken(kept), "%s was read from", what);
    opencl_cache_keep(&kept->cache, kept->program);
    cr_assert_eq(find_file("deep/cache"), 1, "%s was written to", what);
    cr_assert_eq(stat(path, &after), 0);
    cr_expect_eq(after.st_ino, before.st_ino, "%s was written to", what);
}

Test(cache, a_folder_that_others_may_write_is_left_alone) {
    static const mode_t modes[] = {0777, 01777, 0770, 0702};
    char folder[256];
    if (!use_opencl("rusticl")) return;
    kept_kernel kept = keep_kernel();
    snprintf(folder, sizeof folder, "%s/deep/cache", temporary_folder());
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
        cr_assert_eq(chmod(folder, modes[i]), 0);
        expect_left_alone(&kept, "a folder that others may write");
    }
    cr_assert_eq(chmod(folder, 0755), 0);
    cr_expect(is_taken(&kept), "a folder that others may read is not used");
    if (geteuid() == 0) {
        cr_assert_eq(chown(folder, NOBODY, NOBODY), 0);
        expect_left_alone(&kept, "a folder of nobody");
    }
    forget_kernel(&kept);
}

/* It is the folder behind the link that is looked at. */
Test(cache, a_link_to_a_folder_of_ours_is_followed) {
    char folder[256], link[256];
    if (!use_opencl("rusticl")) return;
    kept_kernel kept = keep_kernel();
    snprintf(folder, sizeof folder, "%s/deep/cache", temporary_folder());
    snprintf(link, sizeof link, "%s/link", temporary_folder());
    cr_assert_eq(symlink(folder, link), 0);
    set_folder("TANDA_CACHE_DIR", "link");
    cr_assert(opencl_cache_find(kept.device, tiny_kernel, "", &kept.cache));
    cr_expect(is_taken(&kept));
    cr_assert_eq(chmod(folder, 0777), 0);
    expect_left_alone(&kept, "a folder behind a link");
    forget_kernel(&kept);
}

/* ---- places ------------------------------------------------------------------------------------------- */

Test(cache, an_empty_folder_name_keeps_nothing) {
    if (!use_opencl("rusticl")) return;
    kept_kernel kept = keep_kernel();
    set_folder("XDG_CACHE_HOME", "xdg");
    set_folder("HOME", "home");
    setenv("TANDA_CACHE_DIR", "", 1);
    cr_expect_not(opencl_cache_find(kept.device, tiny_kernel, "", &kept.cache));
    forget_kernel(&kept);
}

static void expect_kept_in(kept_kernel *kept, const char *name) {
    cr_assert(opencl_cache_find(kept->device, tiny_kernel, "", &kept->cache));
    opencl_cache_keep(&kept->cache, kept->program);
    cr_expect_eq(find_file(name), 1);
}

Test(cache, without_a_wish_it_is_the_cache_folder_of_the_user) {
    if (!use_opencl("rusticl")) return;
    kept_kernel kept = keep_kernel();
    unsetenv("TANDA_CACHE_DIR");
    set_folder("HOME", "home");
    set_folder("XDG_CACHE_HOME", "xdg");
    expect_kept_in(&kept, "xdg/tanda");
    unsetenv("XDG_CACHE_HOME");
    expect_kept_in(&kept, "home/.cache/tanda");
    forget_kernel(&kept);
}

Test(cache, pocl_keeps_its_own_unless_a_folder_is_named) {
    if (!use_opencl("pocl")) return;
    unsetenv("TANDA_CACHE_DIR");
    set_folder("XDG_CACHE_HOME", "xdg");
    open_and_close(NULL);
    cr_expect_eq(find_file("xdg/tanda"), 0);
}

Test(cache, kernels_from_a_folder_are_not_kept) {
    if (!use_opencl("pocl")) return;
    set_folder("TANDA_CACHE_DIR", "deep/cache");
    open_and_close(TANDA_SOURCE_DIR "/kernels");
    cr_expect_eq(find_file("deep/cache"), 0);
}

Test(cache, a_folder_that_cannot_be_written_is_no_failure) {
    if (!use_opencl("rusticl")) return;
    kept_kernel kept = keep_kernel();
    setenv("TANDA_CACHE_DIR", "/proc/tanda", 1);
    cr_assert(opencl_cache_find(kept.device, tiny_kernel, "", &kept.cache));
    opencl_cache_keep(&kept.cache, kept.program);
    cr_expect_not(is_taken(&kept));
    forget_kernel(&kept);
}
