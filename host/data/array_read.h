/* From a matrix of plain elements to a table: the common part of .npy and IDX. */
#ifndef TANDA_DATA_ARRAY_READ_H
#define TANDA_DATA_ARRAY_READ_H

#include "data/array.h"
#include "data/selection.h"
#include "data/table.h"

/*
 * Reads the columns that the request asks for; of labels, a row for each class with a 1 for its own, the class. binary32 in this machine's byte order whose columns are all
 * features, in order, is not copied: then *view is taken over by the table and view becomes empty, as it does for a look at
 * numbers wider than binary32. data must lie in *view for that; view may be NULL. Of an array of text: numbers, categories and
 * classes as in CSV; the columns of text among the features become categories where --categorical auto asks for that.
 */
tanda_status array_read(const array *array, file_view *view, const request *request, table *table,
                        tanda_error *error);

#endif
