/* Parts of metrics.c that stand by themselves; what they are for is in tanda.h. */
#ifndef TANDA_TRAIN_METRICS_H
#define TANDA_TRAIN_METRICS_H

#include "support/status.h"

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
