/* A model and the rows that it is used on. */
#ifndef TANDA_FIT_APPLY_H
#define TANDA_FIT_APPLY_H

#include "model/row_stream.h"

/*
 * Loads both; the rows are prepared and scaled. With as_they_come, rows to predict that come through a pipe are a *stream,
 * and *dataset the first of them. All three are the caller's, to be released whatever is returned, and NULL before.
 * TANDA_BAD_INPUT also says so where a model stands in the place of the data.
 */
tanda_status apply_load(const char *model_path, const char *path, const tanda_dataset_options *reading,
                        bool as_they_come, tanda_model **model, row_stream **stream, tanda_dataset **dataset,
                        tanda_error *error);

#endif
