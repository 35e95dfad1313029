/* What an entry of the cache is of: the file, and everything that decides how it is read. */
#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "data/data_cache.h"
#include "data/preparation.h"
#include "support/digest.h"
#include "support/file_range.h"
#include "support/memory.h"
#include "support/text.h"
#include "tanda.h"

#define LAYOUT 1 /* of an entry */
#define LOOKED_AT ((size_t)1 << 20)
#define NAME_SHOWN 40
#define NAME_DIGITS 16

/* ---- the way it is read ------------------------------------------------------------------------------------ */

static void put_text(FILE *out, const char *key, const char *text) {
    if (text == NULL)
        fprintf(out, "%s -\n", key);
    else
        fprintf(out, "%s %zu:%s\n", key, strlen(text), text);
}

static void put_texts(FILE *out, const char *key, const char *const *texts, size_t count) {
    fprintf(out, "%s %zu\n", key, texts == NULL ? 0 : count);
    for (size_t i = 0; texts != NULL && i < count; i++)
        put_text(out, "", texts[i]);
}

static void put_options(FILE *out, const tanda_dataset_options *options) {
    put_text(out, "format", options->format);
    put_text(out, "target", options->target);
    put_text(out, "weight", options->sample_weight);
    put_text(out, "comment", options->comment);
    put_texts(out, "ignore", options->ignore, options->ignore_count);
    put_texts(out, "features", options->features, options->feature_count);
    put_texts(out, "categorical", options->categorical, options->categorical_count);
    put_texts(out, "missing", options->missing_values, options->missing_value_count);
    fprintf(out, "%d %d %d %d %d %d %d %d %d %d %zu\n", (int)options->header, (int)options->missing,
            (int)options->task, options->categorical_auto, options->without_target,
            options->drop_missing_targets, options->labels_of_several, options->keep_origins,
            options->delimiter, options->decimal, options->skip_lines);
}

static void put_origins(FILE *out, const dataset_expectation *of) {
    fprintf(out, "origins %d\n", of != NULL);
    for (size_t i = 0; of != NULL && of->origins != NULL && i < of->feature_count; i++)
        fprintf(out, "%a\n", of->origins[i]);
}

static void put_expected(FILE *out, const dataset_expectation *expected) {
    if (expected == NULL) return;
    const size_t features = expected->feature_count;
    put_texts(out, "expected", (const char *const *)expected->feature_names, features);
    put_texts(out, "classes", (const char *const *)expected->class_names, expected->class_count);
    put_text(out, "target", expected->target_name);
    put_texts(out, "targets", (const char *const *)expected->target_names, expected->target_count);
    put_texts(out, "missing", (const char *const *)expected->missing_values, expected->missing_value_count);
    fprintf(out, "%zu %d %d %zu\n", features, (int)expected->task, expected->fills_missing,
            expected->target_count);
    for (size_t i = 0; expected->is_category != NULL && i < features; i++)
        fprintf(out, "%d", expected->is_category[i]);
    for (size_t i = 0; expected->columns != NULL && i < features; i++)
        put_texts(out, "categories", (const char *const *)expected->columns[i].categories,
                  expected->columns[i].category_count);
}

/* In one text, of which the name has a part of the digest. */
static tanda_status describe(const text_files *files, const request *request, char **text, size_t *size,
                             tanda_error *error) {
    char real[PATH_MAX];
    FILE *out = open_memstream(text, size);
    if (out == NULL) return fail(error, TANDA_FAILED, "no memory for the name of a cache");
    fprintf(out, "%d %s\n", LAYOUT, tanda_version());
    for (size_t i = 0; i < files->count; i++)
        put_text(out, "path", realpath(files->paths[i], real) != NULL ? real : files->paths[i]);
    put_options(out, request->options);
    put_expected(out, request->expected);
    put_origins(out, request->origins);
    return text_stream_end(out, text) ? TANDA_OK
                                      : fail(error, TANDA_FAILED, "no memory for the name of a cache");
}

static tanda_status find_name(const text_files *files, const request *request, char **name,
                              tanda_error *error) {
    const char *path = files->path;
    char real[PATH_MAX], copy[PATH_MAX], digest[DIGEST_TEXT_SIZE], *text = NULL;
    size_t size = 0;
    if (realpath(path, real) == NULL) return fail_path(error, path, "", errno);
    tanda_status status = describe(files, request, &text, &size, error);
    if (status != TANDA_OK) return status;
    digest_sha256(text, size, digest);
    strcpy(copy, real);
    if (asprintf(name, "%.*s-%.*s", NAME_SHOWN, basename(copy), NAME_DIGITS, digest) < 0) {
        *name = NULL;
        status = fail(error, TANDA_FAILED, "%s: out of memory", path);
    }
    free(text);
    return status;
}

/* ---- the file ---------------------------------------------------------------------------------------------- */

static tanda_status find_digest(file_range *file, size_t at, size_t size, char digest[DIGEST_TEXT_SIZE],
                                tanda_error *error) {
    unsigned char *bytes = NULL;
    tanda_status status = allocate(&bytes, size, 1, "a part of a file", error);
    if (status == TANDA_OK) status = file_range_read(file, at, bytes, size, error);
    if (status == TANDA_OK) digest_sha256(bytes, size, digest);
    free(bytes);
    return status;
}

static tanda_status put_identity(FILE *out, const char *path, tanda_error *error) {
    char first[DIGEST_TEXT_SIZE], last[DIGEST_TEXT_SIZE];
    struct stat information;
    file_range *file = NULL;
    tanda_status status = file_range_open(path, true, &file, error);
    if (status != TANDA_OK) return status;
    const size_t size = file_range_size(file), part = size < LOOKED_AT ? size : LOOKED_AT;
    status = find_digest(file, 0, part, first, error);
    if (status == TANDA_OK) status = find_digest(file, size - part, part, last, error);
    if (status == TANDA_OK && stat(path, &information) != 0) status = fail_path(error, path, "", errno);
    if (status == TANDA_OK) status = file_range_check(file, error);
    if (status == TANDA_OK)
        fprintf(out, "inode %llu, %zu bytes, changed %lld.%09ld, first MiB %s, last MiB %s;",
                (unsigned long long)information.st_ino, size, (long long)information.st_mtim.tv_sec,
                information.st_mtim.tv_nsec, first, last);
    file_range_close(file);
    return status;
}

static tanda_status find_identity(const text_files *files, char **identity, tanda_error *error) {
    size_t size = 0;
    FILE *out = open_memstream(identity, &size);
    tanda_status status =
        out == NULL ? fail(error, TANDA_FAILED, "no memory for the name of a cache") : TANDA_OK;
    for (size_t i = 0; status == TANDA_OK && i < files->count; i++)
        status = put_identity(out, files->paths[i], error);
    if (out == NULL || text_stream_end(out, identity) || status != TANDA_OK) return status;
    return fail(error, TANDA_FAILED, "no memory for the name of a cache");
}

tanda_status cache_key_find(const text_files *files, const request *request, cache_key *key,
                            tanda_error *error) {
    *key = (cache_key){0};
    tanda_status status = find_name(files, request, &key->name, error);
    if (status == TANDA_OK) status = find_identity(files, &key->identity, error);
    if (status != TANDA_OK) cache_key_free(key);
    return status;
}

void cache_key_free(cache_key *key) {
    free(key->name);
    free(key->identity);
    *key = (cache_key){0};
}
