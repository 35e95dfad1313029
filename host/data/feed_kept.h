/* Rows of a feed that stay in memory once they were read: the first ones, as many as there is memory for. */
#ifndef TANDA_DATA_FEED_KEPT_H
#define TANDA_DATA_FEED_KEPT_H

#include "data/feed.h"

/*
 * Reads what it does not have from the source, which outlives it. rows: that are kept, 1 to the source's; each takes
 * feed_row_size bytes and two bits. TANDA_FAILED for want of memory.
 */
tanda_status feed_kept(const feed *source, size_t rows, feed **result, tanda_error *error);

#endif
