/* The same names in another order. */
#ifndef TANDA_MODEL_NAME_ORDER_H
#define TANDA_MODEL_NAME_ORDER_H

#include <stddef.h>

#include "support/status.h"

typedef struct name_list {
    const char *what;   /* one of them, for messages: "feature" */
    char *const *names; /* count entries, or NULL: they go by position */
    size_t count;
} name_list;

/*
 * *from, to be freed, says for each of our names where it stands among theirs; NULL: position goes by position, as one
 * side has no names, or both have the same in the same order. TANDA_BAD_INPUT with the first of their names that we
 * lack, else the first of ours that they lack, else one that stands twice.
 */
tanda_status name_order_find(const name_list *theirs, const name_list *ours, size_t **from,
                             tanda_error *error);

#endif
