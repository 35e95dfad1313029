/*
 * Metrics of predictions. Counts are integers, everything else is double in row or class order, so the bits depend
 * on nothing but the predictions. Definitions as in scikit-learn 1.9 (sklearn.metrics).
 */
#include "train/metrics.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/model.h"
#include "model/prediction_text.h"
#include "support/memory.h"

void tanda_metrics_free(tanda_metrics *metrics) {
    if (metrics == NULL) return;
    free(metrics->classes);
    free(metrics->confusion);
    free(metrics);
}

tanda_status metrics_create(tanda_task task, size_t rows, tanda_metrics **result, tanda_error *error) {
    tanda_status status = allocate(result, 1, sizeof **result, "metrics", error);
    if (status != TANDA_OK) return status;
    const tanda_average none = {NAN, NAN, NAN};
    **result = (tanda_metrics){.task = task,
                               .rows = rows,
                               .accuracy = NAN,
                               .top_accuracy = NAN,
                               .macro = none,
                               .weighted = none,
                               .micro = none,
                               .samples = none,
                               .hamming_loss = NAN,
                               .roc_auc = NAN,
                               .pr_auc = NAN,
                               .brier = NAN,
                               .mcc = NAN,
                               .kappa = NAN,
                               .log_loss = NAN,
                               .mse = NAN,
                               .mae = NAN,
                               .r2 = NAN};
    return TANDA_OK;
}

tanda_status metrics_check_finite(const float *values, size_t rows, size_t columns, const char *what,
                                  tanda_error *error) {
    size_t count = 0;
    if (rows == 0 || columns == 0) return fail(error, TANDA_BAD_INPUT, "metrics: there are no %ss", what);
    if (multiply_overflows(rows, columns, &count))
        return fail(error, TANDA_BAD_INPUT, "metrics: %zu x %zu values are too many", rows, columns);
    for (size_t i = 0; i < count; i++)
        if (!isfinite(values[i]))
            return fail(error, TANDA_BAD_INPUT, "metrics: row %zu (from 0): the %s is not finite",
                        i / columns, what);
    return TANDA_OK;
}

/* ---- classes ------------------------------------------------------------------------------------------ */

static tanda_status check_classes(const int32_t *classes, size_t rows, size_t class_count,
                                  tanda_error *error) {
    if (class_count < 2 || class_count > INT32_MAX)
        return fail(error, TANDA_BAD_INPUT, "metrics: %zu classes; two or more are needed", class_count);
    for (size_t row = 0; row < rows; row++)
        if (classes[row] < 0 || (size_t)classes[row] >= class_count)
            return fail(error, TANDA_BAD_INPUT,
                        "metrics: row %zu (from 0) has class %d, there are %zu classes", row, classes[row],
                        class_count);
    return TANDA_OK;
}

/*
 * Classes before this one when they are ordered by probability. Of equals the last comes first, as in
 * top_k_accuracy_score, except between two classes, where scikit-learn compares one score with a threshold.
 */
static size_t place_of(const float *row, size_t columns, size_t class) {
    size_t before = 0;
    if (columns == 2) return best_class(row, columns) != class;
    for (size_t i = 0; i < columns; i++)
        before += row[i] > row[class] || (row[i] == row[class] && i > class);
    return before;
}

static void count_rows(tanda_metrics *metrics, const float *probabilities, const int32_t *classes) {
    size_t columns = metrics->class_count, in_top = 0, correct = 0;
    for (size_t row = 0; row < metrics->rows; row++) {
        const float *at = probabilities + row * columns;
        size_t truth = (size_t)classes[row], best = best_class(at, columns);
        metrics->classes[truth].support++;
        metrics->classes[best].predicted++;
        metrics->classes[truth].correct += best == truth;
        correct += best == truth;
        if (metrics->confusion != NULL) metrics->confusion[truth * columns + best]++;
        if (metrics->top_k > 0) in_top += place_of(at, columns, truth) < metrics->top_k;
    }
    metrics->accuracy = (double)correct / (double)metrics->rows;
    if (metrics->top_k > 0) metrics->top_accuracy = (double)in_top / (double)metrics->rows;
}

static double ratio(uint64_t part, uint64_t whole) {
    return whole == 0 ? 0.0 : (double)part / (double)whole;
}

