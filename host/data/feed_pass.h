/* A pass over all rows of a feed, block by block, by all threads; what comes of it does not depend on them. */
#ifndef TANDA_DATA_FEED_PASS_H
#define TANDA_DATA_FEED_PASS_H

#include "data/feed.h"

typedef struct pass_block {
    size_t index; /* of the block, from 0 */
    size_t first, rows;
    row_view at; /* what the pass asks for and the feed has; else NULL */
} pass_block;

/* Any of the two may be NULL. */
typedef struct feed_pass {
    bool values, labels, weights;
    size_t block_rows; /* 0: as feed_pass_rows has it for 1 */
    size_t
        state_size; /* bytes that a thread keeps between both, all zero before map; 0: none, and state is NULL */
    /* What can be done with a block by itself, by several threads at once. */
    tanda_status (*map)(void *context, void *state, const pass_block *block, tanda_error *error);
    /* After map of the same block: one block at a time, in the order of the rows. */
    tanda_status (*reduce)(void *context, void *state, const pass_block *block, tanda_error *error);
    void *context;
} feed_pass;

/* How many rows of some 4 MiB a block has: the largest power of two of `unit` rows, at least one unit. */
size_t feed_pass_rows(const feed *feed, size_t unit);

/*
 * The first failure in the order of the rows ends the pass and is returned. Blocks that the feed has not in memory take some
 * 64 MiB at most, or one block where that is larger.
 */
tanda_status feed_pass_run(const feed *feed, const feed_pass *pass, tanda_error *error);

#endif
