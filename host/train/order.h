/* The order of an epoch's rows as options ask for it, and what is meant where they leave it open. */
#ifndef TANDA_TRAIN_ORDER_H
#define TANDA_TRAIN_ORDER_H

#include "data/dataset.h"
#include "kernels/shuffle.h"

/* "full", "window", "none": in the order of tanda_shuffle. */
extern const char *const shuffle_names[];

/* What the options say, of which no_shuffle is another word for none. */
tanda_shuffle shuffle_asked(const tanda_train_options *options);

/* The same as backends know it. */
enum shuffle_kind shuffle_kind_of(const tanda_train_options *options);

/*
 * For windows, sets block and window where they are 0: for so many training rows of so many features. TANDA_USAGE where
 * they do not go together, or are given without windows.
 */
tanda_status order_settle(tanda_train_options *options, size_t rows, size_t features, tanda_error *error);

/*
 * TANDA_USAGE where all rows are to be mixed and they are more than memory holds. A batch of all rows is mixed with nothing.
 */
tanda_status order_fits(const tanda_train_options *options, const tanda_dataset *dataset, tanda_error *error);

/* That failure. */
tanda_status order_is_too_wide(tanda_error *error);

/* Whether rows of a class look as if they lay together, and windows have too few blocks to mix them. By a sample. */
bool order_mixes_badly(const tanda_dataset *dataset, size_t block, size_t window);

#endif
