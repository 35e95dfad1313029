/* Names in an option's text, with commas between them. */
#ifndef TANDA_DATA_NAME_LIST_H
#define TANDA_DATA_NAME_LIST_H

#include "support/status.h"

/*
 * The next name as a copy, for free(); *text moves behind it and its comma, and becomes NULL behind the last. A name that
 * begins with a double quote may hold commas up to the closing one, and doubled quotes that stand for one; what follows
 * up to the comma belongs to it, as in "a, b"=2. NULL for want of memory.
 */
char *name_list_next(const char **text);

/* How a name is to be written in such a list, for free(): quoted where it needs it. NULL for want of memory. */
char *name_list_quote(const char *name);

#endif
