/* How a feed's rows are made, where that takes binary32 alone: a device can make them itself, to the same bits. */
#ifndef TANDA_DATA_RECIPE_H
#define TANDA_DATA_RECIPE_H

#include "data/feed.h"
#include "kernels/synthetic.h"

/* What is pointed to is the feed's. */
typedef struct row_recipe {
    synthetic data;
    const float *table; /* (table_size) that rows share */
    size_t table_size;
    uint64_t first;               /* row of the data that is the feed's first */
    bool as_reals;                /* classes are wanted as numbers */
    const float *center, *factor; /* (features): see scaling.h; or NULL */
} row_recipe;

/* False where there is none: rows are read, or made in other ways. */
static inline bool feed_recipe(const feed *feed, row_recipe *recipe) {
    return feed->kind->recipe != NULL && feed->kind->recipe(feed, recipe);
}

#endif
