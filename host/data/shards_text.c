/* What meta.json says of rows that were made of a text: "text", an object that other folders have not. */
#include <stdlib.h>
#include <string.h>

#include "data/place.h"
#include "data/shards_meta.h"
#include "support/json.h"
#include "support/memory.h"

#define KEY "text"

void shards_text_free(shards_meta *meta) {
    free(meta->identity);
    free(meta->label_values);
    free(meta->label_classes);
    free(meta->target_name);
    free_texts(meta->target_names, meta->target_count);
    raw_columns_free(&meta->raw, meta->features);
    free(meta->origins);
    free(meta->positions);
    free(meta->origin_note);
    free(meta->remark);
}

/* ---- reading ----------------------------------------------------------------------------------------------- */

typedef struct text_reader {
    const char *path;
    const json_t *object;
    tanda_error *error;
} text_reader;

static tanda_status damaged(const text_reader *reader, const char *key) {
    return fail(reader->error, TANDA_BAD_INPUT,
                "%s: damaged: \"%s\" of its \"" KEY "\" is not as it should be", reader->path, key);
}

static tanda_status get_text(const text_reader *reader, const char *key, char **text) {
    return copy_text(text, json_string_value(json_object_get(reader->object, key)), reader->error);
}

static tanda_status get_count(const text_reader *reader, const char *key, size_t *count) {
    const json_int_t value = json_integer_value(json_object_get(reader->object, key));
    *count = (size_t)value;
    return value >= 0 ? TANDA_OK : damaged(reader, key);
}

/* NULL where there are none; else `count` of them. */
static tanda_status get_texts(const text_reader *reader, const char *key, size_t count, char ***texts) {
    const json_t *values = json_object_get(reader->object, key);
    if (values == NULL || count == 0) return TANDA_OK;
    if (json_array_size(values) != count) return damaged(reader, key);
    tanda_status status = allocate(texts, count, sizeof **texts, "names", reader->error);
    for (size_t i = 0; status == TANDA_OK && i < count; i++) {
        const char *text = json_string_value(json_array_get(values, i));
        status = text != NULL ? copy_text(&(*texts)[i], text, reader->error) : damaged(reader, key);
    }
    return status;
}

static tanda_status get_origins(const text_reader *reader, shards_meta *meta) {
    const json_t *values = json_object_get(reader->object, "origins");
    if (values == NULL) return TANDA_OK;
    if (json_array_size(values) != meta->features) return damaged(reader, "origins");
    const tanda_status status =
        allocate(&meta->origins, meta->features, sizeof *meta->origins, "origins", reader->error);
    for (size_t i = 0; status == TANDA_OK && i < meta->features; i++)
        meta->origins[i] = json_number_value(json_array_get(values, i));
    return status;
}

static tanda_status get_positions(const text_reader *reader, shards_meta *meta) {
    const json_t *values = json_object_get(reader->object, "positions");
    const size_t count = json_array_size(values);
    tanda_status status =
        allocate(&meta->positions, count, sizeof *meta->positions, "columns", reader->error);
    for (size_t i = 0; status == TANDA_OK && i < count; i++)
        meta->positions[i] = (size_t)json_integer_value(json_array_get(values, i));
    meta->position_count = count;
    return status;
}

/* Pairs of what stands in a file and its class. */
static tanda_status get_labels(const text_reader *reader, shards_meta *meta) {
    const json_t *pairs = json_object_get(reader->object, "labels");
    const size_t count = json_array_size(pairs);
    if (count == 0) return TANDA_OK;
    tanda_status status =
        allocate(&meta->label_values, count, sizeof *meta->label_values, "classes", reader->error);
    if (status == TANDA_OK)
        status = allocate(&meta->label_classes, count, sizeof *meta->label_classes, "classes", reader->error);
    if (status != TANDA_OK) return status;
    meta->label_count = count;
    for (size_t i = 0; i < count; i++) {
        const json_t *pair = json_array_get(pairs, i);
        const json_int_t class = json_integer_value(json_array_get(pair, 1));
        meta->label_values[i] = json_integer_value(json_array_get(pair, 0));
        meta->label_classes[i] = (int32_t) class;
        if (class < 0 || (size_t) class >= meta->class_count ||
            (i > 0 && meta->label_values[i] <= meta->label_values[i - 1]))
            return damaged(reader, "labels");
    }
    return TANDA_OK;
}

