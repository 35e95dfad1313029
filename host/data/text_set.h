/*
 * Distinct texts, numbered in the order in which they come. Numbers are compared as numbers: 1, 1.0 and +1 are one text,
 * the one that came first; and so are true, True and TRUE.
 */
#ifndef TANDA_DATA_TEXT_SET_H
#define TANDA_DATA_TEXT_SET_H

#include "support/status.h"

#define TEXT_SET_NONE SIZE_MAX

/* Whether a set would take the two for one. */
bool texts_are_same(const char *a, const char *b);

/* All zero is empty and may be freed; it takes texts after text_set_begin. */
typedef struct text_set {
    size_t count;
    size_t capacity;
    char **texts;      /* count entries, in order of appearance */
    uint32_t *slots;   /* hash table of index + 1 into texts, 0 is free; at most a quarter full */
    size_t slot_count; /* a power of two */
} text_set;

/* Fails with TANDA_FAILED for want of memory, naming `what`, as text_set_add does. */
tanda_status text_set_begin(text_set *set, const char *what, tanda_error *error);

/* The index of a text, or TEXT_SET_NONE. text need not end in a zero. */
size_t text_set_find(const text_set *set, const char *text, size_t length);

/* Adds a copy of a text that is not in the set yet; its index is the count before. Fewer than 2^31 texts. */
tanda_status text_set_add(text_set *set, const char *text, size_t length, const char *what,
                          tanda_error *error);
void text_set_free(text_set *set);

#endif
