/*
 * Metrics of several labels a row, as scikit-learn has them for multilabel indicators (zero_division=0). Counts are
 * integers, all else is double in the order of rows or labels.
 */
#include <math.h>
#include <stdlib.h>

#include "support/memory.h"
#include "train/metrics.h"

static tanda_status check_labels(const float *labels, size_t rows, size_t count, tanda_error *error) {
    for (size_t i = 0; i < rows * count; i++)
        if (labels[i] != 0.0f && labels[i] != 1.0f)
            return fail(error, TANDA_BAD_INPUT,
                        "metrics: row %zu, label %zu (from 0) is %g; labels are 0 or 1", i / count, i % count,
                        (double)labels[i]);
    return TANDA_OK;
}

/* One row: its labels that hold, those that are said to, and both. */
typedef struct row_counts {
    uint64_t support, predicted, correct;
} row_counts;

static row_counts count_row(tanda_metrics *metrics, const float *probabilities, const float *labels) {
    row_counts row = {0};
    for (size_t i = 0; i < metrics->class_count; i++) {
        tanda_class_metrics *label = &metrics->classes[i];
        const bool truth = labels[i] == 1.0f, said = probabilities[i] > 0.5f;
        label->support += truth;
        label->predicted += said;
        label->correct += truth && said;
        row.support += truth;
        row.predicted += said;
        row.correct += truth && said;
    }
    return row;
}

/* Accuracy is of whole rows; what is averaged over samples is made of each row by itself. */
static void count_rows(tanda_metrics *metrics, const float *probabilities, const float *labels) {
    const size_t count = metrics->class_count;
    uint64_t right = 0, wrong = 0;
    row_counts all = {0};
    metrics->samples = (tanda_average){0};
    for (size_t i = 0; i < metrics->rows; i++) {
        const row_counts row = count_row(metrics, probabilities + i * count, labels + i * count);
        const tanda_average rates = metrics_rates(row.predicted, row.support, row.correct);
        const uint64_t wrong_here = row.support + row.predicted - 2 * row.correct;
        metrics_add(&metrics->samples, &rates, 1.0);
        right += wrong_here == 0;
        wrong += wrong_here;
        all =
            (row_counts){all.support + row.support, all.predicted + row.predicted, all.correct + row.correct};
    }
    metrics_divide(&metrics->samples, (double)metrics->rows);
    metrics->accuracy = (double)right / (double)metrics->rows;
    metrics->hamming_loss = (double)wrong / ((double)metrics->rows * (double)count);
    metrics->micro = metrics_rates(all.predicted, all.support, all.correct);
}

tanda_status tanda_metrics_of_labels(const float *probabilities, const float *labels, size_t rows,
                                     size_t label_count, tanda_metrics **metrics, tanda_error *error) {
    tanda_metrics *made = NULL;
    int32_t *truth = NULL;
    ranking ranking = {0};
    double roc = 0.0, precision = 0.0;
    tanda_status status = metrics_check_finite(probabilities, rows, label_count, "prediction", error);
    if (status == TANDA_OK) status = check_labels(labels, rows, label_count, error);
    if (status == TANDA_OK) status = metrics_create(TANDA_TASK_LABELS, rows, &made, error);
    if (status != TANDA_OK) return status;
    made->class_count = label_count;
    status = allocate(&made->classes, label_count, sizeof *made->classes, "metrics", error);
    if (status == TANDA_OK) status = allocate(&truth, rows, sizeof *truth, "labels", error);
    if (status == TANDA_OK) status = ranking_create(rows, &ranking, error);
    if (status == TANDA_OK) {
        count_rows(made, probabilities, labels);
        metrics_rate(made, false);
    }
    for (size_t i = 0; status == TANDA_OK && i < label_count; i++) {
        for (size_t row = 0; row < rows; row++)
            truth[row] = labels[row * label_count + i] == 1.0f;
        ranking_sort(&ranking, probabilities + i, label_count, truth, 1);
        made->classes[i].roc_auc = roc_auc(&ranking);
        made->classes[i].pr_auc = average_precision(&ranking);
        roc += made->classes[i].roc_auc;
        precision += made->classes[i].pr_auc;
    }
    made->roc_auc = roc / (double)label_count;
    made->pr_auc = precision / (double)label_count;
    ranking_free(&ranking);
    free(truth);

    if (status == TANDA_OK)
        *metrics = made;
    else
        tanda_metrics_free(made);
    return status;
}
