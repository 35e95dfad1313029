#include "data/shards.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "data/feed_wrap.h"
#include "data/fingerprint.h"
#include "data/npy_feed.h"
#include "data/origin.h"
#include "data/shards_meta.h"
#include "data/table.h"
#include "support/memory.h"
#include "support/text.h"

#define FILES_KEPT \
    128 /* open at once, twice where they are large; of more, each is opened for each piece that is read */

/* Whether there is something of this type. What cannot be told is no answer. */
static tanda_status find_type(const char *path, mode_t type, bool *found, tanda_error *error) {
    struct stat information;
    const int code = stat(path, &information) == 0 ? 0 : errno;
    *found = code == 0 && (information.st_mode & S_IFMT) == type;
    const bool is_known = code == 0 || code == ENOENT || code == ENOTDIR || code == ENAMETOOLONG;
    return is_known || code == EACCES || code == ELOOP ? TANDA_OK : fail_path(error, path, "", code);
}

tanda_status shards_are_in(const char *path, bool *found, tanda_error *error) {
    char *meta = NULL;
    tanda_status status = find_type(path, S_IFDIR, found, error);
    if (status != TANDA_OK || !*found) return status;
    status = shards_path(path, SHARDS_META, &meta, error);
    if (status == TANDA_OK) status = find_type(meta, S_IFREG, found, error);
    free(meta);
    return status;
}

/* What is chosen of each shard, and what its labels become. */
typedef struct opening {
    const char *folder;
    const request *request; /* NULL: all of it, as it is */
    const shards_meta *meta;
    label_kind kind;
    const double *origins; /* of the features that are chosen, or NULL */
    int32_t *classes;      /* (class_count): as what is expected numbers them; or NULL: as they are */
    bool without_weights;
} opening;

static tanda_status open_rows(const opening *work, const char *name, size_t rows, size_t columns,
                              npy_rows *file, tanda_error *error) {
    char *path = NULL;
    tanda_status status = shards_path(work->folder, name, &path, error);
    if (status == TANDA_OK && access(path, F_OK) != 0 && errno == ENOENT)
        status = fail(error, TANDA_BAD_INPUT, "%s: is missing, and " SHARDS_META " names it", path);
    if (status == TANDA_OK)
        status = npy_rows_open(path, 3 * work->meta->shard_count <= FILES_KEPT, file, error);
    if (status == TANDA_OK && (file->array.rows != rows || file->array.columns != columns))
        status = fail(error, TANDA_BAD_INPUT,
                      "%s: has %zu rows of %zu values, and " SHARDS_META " says %zu of %zu", path,
                      file->array.rows, file->array.columns, rows, columns);
    free(path);
    return status;
}

/* Labels come in files of their own. */
static tanda_status select_features(const opening *work, const char *path, selection *selection,
                                    tanda_error *error) {
    const shards_meta *meta = work->meta;
    tanda_dataset_options options = {0};
    struct request request = {.options = &options};
    if (work->request != NULL) {
        request = *work->request;
        options = *work->request->options;
        request.options = &options;
    }
    options.labels = SHARDS_META;
    return columns_select(&request, path, meta->feature_names, meta->features, selection, error);
}

/* What stands in the file is a class, or stands for one. */
static tanda_status select_labels(const opening *work, npy_feed_parts *parts, tanda_error *error) {
    const shards_meta *meta = work->meta;
    tanda_status status = npy_select_all_labels(parts, error);
    if (status != TANDA_OK || work->kind != LABELS_CLASSES) return status;
    const size_t count = meta->label_values != NULL ? meta->label_count : meta->class_count;
    class_map *map = &parts->classes;
    status = allocate(&map->values, count, sizeof *map->values, "classes", error);
    if (status == TANDA_OK) status = allocate(&map->classes, count, sizeof *map->classes, "classes", error);
    for (size_t i = 0; status == TANDA_OK && i < count; i++) {
        const int32_t class = meta->label_values != NULL ? meta->label_classes[i] : (int32_t)i;
        map->values[i] = meta->label_values != NULL ? meta->label_values[i] : (int64_t)i;
        map->classes[i] = work->classes != NULL ? work->classes[class] : class;
    }
    map->count = count;
    map->is_identity = work->classes == NULL && meta->label_values == NULL;
    return status;
}

/* The weights of a shard's rows join its feed. */
static tanda_status add_weights(const opening *work, const shard *shard, feed **rows, tanda_error *error) {
    npy_feed_parts parts = {.kind = LABELS_NONE};
    feed *weights = NULL;
    tanda_status status = open_rows(work, shard->weights, shard->rows, 1, &parts.features, error);
    if (status == TANDA_OK) status = npy_select_all(&parts, error);
    if (status == TANDA_OK) status = npy_feed(&parts, &weights, error);
    if (status == TANDA_OK) status = feed_with_weights(*rows, weights, rows, error);
    npy_feed_parts_free(&parts);
    if (status != TANDA_OK) feed_free(weights);
    return status;
}

