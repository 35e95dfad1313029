#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "data/feed_wrap.h"
#include "data/fingerprint.h"
#include "data/npy.h"
#include "data/npy_feed.h"
#include "data/shards.h"
#include "data/shards_meta.h"
#include "support/file.h"
#include "support/file_writer.h"
#include "support/memory.h"
#include "support/text.h"

#define PLAN \
    "_unfinished.json" /* what is being made, until meta.json takes its place; no file of data begins so */
#define NAME_SIZE 32

/* One shard on its way to its files. */
typedef struct writing {
    const char *folder;
    const shards_options *options;
    const shards_meta *meta;
    feed *rows; /* of the shard */
    row_hashes *hashes;
    file_writer features, labels, weights;
    size_t first; /* of its rows, among all */
} writing;

static tanda_status begin_file(file_writer *writer, const char *path, char type, size_t rows, size_t columns,
                               tanda_error *error) {
    char header[NPY_HEADER_SIZE];
    const tanda_status status = file_writer_begin(path, writer, error);
    if (status != TANDA_OK) return status;
    npy_make_header(header, type, rows, columns);
    return file_writer_add(writer, header, sizeof header, error);
}

static tanda_status hash_block(void *context, void *state, const pass_block *block, tanda_error *error) {
    (void)state, (void)error;
    row_hashes_map(((writing *)context)->hashes, block);
    return TANDA_OK;
}

/* While other threads make the rows behind these. The disk begins with them at once, and is done the sooner in the end. */
static tanda_status add(file_writer *writer, const void *data, size_t size, tanda_error *error) {
    const tanda_status status = file_writer_add(writer, data, size, error);
    if (status == TANDA_OK) (void)sync_file_range(writer->descriptor, 0, 0, SYNC_FILE_RANGE_WRITE);
    return status;
}

static tanda_status write_block(void *context, void *state, const pass_block *block, tanda_error *error) {
    writing *work = context;
    const feed *rows = work->rows;
    (void)state;
    row_hashes_join(work->hashes, block);
    tanda_status status =
        add(&work->features, block->at.values, block->rows * rows->features * sizeof(float), error);
    if (status == TANDA_OK && rows->label_width > 0)
        status = add(&work->labels, block->at.labels, block->rows * rows->label_width * sizeof(float), error);
    if (status == TANDA_OK && rows->has_weights)
        status = add(&work->weights, block->at.weights, block->rows * sizeof(float), error);
    if (status == TANDA_OK && work->options->on_progress != NULL)
        work->options->on_progress(work->first + block->first + block->rows, work->meta->rows,
                                   work->options->context);
    return status;
}

/* Where a shard's files are; NULL: no labels, no weights. */
typedef struct shard_paths {
    char *features, *labels, *weights;
} shard_paths;

static tanda_status write_files(writing *work, const shard_paths *paths, tanda_error *error) {
    const feed *rows = work->rows;
    const char type = work->meta->task == TANDA_TASK_CLASSES ? 'i' : 'f';
    const feed_pass pass = {.values = true,
                            .labels = true,
                            .weights = true,
                            .map = hash_block,
                            .reduce = write_block,
                            .context = work};
    tanda_status status = row_hashes_make(rows, &work->hashes, error);
    if (status == TANDA_OK)
        status = begin_file(&work->features, paths->features, 'f', rows->rows, rows->features, error);
    if (status == TANDA_OK && paths->weights != NULL)
        status = begin_file(&work->weights, paths->weights, 'f', rows->rows, 0, error);
    if (status == TANDA_OK && paths->labels != NULL)
        status = begin_file(&work->labels, paths->labels, type, rows->rows,
                            rows->label_width > 1 ? rows->label_width : 0, error);
    if (status == TANDA_OK) status = feed_pass_run(rows, &pass, error);
    if (status == TANDA_OK) status = file_writer_finish(&work->features, error);
    if (status == TANDA_OK && paths->labels != NULL) status = file_writer_finish(&work->labels, error);
    if (status == TANDA_OK && paths->weights != NULL) status = file_writer_finish(&work->weights, error);
    file_writer_abandon(&work->features);
    file_writer_abandon(&work->labels);
    file_writer_abandon(&work->weights);
    return status;
}

