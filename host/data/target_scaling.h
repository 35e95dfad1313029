/* Standardised targets: fitted once on the training rows, stored in the model, and undone in its predictions. */
#ifndef TANDA_DATA_TARGET_SCALING_H
#define TANDA_DATA_TARGET_SCALING_H

#include "support/status.h"

/* All zero: targets are trained as they are. */
typedef struct target_scaling {
    size_t targets;    /* or 0 */
    double *mean;      /* (targets) */
    double *deviation; /* (targets), above 0 */
} target_scaling;

/*
 * Mean and standard deviation (of the population) of each column of targets (rows, count), in double, summed as the
 * scaling of features. A constant target has deviation 1. TANDA_FAILED for want of memory.
 */
tanda_status target_scaling_fit(const float *targets, size_t rows, size_t count, target_scaling *result,
                                tanda_error *error);
void target_scaling_free(target_scaling *scaling);

/* made = (target - mean) / deviation, in double and rounded once; both are (rows, scaling->targets). */
void target_scaling_apply(const target_scaling *scaling, const float *targets, size_t rows, float *made);

/* The reverse, in place: mean + deviation * value. */
void target_scaling_undo(const target_scaling *scaling, size_t rows, float *values);

#endif
