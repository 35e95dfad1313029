/*
 * What repeated measurements tell: of few values, without assuming a distribution. At most STAT_MOST values each.
 */
#ifndef TANDA_LAB_STATISTICS_H
#define TANDA_LAB_STATISTICS_H

#include <stdbool.h>
#include <stddef.h>

#define STAT_MOST 31

/* Of `count` values; all 0 where there are none. */
typedef struct stat_summary {
    size_t count;
    double median, low_quartile, high_quartile, least, most;
    double low, high, coverage; /* an interval of the median, and how often such a one holds it */
} stat_summary;

stat_summary stat_summarise(const double *values, size_t count);

/*
 * The p-value, two-sided, of Mann and Whitney's test that neither of two samples tends to be larger, Ann. Math. Statist. 18
 * (1947): exact, by counting all ways in which the ranks could lie, also where values are equal (midranks). 1 without
 * values or memory.
 */
double stat_rank_test(const double *a, size_t a_count, const double *b, size_t b_count);

/*
 * y = intercept + slope x, by least squares of the relative errors, so that small values count as large ones do. False
 * where fewer than two different x leave it open.
 */
typedef struct stat_line {
    double intercept, slope;
} stat_line;
bool stat_fit_line(const double *x, const double *y, size_t count, stat_line *line);

/*
 * Where two values are the same between places x[0] and x[1], at which they are these: both on straight lines, as the time
 * of a step is by its rows. False where it is the same one that is larger at both.
 */
bool stat_tie_between(const double x[2], const double a[2], const double b[2], double *place);

/* The logarithm to base 2 of a value above 0, to some 30 binary digits. */
double stat_log2(double value);

#endif
