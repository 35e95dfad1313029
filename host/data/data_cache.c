#include "data/data_cache.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "data/shards.h"
#include "data/shards_meta.h"
#include "support/file.h"
#include "support/file_writer.h"
#include "support/lock.h"
#include "support/memory.h"

/* What is done in memory alone. */
static tanda_status check_options(const char *path, const tanda_dataset_options *options,
                                  tanda_error *error) {
    const char *flag = options->labels != NULL && !options->without_target ? "--labels"
                       : options->copy_count > 0                           ? "--copy"
                                                                           : NULL;
    if (flag == NULL) return TANDA_OK;
    return fail(error, TANDA_USAGE,
                "%s: %s does not go with --data-cache; give a greater --memory, or have all in one text",
                path, flag);
}

static void note(const tanda_dataset_options *options, const char *folder, const char *path) {
    char *text = NULL;
    if (options->on_note == NULL ||
        asprintf(&text, "%s: %s has changed since; it is made anew", folder, path) < 0)
        return;
    options->on_note(text, options->context);
    free(text);
}

/* Whether the entry is whole, and of the text as it is. What cannot be read is no entry. */
static bool is_fresh(const char *folder, const char *path, const request *request, const cache_key *key) {
    shards_meta meta = {0};
    bool found = false;
    if (shards_are_in(folder, &found, NULL) != TANDA_OK || !found ||
        shards_meta_read(folder, &meta, NULL) != TANDA_OK)
        return false;
    const bool is_same = meta.identity != NULL && strcmp(meta.identity, key->identity) == 0;
    if (!is_same) note(request->options, folder, path);
    shards_meta_free(&meta);
    return is_same;
}

/* meta.json first: without it nothing else is looked at. */
static void empty(const char *folder) {
    char *meta = NULL;
    if (shards_path(folder, SHARDS_META, &meta, NULL) == TANDA_OK) unlink(meta);
    free(meta);
    DIR *directory = opendir(folder);
    for (const struct dirent *entry; directory != NULL && (entry = readdir(directory)) != NULL;)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            unlinkat(dirfd(directory), entry->d_name, 0);
    if (directory != NULL) closedir(directory);
}

/* As it is: what was asked for was done when the entry was made. */
static tanda_status open_entry(const char *folder, const request *request, tanda_dataset *dataset,
                               tanda_error *error) {
    const tanda_dataset_options options = {.without_target = request->options->without_target};
    const struct request whole = {.options = &options};
    const tanda_status status = shards_open(folder, &whole, dataset, error);
    dataset->task_was_found = dataset->task_was_found && request_task(request) == TANDA_TASK_AUTO;
    return status;
}

/* Holds the entry's lock. */
static tanda_status make_entry(const char *folder, const text_files *files, const request *request,
                               const cache_key *key, bool is_held, tanda_error *error) {
    const int number = unfinished_folder(folder);
    if (is_held) empty(folder);
    const tanda_status status = cache_write(folder, files, request, key, error);
    if (status != TANDA_OK) rmdir(folder);
    unfinished_folder_done(number);
    return status;
}

static tanda_status make_folder(const char *path, tanda_error *error) {
    tanda_error reason;
    const tanda_status status = file_make_folder(path, &reason);
    return status == TANDA_OK ? status : fail(error, status, "--data-cache: %s", reason.message);
}

tanda_status data_cache_load(const text_files *files, const request *request, tanda_dataset *dataset,
                             tanda_error *error) {
    const tanda_dataset_options *options = request->options;
    cache_key key = {0};
    char *folder = NULL;
    int lock = -1;
    bool is_held = false;
    tanda_status status = check_options(files->path, options, error);
    if (status == TANDA_OK) status = cache_key_find(files, request, &key, error);
    if (status == TANDA_OK) status = make_folder(options->cache, error);
    if (status == TANDA_OK) status = shards_path(options->cache, key.name, &folder, error);
    if (status == TANDA_OK) status = lock_folder(folder, &lock, &is_held, error);
    if (status == TANDA_OK && !is_fresh(folder, files->path, request, &key))
        status = make_entry(folder, files, request, &key, is_held, error);
    if (status == TANDA_OK) status = open_entry(folder, request, dataset, error);
    if (lock >= 0) close(lock);
    free(folder);
    cache_key_free(&key);
    return status;
}
