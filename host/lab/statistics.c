#include "lab/statistics.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "support/arithmetic.h"

#define CONFIDENCE 0.95
#define DIGITS 30

/* Of sorted values, 1 or more: quantile 7 of Hyndman and Fan, The American Statistician 50 (1996), as NumPy has it. */
static double stat_quantile(const double *sorted, size_t count, double part) {
    const double place = part * (double)(count - 1);
    const size_t below = (size_t)place, above = below + 1 < count ? below + 1 : below;
    return sorted[below] + (place - (double)below) * (sorted[above] - sorted[below]);
}

/*
 * From the k-th smallest to the k-th largest, k as large as 95 % allow: how many values lie below the median is binomial
 * (David and Nagaraja, Order Statistics, 2003, 7.1).
 */
static void set_interval(const double *sorted, stat_summary *summary) {
    const size_t count = summary->count;
    double term = 1.0; /* of 2^count: ways in which `rank` values lie below */
    for (size_t i = 0; i < count; i++)
        term /= 2.0;
    double below = term;
    size_t rank = 0;
    while (2 * (rank + 1) < count) {
        const double next = term * (double)(count - rank) / (double)(rank + 1);
        if (1.0 - 2.0 * (below + next) < CONFIDENCE) break;
        term = next;
        below += next;
        rank++;
    }
    summary->low = sorted[rank];
    summary->high = sorted[count - 1 - rank];
    summary->coverage = count > 1 ? 1.0 - 2.0 * below : 0.0;
}

stat_summary stat_summarise(const double *values, size_t count) {
    double sorted[STAT_MOST];
    stat_summary summary = {.count = count < STAT_MOST ? count : STAT_MOST};
    if (count == 0) return summary;
    memcpy(sorted, values, summary.count * sizeof *sorted);
    qsort(sorted, summary.count, sizeof *sorted, compare_doubles);
    summary.median = stat_quantile(sorted, summary.count, 0.5);
    summary.low_quartile = stat_quantile(sorted, summary.count, 0.25);
    summary.high_quartile = stat_quantile(sorted, summary.count, 0.75);
    summary.least = sorted[0];
    summary.most = sorted[summary.count - 1];
    set_interval(sorted, &summary);
    return summary;
}

/* ---- the rank test ---------------------------------------------------------------------------------------- */

#define MOST_RANK (2 * 2 * STAT_MOST)
#define MOST_SUM (STAT_MOST * MOST_RANK)

/* Twice the rank of each of `count` sorted values; equal ones share the middle of theirs. */
static void set_ranks(const double *sorted, size_t count, size_t *ranks) {
    for (size_t begin = 0, end; begin < count; begin = end) {
        for (end = begin + 1; end < count && sorted[end] == sorted[begin];)
            end++;
        for (size_t i = begin; i < end; i++)
            ranks[i] = begin + end + 1;
    }
}

static size_t rank_sum(const double *values, size_t count, const double *sorted, const size_t *ranks) {
    size_t sum = 0;
    for (size_t i = 0; i < count; i++) {
        size_t place = 0;
        while (sorted[place] != values[i])
            place++;
        sum += ranks[place];
    }
    return sum;
}

/* Twice the smaller of both tails, at most 1. ways[k][s]: subsets of k ranks whose sum is s. */
static double tail_of(const size_t *ranks, size_t count, size_t taken, size_t sum,
                      double (*ways)[MOST_SUM + 1]) {
    double below = 0.0, above = 0.0, all = 0.0;
    ways[0][0] = 1.0;
    for (size_t i = 0; i < count; i++)
        for (size_t k = taken; k > 0; k--)
            for (size_t s = ranks[i]; s <= MOST_SUM; s++)
                ways[k][s] += ways[k - 1][s - ranks[i]];
    for (size_t s = 0; s <= MOST_SUM; s++) {
        all += ways[taken][s];
        if (s <= sum) below += ways[taken][s];
        if (s >= sum) above += ways[taken][s];
    }
    const double smaller = below < above ? below : above;
    return 2.0 * smaller < all ? 2.0 * smaller / all : 1.0;
}

double stat_rank_test(const double *a, size_t a_count, const double *b, size_t b_count) {
    double sorted[2 * STAT_MOST];
    size_t ranks[2 * STAT_MOST];
    const size_t count = a_count + b_count;
    if (a_count == 0 || b_count == 0 || a_count > STAT_MOST || b_count > STAT_MOST) return 1.0;
    double(*ways)[MOST_SUM + 1] = calloc(a_count + 1, sizeof *ways);
    if (ways == NULL) return 1.0;
    memcpy(sorted, a, a_count * sizeof *sorted);
    memcpy(sorted + a_count, b, b_count * sizeof *sorted);
    qsort(sorted, count, sizeof *sorted, compare_doubles);
    set_ranks(sorted, count, ranks);
    const double tail = tail_of(ranks, count, a_count, rank_sum(a, a_count, sorted, ranks), ways);
    free(ways);
    return tail;
}

/* ---- lines ------------------------------------------------------------------------------------------------ */

bool stat_fit_line(const double *x, const double *y, size_t count, stat_line *line) {
    double weights = 0.0, mean_x = 0.0, mean_y = 0.0, products = 0.0, squares = 0.0;
    for (size_t i = 0; i < count; i++) {
        const double weight = 1.0 / (y[i] * y[i]);
        weights += weight;
        mean_x += weight * x[i];
        mean_y += weight * y[i];
    }
    mean_x /= weights;
    mean_y /= weights;
    for (size_t i = 0; i < count; i++) {
        const double weight = 1.0 / (y[i] * y[i]);
        products += weight * (x[i] - mean_x) * (y[i] - mean_y);
        squares += weight * (x[i] - mean_x) * (x[i] - mean_x);
    }
    if (!(squares > 0.0) || !isfinite(products)) return false;
    line->slope = products / squares;
    line->intercept = mean_y - line->slope * mean_x;
    return true;
}

bool stat_tie_between(const double x[2], const double a[2], const double b[2], double *place) {
    const double first = b[0] - a[0], last = b[1] - a[1];
    if ((first > 0.0) == (last > 0.0)) return false;
    *place = x[0] + (x[1] - x[0]) * first / (first - last);
    return true;
}

/* Digit by digit: squaring doubles the logarithm (Knuth, The Art of Computer Programming 1, 1.2.2, exercise 25). */
double stat_log2(double value) {
    double result = 0.0, digit = 0.5;
    while (value >= 2.0) {
        value /= 2.0;
        result += 1.0;
    }
    while (value > 0.0 && value < 1.0) {
        value *= 2.0;
        result -= 1.0;
    }
    for (int i = 0; i < DIGITS; i++, digit /= 2.0) {
        value *= value;
        if (value < 2.0) continue;
        value /= 2.0;
        result += digit;
    }
    return result;
}
