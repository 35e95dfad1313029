#include "support/file_check.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "support/file_same.h"
#include "support/file_writer.h"
#include "support/text.h"

/* ---- what a name stands for ---------------------------------------------------------------------------- */

/* A name in a folder. */
typedef struct entry {
    bool is_known; /* the folder is there */
    struct stat folder;
    char name[NAME_MAX + 1];
} entry;

static entry entry_of(const char *path) {
    char copy[PATH_MAX];
    entry made = {0};
    if (strlen(path) >= sizeof copy) return made;
    strcpy(copy, path);
    const char *name = basename(copy);
    if (strlen(name) >= sizeof made.name) return made;
    strcpy(made.name, name);
    strcpy(copy, path);
    made.is_known = stat(dirname(copy), &made.folder) == 0;
    return made;
}

static bool same_folder(const entry *a, const entry *b) {
    return a->is_known && b->is_known && is_same_file(&a->folder, &b->folder);
}

/* target: found; a file that cannot be is like none. */
typedef struct subject {
    const named_file *file;
    file_target target;
    entry link, place; /* the path as given, and with links followed */
} subject;

static bool look(const named_file *file, subject *made) {
    *made = (subject){.file = file};
    if (file->path == NULL || file_target_find(file->path, &made->target) != 0) return false;
    made->link = entry_of(file->path);
    made->place = entry_of(made->target.path);
    return true;
}

static bool is_output(const named_file *file) {
    return file->use == FILE_REPLACED || file->use == FILE_STREAMED;
}

/* ---- pairs --------------------------------------------------------------------------------------------- */

static bool same_inode(const struct stat *a, const struct stat *b) {
    return S_ISREG(a->st_mode) && S_ISREG(b->st_mode) && is_same_file(a, b);
}

/* A pipe that is read and written would wait for itself. Two outputs may share one, and a device. */
static bool same_pipe(const subject *a, const subject *b) {
    const struct stat *x = &a->target.information, *y = &b->target.information;
    return is_output(a->file) != is_output(b->file) && S_ISFIFO(x->st_mode) && S_ISFIFO(y->st_mode) &&
           is_same_file(x, y);
}

static bool same_file(const subject *a, const subject *b) {
    if (a->target.kind != FILE_ABSENT || b->target.kind != FILE_ABSENT)
        return same_inode(&a->target.information, &b->target.information); /* all zero where absent */
    return same_folder(&a->place, &b->place) && strcmp(a->place.name, b->place.name) == 0;
}

/* A file of the folder leads to the other one by a link. */
static bool folder_links_to(const subject *folder, const subject *other) {
    struct stat found;
    bool is_there = false;
    DIR *directory = opendir(folder->target.path);
    if (directory == NULL) return false;
    for (const struct dirent *at; !is_there && (at = readdir(directory)) != NULL;)
        is_there = folder->file->holds(at->d_name) && fstatat(dirfd(directory), at->d_name, &found, 0) == 0 &&
                   same_inode(&found, &other->target.information);
    closedir(directory);
    return is_there;
}

static bool folder_holds(const subject *folder, const subject *other) {
    if (folder->file->holds == NULL || folder->target.kind != FILE_FOLDER) return false;
    const entry *const places[] = {&other->link, &other->place};
    for (size_t i = 0; i < 2; i++)
        if (places[i]->is_known && is_same_file(&folder->target.information, &places[i]->folder) &&
            folder->file->holds(places[i]->name))
            return true;
    return folder_links_to(folder, other);
}

/* `other` would be removed as what a dead process left of `output`. */
static bool is_unfinished_of(const subject *output, const subject *other) {
    const ssize_t stem = unfinished_stem(other->place.name);
    return output->file->use == FILE_REPLACED && stem >= 0 && same_folder(&output->place, &other->place) &&
           strlen(output->place.name) == (size_t)stem &&
           strncmp(output->place.name, other->place.name, (size_t)stem) == 0;
}

/* a comes after b in the list. */
static bool collide(const subject *a, const subject *b) {
    if (!is_output(a->file) && !is_output(b->file)) return false;
    if (is_unfinished_of(a, b) || is_unfinished_of(b, a)) return true;
    if (a->file->use == FILE_REPLACED && b->file->use == FILE_READ_FIRST) return false;
    if (a->file->use == FILE_READ_FIRST && b->file->use == FILE_REPLACED) return false;
    return same_file(a, b) || same_pipe(a, b) || folder_holds(a, b) || folder_holds(b, a);
}

static tanda_status check_pair(const named_file *a, const named_file *b, tanda_error *error) {
    subject left, right;
    if (!look(a, &left) || !look(b, &right) || !collide(&left, &right)) return TANDA_OK;
    const named_file *named = is_output(a) ? a : b, *other = named == a ? b : a;
    return fail(error, TANDA_USAGE, "%s %s: %s %s %s; name another file", named->flag, named->path,
                other->flag, other->path,
                is_output(other) ? "writes it too" : "reads it, and it would be lost");
}

/* ---- the right to write --------------------------------------------------------------------------------- */

static tanda_status check_folder(const char *path, tanda_error *error) {
    struct stat information;
    char copy[PATH_MAX];
    if (!text_fit(copy, sizeof copy, "%s", path))
        return fail(error, TANDA_FAILED, "%s: %s", path, strerror(ENAMETOOLONG));
    const bool is_there = stat(path, &information) == 0;
    if (is_there && !S_ISDIR(information.st_mode))
        return fail(error, TANDA_FAILED, "%s: it is no folder", path);
    if (!is_there && errno != ENOENT) return fail(error, TANDA_FAILED, "%s: %s", path, strerror(errno));
    if (faccessat(AT_FDCWD, is_there ? path : dirname(copy), W_OK | X_OK, AT_EACCESS) == 0) return TANDA_OK;
    return fail(error, TANDA_FAILED, "%s: %s: %s", path,
                is_there ? "the folder cannot be written to" : "the folder cannot be made", strerror(errno));
}

/* A file that is written in place needs no right to its folder. */
static tanda_status check_stream(const char *path, tanda_error *error) {
    file_target target;
    if (file_target_find(path, &target) == 0 && target.kind != FILE_ABSENT)
        return file_target_check(&target, path, error);
    return file_writer_check(path, error);
}

static tanda_status check_right(const named_file *file, tanda_error *error) {
    tanda_error reason = {0};
    if (file->path == NULL || !is_output(file)) return TANDA_OK;
    if (file->path[0] == '\0')
        return fail(error, TANDA_USAGE, "%s: the name is empty; name a file", file->flag);
    const tanda_status status = file->holds != NULL          ? check_folder(file->path, &reason)
                                : file->use == FILE_STREAMED ? check_stream(file->path, &reason)
                                                             : file_writer_check(file->path, &reason);
    return status == TANDA_OK ? status : fail(error, status, "%s %s", file->flag, reason.message);
}

tanda_status files_check(const named_file *files, size_t count, tanda_error *error) {
    tanda_status status = TANDA_OK;
    for (size_t i = 0; status == TANDA_OK && i < count; i++)
        for (size_t j = 0; status == TANDA_OK && j < i; j++)
            status = check_pair(&files[i], &files[j], error);
    for (size_t i = 0; status == TANDA_OK && i < count; i++)
        status = check_right(&files[i], error);
    return status;
}
