/* The points of curves against figures of scikit-learn 1.9.1 for the same scores, written down. */
#include <criterion/criterion.h>
#include <math.h>

#include "train/curves.h"

enum { ROWS = 10 };
static const float scores[ROWS] = {.5f, .5f, .5f, .75f, .25f, .25f, 1.f, .75f, .875f, 0.f};
static const int32_t classes[ROWS] = {0, 1, 0, 1, 1, 0, 1, 0, 1, 0};

static void expect_points(const char *name, const curve *curve, size_t count, const double (*points)[2]) {
    cr_assert_eq(curve->count, count, "%s: %zu points instead of %zu", name, curve->count, count);
    for (size_t i = 0; i < count; i++)
        cr_expect(fabs(curve->x[i] - points[i][0]) < 1e-15 && fabs(curve->y[i] - points[i][1]) < 1e-15,
                  "%s, point %zu: %.17g, %.17g", name, i, curve->x[i], curve->y[i]);
}

static void rank(ranking *ranking, int32_t positive) {
    cr_assert_eq(ranking_create(ROWS, ranking, NULL), TANDA_OK);
    ranking_sort(ranking, scores, 1, classes, positive);
}

/* roc_curve(classes, scores, drop_intermediate=False) */
Test(curves, roc_has_a_point_for_each_score_of_scikit_learn) {
    static const double expected[][2] = {{0, 0}, {0, .2}, {0, .4}, {.2, .6}, {.6, .8}, {.8, 1}, {1, 1}};
    ranking ranking;
    curve curve;
    rank(&ranking, 1);
    cr_assert_eq(curve_roc(&ranking, &curve, NULL), TANDA_OK);
    expect_points("roc", &curve, 7, expected);
    curve_free(&curve);
    ranking_free(&ranking);
}

/* precision_recall_curve(classes, scores), as recall and precision */
Test(curves, precision_and_recall_are_those_of_scikit_learn) {
    static const double expected[][2] = {{1, .5},  {1, 5. / 9}, {.8, 4. / 7}, {.6, .75},
                                         {.4, 1.}, {.2, 1.},    {0, 1.}};
    ranking ranking;
    curve curve;
    rank(&ranking, 1);
    cr_assert_eq(curve_precision_recall(&ranking, &curve, NULL), TANDA_OK);
    expect_points("precision and recall", &curve, 7, expected);
    curve_free(&curve);
    ranking_free(&ranking);
}

/* calibration_curve(classes, scores, n_bins=10), as mean score and share */
Test(curves, calibration_has_the_bins_of_scikit_learn) {
    static const double expected[][2] = {{0, 0}, {.25, .5}, {.5, 1. / 3}, {.75, .5}, {.875, 1}, {1, 1}};
    curve curve;
    cr_assert_eq(curve_calibration(scores, 1, classes, 1, ROWS, 10, &curve, NULL), TANDA_OK);
    expect_points("calibration", &curve, 6, expected);
    curve_free(&curve);
}

/* calibration_curve([1, 0, 1, 0], [.5, .25, .75, .125], n_bins=4): an edge is of the bin below */
Test(curves, a_score_on_an_edge_belongs_to_the_bin_below) {
    static const float edges[] = {.5f, .25f, .75f, .125f};
    static const int32_t truth[] = {1, 0, 1, 0};
    static const double expected[][2] = {{.1875, 0}, {.5, 1}, {.75, 1}};
    curve curve;
    cr_assert_eq(curve_calibration(edges, 1, truth, 1, 4, 4, &curve, NULL), TANDA_OK);
    expect_points("calibration", &curve, 3, expected);
    curve_free(&curve);
}

Test(curves, are_empty_where_a_class_has_no_rows) {
    ranking ranking;
    curve curve;
    rank(&ranking, 2);
    cr_assert_eq(curve_roc(&ranking, &curve, NULL), TANDA_OK);
    cr_expect_eq(curve.count, 0);
    cr_assert_eq(curve_precision_recall(&ranking, &curve, NULL), TANDA_OK);
    cr_expect_eq(curve.count, 0);
    ranking_free(&ranking);
}

Test(curves, rank_scores_below_zero_as_they_are) {
    static const float margins[] = {-2.f, 1.f, -0.f, 0.f, -.5f};
    static const int32_t truth[] = {0, 1, 1, 0, 0};
    static const float expected[] = {-2.f, -.5f, 0.f, 1.f};
    ranking ranking;
    cr_assert_eq(ranking_create(5, &ranking, NULL), TANDA_OK);
    ranking_sort(&ranking, margins, 1, truth, 1);
    size_t place = 0;
    for (size_t i = 0; i < 4; i++) {
        const ranked_score score = ranking_next(&ranking, &place);
        cr_expect_eq(score.score, expected[i]);
        cr_expect_eq(score.positives + score.negatives, i == 2 ? 2 : 1);
    }
    cr_expect_eq(place, 5);
    ranking_free(&ranking);
}
