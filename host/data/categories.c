#include "data/categories.h"

#include <stdlib.h>
#include <string.h>

#include "data/place.h"
#include "support/memory.h"

tanda_status categories_begin(categories *categories, tanda_error *error) {
    tanda_status status = text_set_begin(&categories->texts, "a category", error);
    if (status != TANDA_OK) return status;
    return allocate(&categories->places, categories->texts.capacity, sizeof *categories->places, "categories",
                    error);
}

/* Places for as many texts as there is room for. */
static tanda_status follow_capacity(categories *categories, tanda_error *error) {
    place *more = reallocarray(categories->places, categories->texts.capacity, sizeof *more);
    if (more == NULL)
        return fail(error, TANDA_FAILED, "no memory for %zu categories", categories->texts.capacity);
    categories->places = more;
    return TANDA_OK;
}

static tanda_status add_new(categories *categories, const char *text, size_t length, const place *where,
                            tanda_error *error) {
    text_set *texts = &categories->texts;
    if (!is_plain_utf8(text, length)) return fail_at(error, where, "the text is not UTF-8");
    if (texts->count == CATEGORIES_MAX && categories->takes_more) return TANDA_OK;
    if (texts->count == CATEGORIES_MAX)
        return fail_at(error, where,
                       "more than %d categories so far: is this column an identifier or a quantity? leave it "
                       "out with --ignore",
                       CATEGORIES_MAX);
    const size_t capacity = texts->capacity;
    tanda_status status = text_set_add(texts, text, length, "a category", error);
    if (status == TANDA_OK && texts->capacity != capacity) status = follow_capacity(categories, error);
    if (status != TANDA_OK) return status;
    place *kept = &categories->places[texts->count - 1];
    *kept = *where;
    kept->path = kept->name = NULL;
    return TANDA_OK;
}

tanda_status categories_add(categories *categories, const char *text, size_t length, const place *place,
                            size_t *index, tanda_error *error) {
    *index = text_set_find(&categories->texts, text, length);
    if (*index != TEXT_SET_NONE) return TANDA_OK;
    *index = categories->texts.count;
    return add_new(categories, text, length, place, error);
}

static tanda_status copy_categories(const categories *source, categories *copy, tanda_error *error) {
    if (source->places == NULL) return TANDA_OK;
    tanda_status status = TANDA_OK;
    for (size_t i = 0, index = 0; status == TANDA_OK && i < source->texts.count; i++)
        status = categories_add(copy, source->texts.texts[i], strlen(source->texts.texts[i]),
                                &source->places[i], &index, error);
    return status;
}

void categories_free(categories *categories) {
    text_set_free(&categories->texts);
    free(categories->places);
    *categories = (struct categories){0};
}

/* ---- all columns -------------------------------------------------------------------------------------- */

static bool any(const bool *flags, size_t count) {
    for (size_t i = 0; flags != NULL && i < count; i++)
        if (flags[i]) return true;
    return false;
}

tanda_status raw_columns_make(const char *path, const bool *is_category, bool fills_missing, size_t features,
                              raw_columns *raw, tanda_error *error) {
    *raw = (raw_columns){.fills_missing = fills_missing};
    tanda_status status = copy_text(&raw->path, path, error);
    if (status != TANDA_OK || !any(is_category, features)) return status;
    status = allocate(&raw->is_category, features, sizeof *raw->is_category, "columns", error);
    if (status == TANDA_OK)
        status = allocate(&raw->categories, features, sizeof *raw->categories, "columns", error);
    for (size_t i = 0; status == TANDA_OK && i < features; i++) {
        raw->is_category[i] = is_category[i];
        if (is_category[i]) status = categories_begin(&raw->categories[i], error);
    }
    return status;
}

tanda_status raw_columns_copy(const raw_columns *source, size_t features, raw_columns *copy,
                              tanda_error *error) {
    tanda_status status =
        raw_columns_make(source->path, source->is_category, source->fills_missing, features, copy, error);
    if (status == TANDA_OK)
        status = copy_texts(&copy->part_paths, source->part_paths, source->part_count, error);
    if (status == TANDA_OK) copy->part_count = source->part_count;
    if (status == TANDA_OK)
        status =
            copy_texts(&copy->missing_values, source->missing_values, source->missing_value_count, error);
    if (status == TANDA_OK) copy->missing_value_count = source->missing_value_count;
    for (size_t i = 0; status == TANDA_OK && copy->categories != NULL && i < features; i++)
        status = copy_categories(&source->categories[i], &copy->categories[i], error);
    return status;
}

const char *raw_columns_path(const raw_columns *raw, const place *place) {
    return raw->part_paths == NULL ? raw->path : raw->part_paths[place->part];
}

void raw_columns_free(raw_columns *raw, size_t features) {
    for (size_t i = 0; raw->categories != NULL && i < features; i++)
        categories_free(&raw->categories[i]);
    free(raw->categories);
    free(raw->is_category);
    free_texts(raw->missing_values, raw->missing_value_count);
    free(raw->path);
    free_texts(raw->part_paths, raw->part_count);
    *raw = (struct raw_columns){0};
}