static tanda_status open_shard(const opening *work, const shard *shard, feed **result, tanda_error *error) {
    npy_feed_parts parts = {.kind = work->kind, .takes_missing = work->meta->raw.fills_missing};
    const bool is_weighted = shard->weights != NULL && !work->without_weights;
    tanda_status status =
        open_rows(work, shard->features, shard->rows, work->meta->features, &parts.features, error);
    if (status == TANDA_OK)
        status = select_features(work, parts.features.array.path, &parts.selection, error);
    if (status == TANDA_OK)
        status = origin_copy(work->origins, parts.selection.feature_count, &parts.origins, error);
    if (status == TANDA_OK && work->kind != LABELS_NONE)
        status = open_rows(work, shard->labels, shard->rows, work->meta->target_count, &parts.labels, error);
    if (status == TANDA_OK && work->kind != LABELS_NONE) status = select_labels(work, &parts, error);
    if (status == TANDA_OK) status = npy_feed(&parts, result, error);
    if (status == TANDA_OK && is_weighted) status = add_weights(work, shard, result, error);
    npy_feed_parts_free(&parts);
    if (status == TANDA_OK) return TANDA_OK;
    feed_free(*result);
    *result = NULL;
    return status;
}

static tanda_status open_all(const opening *work, feed **result, tanda_error *error) {
    const shards_meta *meta = work->meta;
    feed **feeds = NULL;
    tanda_status status = allocate(&feeds, meta->shard_count, sizeof *feeds, "shards", error);
    for (size_t i = 0; status == TANDA_OK && i < meta->shard_count; i++)
        status = open_shard(work, &meta->shards[i], &feeds[i], error);
    if (status == TANDA_OK) status = feed_joined(feeds, meta->shard_count, result, error);
    for (size_t i = 0; status != TANDA_OK && feeds != NULL && i < meta->shard_count; i++)
        feed_free(feeds[i]);
    free(feeds);
    return status;
}

/* ---- a data set -------------------------------------------------------------------------------------------- */

static label_kind kind_of(tanda_task task) {
    return task == TANDA_TASK_CLASSES  ? LABELS_CLASSES
           : task == TANDA_TASK_LABELS ? LABELS_SEVERAL
           : task == TANDA_TASK_AUTO   ? LABELS_NONE
                                       : LABELS_QUANTITIES;
}

/* What is asked for and what is there. */
static tanda_status choose_task(const opening *work, tanda_dataset *dataset, tanda_error *error) {
    const tanda_task asked = request_task(work->request), there = work->meta->task;
    const bool fits = asked == TANDA_TASK_AUTO || asked == there ||
                      (asked == TANDA_TASK_REGRESSION && there == TANDA_TASK_LABELS);
    if (there == TANDA_TASK_AUTO)
        return fail(error, TANDA_BAD_INPUT, "%s: its shards have no labels", work->folder);
    if (!fits)
        return fail(error, TANDA_BAD_INPUT, "%s: its labels are of %s, and %s are wanted", work->folder,
                    there == TANDA_TASK_CLASSES  ? "classes"
                    : there == TANDA_TASK_LABELS ? "several labels"
                                                 : "quantities",
                    asked == TANDA_TASK_CLASSES  ? "classes"
                    : asked == TANDA_TASK_LABELS ? "several labels"
                                                 : "quantities");
    dataset->task = asked == TANDA_TASK_AUTO ? there : asked;
    dataset->task_was_found = asked == TANDA_TASK_AUTO;
    dataset->target_count = work->meta->target_count;
    return TANDA_OK;
}

/* Each class's number among those that are expected. */
static tanda_status choose_classes(opening *work, tanda_dataset *dataset, tanda_error *error) {
    const shards_meta *meta = work->meta;
    const dataset_expectation *expected = request_classes(work->request);
    char *const *names = expected != NULL ? expected->class_names : meta->class_names;
    const size_t count = expected != NULL ? expected->class_count : meta->class_count;
    tanda_status status = copy_texts(&dataset->class_names, names, count, error);
    if (status != TANDA_OK) return status;
    dataset->class_count = count;
    if (expected == NULL) return TANDA_OK;
    status = allocate(&work->classes, meta->class_count, sizeof *work->classes, "classes", error);
    for (size_t i = 0; status == TANDA_OK && i < meta->class_count; i++) {
        size_t c = 0;
        while (c < count && strcmp(names[c], meta->class_names[i]) != 0)
            c++;
        work->classes[i] = (int32_t)c;
        if (c == count)
            status = fail(error, TANDA_BAD_INPUT, "%s: '%s' is none of the model's %zu classes", work->folder,
                          meta->class_names[i], count);
    }
    return status;
}

