/* Scaling of features: fitted once on the training rows, stored in the model, applied to any rows. */
#ifndef TANDA_DATA_SCALING_H
#define TANDA_DATA_SCALING_H

#include "support/status.h"

typedef struct scaling {
    tanda_scale kind;
    size_t features; /* 0 when kind is TANDA_SCALE_NONE, and the arrays are NULL */
    float *center;   /* per feature: x' = (x - center) * factor, in binary32 */
    float *factor;
    double *origin; /* subtracted of each feature before, as data/origin.h has it; or NULL: all are 0 */
} scaling;

/*
 * standard: center = mean, factor = 1 / standard deviation (population, as scikit-learn); minmax: center =
 * minimum, factor = 1 / (maximum - minimum). A constant column gets factor 1. Mean and variance in two passes
 * in double, summed in chunks of 256 rows and over chunks by the tree of contract 4.
 * values is (rows, features).
 */
tanda_status scaling_fit(tanda_scale kind, const float *values, size_t rows, size_t features, scaling *result,
                         tanda_error *error);
/* Takes over the origins that the rows have; none go with TANDA_SCALE_NONE, which is TANDA_USAGE. */
tanda_status scaling_take_origins(scaling *scaling, const tanda_dataset *training, tanda_error *error);

void scaling_free(scaling *scaling);

/* "none", "standard", "minmax". scaling_from_name is false for another name. */
const char *scaling_name(tanda_scale kind);
bool scaling_from_name(const char *name, tanda_scale *kind);

#endif