static bool has_shape(const npy_rows *file, size_t rows, size_t columns) {
    return file->array.rows == rows && file->array.columns == columns;
}

/* Whether one was written before: its files are whole, as they have their names. Its hashes are found again. */
static bool find_shard(const writing *work, shard *shard, const shard_paths *paths) {
    const feed *rows = work->rows;
    const struct {
        const char *path;
        size_t columns;
    } files[] = {{paths->features, rows->features}, {paths->labels, rows->label_width}, {paths->weights, 1}};
    shards_meta one = *work->meta;
    bool is_whole = true;
    for (size_t i = 0; is_whole && i < sizeof files / sizeof *files; i++) {
        npy_rows file = {0};
        if (files[i].path == NULL) continue;
        is_whole = npy_rows_open(files[i].path, true, &file, NULL) == TANDA_OK &&
                   has_shape(&file, rows->rows, files[i].columns);
        npy_rows_close(&file);
    }
    one.shards = shard;
    one.shard_count = 1;
    return is_whole && shards_hash(work->folder, &one, NULL) == TANDA_OK;
}

static tanda_status find_paths(const char *folder, const shard *shard, shard_paths *paths,
                               tanda_error *error) {
    tanda_status status = shards_path(folder, shard->features, &paths->features, error);
    if (status == TANDA_OK && shard->labels != NULL)
        status = shards_path(folder, shard->labels, &paths->labels, error);
    if (status == TANDA_OK && shard->weights != NULL)
        status = shards_path(folder, shard->weights, &paths->weights, error);
    return status;
}

static tanda_status make_shard(writing *work, shard *shard, tanda_error *error) {
    shard_paths paths = {0};
    tanda_status status = find_paths(work->folder, shard, &paths, error);
    if (status == TANDA_OK && !find_shard(work, shard, &paths)) {
        status = write_files(work, &paths, error);
        char *const texts[] = {shard->values_hash, shard->labels_hash, shard->weights_hash};
        for (int i = 0; status == TANDA_OK && i < ROW_ARRAYS; i++)
            text_put(texts[i], HASH_TEXT_SIZE, "%016" PRIx64, row_hashes_end(work->hashes, (row_array)i));
        row_hashes_free(work->hashes);
        work->hashes = NULL;
    }
    free(paths.features);
    free(paths.labels);
    free(paths.weights);
    return status;
}

static tanda_status make_shards(const char *folder, feed *rows, const shards_options *options,
                                shards_meta *meta, tanda_error *error) {
    tanda_status status = TANDA_OK;
    size_t first = 0;
    for (size_t i = 0; status == TANDA_OK && i < meta->shard_count; i++) {
        writing work = {.folder = folder, .options = options, .meta = meta, .first = first};
        feed *shared = feed_share(rows);
        status = feed_range(shared, first, meta->shards[i].rows, &work.rows, error);
        if (status != TANDA_OK) feed_free(shared);
        if (status == TANDA_OK) status = make_shard(&work, &meta->shards[i], error);
        feed_free(work.rows);
        first += meta->shards[i].rows;
    }
    return status;
}

/* ---- the plan ---------------------------------------------------------------------------------------------- */

static tanda_status name_shard(size_t index, const shards_meta *meta, shard *shard, tanda_error *error) {
    char name[NAME_SIZE];
    text_put(name, sizeof name, "shard-%05zu.npy", index);
    tanda_status status = copy_text(&shard->features, name, error);
    text_put(name, sizeof name, "labels-%05zu.npy", index);
    if (status == TANDA_OK && meta->task != TANDA_TASK_AUTO) status = copy_text(&shard->labels, name, error);
    text_put(name, sizeof name, "weights-%05zu.npy", index);
    if (status == TANDA_OK && meta->has_weights) status = copy_text(&shard->weights, name, error);
    return status;
}

