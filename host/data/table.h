/* What every reader of a format is asked for, and the one shape in which it answers. */
#ifndef TANDA_DATA_TABLE_H
#define TANDA_DATA_TABLE_H

#include "data/dataset.h"
#include "data/labels.h"
#include "data/place.h"

/* What to read from a file. */
typedef struct request {
    const tanda_dataset_options *options; /* never NULL */
    const dataset_expectation *expected;  /* or NULL */
    bool labels_only;                     /* the file holds one label per row and no features */
    size_t label_rows;                    /* labels_only: how many rows wait for a label */
} request;

/* The task that holds for a request: the expectation's, or the option's. */
tanda_task request_task(const request *request);

/* Whether several targets are labels, each 0 or 1. */
bool request_wants_labels(const request *request);

/* The selected columns of a file. All members are zero before a reader fills them. */
typedef struct table {
    size_t rows;
    size_t features;     /* 0 for a file of labels */
    raw_columns raw;     /* what the values are where they are not features yet */
    const float *values; /* (rows, features), finite or as raw says, none -0; in owned or in mapping */
    float *owned;
    file_view mapping;
    bool from_bytes;
    char **feature_names; /* features entries, or NULL */
    size_t target_count;  /* 0 without a target */
    char *target_name;    /* of one target, or NULL */
    char **target_names;  /* of several: target_count entries, or NULL */
    bool has_labels;
    labels labels;  /* of one target; with has_labels */
    float *targets; /* of several: (rows, target_count), finite, none -0; else NULL */
    size_t dropped; /* rows that were left out, as they had no target */
    bool has_weights;
    float *weights; /* (rows), each finite and not below 0; NULL without has_weights */
} table;

/* Whether missing values are to become means. */
bool request_fills_missing(const request *request);

/* Allocates what rows, features, target_count and has_weights ask for. is_category: features entries. */
tanda_status table_begin(table *table, const request *request, const char *path, bool text_labels,
                         const bool *is_category, tanda_error *error);

/* TANDA_BAD_INPUT with the place when the weight is negative. */
tanda_status table_add_weight(table *table, size_t row, float weight, const place *place, tanda_error *error);

/* Releases what the table still holds; all members are zero afterwards. */
void table_free(table *table);

#endif
