/* Feeds of rows that a test has in memory. */
#ifndef TANDA_TESTS_FEEDS_H
#define TANDA_TESTS_FEEDS_H

#include "data/dataset.h"

static inline tanda_status fit_scaling(tanda_scale kind, const float *values, size_t rows, size_t features,
                                       scaling *result, tanda_error *error) {
    const tanda_dataset dataset = {.rows = rows, .features = features, .values = values};
    return dataset_fit_scaling(&dataset, kind, result, error);
}

static inline tanda_status fit_target_scaling(const float *targets, size_t rows, size_t count,
                                              target_scaling *result, tanda_error *error) {
    const feed_arrays arrays = {.rows = rows, .label_width = count, .labels = targets};
    feed *feed = NULL;
    tanda_status status = feed_of_memory(&arrays, &feed, error);
    if (status == TANDA_OK) status = target_scaling_fit(feed, result, error);
    feed_free(feed);
    return status;
}

#endif
