#include "data/value_set.h"

#include <stdlib.h>

#define FIRST_BITS 5
#define MORE_BITS 4 /* the last of three tables has room for all values */

static size_t slots_of(const value_set *set) {
    return set->bits == 0 ? 0 : (size_t)1 << set->bits;
}

/* More slots, so that at most half of them are taken. */
static void grow(value_set *set) {
    value_set larger = *set;
    larger.bits = set->bits == 0 ? FIRST_BITS : set->bits + MORE_BITS;
    larger.slots = calloc((size_t)1 << larger.bits, sizeof *larger.slots);
    set->failed = larger.slots == NULL;
    if (set->failed) return;
    for (size_t i = 0; i < slots_of(set); i++)
        if (set->slots[i].rows > 0) *value_set_slot(&larger, set->slots[i].value) = set->slots[i];
    free(set->slots);
    *set = larger;
}

static void give_up(value_set *set) {
    set->has_more = true;
    free(set->slots);
    set->slots = NULL;
    set->bits = 0;
}

bool value_set_insert(value_set *set, double value, size_t rows, size_t first_row) {
    if (set->has_more || set->failed) return true;
    if (set->count == VALUE_SET_MAX) {
        give_up(set);
        return true;
    }
    if (2 * (set->count + 1) > slots_of(set)) grow(set);
    if (set->failed) return true;
    *value_set_slot(set, value) = (counted_value){value, rows, first_row};
    set->count++;
    return true;
}

void value_set_join(value_set *set, const value_set *other) {
    set->failed = set->failed || other->failed;
    for (size_t i = 0; i < slots_of(other); i++) {
        const counted_value *from = &other->slots[i];
        if (from->rows > 0 && !set->has_more) value_set_add(set, from->value, from->rows, from->first_row);
    }
    if (other->has_more && !set->has_more) give_up(set);
    if (other->has_more) set->count = VALUE_SET_MAX;
}

const counted_value *value_set_most_frequent(const value_set *set) {
    const counted_value *found = set->slots;
    for (size_t i = 0; i < slots_of(set); i++) {
        const counted_value *slot = &set->slots[i];
        if (slot->rows > found->rows || (slot->rows == found->rows && slot->first_row < found->first_row))
            found = slot;
    }
    return found;
}

void value_set_free(value_set *set) {
    free(set->slots);
    *set = (value_set){0};
}
