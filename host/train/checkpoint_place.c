#include "train/checkpoint.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/file.h"
#include "support/file_same.h"
#include "support/file_writer.h"
#include "support/memory.h"
#include "support/text.h"
#include "train/checkpoint_file.h"

/* ---- names --------------------------------------------------------------------------------------------- */

static bool is_step_name(const char *name, size_t length) {
    const size_t prefix = sizeof CHECKPOINT_STEP_PREFIX - 1, suffix = sizeof CHECKPOINT_SUFFIX - 1;
    if (strncmp(name, CHECKPOINT_STEP_PREFIX, prefix) != 0) return false;
    const size_t digits = strspn(name + prefix, "0123456789");
    return digits >= CHECKPOINT_STEP_DIGITS && length == prefix + digits + suffix &&
           strncmp(name + prefix + digits, CHECKPOINT_SUFFIX, suffix) == 0;
}

static bool is_step_file(const char *name) {
    return is_step_name(name, strlen(name));
}

static bool is_own_name(const char *name, size_t length, const void *context) {
    (void)context;
    const bool is_best = length == sizeof CHECKPOINT_BEST - 1 && strncmp(name, CHECKPOINT_BEST, length) == 0;
    return is_best || is_step_name(name, length) ||
           (length == sizeof CHECKPOINT_LOCK - 1 && strncmp(name, CHECKPOINT_LOCK, length) == 0);
}

bool checkpoint_holds(const char *name) {
    const ssize_t stem = unfinished_stem(name);
    return is_own_name(name, stem < 0 ? strlen(name) : (size_t)stem, NULL);
}

tanda_status path_join(const char *folder, const char *name, char **path, tanda_error *error) {
    if (asprintf(path, "%s%s%s", folder, text_ends(folder, "/") ? "" : "/", name) >= 0) return TANDA_OK;
    *path = NULL;
    return fail(error, TANDA_FAILED, "out of memory for a path");
}

static const char *base_of(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash == NULL ? path : slash + 1;
}

/* ---- listing ------------------------------------------------------------------------------------------- */

void names_free(names *names) {
    free_texts(names->texts, names->count);
    *names = (struct names){0};
}

/* By step, the newest first: longer numbers are larger. */
static int newest_first(const void *a, const void *b) {
    const char *left = *(char *const *)a, *right = *(char *const *)b;
    const size_t lengths[] = {strlen(left), strlen(right)};
    if (lengths[0] != lengths[1]) return lengths[0] < lengths[1] ? 1 : -1;
    return strcmp(right, left);
}

tanda_status checkpoint_list(const char *folder, names *names, tanda_error *error) {
    tanda_status status = TANDA_OK;
    DIR *directory = opendir(folder);
    if (directory == NULL) return fail_path(error, folder, "cannot be listed: ", errno);
    for (const struct dirent *entry; status == TANDA_OK && (entry = readdir(directory)) != NULL;) {
        if (!is_step_file(entry->d_name)) continue;
        char **more = reallocarray(names->texts, names->count + 1, sizeof *more);
        if (more != NULL) names->texts = more;
        char *name = more == NULL ? NULL : strdup(entry->d_name);
        if (name == NULL) status = fail(error, TANDA_FAILED, "out of memory for the names in %s", folder);
        if (name != NULL) names->texts[names->count++] = name;
    }
    closedir(directory);
    if (names->count > 1) qsort(names->texts, names->count, sizeof *names->texts, newest_first);
    return status;
}

/* ---- what is there already ----------------------------------------------------------------------------- */

tanda_status files_are_same(const char *a, const char *b, bool *same, tanda_error *error) {
    const char *paths[] = {a, b};
    struct stat found[2];
    *same = false;
    for (int i = 0; i < 2; i++)
        if (stat(paths[i], &found[i]) != 0)
            return errno == ENOENT ? TANDA_OK
                                   : fail(error, TANDA_FAILED, "%s: %s", paths[i], strerror(errno));
    *same = is_same_file(&found[0], &found[1]);
    return TANDA_OK;
}

tanda_status resumes_from(const char *resume, const char *folder, bool *does, tanda_error *error) {
    char *around = NULL;
    *does = false;
    if (resume == NULL) return TANDA_OK;
    tanda_status status = files_are_same(resume, folder, does, error);
    if (status != TANDA_OK || *does) return status;
    status = file_folder(resume, &around, error);
    if (status == TANDA_OK) status = files_are_same(around, folder, does, error);
    free(around);
    return status;
}

/* Before a folder of that name is made: what is resumed must be there, and be a checkpoint if it cannot be a folder. */
static tanda_status check_resumed(const char *resume, tanda_error *error) {
    struct stat information;
    if (resume == NULL) return TANDA_OK;
    if (stat(resume, &information) != 0) return fail_path(error, resume, "", errno);
    if (S_ISDIR(information.st_mode) || !checkpoint_is_folder(resume)) return TANDA_OK;
    return checkpoint_file_check(resume, NULL, error);
}

static tanda_status check_folder(const char *folder, const char *resume, tanda_error *error) {
    names names = {0};
    char *best = NULL;
    bool resumes = false;
    tanda_status status = resumes_from(resume, folder, &resumes, error);
    if (status != TANDA_OK || resumes) return status;
    status = checkpoint_list(folder, &names, error);
    if (status == TANDA_OK) status = path_join(folder, CHECKPOINT_BEST, &best, error);
    if (status == TANDA_OK && names.count > 0)
        status =
            fail(error, TANDA_USAGE,
                 "checkpoint %s: it holds checkpoints of an earlier training; resume that, or name another "
                 "folder",
                 folder);
    else if (status == TANDA_OK && access(best, F_OK) == 0)
        status = fail(error, TANDA_USAGE,
                      "checkpoint %s: it holds a " CHECKPOINT_BEST ", which would be replaced; name another "
                      "folder",
                      folder);
    names_free(&names);
    free(best);
    return status;
}

