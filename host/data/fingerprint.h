/* A quick way to tell that a data set is another one. */
#ifndef TANDA_DATA_FINGERPRINT_H
#define TANDA_DATA_FINGERPRINT_H

#include "data/dataset.h"
#include "data/scaling.h"

/*
 * 64 bits of rows, features, values, labels and weights, and of the scaling of its targets, if there is
 * one (NULL: none), the same on every machine; names are left out. It is made to
 * notice mistakes, not forgeries: any changed value changes it but for a chance of 2^-64. Reads all values with all
 * threads, at about the speed of memory. TANDA_FAILED for want of memory.
 */
tanda_status dataset_fingerprint(const tanda_dataset *dataset, const target_scaling *scaling,
                                 uint64_t *fingerprint, tanda_error *error);

#endif
