/*
 * Points of the curves that classifiers are judged by, as scikit-learn 1.9 gives them; what is drawn is these points.
 */
#ifndef TANDA_TRAIN_CURVES_H
#define TANDA_TRAIN_CURVES_H

#include "train/metrics.h"

/* All zero is an empty one, for curve_free. */
typedef struct curve {
    size_t count;
    double *x, *y;
} curve;

void curve_free(curve *curve);

/*
 * roc_curve(drop_intermediate=False): x is the false positive rate, y the true positive rate of the rows that score at
 * least as high as each score of a sorted ranking, from the highest on, (0, 0) first. Empty where all rows or none are
 * positive.
 */
tanda_status curve_roc(const ranking *ranking, curve *made, tanda_error *error);

/*
 * precision_recall_curve: x is recall, y precision of the same rows, from the lowest score on, and (0, 1) last. Empty where
 * no row is positive.
 */
tanda_status curve_precision_recall(const ranking *ranking, curve *made, tanda_error *error);

/*
 * calibration_curve(n_bins=bins, strategy="uniform"): of the rows whose score, in [0, 1], lies in each of the bins of equal
 * width that has any, x is the mean score and y the share of positive ones. A score on an edge belongs to the bin below it.
 */
tanda_status curve_calibration(const float *scores, size_t stride, const int32_t *classes, int32_t positive,
                               size_t rows, size_t bins, curve *made, tanda_error *error);

#endif