tanda_average metrics_rates(uint64_t predicted, uint64_t support, uint64_t correct) {
    return (tanda_average){.precision = ratio(correct, predicted),
                           .recall = ratio(correct, support),
                           .f1 = ratio(2 * correct, support + predicted)};
}

void metrics_add(tanda_average *sum, const tanda_average *rates, double weight) {
    sum->precision = fma(weight, rates->precision, sum->precision);
    sum->recall = fma(weight, rates->recall, sum->recall);
    sum->f1 = fma(weight, rates->f1, sum->f1);
}

void metrics_divide(tanda_average *sum, double divisor) {
    sum->precision /= divisor;
    sum->recall /= divisor;
    sum->f1 /= divisor;
}

void metrics_rate(tanda_metrics *metrics, bool occurring) {
    size_t counted = 0;
    double support = 0.0;
    metrics->macro = metrics->weighted = (tanda_average){0};
    for (size_t i = 0; i < metrics->class_count; i++) {
        tanda_class_metrics *class = &metrics->classes[i];
        const tanda_average rates = metrics_rates(class->predicted, class->support, class->correct);
        class->precision = rates.precision;
        class->recall = rates.recall;
        class->f1 = rates.f1;
        metrics_add(&metrics->weighted, &rates, (double)class->support);
        support += (double)class->support;
        if (occurring && class->support + class->predicted == 0) continue;
        metrics_add(&metrics->macro, &rates, 1.0);
        counted++;
    }
    metrics_divide(&metrics->macro, (double)counted);
    if (support > 0.0) metrics_divide(&metrics->weighted, support);
}

static bool are_probabilities(const float *values, size_t count) {
    for (size_t i = 0; i < count; i++)
        if (values[i] < 0.0f || values[i] > 1.0f) return false;
    return true;
}

static double log_loss(const tanda_metrics *metrics, const float *probabilities, const int32_t *classes) {
    size_t columns = metrics->class_count;
    double sum = 0.0;
    for (size_t row = 0; row < metrics->rows; row++) {
        double p = (double)probabilities[row * columns + (size_t)classes[row]];
        p = p < DBL_EPSILON ? DBL_EPSILON : p > 1.0 - DBL_EPSILON ? 1.0 - DBL_EPSILON : p;
        sum -= exact_double_log(p);
    }
    return sum / (double)metrics->rows;
}

/* Brier 1950; for two classes of the second alone, which is half of the sum over both. */
static double brier(const tanda_metrics *metrics, const float *probabilities, const int32_t *classes) {
    const size_t columns = metrics->class_count;
    double sum = 0.0;
    for (size_t row = 0; row < metrics->rows; row++)
        for (size_t i = columns == 2; i < columns; i++) {
            const double truth = (size_t)classes[row] == i ? 1.0 : 0.0;
            const double distance = (double)probabilities[row * columns + i] - truth;
            sum = fma(distance, distance, sum);
        }
    return sum / (double)metrics->rows;
}

/*
 * Matthews's correlation for any number of classes (Gorodkin 2004) and Cohen's kappa (1960), from n rows of which c are
 * right, t_k are of class k and p_k said to be so: the covariance of truth and prediction is n c - sum p t.
 */
static void rate_agreement(tanda_metrics *metrics) {
    typedef unsigned __int128 wide;
    wide right = 0, chance = 0, said = 0, true_ones = 0;
    for (size_t i = 0; i < metrics->class_count; i++) {
        const tanda_class_metrics *class = &metrics->classes[i];
        right += class->correct;
        chance += (wide) class->predicted * class->support;
        said += (wide) class->predicted * class->predicted;
        true_ones += (wide) class->support * class->support;
    }
    const wide rows = metrics->rows, all = rows * rows;
    const double covariance =
        rows * right >= chance ? (double)(rows * right - chance) : -(double)(chance - rows * right);
    const double spread = (double)(all - said) * (double)(all - true_ones);
    metrics->mcc = spread == 0.0 ? 0.0 : covariance / sqrt(spread);
    metrics->kappa = all == chance ? NAN : covariance / (double)(all - chance);
}

