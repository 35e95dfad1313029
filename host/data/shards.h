/*
 * A data set in a folder: shard-00000.npy, shard-00001.npy, ... of features in binary32, labels-00000.npy, ... beside them,
 * and meta.json, which says what they hold and is written last.
 */
#ifndef TANDA_DATA_SHARDS_H
#define TANDA_DATA_SHARDS_H

#include "data/dataset.h"

/* Whether the path is a folder with meta.json. */
bool shards_are_in(const char *path);

/*
 * A data set whose rows lie in the folder's shards. TANDA_BAD_INPUT, naming the shard, for one that is missing or not as
 * meta.json says: by its rows, its shape, its size.
 */
struct request; /* data/table.h */
tanda_status shards_open(const char *folder, const struct request *request, tanda_dataset *dataset,
                         tanda_error *error);

/* How far writing is, of all rows; often. */
typedef void shards_progress(size_t rows, size_t all, void *context);

typedef struct shards_options {
    size_t shard_rows; /* of each shard but the last */
    const char *
        source; /* what the rows are of, for people and for going on: with another one, nothing is gone on with */
    shards_progress *on_progress; /* or NULL */
    void *context;
} shards_options;

/*
 * The rows of a data set, wherever they lie, to a folder, which is made. One that holds a part of the same is gone on with:
 * shards that are whole stay. TANDA_USAGE for a folder that holds anything else, TANDA_FAILED for one that cannot be
 * written. Memory is that of a pass.
 */
tanda_status shards_write(const char *folder, const tanda_dataset *dataset, const shards_options *options,
                          tanda_error *error);

/* What meta.json says, and what reading all rows finds. */
typedef struct shards_facts {
    size_t shards, rows, features, targets, classes, bytes;
    tanda_task task;
    char source[256]; /* "" for none */
} shards_facts;

/* Reads all of it: TANDA_BAD_INPUT, naming the shard, where its rows have another hash than meta.json says. */
tanda_status shards_verify(const char *folder, shards_facts *facts, tanda_error *error);

#endif
