/* Parts of metrics.c that stand by themselves; what they are for is in tanda.h. */
#ifndef TANDA_TRAIN_METRICS_H
#define TANDA_TRAIN_METRICS_H

#include "support/status.h"

/* Metrics of a task without figures: all NaN. To be released with tanda_metrics_free. */
tanda_status metrics_create(tanda_task task, size_t rows, tanda_metrics **result, tanda_error *error);

/* TANDA_BAD_INPUT for no values of (rows, columns), too many, or one that is not finite, with its row. */
tanda_status metrics_check_finite(const float *values, size_t rows, size_t columns, const char *what,
                                  tanda_error *error);

/* Precision, recall and f1 of so many predicted, true (support) and both (correct). What would be 0 / 0 is 0. */
tanda_average metrics_rates(uint64_t predicted, uint64_t support, uint64_t correct);

/* sum += weight * rates; then the division of a sum. */
void metrics_add(tanda_average *sum, const tanda_average *rates, double weight);
void metrics_divide(tanda_average *sum, double divisor);

/* From the counts of each class: its rates, and their averages; macro over those that occur, or over all. */
void metrics_rate(tanda_metrics *metrics, bool occurring);

/* Room to sort the scores of `rows` rows. */
typedef struct ranking {
    size_t rows;
    uint64_t *entries, *other;
} ranking;

tanda_status ranking_create(size_t rows, ranking *made, tanda_error *error);
void ranking_free(ranking *ranking);

/*
 * Area under the ROC curve of the scores scores[row * stride] for the rows with classes[row] == positive, equal scores
 * counting half (Mann and Whitney's U over the number of pairs). NaN when all rows or none are positive.
 */
double roc_auc(ranking *ranking, const float *scores, size_t stride, const int32_t *classes,
               int32_t positive);

/* log x for a normal x > 0 from + - * / and fma alone: the same bits everywhere, within 2 ulp of libm's. */
double exact_double_log(double x);

#endif
