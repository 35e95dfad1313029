/* meta.json of a folder of shards. */
#ifndef TANDA_DATA_SHARDS_META_H
#define TANDA_DATA_SHARDS_META_H

#include "data/dataset.h"

#define SHARDS_META "meta.json"
#define HASH_TEXT_SIZE 17

typedef struct shard {
    char *features, *labels; /* names in the folder; the latter NULL: no labels */
    size_t rows;
    char values_hash[HASH_TEXT_SIZE], labels_hash[HASH_TEXT_SIZE]; /* 16 hexadecimal digits */
} shard;

typedef struct shards_meta {
    size_t rows, features, target_count;
    tanda_task task; /* of the labels; AUTO: none */
    size_t class_count;
    char **class_names;   /* (class_count), or NULL */
    char **feature_names; /* (features), or NULL */
    char *source;         /* or NULL */
    size_t shard_count;
    shard *shards;
} shards_meta;

void shards_meta_free(shards_meta *meta);

/* PATH/NAME, for free(). */
tanda_status shards_path(const char *folder, const char *name, char **path, tanda_error *error);

/* TANDA_BAD_INPUT, naming the file, for one that is damaged or does not add up. */
tanda_status shards_meta_read(const char *folder, shards_meta *meta, tanda_error *error);

/* Its text, for free(). */
tanda_status shards_meta_text(const shards_meta *meta, char **text, tanda_error *error);

#endif
