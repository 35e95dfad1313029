/*
 * Rows by number, wherever they lie: in memory, in a file, in shards, in a generator, with a caller. Training,
 * evaluation, scaling and counting go through them in passes, and need not know where they come from.
 */
#ifndef TANDA_DATA_FEED_H
#define TANDA_DATA_FEED_H

#include <stdbool.h>
#include <stddef.h>

#include "support/status.h"

/* Where rows are to be put; NULL: not wanted. */
typedef struct row_block {
    float *values;  /* (rows, features) */
    void *labels;   /* (rows) int32 classes or (rows, label_width) binary32 targets */
    float *weights; /* (rows) */
} row_block;

/* Where rows lie already; NULL: there are none. */
typedef struct row_view {
    const float *values;
    const void *labels;
    const float *weights;
} row_view;

typedef struct feed feed;
struct row_recipe; /* recipe.h */

typedef struct feed_kind {
    /* Rows first ... first + rows - 1, which the feed has. Any number of threads call it at once. */
    tanda_status (*read)(const feed *feed, size_t first, size_t rows, const row_block *block,
                         tanda_error *error);
    /* What the kind holds itself, but for feed->source; the feed is its. */
    void (*free)(feed *feed);
    /* Where row `first` and those behind it lie, as long as the feed does; NULL: nowhere. */
    row_view (*lend)(const feed *feed, size_t first);
    /* TANDA_BAD_INPUT where what was read may have changed meanwhile; NULL: it cannot. */
    tanda_status (*check)(const feed *feed, tanda_error *error);
    /* See recipe.h; NULL: there is none. */
    bool (*recipe)(const feed *feed, struct row_recipe *recipe);
} feed_kind;

/* The first member of each kind's own struct. Values are finite and none is -0: reading refuses others, with the row. */
struct feed {
    const feed_kind *kind;
    feed *source; /* of a feed that makes other rows of it: its share; or NULL */
    size_t rows, features;
    size_t label_width; /* labels of a row, four bytes each; 0: none */
    bool has_weights;
    bool waits;       /* reading waits for a disk, and computes little: more threads than cores may do it */
    size_t read_rows; /* so many at once are read best; at least 1 */
    size_t shares;    /* beside the first */
};

/* What the feed has not is left as it is. */
tanda_status feed_read(const feed *feed, size_t first, size_t rows, const row_block *block,
                       tanda_error *error);

/* One more holder of the feed, who frees it, too. */
feed *feed_share(feed *feed);

/* Gives a share back; with the last one the feed goes. NULL is nothing. */
void feed_free(feed *feed);

/* Returns status, unless what lies behind the feed has changed: then TANDA_BAD_INPUT, as nothing made of it counts. */
tanda_status feed_check(const feed *feed, tanda_status status, tanda_error *error);

/* Bytes of one row with its labels and weight. */
size_t feed_row_size(const feed *feed);

/* Whose parts `block` is from row `rows` of it on; NULL stays NULL. */
row_block feed_block_from(const feed *feed, const row_block *block, size_t rows);

/* Rows in memory, borrowed: values (rows, features), and labels and weights or NULL. TANDA_FAILED for want of memory. */
typedef struct feed_arrays {
    size_t rows, features, label_width;
    const float *values;
    const void *labels;
    const float *weights;
} feed_arrays;
tanda_status feed_of_memory(const feed_arrays *arrays, feed **result, tanda_error *error);

#endif
