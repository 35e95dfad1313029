#include "data/shards_meta.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "data/vocabulary.h"
#include "support/file_view.h"
#include "support/json.h"
#include "support/memory.h"
#include "support/text.h"

#define FORMAT "tanda-shards"
#define VERSION 1

static const char *const label_kinds[] = {[TANDA_TASK_AUTO] = "none",
                                          [TANDA_TASK_CLASSES] = "classes",
                                          [TANDA_TASK_REGRESSION] = "quantities",
                                          [TANDA_TASK_LABELS] = "labels"};

void shards_meta_free(shards_meta *meta) {
    for (size_t i = 0; meta->shards != NULL && i < meta->shard_count; i++) {
        free(meta->shards[i].features);
        free(meta->shards[i].labels);
        free(meta->shards[i].weights);
    }
    free(meta->shards);
    free_texts(meta->class_names, meta->class_count);
    free_texts(meta->feature_names, meta->features);
    free(meta->source);
    shards_text_free(meta);
    *meta = (shards_meta){0};
}

tanda_status shards_path(const char *folder, const char *name, char **path, tanda_error *error) {
    const size_t length = strlen(folder);
    const bool slash = length > 0 && folder[length - 1] == '/';
    if (asprintf(path, "%s%s%s", folder, slash ? "" : "/", name) >= 0) return TANDA_OK;
    *path = NULL;
    return fail(error, TANDA_FAILED, "%s: out of memory", folder);
}

/* ---- reading ----------------------------------------------------------------------------------------------- */

typedef struct reader {
    const char *path;
    tanda_error *error;
} reader;

static tanda_status damaged(const reader *reader, const char *what) {
    return fail(reader->error, TANDA_BAD_INPUT, "%s: damaged: %s", reader->path, what);
}

static tanda_status get_count(const reader *reader, const json_t *object, const char *key, size_t *count) {
    char what[80];
    const json_t *value = json_object_get(object, key);
    text_put(what, sizeof what, "it has no count \"%s\"", key);
    if (!json_is_integer(value) || json_integer_value(value) < 0) return damaged(reader, what);
    *count = (size_t)json_integer_value(value);
    return TANDA_OK;
}

/* A text without which there is NULL. */
static tanda_status get_text(const reader *reader, const json_t *object, const char *key, char **text) {
    const json_t *value = json_object_get(object, key);
    if (value == NULL || json_is_null(value)) return TANDA_OK;
    if (!json_is_string(value)) return damaged(reader, "a text is none");
    return copy_text(text, json_string_value(value), reader->error);
}

static tanda_status get_texts(const reader *reader, const json_t *object, const char *key, size_t count,
                              char ***texts) {
    const json_t *values = json_object_get(object, key);
    if (values == NULL || json_is_null(values)) return TANDA_OK;
    if (!json_is_array(values) || json_array_size(values) != count)
        return damaged(reader, "names are not as many as they are of");
    tanda_status status = allocate(texts, count, sizeof **texts, "names", reader->error);
    for (size_t i = 0; status == TANDA_OK && i < count; i++) {
        const json_t *value = json_array_get(values, i);
        if (!json_is_string(value)) return damaged(reader, "a name is no text");
        status = copy_text(&(*texts)[i], json_string_value(value), reader->error);
    }
    return status;
}

/* The name of a file in the folder, and nowhere else. */
static tanda_status get_name(const reader *reader, const json_t *object, const char *key, char **name) {
    const tanda_status status = get_text(reader, object, key, name);
    if (status != TANDA_OK) return status;
    if (*name == NULL || **name == '\0' || strchr(*name, '/') != NULL)
        return damaged(reader, "a shard has no file in the folder");
    return TANDA_OK;
}

static tanda_status get_hash(const reader *reader, const json_t *object, const char *key,
                             char hash[HASH_TEXT_SIZE]) {
    const char *text = json_string_value(json_object_get(object, key));
    if (text == NULL || strlen(text) != HASH_TEXT_SIZE - 1) return damaged(reader, "a shard has no hash");
    memcpy(hash, text, HASH_TEXT_SIZE);
    return TANDA_OK;
}