/* Options that mean nothing here. */
static tanda_status check_options(const opening *work, tanda_error *error) {
    const tanda_dataset_options *options = work->request->options;
    const char *flag = options->format != NULL                               ? "--format"
                       : options->labels != NULL                             ? "--labels"
                       : options->sample_weight != NULL                      ? "--sample-weight"
                       : options->more_count > 0                             ? "a second file"
                       : options->copy_count > 0                             ? "--copy"
                       : options->target != NULL && !options->without_target ? "--target"
                                                                             : NULL;
    if (flag == NULL) return TANDA_OK;
    return fail(error, TANDA_USAGE,
                "%s: does not go with %s, a folder of shards, whose " SHARDS_META " says what they hold",
                flag, work->folder);
}

/* Which of the features are categories, and what of them is missing, of those that are selected. */
static tanda_status describe_raw(const shards_meta *meta, const selection *selection, raw_columns *raw,
                                 tanda_error *error) {
    const raw_columns *from = &meta->raw;
    bool *is_category = NULL;
    const size_t features = selection->feature_count;
    if (raw_columns_are_features(from)) return TANDA_OK;
    tanda_status status = allocate(&is_category, features, sizeof *is_category, "columns", error);
    for (size_t i = 0; status == TANDA_OK && from->is_category != NULL && i < features; i++)
        is_category[i] = from->is_category[selection->features[i]];
    if (status == TANDA_OK)
        status = raw_columns_make(from->path, is_category, from->fills_missing, features, raw, error);
    for (size_t i = 0, index = 0; status == TANDA_OK && raw->categories != NULL && i < features; i++) {
        const categories *of = &from->categories[selection->features[i]];
        for (size_t c = 0; status == TANDA_OK && is_category[i] && c < of->texts.count; c++)
            status = categories_add(&raw->categories[i], of->texts.texts[c], strlen(of->texts.texts[c]),
                                    &of->places[c], &index, error);
    }
    free(is_category);
    if (status == TANDA_OK) status = copy_texts(&raw->part_paths, from->part_paths, from->part_count, error);
    if (status == TANDA_OK) raw->part_count = from->part_count;
    if (status == TANDA_OK)
        status = copy_texts(&raw->missing_values, from->missing_values, from->missing_value_count, error);
    if (status == TANDA_OK) raw->missing_value_count = from->missing_value_count;
    return status;
}

/* Of rows that were read from text. */
static tanda_status describe_text(const shards_meta *meta, const selection *selection, tanda_dataset *dataset,
                                  tanda_error *error) {
    const size_t features = selection->feature_count;
    tanda_status status = describe_raw(meta, selection, &dataset->raw, error);
    if (status == TANDA_OK && dataset->target_count > 0)
        status = copy_text(&dataset->target_name, meta->target_name, error);
    if (status == TANDA_OK && dataset->target_count > 0)
        status = copy_texts(&dataset->target_names, meta->target_names, meta->target_count, error);
    if (status == TANDA_OK) status = copy_text(&dataset->origin_note, meta->origin_note, error);
    if (status == TANDA_OK) status = copy_text(&dataset->remark, meta->remark, error);
    if (status == TANDA_OK && meta->origins != NULL)
        status = allocate(&dataset->origins, features, sizeof *dataset->origins, "origins", error);
    for (size_t i = 0; dataset->origins != NULL && i < features; i++)
        dataset->origins[i] = meta->origins[selection->features[i]];
    dataset->dialect = meta->dialect;
    dataset->dropped = meta->dropped;
    dataset->columns = meta->columns;
    if (features != meta->features || meta->position_count < features) return status;
    free(dataset->positions); /* in the text */
    dataset->positions = NULL;
    dataset->position_count = meta->position_count;
    if (status == TANDA_OK)
        status =
            allocate(&dataset->positions, meta->position_count, sizeof *meta->positions, "columns", error);
    if (status == TANDA_OK)
        memcpy(dataset->positions, meta->positions, meta->position_count * sizeof *meta->positions);
    return status;
}

