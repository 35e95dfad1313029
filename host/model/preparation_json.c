#include "model/preparation_json.h"

#include <math.h>
#include <string.h>

#include "support/json.h"
#include "support/memory.h"

/* ---- writing ------------------------------------------------------------------------------------------ */

static json_t *column_to_json(const preparation *preparation, size_t column) {
    const prepared_column *of = &preparation->of[column];
    json_builder object = json_object_begin();
    if (preparation->names != NULL) json_put(&object, "name", json_string(preparation->names[column]));
    if (of->category_count > 0)
        json_put(&object, "categories", json_strings(of->categories, of->category_count));
    else if (preparation->fills_missing)
        json_put(&object, "mean", json_real((double)of->mean));
    return json_end(&object);
}

json_t *preparation_to_json(const preparation *preparation) {
    json_builder columns = json_array_begin(), object = json_object_begin();
    for (size_t i = 0; i < preparation->columns; i++)
        json_push(&columns, column_to_json(preparation, i));
    json_put(&object, "columns", json_end(&columns));
    json_put(&object, "missing", json_string(preparation->fills_missing ? "mean" : "refuse"));
    if (preparation->missing_value_count > 0)
        json_put(&object, "missing_values",
                 json_strings(preparation->missing_values, preparation->missing_value_count));
    json_put(&object, "unknown_category", json_string(preparation->zero_unknown ? "zero" : "refuse"));
    return json_end(&object);
}

/* ---- reading ------------------------------------------------------------------------------------------ */

typedef struct reader {
    const char *path;
    preparation *result;
    tanda_error *error;
} reader;

#define BAD(reader, format, ...) \
    fail((reader)->error, TANDA_BAD_INPUT, "%s: preparation: " format, \
         (reader)->path __VA_OPT__(, ) __VA_ARGS__)

/* "mean" and "zero" are true, "refuse" is false. */
static tanda_status read_choice(const reader *reader, const char *key, const char *text, const char *other,
                                bool *choice) {
    *choice = strcmp(text, other) == 0;
    if (*choice || strcmp(text, "refuse") == 0) return TANDA_OK;
    return BAD(reader, "%s \"%.40s\" is neither refuse nor %s", key, text, other);
}

static bool occurs_before(const prepared_column *of, const char *category) {
    for (size_t i = 0; i < of->category_count; i++)
        if (strcmp(of->categories[i], category) == 0) return true;
    return false;
}

static tanda_status read_categories(const reader *reader, const json_t *array, size_t column) {
    prepared_column *of = &reader->result->of[column];
    size_t count = json_array_size(array);
    if (count == 0 || count > CATEGORIES_MAX)
        return BAD(reader, "column %zu: categories is not an array of 1 to %d texts", column, CATEGORIES_MAX);
    tanda_status status =
        allocate(&of->categories, count, sizeof *of->categories, "categories", reader->error);
    for (size_t i = 0; status == TANDA_OK && i < count; i++) {
        const char *category = json_string_value(json_array_get(array, i));
        if (category == NULL || occurs_before(of, category))
            return BAD(reader, "column %zu: category %zu is not a text of its own", column, i);
        status = copy_text(&of->categories[i], category, reader->error);
        if (status == TANDA_OK) of->category_count++;
    }
    reader->result->is_category[column] = true;
    return status;
}

static tanda_status read_column(const reader *reader, json_t *entry, size_t column, bool named) {
    preparation *result = reader->result;
    const char *name = NULL;
    json_t *mean = NULL, *categories = NULL;
    json_error_t mismatch;
    if (json_unpack_ex(entry, &mismatch, JSON_STRICT, "{s?s, s?o, s?o}", "name", &name, "mean", &mean,
                       "categories", &categories) != 0)
        return BAD(reader, "column %zu: %s", column, mismatch.text);
    if ((name != NULL) != named) return BAD(reader, "column %zu: all columns have names, or none", column);
    if ((mean != NULL) != (result->fills_missing && categories == NULL))
        return BAD(reader, "column %zu: a number has a mean where missing is mean, and else has none",
                   column);
    tanda_status status = TANDA_OK;
    if (named) status = copy_text(&result->names[column], name, reader->error);
    if (status == TANDA_OK && categories != NULL) status = read_categories(reader, categories, column);
    if (status != TANDA_OK || mean == NULL) return status;
    result->of[column].mean = (float)json_number_value(mean);
    if (json_is_number(mean) && isfinite(result->of[column].mean)) return TANDA_OK;
    return BAD(reader, "column %zu: the mean is not a number that binary32 holds", column);
}

static tanda_status read_missing_values(const reader *reader, const json_t *array) {
    preparation *result = reader->result;
    size_t count = json_array_size(array);
    if (count == 0) return BAD(reader, "missing_values is not an array of texts");
    tanda_status status =
        allocate(&result->missing_values, count, sizeof(char *), "missing values", reader->error);
    for (size_t i = 0; status == TANDA_OK && i < count; i++) {
        const char *word = json_string_value(json_array_get(array, i));
        if (word == NULL) return BAD(reader, "missing_values is not an array of texts");
        status = copy_text(&result->missing_values[i], word, reader->error);
        if (status == TANDA_OK) result->missing_value_count++;
    }
    return status;
}

tanda_status preparation_from_json(const char *path, json_t *json, size_t features, preparation *result,
                                   tanda_error *error) {
    const reader reader = {.path = path, .result = result, .error = error};
    json_t *columns = NULL, *words = NULL;
    const char *missing = NULL, *unknown = NULL;
    json_error_t mismatch;
    *result = (preparation){0};
    if (json_unpack_ex(json, &mismatch, JSON_STRICT, "{s:o, s:s, s?o, s:s}", "columns", &columns, "missing",
                       &missing, "missing_values", &words, "unknown_category", &unknown) != 0)
        return BAD(&reader, "%s", mismatch.text);
    tanda_status status = read_choice(&reader, "missing", missing, "mean", &result->fills_missing);
    if (status == TANDA_OK && words != NULL) status = read_missing_values(&reader, words);
    if (status == TANDA_OK)
        status = read_choice(&reader, "unknown_category", unknown, "zero", &result->zero_unknown);
    if (status != TANDA_OK) return status;
    size_t count = json_array_size(columns), made = 0;
    if (count == 0 || count > features)
        return BAD(&reader, "columns is not an array of 1 to %zu columns, as there are features", features);
    bool named = json_object_get(json_array_get(columns, 0), "name") != NULL;
    status = allocate(&result->of, count, sizeof *result->of, "columns", reader.error);
    if (status == TANDA_OK)
        status = allocate(&result->is_category, count, sizeof(bool), "columns", reader.error);
    if (status == TANDA_OK && named)
        status = allocate(&result->names, count, sizeof *result->names, "columns", reader.error);
    if (status == TANDA_OK) result->columns = count;
    for (size_t i = 0; status == TANDA_OK && i < count; i++)
        status = read_column(&reader, json_array_get(columns, i), i, named);
    if (status != TANDA_OK) return status;
    if (preparation_count(result, 1, &made) && made == features) return TANDA_OK;
    return BAD(&reader, "its columns make %zu features, the architecture has %zu", made, features);
}