/* [text, part, line, column], each where it came first. */
static tanda_status get_category(const text_reader *reader, const json_t *value, categories *categories) {
    const char *text = json_string_value(json_array_get(value, 0));
    const place place = {.part = (size_t)json_integer_value(json_array_get(value, 1)),
                         .line = (size_t)json_integer_value(json_array_get(value, 2)),
                         .column = (size_t)json_integer_value(json_array_get(value, 3))};
    const size_t expected = categories->texts.count;
    size_t index = 0;
    if (text == NULL) return damaged(reader, "categories");
    const tanda_status status = categories_add(categories, text, strlen(text), &place, &index, reader->error);
    return status == TANDA_OK && index != expected ? damaged(reader, "categories") : status;
}

static tanda_status get_raw(const text_reader *reader, shards_meta *meta) {
    const json_t *columns = json_object_get(reader->object, "categories");
    const char *path = json_string_value(json_object_get(reader->object, "path"));
    const size_t features = meta->features;
    raw_columns *raw = &meta->raw;
    bool *is_category = NULL;
    if (columns != NULL && json_array_size(columns) != features) return damaged(reader, "categories");
    tanda_status status = allocate(&is_category, features, sizeof *is_category, "columns", reader->error);
    for (size_t i = 0; status == TANDA_OK && i < features; i++)
        is_category[i] = json_is_array(json_array_get(columns, i));
    if (status == TANDA_OK)
        status = raw_columns_make(path != NULL ? path : "", is_category,
                                  json_is_true(json_object_get(reader->object, "fills_missing")), features,
                                  raw, reader->error);
    for (size_t i = 0; status == TANDA_OK && i < features; i++)
        for (size_t c = 0; status == TANDA_OK && c < json_array_size(json_array_get(columns, i)); c++)
            status = get_category(reader, json_array_get(json_array_get(columns, i), c), &raw->categories[i]);
    free(is_category);
    if (status != TANDA_OK) return status;
    const size_t words = json_array_size(json_object_get(reader->object, "missing_values"));
    const size_t parts = json_array_size(json_object_get(reader->object, "paths"));
    status = get_texts(reader, "missing_values", words, &raw->missing_values);
    raw->missing_value_count = raw->missing_values == NULL ? 0 : words;
    if (status == TANDA_OK) status = get_texts(reader, "paths", parts, &raw->part_paths);
    raw->part_count = raw->part_paths == NULL ? 0 : parts;
    return status;
}

static bool get_flag(const json_t *object, const char *key) {
    return json_is_true(json_object_get(object, key));
}

static char get_sign(const json_t *object, const char *key) {
    const char *text = json_string_value(json_object_get(object, key));
    return text == NULL ? '\0' : *text;
}

static tanda_status get_dialect(const text_reader *reader, dialect *dialect) {
    const json_t *object = json_object_get(reader->object, "dialect");
    const char *comment = json_string_value(json_object_get(object, "comment"));
    if (object == NULL) return TANDA_OK;
    *dialect = (struct dialect){.is_text = true,
                                .encoding = get_flag(object, "mark") ? TEXT_UTF8_MARK : TEXT_UTF8,
                                .delimiter = get_sign(object, "delimiter"),
                                .single_blanks = get_flag(object, "single_blanks"),
                                .decimal = get_sign(object, "decimal"),
                                .line_end = get_sign(object, "line_end"),
                                .has_crlf = get_flag(object, "crlf"),
                                .has_quotes = get_flag(object, "quotes"),
                                .skipped_lines =
                                    (size_t)json_integer_value(json_object_get(object, "skipped_lines")),
                                .has_header = get_flag(object, "header"),
                                .header_is_numbers = get_flag(object, "header_is_numbers")};
    if (comment == NULL || strlen(comment) >= sizeof dialect->comment) return damaged(reader, "dialect");
    strcpy(dialect->comment, comment);
    return TANDA_OK;
}

tanda_status shards_text_get(const char *path, const json_t *object, shards_meta *meta, tanda_error *error) {
    const text_reader reader = {path, json_object_get(object, KEY), error};
    if (reader.object == NULL) return TANDA_OK;
    meta->is_of_text = true;
    tanda_status status = get_text(&reader, "identity", &meta->identity);
    if (status == TANDA_OK) status = get_labels(&reader, meta);
    if (status == TANDA_OK) status = get_text(&reader, "target_name", &meta->target_name);
    if (status == TANDA_OK)
        status = get_texts(&reader, "target_names", meta->target_count, &meta->target_names);
    if (status == TANDA_OK) status = get_raw(&reader, meta);
    if (status == TANDA_OK) status = get_origins(&reader, meta);
    if (status == TANDA_OK) status = get_positions(&reader, meta);
    if (status == TANDA_OK) status = get_count(&reader, "columns", &meta->columns);
    if (status == TANDA_OK) status = get_count(&reader, "dropped", &meta->dropped);
    if (status == TANDA_OK) status = get_text(&reader, "origin_note", &meta->origin_note);
    if (status == TANDA_OK) status = get_text(&reader, "remark", &meta->remark);
    return status == TANDA_OK ? get_dialect(&reader, &meta->dialect) : status;
}

