/* Rows of a feed that stay in memory once they were read: a run of them, as many as there is memory for. */
#ifndef TANDA_DATA_FEED_KEPT_H
#define TANDA_DATA_FEED_KEPT_H

#include "data/feed.h"

/*
 * Reads what it does not have from the source, which outlives it. Rows first ... first + rows - 1 are kept, at least one;
 * each takes feed_row_size bytes and two bits. TANDA_FAILED for want of memory.
 */
tanda_status feed_kept(const feed *source, size_t first, size_t rows, feed **result, tanda_error *error);

#endif