static tanda_status describe(opening *work, tanda_dataset *dataset, tanda_error *error) {
    const shards_meta *meta = work->meta;
    selection selection = {0};
    tanda_status status = check_options(work, error);
    work->without_weights = work->request->options->without_target;
    if (status == TANDA_OK && !work->request->options->without_target)
        status = choose_task(work, dataset, error);
    work->kind = kind_of(dataset->task);
    if (status == TANDA_OK && work->kind == LABELS_CLASSES) status = choose_classes(work, dataset, error);
    if (status == TANDA_OK) status = select_features(work, work->folder, &selection, error);
    if (status == TANDA_OK) status = columns_name(&selection, meta->feature_names, dataset, error);
    dataset->rows = meta->rows;
    dataset->features = selection.feature_count;
    dataset->columns = meta->features;
    if (status == TANDA_OK && meta->is_of_text) status = describe_text(meta, &selection, dataset, error);
    selection_free(&selection);
    if (status != TANDA_OK || meta->origins != NULL) return status; /* they are subtracted already */
    status = origins_expected(work->request->origins, dataset->feature_names, dataset->features,
                              &dataset->origins, error);
    work->origins = dataset->origins;
    return status;
}

tanda_status shards_open(const char *folder, const request *request, tanda_dataset *dataset,
                         tanda_error *error) {
    shards_meta meta = {0};
    opening work = {.folder = folder, .request = request, .meta = &meta};
    tanda_status status = shards_meta_read(folder, &meta, error);
    if (status == TANDA_OK) status = describe(&work, dataset, error);
    if (status == TANDA_OK) status = open_all(&work, &dataset->feed, error);
    free(work.classes);
    shards_meta_free(&meta);
    return status;
}

/* ---- all of it --------------------------------------------------------------------------------------------- */

static void put_hash(const row_hashes *hashes, row_array array, char text[HASH_TEXT_SIZE]) {
    text_put(text, HASH_TEXT_SIZE, "%016" PRIx64, row_hashes_end(hashes, array));
}

static tanda_status hash_shard(const opening *work, shard *shard, tanda_error *error) {
    feed *rows = NULL;
    row_hashes *hashes = NULL;
    tanda_status status = open_shard(work, shard, &rows, error);
    if (status == TANDA_OK) status = row_hashes_of(rows, &hashes, error);
    if (status == TANDA_OK) {
        put_hash(hashes, ROW_VALUES, shard->values_hash);
        put_hash(hashes, ROW_LABELS, shard->labels_hash);
        put_hash(hashes, ROW_WEIGHTS, shard->weights_hash);
    }
    row_hashes_free(hashes);
    feed_free(rows);
    return status;
}

tanda_status shards_hash(const char *folder, shards_meta *meta, tanda_error *error) {
    const opening work = {.folder = folder, .meta = meta, .kind = kind_of(meta->task)};
    tanda_status status = TANDA_OK;
    for (size_t i = 0; status == TANDA_OK && i < meta->shard_count; i++)
        status = hash_shard(&work, &meta->shards[i], error);
    return status;
}

static tanda_status check_hash(const opening *work, const char *name, const char *found, const char *said,
                               tanda_error *error) {
    char *path = NULL;
    if (name == NULL || strcmp(found, said) == 0) return TANDA_OK;
    tanda_status status = shards_path(work->folder, name, &path, error);
    if (status == TANDA_OK)
        status =
            fail(error, TANDA_BAD_INPUT,
                 "%s: damaged: its rows have the hash %s, and " SHARDS_META " says %s", path, found, said);
    free(path);
    return status;
}

static tanda_status verify_shard(const opening *work, const shard *shard, tanda_error *error) {
    struct shard found = *shard;
    tanda_status status = hash_shard(work, &found, error);
    if (status == TANDA_OK)
        status = check_hash(work, shard->features, found.values_hash, shard->values_hash, error);
    if (status == TANDA_OK)
        status = check_hash(work, shard->labels, found.labels_hash, shard->labels_hash, error);
    if (status == TANDA_OK)
        status = check_hash(work, shard->weights, found.weights_hash, shard->weights_hash, error);
    return status;
}

tanda_status shards_verify(const char *folder, shards_facts *facts, tanda_error *error) {
    shards_meta meta = {0};
    tanda_status status = shards_meta_read(folder, &meta, error);
    const opening work = {.folder = folder, .meta = &meta, .kind = kind_of(meta.task)};
    *facts = (shards_facts){.shards = meta.shard_count,
                            .rows = meta.rows,
                            .features = meta.features,
                            .targets = meta.target_count,
                            .classes = meta.class_count,
                            .task = meta.task,
                            .bytes = meta.rows * (meta.features + meta.target_count + meta.has_weights) *
                                     sizeof(float)};
    if (meta.source != NULL) text_put(facts->source, sizeof facts->source, "%s", meta.source);
    for (size_t i = 0; status == TANDA_OK && i < meta.shard_count; i++)
        status = verify_shard(&work, &meta.shards[i], error);
    shards_meta_free(&meta);
    return status;
}