/* ---- writing ----------------------------------------------------------------------------------------------- */

static json_t *labels_array(const shards_meta *meta) {
    json_builder pairs = json_array_begin();
    for (size_t i = 0; i < meta->label_count; i++)
        json_push(&pairs, json_pack("[Ii]", (json_int_t)meta->label_values[i], meta->label_classes[i]));
    return json_end(&pairs);
}

static json_t *categories_array(const shards_meta *meta) {
    const raw_columns *raw = &meta->raw;
    json_builder columns = json_array_begin();
    for (size_t i = 0; i < meta->features; i++) {
        json_builder column = json_array_begin();
        for (size_t c = 0; raw->is_category[i] && c < raw->categories[i].texts.count; c++) {
            const place *place = &raw->categories[i].places[c];
            json_push(&column, json_pack("[sIII]", raw->categories[i].texts.texts[c], (json_int_t)place->part,
                                         (json_int_t)place->line, (json_int_t)place->column));
        }
        json_t *array = json_end(&column);
        if (!raw->is_category[i]) json_decref(array);
        json_push(&columns, raw->is_category[i] ? array : json_null());
    }
    return json_end(&columns);
}

static json_t *numbers_array(const shards_meta *meta) {
    json_builder numbers = json_array_begin();
    for (size_t i = 0; i < meta->features; i++)
        json_push(&numbers, json_real(meta->origins[i]));
    return json_end(&numbers);
}

static json_t *positions_array(const shards_meta *meta) {
    json_builder positions = json_array_begin();
    for (size_t i = 0; i < meta->position_count; i++)
        json_push(&positions, json_integer((json_int_t)meta->positions[i]));
    return json_end(&positions);
}

static void put_sign(json_builder *object, const char *key, char sign) {
    const char text[2] = {sign, '\0'};
    json_put_text(object, key, text);
}

static json_t *dialect_object(const dialect *dialect) {
    json_builder object = json_object_begin();
    json_put(&object, "mark", json_boolean(dialect->encoding == TEXT_UTF8_MARK));
    put_sign(&object, "delimiter", dialect->delimiter);
    json_put(&object, "single_blanks", json_boolean(dialect->single_blanks));
    put_sign(&object, "decimal", dialect->decimal);
    put_sign(&object, "line_end", dialect->line_end);
    json_put(&object, "crlf", json_boolean(dialect->has_crlf));
    json_put(&object, "quotes", json_boolean(dialect->has_quotes));
    json_put_text(&object, "comment", dialect->comment);
    json_put_count(&object, "skipped_lines", dialect->skipped_lines);
    json_put(&object, "header", json_boolean(dialect->has_header));
    json_put(&object, "header_is_numbers", json_boolean(dialect->header_is_numbers));
    return json_end(&object);
}

void shards_text_put(json_builder *whole, const shards_meta *meta) {
    const raw_columns *raw = &meta->raw;
    json_builder object = json_object_begin();
    if (!meta->is_of_text) {
        json_drop(&object);
        return;
    }
    json_put_text(&object, "identity", meta->identity);
    json_put(&object, "path", json_text(raw->path));
    json_put(&object, "paths", json_texts(raw->part_paths, raw->part_count));
    json_put_count(&object, "columns", meta->columns);
    json_put_count(&object, "dropped", meta->dropped);
    json_put(&object, "positions", positions_array(meta));
    json_put_text(&object, "target_name", meta->target_name);
    if (meta->target_names != NULL)
        json_put(&object, "target_names", json_strings(meta->target_names, meta->target_count));
    if (meta->label_count > 0) json_put(&object, "labels", labels_array(meta));
    if (raw->is_category != NULL) json_put(&object, "categories", categories_array(meta));
    json_put(&object, "fills_missing", json_boolean(raw->fills_missing));
    json_put(&object, "missing_values", json_strings(raw->missing_values, raw->missing_value_count));
    if (meta->origins != NULL) json_put(&object, "origins", numbers_array(meta));
    if (meta->origin_note != NULL) json_put(&object, "origin_note", json_text(meta->origin_note));
    json_put_text(&object, "remark", meta->remark);
    if (meta->dialect.is_text) json_put(&object, "dialect", dialect_object(&meta->dialect));
    json_put(whole, KEY, json_end(&object));
}
