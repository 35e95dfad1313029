/* Texts that stand for a missing value. */
#ifndef TANDA_DATA_MISSING_H
#define TANDA_DATA_MISSING_H

#include "support/status.h"

/* True for nothing, ?, the words that pandas takes for a missing value, and those that the options name. */
bool missing_is_word(const tanda_dataset_options *options, const char *text, size_t length);

/* Whether the options name a number, such as -999, which is then compared by value. */
bool missing_has_number(const tanda_dataset_options *options);

/* "refuse" and "mean", in the order of tanda_missing. */
extern const char *const missing_names[2];

#endif
