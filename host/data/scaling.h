/* Scaling of features: fitted once on the training rows, stored in the model, applied to any rows. */
#ifndef TANDA_DATA_SCALING_H
#define TANDA_DATA_SCALING_H

#include "data/feed.h"
#include "data/vocabulary.h"
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
 * minimum, factor = 1 / (maximum - minimum). A constant column gets factor 0: it has no influence. Mean and variance in two passes
 * in double, summed in chunks of 256 rows and over chunks by the tree of contract 4.
 */
tanda_status scaling_fit(tanda_scale kind, const feed *rows, scaling *result, tanda_error *error);

/*
 * values (rows, features) become (x - center) * factor, in place, in the exact floating-point mode, which the caller is in.
 * TANDA_BAD_INPUT for one beyond binary32: `first` is the number of the first row, names (features) or NULL are for the message.
 */
tanda_status scaling_apply(const scaling *scaling, char *const *names, size_t first, size_t rows,
                           float *values, tanda_error *error);

/* Subtracts origins (features) from values (rows, features), in binary64, and rounds once; in the exact mode. */
void origins_subtract(const double *origins, float *values, size_t rows, size_t features);

/* Takes a copy of the origins (features) that the rows have, or NULL; none go with TANDA_SCALE_NONE, which is TANDA_USAGE. */
tanda_status scaling_take_origins(scaling *scaling, const double *origins, size_t features,
                                  tanda_error *error);

/* A copy of (features) origins; NULL of NULL. */
tanda_status origin_copy(const double *origins, size_t features, double **copy, tanda_error *error);

void scaling_free(scaling *scaling);

/* Features with factor 0, which were constant in the training rows. */
size_t scaling_constant_count(const scaling *scaling);
/* Feature i of *copy is feature from[i] of the source; from may be NULL: they stay in order. */
tanda_status scaling_copy(const scaling *source, const size_t *from, scaling *copy, tanda_error *error);

/* What options and programs may say. */
extern const vocabulary scaling_words;

/* "none", "standard", "minmax". scaling_from_name is of what files hold, and false for another name. */
const char *scaling_name(tanda_scale kind);
bool scaling_from_name(const char *name, tanda_scale *kind);

/* All zero: targets are trained as they are. */
typedef struct target_scaling {
    size_t targets;    /* or 0 */
    double *mean;      /* (targets) */
    double *deviation; /* (targets), above 0 */
} target_scaling;

/*
 * Mean and standard deviation (of the population) of each target, which the labels of the rows are, in double, summed as
 * the scaling of features. A constant target has deviation 1. TANDA_FAILED for want of memory.
 */
tanda_status target_scaling_fit(const feed *rows, target_scaling *result, tanda_error *error);
void target_scaling_free(target_scaling *scaling);

/* made = (target - mean) / deviation, in double and rounded once; both are (rows, scaling->targets). */
void target_scaling_apply(const target_scaling *scaling, const float *targets, size_t rows, float *made);

/* The reverse, in place: mean + deviation * value. */
void target_scaling_undo(const target_scaling *scaling, size_t rows, float *values);

#endif
