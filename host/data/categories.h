/*
 * Distinct texts, numbered in the order in which they come, and the categories of columns of text made of them: read first,
 * made features of later (data/preparation.h). Numbers are compared as numbers: 1, 1.0 and +1 are one text, the one that
 * came first; and so are true, True and TRUE.
 */
#ifndef TANDA_DATA_CATEGORIES_H
#define TANDA_DATA_CATEGORIES_H

#include <stdbool.h>

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

struct place; /* data/place.h */

/* More than this in a column, and it is taken for an identifier or a quantity. */
#define CATEGORIES_MAX 4096

/* All zero is a column without categories. */
typedef struct categories {
    text_set texts;       /* in order of appearance; numbers of equal value are one */
    bool takes_more;      /* all beyond CATEGORIES_MAX are number CATEGORIES_MAX, and not kept */
    struct place *places; /* (texts.capacity): where each came first, without path and name */
} categories;

/*
 * *index of a category, which is new or known. TANDA_BAD_INPUT with its place for text that is not UTF-8, and for one
 * category too many.
 */
tanda_status categories_add(categories *categories, const char *text, size_t length,
                            const struct place *place, size_t *index, tanda_error *error);

/*
 * How the values of a data set stand for its columns before they are prepared. All zero: they are the features.
 * Values of a column of categories are the indexes of these; NaN is a missing value, and of no category.
 */
typedef struct raw_columns {
    char *path;        /* of the file, for messages */
    char **part_paths; /* of several files whose rows follow one another: part_count entries, or NULL */
    size_t part_count;
    bool *is_category;      /* features entries, or NULL: none is */
    categories *categories; /* with is_category: features entries, all zero for numbers */
    bool fills_missing;     /* missing values become means; else there are none */
    char **missing_values;  /* missing_value_count further texts that stand for them, or NULL */
    size_t missing_value_count;
} raw_columns;

static inline bool raw_columns_are_features(const raw_columns *raw) {
    return raw->is_category == NULL && !raw->fills_missing;
}

/* is_category has features entries and is copied; NULL, and true for none, is the same. */
tanda_status raw_columns_make(const char *path, const bool *is_category, bool fills_missing, size_t features,
                              raw_columns *raw, tanda_error *error);
tanda_status raw_columns_copy(const raw_columns *source, size_t features, raw_columns *copy,
                              tanda_error *error);
/* The path of the file that a category came from, for messages. */
const char *raw_columns_path(const raw_columns *raw, const struct place *place);
void raw_columns_free(raw_columns *raw, size_t features);

#endif
