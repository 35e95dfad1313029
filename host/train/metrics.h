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

/* Sorts the scores scores[row * stride], upwards; rows with classes[row] == positive are the positive ones. */
void ranking_sort(ranking *ranking, const float *scores, size_t stride, const int32_t *classes,
                  int32_t positive);

/* Rows of one score, in a ranking that is sorted. */
typedef struct ranked_score {
    float score;
    size_t positives, negatives;
} ranked_score;

/* The rows of the score at *place, from the lowest at 0 on, which becomes the place of the next; or, downwards, from
 * the highest at `rows` on. */
ranked_score ranking_next(const ranking *ranking, size_t *place);
ranked_score ranking_next_down(const ranking *ranking, size_t *place);

/*
 * Of a sorted ranking: the area under the ROC curve, equal scores counting half (Mann and Whitney's U over the number of
 * pairs), NaN when all rows or none are positive; and average precision, NaN when none are.
 */
double roc_auc(const ranking *ranking);
double average_precision(const ranking *ranking);

/* A row whose most probable class is not its own, with the probability of that class. */
typedef struct mistake {
    size_t row; /* from 0 */
    int32_t prediction;
    float probability;
} mistake;

/* The `most` mistakes that are made most surely, of equals the first; returns how many there are. */
size_t find_mistakes(const float *probabilities, const int32_t *classes, size_t rows, size_t class_count,
                     mistake *found, size_t most);

/* log x for a normal x > 0 from + - * / and fma alone: the same bits everywhere, within 2 ulp of libm's. */
double exact_double_log(double x);

#endif