/* Each class against the rest. */
static void rate_rankings(tanda_metrics *metrics, ranking *ranking, const float *probabilities,
                          const int32_t *classes) {
    const size_t count = metrics->class_count;
    double roc = 0.0, precision = 0.0;
    for (size_t i = 0; i < count; i++) {
        ranking_sort(ranking, probabilities + i, count, classes, (int32_t)i);
        metrics->classes[i].roc_auc = roc_auc(ranking);
        metrics->classes[i].pr_auc = average_precision(ranking);
        roc += metrics->classes[i].roc_auc;
        precision += metrics->classes[i].pr_auc;
    }
    metrics->roc_auc = count == 2 ? metrics->classes[1].roc_auc : roc / (double)count;
    metrics->pr_auc = count == 2 ? metrics->classes[1].pr_auc : precision / (double)count;
}

tanda_status tanda_metrics_of_classes(const float *probabilities, const int32_t *classes, size_t rows,
                                      size_t class_count, size_t top_k, tanda_metrics **metrics,
                                      tanda_error *error) {
    tanda_metrics *made = NULL;
    ranking ranking = {0};
    tanda_status status = metrics_check_finite(probabilities, rows, class_count, "prediction", error);
    if (status == TANDA_OK) status = check_classes(classes, rows, class_count, error);
    if (status == TANDA_OK) status = metrics_create(TANDA_TASK_CLASSES, rows, &made, error);
    if (status != TANDA_OK) return status;
    made->class_count = class_count;
    made->top_k = top_k < class_count ? top_k : class_count;
    status = allocate(&made->classes, class_count, sizeof *made->classes, "metrics", error);
    if (status == TANDA_OK && class_count <= TANDA_CONFUSION_CLASSES)
        status = allocate(&made->confusion, class_count * class_count, sizeof *made->confusion,
                          "confusion matrix", error);
    if (status == TANDA_OK) status = ranking_create(rows, &ranking, error);
    if (status == TANDA_OK) {
        count_rows(made, probabilities, classes);
        metrics_rate(made, true);
        rate_agreement(made);
        rate_rankings(made, &ranking, probabilities, classes);
        if (are_probabilities(probabilities, rows * class_count)) {
            made->log_loss = log_loss(made, probabilities, classes);
            made->brier = brier(made, probabilities, classes);
        }
    }
    ranking_free(&ranking);
    if (status == TANDA_OK)
        *metrics = made;
    else
        tanda_metrics_free(made);
    return status;
}

/* ---- values ------------------------------------------------------------------------------------------- */

/* Sums of one column. */
typedef struct errors {
    double squared, absolute, spread; /* spread: squares of the distances from the targets' mean */
} errors;

static errors column_errors(const float *predictions, const float *targets, size_t rows, size_t stride) {
    errors errors = {0};
    double mean = 0.0;
    for (size_t row = 0; row < rows; row++)
        mean += (double)targets[row * stride];
    mean /= (double)rows;
    for (size_t row = 0; row < rows; row++) {
        double target = (double)targets[row * stride];
        double distance = target - (double)predictions[row * stride];
        errors.squared = fma(distance, distance, errors.squared);
        errors.absolute += fabs(distance);
        errors.spread = fma(target - mean, target - mean, errors.spread);
    }
    return errors;
}

/* 1 - squared / spread, and what scikit-learn makes of a column that is constant (force_finite). */
static double determination(const errors *errors, size_t rows) {
    if (rows < 2) return NAN;
    if (errors->spread == 0.0) return errors->squared == 0.0 ? 1.0 : 0.0;
    return 1.0 - errors->squared / errors->spread;
}

tanda_status tanda_metrics_of_values(const float *predictions, const float *targets, size_t rows,
                                     size_t columns, tanda_metrics **metrics, tanda_error *error) {
    tanda_metrics *made = NULL;
    tanda_status status = metrics_check_finite(predictions, rows, columns, "prediction", error);
    if (status == TANDA_OK) status = metrics_check_finite(targets, rows, columns, "target", error);
    if (status == TANDA_OK) status = metrics_create(TANDA_TASK_REGRESSION, rows, &made, error);
    if (status != TANDA_OK) return status;
    double squared = 0.0, absolute = 0.0, r2 = 0.0, count = (double)columns;
    for (size_t i = 0; i < columns; i++) {
        errors errors = column_errors(predictions + i, targets + i, rows, columns);
        squared += errors.squared / (double)rows;
        absolute += errors.absolute / (double)rows;
        r2 += determination(&errors, rows);
    }
    made->mse = squared / count;
    made->mae = absolute / count;
    made->r2 = r2 / count;
    *metrics = made;
    return TANDA_OK;
}