static tanda_status make_plan(const tanda_dataset *dataset, const shards_options *options, shards_meta *meta,
                              tanda_error *error) {
    const size_t rows = dataset->rows, most = options->shard_rows;
    const size_t count = rows / most + (rows % most > 0);
    *meta = (shards_meta){.rows = rows,
                          .target_count = dataset->target_count,
                          .task = dataset->task,
                          .has_weights = dataset_is_weighted(dataset)};
    tanda_status status = copy_texts(&meta->feature_names, dataset->feature_names, dataset->features, error);
    if (status == TANDA_OK) meta->features = dataset->features;
    if (status == TANDA_OK)
        status = copy_texts(&meta->class_names, dataset->class_names, dataset->class_count, error);
    if (status == TANDA_OK) meta->class_count = dataset->class_count;
    if (status == TANDA_OK) status = copy_text(&meta->source, options->source, error);
    if (status == TANDA_OK) status = allocate(&meta->shards, count, sizeof *meta->shards, "shards", error);
    if (status == TANDA_OK) meta->shard_count = count;
    for (size_t i = 0; status == TANDA_OK && i < count; i++) {
        meta->shards[i].rows = i + 1 < count ? most : rows - i * most;
        status = name_shard(i, meta, &meta->shards[i], error);
    }
    return status;
}

static tanda_status write_text(const char *path, const char *text, tanda_error *error) {
    const file_part part = {text, strlen(text)};
    return file_write_atomically(path, &part, 1, error);
}

/* Whether the folder has a plan, which is this one. */
static bool has_plan(const char *path, const char *text) {
    file_view view = {0};
    if (file_view_open(path, &view, NULL) != TANDA_OK) return false;
    const bool same = view.size == strlen(text) && memcmp(view.data, text, view.size) == 0;
    file_view_close(&view);
    return same;
}

static bool is_empty(const char *folder) {
    DIR *directory = opendir(folder);
    bool found = false;
    for (const struct dirent *entry; directory != NULL && (entry = readdir(directory)) != NULL;)
        found = found || (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0);
    if (directory != NULL) closedir(directory);
    return !found;
}

/* A new folder gets the plan; another one must have it. */
static tanda_status begin_folder(const char *folder, const char *plan_path, const char *plan,
                                 tanda_error *error) {
    tanda_status status = file_make_folder(folder, error);
    if (status != TANDA_OK) return status;
    bool is_whole = false;
    status = shards_are_in(folder, &is_whole, error);
    if (status == TANDA_OK && is_whole)
        return fail(error, TANDA_USAGE,
                    "%s: holds a whole data set already; remove the folder, or name another one", folder);
    if (status != TANDA_OK || has_plan(plan_path, plan)) return status;
    if (is_empty(folder)) return write_text(plan_path, plan, error);
    return fail(
        error, TANDA_USAGE,
        "%s: is not empty, and what it holds is no part of these rows in shards like these; remove the "
        "folder, or name another one",
        folder);
}

/* meta.json last: then the data set is whole. */
static tanda_status finish_folder(const char *folder, const char *plan_path, const shards_meta *meta,
                                  tanda_error *error) {
    char *text = NULL, *path = NULL;
    tanda_status status = shards_meta_text(meta, &text, error);
    if (status == TANDA_OK) status = shards_path(folder, SHARDS_META, &path, error);
    if (status == TANDA_OK) status = write_text(path, text, error);
    if (status == TANDA_OK) unlink(plan_path);
    free(text);
    free(path);
    return status;
}

tanda_status shards_write(const char *folder, const tanda_dataset *dataset, const shards_options *options,
                          tanda_error *error) {
    shards_meta meta = {0};
    char *plan = NULL, *plan_path = NULL;
    feed *rows = NULL;
    tanda_status status = make_plan(dataset, options, &meta, error);
    if (status == TANDA_OK) status = shards_meta_text(&meta, &plan, error);
    if (status == TANDA_OK) status = shards_path(folder, PLAN, &plan_path, error);
    if (status == TANDA_OK) status = begin_folder(folder, plan_path, plan, error);
    if (status == TANDA_OK) status = dataset_feed(dataset, NULL, &rows, error);
    if (status == TANDA_OK) status = make_shards(folder, rows, options, &meta, error);
    if (status == TANDA_OK) status = finish_folder(folder, plan_path, &meta, error);
    feed_free(rows);
    shards_meta_free(&meta);
    free(plan);
    free(plan_path);
    return status;
}
