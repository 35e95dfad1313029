/* Data for a model that is there already, from files and as they come through a pipe. */
#ifndef TANDA_MODEL_ROW_STREAM_H
#define TANDA_MODEL_ROW_STREAM_H

#include "data/dataset.h"
#include "model/model.h"

/* What a model wants of data; borrowed from the model. */
dataset_expectation model_expect(const tanda_model *model);

/* Rows through a pipe: those that have arrived are a data set, before the writer closes. */
typedef struct row_stream row_stream;

/* Whether rows come so: the path is a pipe, and nothing else follows. */
bool row_stream_is_possible(const char *path, const tanda_dataset_options *options);

/*
 * path, options (its texts) and model are borrowed. What is not CSV text (packed, UTF-16, .npy, libsvm) is read to its
 * end first. TANDA_BAD_INPUT when nothing comes.
 */
tanda_status row_stream_open(const char *path, const tanda_dataset_options *options, const tanda_model *model,
                             row_stream **stream, tanda_error *error);

/*
 * The next rows, prepared and scaled: what has arrived, at least one row and at most TEXT_BLOCK_LINES; NULL at the end.
 * The first block waits for two lines unless --header is given, as the first one may be names. Faults are told with
 * the lines of the whole.
 */
tanda_status row_stream_next(row_stream *stream, tanda_dataset **rows, tanda_error *error);
void row_stream_close(row_stream *stream);

#endif
