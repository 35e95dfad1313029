/* What reorder.c has a file's format done by. */
#ifndef TANDA_DATA_REORDER_PARTS_H
#define TANDA_DATA_REORDER_PARTS_H

#include "support/file_view.h"

struct reordering; /* reorder.h */

/* reorder_array.c, reorder_text.c. The view is of the input, and stays the caller's. */
tanda_status reorder_array(struct reordering *given, const file_view *view, tanda_error *error);
tanda_status reorder_text(struct reordering *given, const file_view *view, tanda_error *error);

#endif