/* An empty file, such as mktemp makes, holds nothing. */
static tanda_status check_file(const char *path, const char *resume, tanda_error *error) {
    struct stat information;
    tanda_error reason = {0};
    bool same = false;
    if (resume != NULL) {
        const tanda_status status = files_are_same(resume, path, &same, error);
        if (status != TANDA_OK || same) return status;
    }
    if (stat(path, &information) != 0)
        return errno == ENOENT ? TANDA_OK
                               : fail(error, TANDA_FAILED, "checkpoint %s: %s", path, strerror(errno));
    if (!S_ISREG(information.st_mode))
        return fail(error, TANDA_USAGE, "checkpoint %s: it is there and no regular file; name another", path);
    if (information.st_size == 0) return TANDA_OK;
    const tanda_status status = checkpoint_file_check(path, NULL, &reason);
    if (status != TANDA_OK && status != TANDA_BAD_INPUT) return fail(error, status, "%s", reason.message);
    if (status == TANDA_OK)
        return fail(error, TANDA_USAGE,
                    "checkpoint %s: it holds a checkpoint of an earlier training; resume that, or name "
                    "another file",
                    path);
    return fail(error, TANDA_USAGE,
                "checkpoint %s: it holds something else than a checkpoint, which would be replaced; name "
                "another file",
                path);
}

/* ---- taking -------------------------------------------------------------------------------------------- */

/* A name that a folder of checkpoints has for its files is under that folder's lock. */
static tanda_status lock_name(const char *base, char **name, tanda_error *error) {
    if (base == NULL || is_step_file(base) || strcmp(base, CHECKPOINT_BEST) == 0)
        return copy_text(name, CHECKPOINT_LOCK, error);
    if (asprintf(name, "%s" CHECKPOINT_LOCK, base) >= 0) return TANDA_OK;
    *name = NULL;
    return fail(error, TANDA_FAILED, "out of memory for a path");
}

static tanda_status lock(const char *path, const char *folder, const char *base, checkpoint_place *place,
                         tanda_error *error) {
    char *name = NULL;
    long holder = 0;
    tanda_status status = lock_name(base, &name, error);
    if (status == TANDA_OK) status = lock_take(folder, name, &place->lock, &holder, error);
    free(name);
    if (status != TANDA_OK || holder == 0) return status;
    char who[64] = "another process";
    if (holder != LOCK_HOLDER_UNKNOWN) text_put(who, sizeof who, "process %ld", holder);
    return fail(error, TANDA_USAGE,
                "checkpoint %s: %s saves its training there; wait for its end, or name another place", path,
                who);
}

/* base: NULL for a folder of checkpoints. */
static tanda_status take(const char *path, const char *folder, const char *base, const char *resume,
                         checkpoint_place *place, tanda_error *error) {
    if (access(folder, W_OK | X_OK) != 0)
        return fail(error, TANDA_FAILED, "checkpoint %s: its folder cannot be written to: %s", path,
                    strerror(errno));
    tanda_status status = lock(path, folder, base, place, error);
    if (status == TANDA_OK)
        status = base == NULL ? check_folder(folder, resume, error) : check_file(path, resume, error);
    if (status != TANDA_OK) return status;
    /* Whether files can be written there; what dead processes left unfinished goes. */
    if (base != NULL) return file_writer_check(path, error);
    char *best = NULL;
    status = path_join(path, CHECKPOINT_BEST, &best, error);
    if (status == TANDA_OK) status = file_writer_check(best, error);
    if (status == TANDA_OK) unfinished_remove_dead(path, geteuid(), is_own_name, NULL);
    free(best);
    return status;
}

static tanda_status take_folder(const char *path, const char *resume, checkpoint_place *place,
                                tanda_error *error) {
    const bool is_new = access(path, F_OK) != 0;
    tanda_status status = file_make_folder(path, error);
    if (status == TANDA_OK && is_new) status = copy_text(&place->made, path, error);
    return status == TANDA_OK ? take(path, path, NULL, resume, place, error) : status;
}

static tanda_status take_file(const char *path, const char *resume, checkpoint_place *place,
                              tanda_error *error) {
    file_target target; /* at the end of links, which need not be there */
    char *folder = NULL;
    const int code = file_target_find(path, &target);
    if (code != 0) return fail(error, TANDA_FAILED, "checkpoint %s: %s", path, strerror(code));
    tanda_status status = file_folder(target.path, &folder, error);
    if (status == TANDA_OK) status = take(path, folder, base_of(target.path), resume, place, error);
    free(folder);
    return status;
}

tanda_status checkpoint_place_take(const char *path, const char *resume, checkpoint_place *place,
                                   tanda_error *error) {
    *place = (checkpoint_place){0};
    const tanda_status status = check_resumed(resume, error);
    if (status != TANDA_OK) return status;
    return checkpoint_is_folder(path) ? take_folder(path, resume, place, error)
                                      : take_file(path, resume, place, error);
}

void checkpoint_place_leave(checkpoint_place *place) {
    lock_release(&place->lock);
    if (place->made != NULL) rmdir(place->made); /* which only removes an empty one */
    free(place->made);
    place->made = NULL;
}
