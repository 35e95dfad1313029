/* Which columns of a file are features, in which order, and which is the target. */
#ifndef TANDA_DATA_COLUMNS_H
#define TANDA_DATA_COLUMNS_H

#include "data/selection.h"

/*
 * Applies --target, --features, --ignore and --sample-weight, and what a model expects, to a file of `columns` columns.
 * names is NULL for a file without names. A name goes before an index. Fails with TANDA_USAGE when an option
 * names no column or contradicts another, TANDA_BAD_INPUT when the columns do not fit what is expected.
 */
tanda_status columns_select(const request *request, const char *path, char *const *names, size_t columns,
                            selection *result, tanda_error *error);

#endif
