#include "model/name_order.h"

#include <stdlib.h>
#include <string.h>

#include "data/categories.h"
#include "data/place.h"
#include "support/memory.h"

static bool same_names(const name_list *a, const name_list *b) {
    if (a->count != b->count) return false;
    for (size_t i = 0; i < a->count; i++)
        if (strcmp(a->names[i], b->names[i]) != 0) return false;
    return true;
}

static tanda_status collect(const name_list *list, text_set *set, tanda_error *error) {
    tanda_status status = text_set_begin(set, "names", error);
    for (size_t i = 0; status == TANDA_OK && i < list->count; i++) {
        const size_t length = strlen(list->names[i]);
        if (text_set_find(set, list->names[i], length) == TEXT_SET_NONE)
            status = text_set_add(set, list->names[i], length, "names", error);
    }
    return status;
}

/* The first name that the set has not, or NULL. */
static const char *first_stranger(const name_list *list, const text_set *set) {
    for (size_t i = 0; i < list->count; i++)
        if (text_set_find(set, list->names[i], strlen(list->names[i])) == TEXT_SET_NONE)
            return list->names[i];
    return NULL;
}

static tanda_status check(const name_list *theirs, const text_set *their_set, const name_list *ours,
                          const text_set *our_set, tanda_error *error) {
    char name[SHOWN_SIZE], first[SHOWN_SIZE];
    const char *stranger = first_stranger(theirs, our_set);
    if (stranger != NULL)
        return fail(error, TANDA_BAD_INPUT,
                    "its %s '%s' is none of this training's, such as '%s'; both must have the same names",
                    theirs->what, shown(stranger, strlen(stranger), name),
                    shown(ours->names[0], strlen(ours->names[0]), first));
    stranger = first_stranger(ours, their_set);
    if (stranger != NULL)
        return fail(error, TANDA_BAD_INPUT,
                    "this training's %s '%s' is none of its, such as '%s'; both must have the same names",
                    ours->what, shown(stranger, strlen(stranger), name),
                    shown(theirs->names[0], strlen(theirs->names[0]), first));
    if (their_set->count == theirs->count && our_set->count == ours->count) return TANDA_OK;
    return fail(error, TANDA_BAD_INPUT,
                "a name stands twice among the %ss, which are in another order here; names must differ",
                theirs->what);
}

static tanda_status find_places(const name_list *ours, const text_set *their_set, size_t **from,
                                tanda_error *error) {
    const tanda_status status = allocate(from, ours->count, sizeof **from, "names", error);
    for (size_t i = 0; status == TANDA_OK && i < ours->count; i++)
        (*from)[i] = text_set_find(their_set, ours->names[i], strlen(ours->names[i]));
    return status;
}

tanda_status name_order_find(const name_list *theirs, const name_list *ours, size_t **from,
                             tanda_error *error) {
    text_set their_set = {0}, our_set = {0};
    *from = NULL;
    if (theirs->names == NULL || ours->names == NULL || same_names(theirs, ours)) return TANDA_OK;
    tanda_status status = collect(theirs, &their_set, error);
    if (status == TANDA_OK) status = collect(ours, &our_set, error);
    if (status == TANDA_OK) status = check(theirs, &their_set, ours, &our_set, error);
    if (status == TANDA_OK) status = find_places(ours, &their_set, from, error);
    text_set_free(&their_set);
    text_set_free(&our_set);
    return status;
}
