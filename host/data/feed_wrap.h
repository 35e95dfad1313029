/*
 * Feeds of other feeds' rows: scaled, chosen, weighed, with standardised targets. Each takes the source over; where it
 * fails, the source stays the caller's. What it is made from is copied.
 */
#ifndef TANDA_DATA_FEED_WRAP_H
#define TANDA_DATA_FEED_WRAP_H

#include "data/feed.h"
#include "data/row_marks.h"
#include "data/scaling.h"

/* For feeds of this kind: *wrapper, of `size` bytes and beginning with a feed, becomes one of the source's shape. */
tanda_status feed_wrap(feed *source, const feed_kind *kind, size_t size, void *wrapper, tanda_error *error);

/*
 * Values become (x - center) * factor of their column, less `origins` (features) before, or NULL: nothing is subtracted.
 * Reading fails with TANDA_BAD_INPUT, and the row, for one beyond binary32.
 */
tanda_status feed_scaled(feed *source, const scaling *scaling, const double *origins, feed **result,
                         tanda_error *error);

/* Targets become (target - mean) / deviation, as target_scaling_apply does. */
tanda_status feed_standardised(feed *source, const target_scaling *scaling, feed **result,
                               tanda_error *error);

/* Each row's weight is multiplied by that of its class; weights (class_count). A row without a weight has 1. */
tanda_status feed_weighted(feed *source, const double *weights, size_t class_count, feed **result,
                           tanda_error *error);

/* Rows get the weights that another feed has as values, one a row, which is taken over, too. */
tanda_status feed_with_weights(feed *source, feed *weights, feed **result, tanda_error *error);

/* The rows that are marked, or those that are not, in the source's order. The marks are shared. */
tanda_status feed_subset(feed *source, row_marks *marks, bool marked, feed **result, tanda_error *error);

/* Rows first ... first + rows - 1 of the source. */
tanda_status feed_range(feed *source, size_t first, size_t rows, feed **result, tanda_error *error);

/* The rows of `count` feeds of one shape, one behind the other; all are taken over. At least one. */
tanda_status feed_joined(feed *const *feeds, size_t count, feed **result, tanda_error *error);

#endif
