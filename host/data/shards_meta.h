/* meta.json of a folder of shards. */
#ifndef TANDA_DATA_SHARDS_META_H
#define TANDA_DATA_SHARDS_META_H

#include "data/dataset.h"

#define SHARDS_META "meta.json"
#define HASH_TEXT_SIZE 17

typedef struct shard {
    char *features, *labels, *weights; /* names in the folder; NULL: no labels, no weights */
    size_t rows;
    char values_hash[HASH_TEXT_SIZE], labels_hash[HASH_TEXT_SIZE],
        weights_hash[HASH_TEXT_SIZE]; /* 16 hexadecimal digits */
} shard;

typedef struct shards_meta {
    size_t rows, features, target_count;
    tanda_task task; /* of the labels; AUTO: none */
    size_t class_count;
    char **class_names;   /* (class_count), or NULL */
    char **feature_names; /* (features), or NULL */
    char *source;         /* or NULL */
    bool has_weights;
    size_t shard_count;
    shard *shards;
    /* Of a text that was read (data/data_cache.h): what a data set of it has, as struct tanda_dataset says; else all zero. */
    bool is_of_text;
    char *identity; /* of the text, to notice that it is another one by now */
    size_t label_count;
    int64_t
        *label_values; /* (label_count), ascending: what stands for labels in the files; NULL: classes do */
    int32_t *label_classes; /* (label_count): the class of each */
    char *target_name;
    char **target_names; /* (target_count) of several, or NULL */
    raw_columns raw;
    double *origins; /* (features) that were subtracted, or NULL */
    size_t columns, position_count, dropped;
    size_t *positions;
    char *origin_note, *remark;
    dialect dialect;
} shards_meta;

void shards_meta_free(shards_meta *meta);

/* PATH/NAME, for free(). */
tanda_status shards_path(const char *folder, const char *name, char **path, tanda_error *error);

/* TANDA_BAD_INPUT, naming the file, for one that is damaged or does not add up. */
tanda_status shards_meta_read(const char *folder, shards_meta *meta, tanda_error *error);

/* Reads all rows, and puts their hashes into meta; as shards_verify, which holds them against what is there. */
tanda_status shards_hash(const char *folder, shards_meta *meta, tanda_error *error);

/* What of it is of a text, from and to JSON. */
struct json_t;
struct json_builder;
tanda_status shards_text_get(const char *path, const struct json_t *object, shards_meta *meta,
                             tanda_error *error);
void shards_text_put(struct json_builder *object, const shards_meta *meta);
void shards_text_free(shards_meta *meta);

/* Its text, for free(). */
tanda_status shards_meta_text(const shards_meta *meta, char **text, tanda_error *error);

#endif