static tanda_status get_shard(const reader *reader, const json_t *object, const shards_meta *meta,
                              shard *shard) {
    const bool has_labels = meta->task != TANDA_TASK_AUTO;
    tanda_status status = get_count(reader, object, "rows", &shard->rows);
    if (status == TANDA_OK && shard->rows == 0) status = damaged(reader, "a shard has no rows");
    if (status == TANDA_OK) status = get_name(reader, object, "features", &shard->features);
    if (status == TANDA_OK) status = get_hash(reader, object, "features_hash", shard->values_hash);
    if (status == TANDA_OK && has_labels) status = get_name(reader, object, "labels", &shard->labels);
    if (status == TANDA_OK && has_labels)
        status = get_hash(reader, object, "labels_hash", shard->labels_hash);
    if (status == TANDA_OK && meta->has_weights)
        status = get_name(reader, object, "weights", &shard->weights);
    if (status == TANDA_OK && meta->has_weights)
        status = get_hash(reader, object, "weights_hash", shard->weights_hash);
    return status;
}

static tanda_status get_shards(const reader *reader, const json_t *object, shards_meta *meta) {
    const json_t *shards = json_object_get(object, "shards");
    const size_t count = json_is_array(shards) ? json_array_size(shards) : 0;
    size_t rows = 0;
    if (count == 0) return damaged(reader, "it has no shards");
    tanda_status status = allocate(&meta->shards, count, sizeof *meta->shards, "shards", reader->error);
    if (status == TANDA_OK) meta->shard_count = count;
    for (size_t i = 0; status == TANDA_OK && i < count; i++) {
        status = get_shard(reader, json_array_get(shards, i), meta, &meta->shards[i]);
        if (status == TANDA_OK && add_overflows(rows, meta->shards[i].rows, &rows))
            status = damaged(reader, "it has more rows than this machine can address");
    }
    if (status != TANDA_OK || rows == meta->rows) return status;
    return fail(reader->error, TANDA_BAD_INPUT,
                "%s: damaged: its shards have %zu rows together, and it says %zu", reader->path, rows,
                meta->rows);
}

static tanda_status get_labels(const reader *reader, const json_t *object, shards_meta *meta) {
    const char *kind = json_string_value(json_object_get(object, "labels"));
    size_t task = 0;
    while (kind != NULL && task < sizeof label_kinds / sizeof *label_kinds &&
           strcmp(label_kinds[task], kind) != 0)
        task++;
    if (kind == NULL || task == sizeof label_kinds / sizeof *label_kinds)
        return damaged(reader, "its labels are neither none nor classes, quantities or labels");
    meta->task = (tanda_task)task;
    if (meta->task == TANDA_TASK_AUTO) return TANDA_OK;
    tanda_status status = get_count(reader, object, "targets", &meta->target_count);
    if (status == TANDA_OK && meta->target_count == 0) status = damaged(reader, "it has no targets");
    if (status != TANDA_OK || meta->task != TANDA_TASK_CLASSES) return status;
    meta->class_count = json_array_size(json_object_get(object, "classes"));
    if (meta->class_count < 2 || meta->class_count > LABELS_CLASSES_MAX || meta->target_count != 1) {
        meta->class_count = 0;
        return damaged(reader, "classes are 2 or more, of one target");
    }
    status = get_texts(reader, object, "classes", meta->class_count, &meta->class_names);
    return status == TANDA_OK && meta->class_names == NULL ? damaged(reader, "classes have no names")
                                                           : status;
}

