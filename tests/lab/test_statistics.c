/* Medians, ranks and lines against what SciPy 1.x and NumPy say of the same numbers. */
#include <criterion/criterion.h>
#include <math.h>

#include "lab/statistics.h"

#define NEAR(value, expected) \
    cr_expect(fabs((value) - (expected)) <= 1e-12 * fabs(expected), "%s is %.17g, not %.17g", #value, \
              (double)(value), (double)(expected))

Test(statistics, median_and_quartiles_are_numpys) {
    static const double values[] = {3.1, 2.7, 2.9, 3.6, 2.8, 3.0, 3.3, 2.95, 3.05};
    const stat_summary summary = stat_summarise(values, 9);
    NEAR(summary.low_quartile, 2.9); /* numpy.quantile */
    NEAR(summary.median, 3.0);
    NEAR(summary.high_quartile, 3.1);
    NEAR(summary.least, 2.7);
    NEAR(summary.most, 3.6);
    NEAR(summary.coverage, 0.9609375); /* 1 - 2 scipy.stats.binom.cdf(1, 9, 0.5) */
    NEAR(summary.low, 2.8);            /* the second of each side */
    NEAR(summary.high, 3.3);
}

Test(statistics, the_interval_of_five_is_all_of_them_and_says_how_sure_that_is) {
    static const double values[] = {5, 1, 4, 2, 3};
    double many[20];
    const stat_summary summary = stat_summarise(values, 5);
    NEAR(summary.low, 1.0);
    NEAR(summary.high, 5.0);
    NEAR(summary.coverage, 0.9375);
    for (int i = 0; i < 20; i++)
        many[i] = i + 1;
    const stat_summary twenty = stat_summarise(many, 20);
    NEAR(twenty.low, 6.0);
    NEAR(twenty.high, 15.0);
    NEAR(twenty.coverage, 0.9586105346679688);
    cr_expect_eq(stat_summarise(values, 0).median, 0.0);
}

Test(statistics, the_rank_test_is_scipys_exact_one) {
    static const double a[] = {1.02, 0.98, 1.10, 1.05, 0.99}, b[] = {1.2, 1.15, 1.08, 1.3, 1.01};
    static const double low[] = {1, 2, 3, 4, 5}, high[] = {6, 7, 8, 9, 10};
    double shifted[2][20];
    for (int i = 0; i < 20; i++) {
        shifted[0][i] = i;
        shifted[1][i] = i + 4.5;
    }
    NEAR(stat_rank_test(a, 5, b, 5), 0.09523809523809523); /* mannwhitneyu(a, b, method="exact") */
    NEAR(stat_rank_test(b, 5, a, 5), 0.09523809523809523);
    NEAR(stat_rank_test(low, 5, high, 5), 0.007936507936507936);
    NEAR(stat_rank_test(shifted[0], 20, shifted[1], 20), 0.030411256038764864);
}

/* mannwhitneyu(e, f, method=PermutationMethod(n_resamples=inf)) */
Test(statistics, the_rank_test_counts_equal_values_exactly) {
    static const double e[] = {1, 2, 2, 3, 5, 5, 7}, f[] = {2, 4, 5, 6, 7, 8}, same[] = {1, 1, 1, 1};
    NEAR(stat_rank_test(e, 7, f, 6), 0.20512820512820512);
    NEAR(stat_rank_test(same, 4, same, 4), 1.0);
    NEAR(stat_rank_test(e, 0, f, 6), 1.0);
}

/* numpy.polyfit(x, y, 1, w=1 / y) */
Test(statistics, a_line_weighs_relative_errors) {
    static const double x[] = {1000, 4000, 16000, 64000}, y[] = {1.2e-5, 2.1e-5, 6.5e-5, 2.3e-4};
    stat_line line;
    cr_assert(stat_fit_line(x, y, 4, &line));
    cr_expect_float_eq(line.intercept, 8.269347242443895e-06, 1e-17);
    cr_expect_float_eq(line.slope, 3.4454325676227225e-09, 1e-20);
    cr_expect_not(stat_fit_line(x, y, 1, &line));
    cr_expect_not(stat_fit_line(x, y, 0, &line));
}

Test(statistics, a_tie_lies_where_two_straight_lines_cross) {
    static const double x[] = {100, 400}, one[] = {1.5, 4.5}, other[] = {2.5, 4.0}, above[] = {2, 5};
    double place = 0.0;
    cr_assert(stat_tie_between(x, one, other, &place));
    cr_expect_float_eq(place, 300.0, 1e-9);
    cr_assert(stat_tie_between(x, other, one, &place));
    cr_expect_float_eq(place, 300.0, 1e-9);
    cr_expect_not(stat_tie_between(x, one, above, &place));
}

Test(statistics, logarithms_have_thirty_digits) {
    cr_expect_float_eq(stat_log2(0.3), -1.7369655941662063, 1e-8);
    cr_expect_float_eq(stat_log2(1234.5), 10.269711121142782, 1e-8);
    cr_expect_eq(stat_log2(8.0), 3.0);
    cr_expect_eq(stat_log2(0.25), -2.0);
}
