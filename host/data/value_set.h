/* The distinct values of a column with their rows, until there are too many to tell. */
#ifndef TANDA_DATA_VALUE_SET_H
#define TANDA_DATA_VALUE_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef struct counted_value {
    double value;
    size_t rows; /* 0: a free slot */
    size_t first_row;
} counted_value;

/* All zero is an empty one. */
typedef struct value_set {
    size_t count;
    bool has_more; /* than VALUE_SET_MAX: slots are given up, and nothing is added any more */
    bool failed;   /* there was no memory */
    unsigned bits; /* of the number of slots; 0: there are none */
    counted_value *slots;
} value_set;

#define VALUE_SET_MAX 4096

/* The slot of a value, free or its own. There are some. */
static inline counted_value *value_set_slot(const value_set *set, double value) {
    uint64_t number;
    memcpy(&number, &value, sizeof number);
    const size_t last = ((size_t)1 << set->bits) - 1;
    size_t at = (size_t)((number * UINT64_C(0x9E3779B97F4A7C15)) >> (64 - set->bits));
    while (set->slots[at].rows != 0 && set->slots[at].value != value)
        at = (at + 1) & last;
    return &set->slots[at];
}

/* value_set_add of one that is not there. */
bool value_set_insert(value_set *set, double value, size_t rows, size_t first_row);

/* Adds rows of a value, which is no NaN. Whether it is new. */
static inline bool value_set_add(value_set *set, double value, size_t rows, size_t first_row) {
    counted_value *slot = set->bits > 0 ? value_set_slot(set, value) : NULL;
    if (slot == NULL || slot->rows == 0) return value_set_insert(set, value, rows, first_row);
    slot->rows += rows;
    if (first_row < slot->first_row) slot->first_row = first_row;
    return false;
}

/* Adds all of another set. */
void value_set_join(value_set *set, const value_set *other);

/* Of equals the one that came first; NULL of an empty set, and of one that has more. */
const counted_value *value_set_most_frequent(const value_set *set);

void value_set_free(value_set *set);

#endif