static tanda_status get_meta(const reader *reader, const json_t *object, shards_meta *meta) {
    const char *format = json_string_value(json_object_get(object, "format"));
    size_t version = 0;
    if (format == NULL || strcmp(format, FORMAT) != 0)
        return fail(reader->error, TANDA_BAD_INPUT,
                    "%s: is not of a folder of shards, whose \"format\" is \"" FORMAT "\"", reader->path);
    tanda_status status = get_count(reader, object, "version", &version);
    if (status == TANDA_OK && version != VERSION)
        status = fail(reader->error, TANDA_BAD_INPUT, "%s: version %zu is unknown; there is %d", reader->path,
                      version, VERSION);
    if (status == TANDA_OK) status = get_count(reader, object, "rows", &meta->rows);
    size_t features = 0;
    if (status == TANDA_OK) status = get_count(reader, object, "features", &features);
    if (status == TANDA_OK && features == 0) status = damaged(reader, "it has no features");
    if (status == TANDA_OK) meta->features = features;
    if (status == TANDA_OK) status = get_text(reader, object, "source", &meta->source);
    if (status == TANDA_OK) status = get_labels(reader, object, meta);
    meta->has_weights = json_is_true(json_object_get(object, "weights"));
    if (status == TANDA_OK) status = get_shards(reader, object, meta);
    if (status == TANDA_OK)
        status = get_texts(reader, object, "feature_names", features, &meta->feature_names);
    if (status == TANDA_OK) status = shards_text_get(reader->path, object, meta, reader->error);
    return status;
}

tanda_status shards_meta_read(const char *folder, shards_meta *meta, tanda_error *error) {
    const size_t before = json_memory_failures();
    char *path = NULL;
    file_view view = {0};
    json_error_t syntax;
    *meta = (shards_meta){0};
    tanda_status status = shards_path(folder, SHARDS_META, &path, error);
    if (status == TANDA_OK) status = file_view_open(path, &view, error);
    const reader reader = {path, error};
    if (status == TANDA_OK) {
        json_t *object = json_read((const char *)view.data, view.size, JSON_REJECT_DUPLICATES, &syntax);
        status = object == NULL ? fail(error, TANDA_BAD_INPUT, "%s:%d: is not valid JSON: %s", path,
                                       syntax.line, syntax.text)
                                : get_meta(&reader, object, meta);
        json_decref(object);
        status = json_memory_check(before, path, status, error);
        status = file_view_check(&view, status, error);
    }
    file_view_close(&view);
    free(path);
    if (status != TANDA_OK) shards_meta_free(meta);
    return status;
}

/* ---- writing ----------------------------------------------------------------------------------------------- */

static json_t *shard_object(const shard *shard) {
    json_builder object = json_object_begin();
    json_put_count(&object, "rows", shard->rows);
    json_put_text(&object, "features", shard->features);
    json_put_text(&object, "features_hash", shard->values_hash);
    if (shard->labels != NULL) {
        json_put_text(&object, "labels", shard->labels);
        json_put_text(&object, "labels_hash", shard->labels_hash);
    }
    if (shard->weights != NULL) {
        json_put_text(&object, "weights", shard->weights);
        json_put_text(&object, "weights_hash", shard->weights_hash);
    }
    return json_end(&object);
}

tanda_status shards_meta_text(const shards_meta *meta, char **text, tanda_error *error) {
    json_builder object = json_object_begin(), shards = json_array_begin();
    for (size_t i = 0; i < meta->shard_count; i++)
        json_push(&shards, shard_object(&meta->shards[i]));
    json_put_text(&object, "format", FORMAT);
    json_put_count(&object, "version", VERSION);
    json_put_text(&object, "source", meta->source);
    json_put_count(&object, "rows", meta->rows);
    json_put_count(&object, "features", meta->features);
    if (meta->feature_names != NULL)
        json_put(&object, "feature_names", json_strings(meta->feature_names, meta->features));
    json_put_text(&object, "labels", label_kinds[meta->task]);
    if (meta->task != TANDA_TASK_AUTO) json_put_count(&object, "targets", meta->target_count);
    if (meta->class_names != NULL)
        json_put(&object, "classes", json_strings(meta->class_names, meta->class_count));
    if (meta->has_weights) json_put(&object, "weights", json_true());
    json_put(&object, "shards", json_end(&shards));
    shards_text_put(&object, meta);
    json_t *whole = json_end(&object);
    *text = whole == NULL ? NULL : json_write(whole, JSON_INDENT(1));
    json_decref(whole);
    return *text != NULL ? TANDA_OK : fail(error, TANDA_FAILED, "no memory for " SHARDS_META);
}
