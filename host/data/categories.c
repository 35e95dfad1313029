#include "data/categories.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "data/number.h"
#include "data/place.h"
#include "support/memory.h"

static tanda_status categories_begin(categories *categories, tanda_error *error) {
    tanda_status status = text_set_begin(&categories->texts, "a category", error);
    if (status != TANDA_OK) return status;
    return allocate(&categories->places, categories->texts.capacity, sizeof *categories->places, "categories",
                    error);
}

tanda_status categories_add(categories *categories, const char *text, size_t length, const place *place,
                            size_t *index, tanda_error *error) {
    text_set *texts = &categories->texts;
    *index = text_set_find(texts, text, length);
    if (*index != TEXT_SET_NONE) return TANDA_OK;
    *index = texts->count;
    if (!is_plain_utf8(text, length)) return fail_at(error, place, "the text is not UTF-8");
    if (texts->count == CATEGORIES_MAX && categories->takes_more) return TANDA_OK;
    if (texts->count == CATEGORIES_MAX)
        return fail_at(error, place,
                       "more than %d categories so far: is this column an identifier or a quantity? leave it "
                       "out with --ignore",
                       CATEGORIES_MAX);
    const size_t capacity = texts->capacity;
    const tanda_status status = text_set_add(texts, text, length, "a category", error);
    if (status != TANDA_OK) return status;
    if (texts->capacity != capacity) { /* places for as many texts as there is room for */
        struct place *more = reallocarray(categories->places, texts->capacity, sizeof *more);
        if (more == NULL) return fail(error, TANDA_FAILED, "no memory for %zu categories", texts->capacity);
        categories->places = more;
    }
    struct place *kept = &categories->places[*index];
    *kept = *place;
    kept->path = kept->name = NULL;
    return TANDA_OK;
}

static void categories_free(categories *categories) {
    text_set_free(&categories->texts);
    free(categories->places);
    *categories = (struct categories){0};
}

tanda_status raw_columns_make(const char *path, const bool *is_category, bool fills_missing, size_t features,
                              raw_columns *raw, tanda_error *error) {
    *raw = (raw_columns){.fills_missing = fills_missing};
    tanda_status status = copy_text(&raw->path, path, error);
    const bool some =
        is_category != NULL && memchr(is_category, true, features * sizeof *is_category) != NULL;
    if (status != TANDA_OK || !some) return status;
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
    for (size_t i = 0, index = 0; copy->categories != NULL && i < features; i++) {
        const categories *from = &source->categories[i];
        for (size_t c = 0; status == TANDA_OK && c < from->texts.count; c++)
            status = categories_add(&copy->categories[i], from->texts.texts[c], strlen(from->texts.texts[c]),
                                    &from->places[c], &index, error);
    }
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

#define FIRST_CAPACITY 16

/* A text, and what it says: with `kind` VALUE_TEXT itself, else the number. */
typedef struct text_value {
    const char *text;
    size_t length;
    enum { VALUE_TEXT, VALUE_NUMBER, VALUE_BOOLEAN } kind;
    double number;
} text_value;

/* More digits may be another number of the same binary64. */
#define NUMBER_LENGTH_MAX 15

static text_value value_of(const char *text, size_t length) {
    text_value value = {.text = text, .length = length};
    if (length == 0 || length > NUMBER_LENGTH_MAX) return value;
    char first = text[0];
    if ((first >= '0' && first <= '9') || first == '.' || first == '-' || first == '+') {
        if (number_to_double(text, length, &value.number) == NUMBER_OK) value.kind = VALUE_NUMBER;
    } else if ((length == 4 && strncasecmp(text, "true", 4) == 0) ||
               (length == 5 && strncasecmp(text, "false", 5) == 0)) {
        value.number = length == 4;
        value.kind = VALUE_BOOLEAN;
    }
    return value;
}

static bool same_value(const text_value *a, const text_value *b) {
    if (a->kind != b->kind) return false;
    if (a->kind != VALUE_TEXT) return a->number == b->number;
    return a->length == b->length && memcmp(a->text, b->text, a->length) == 0;
}

bool texts_are_same(const char *a, const char *b) {
    text_value left = value_of(a, strlen(a)), right = value_of(b, strlen(b));
    return same_value(&left, &right);
}

/* FNV-1a (Fowler, Noll, Vo). */
static uint64_t hash_bytes(const void *bytes, size_t length) {
    const unsigned char *at = bytes;
    uint64_t hash = 0xcbf29ce484222325;
    for (size_t i = 0; i < length; i++)
        hash = (hash ^ at[i]) * 0x100000001b3;
    return hash ^ hash >> 32;
}

/* The slot of a text, or the free slot where it would go. */
static size_t find_slot(const text_set *set, const char *text, size_t length) {
    const text_value wanted = value_of(text, length);
    size_t mask = set->slot_count - 1;
    const uint64_t hash = wanted.kind == VALUE_TEXT ? hash_bytes(text, length)
                                                    : hash_bytes(&wanted.number, sizeof wanted.number);
    size_t slot = (size_t)hash & mask;
    for (; set->slots[slot] != 0; slot = (slot + 1) & mask) {
        const char *known = set->texts[set->slots[slot] - 1];
        if (strlen(known) == length && memcmp(known, text, length) == 0) break;
        if (wanted.kind == VALUE_TEXT) continue;
        const text_value other = value_of(known, strlen(known));
        if (same_value(&wanted, &other)) break;
    }
    return slot;
}

/* Room for `capacity` texts, at least as many as there are. */
static tanda_status make_room(text_set *set, size_t capacity, const char *what, tanda_error *error) {
    text_set made = {.count = set->count, .capacity = capacity, .slot_count = 4 * capacity};
    tanda_status status = allocate(&made.texts, made.capacity, sizeof *made.texts, what, error);
    if (status == TANDA_OK) status = allocate(&made.slots, made.slot_count, sizeof *made.slots, what, error);
    if (status != TANDA_OK) {
        free(made.texts);
        return status;
    }
    for (size_t i = 0; i < set->count; i++) {
        made.texts[i] = set->texts[i];
        made.slots[find_slot(&made, made.texts[i], strlen(made.texts[i]))] = (uint32_t)i + 1;
    }
    free(set->texts);
    free(set->slots);
    *set = made;
    return TANDA_OK;
}

tanda_status text_set_begin(text_set *set, const char *what, tanda_error *error) {
    *set = (text_set){0};
    return make_room(set, FIRST_CAPACITY, what, error);
}

size_t text_set_find(const text_set *set, const char *text, size_t length) {
    uint32_t entry = set->slots[find_slot(set, text, length)];
    return entry == 0 ? TEXT_SET_NONE : entry - 1;
}

tanda_status text_set_add(text_set *set, const char *text, size_t length, const char *what,
                          tanda_error *error) {
    if (set->count == set->capacity) {
        tanda_status status = make_room(set, 2 * set->capacity, what, error);
        if (status != TANDA_OK) return status;
    }
    char *copy = strndup(text, length);
    if (copy == NULL) return fail(error, TANDA_FAILED, "no memory for %s of %zu bytes", what, length);
    size_t slot = find_slot(set, copy, strlen(copy)); /* the text may be another one by now */
    set->texts[set->count++] = copy;
    set->slots[slot] = (uint32_t)set->count;
    return TANDA_OK;
}

void text_set_free(text_set *set) {
    free_texts(set->texts, set->count);
    free(set->slots);
    *set = (text_set){0};
}
