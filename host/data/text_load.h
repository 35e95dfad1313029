/* Text that may be more than memory is to hold. */
#ifndef TANDA_DATA_TEXT_LOAD_H
#define TANDA_DATA_TEXT_LOAD_H

#include "data/table.h"

/* Whether bytes begin a text, by the format that is asked for or what they look like. */
bool text_is_asked(const tanda_dataset_options *options, const unsigned char *bytes, size_t size);

/*
 * Of a file of text, or of several whose rows follow one another: more rows than options->memory go to the cache, and the data
 * set is made (*taken), or are refused where there is no options->cache. Else nothing is done.
 */
tanda_status text_load(const char *path, const request *request, tanda_dataset *dataset, bool *taken,
                       tanda_error *error);

#endif
