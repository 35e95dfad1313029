/* Data sets whose rows are more than --memory, or lie in a folder of shards: they become feeds where their format can. */
#ifndef TANDA_DATA_FEED_LOAD_H
#define TANDA_DATA_FEED_LOAD_H

#include "data/table.h"

/*
 * *taken: the data set is made, and its rows lie elsewhere or came from a folder of shards; else it is to be read in memory.
 * TANDA_BAD_INPUT, naming the path and its size, for rows that are more than options->memory and can only be read into it.
 */
tanda_status feed_load(const char *path, const request *request, tanda_dataset *dataset, bool *taken,
                       tanda_error *error);

#endif
