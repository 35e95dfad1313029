#include "data/text_set.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "data/number.h"
#include "support/memory.h"

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

static uint64_t hash_value(const text_value *value) {
    return value->kind == VALUE_TEXT ? hash_bytes(value->text, value->length)
                                     : hash_bytes(&value->number, sizeof value->number);
}

/* The slot of a text, or the free slot where it would go. */
static size_t find_slot(const text_set *set, const char *text, size_t length) {
    const text_value wanted = value_of(text, length);
    size_t mask = set->slot_count - 1;
    size_t slot = (size_t)hash_value(&wanted) & mask;
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
