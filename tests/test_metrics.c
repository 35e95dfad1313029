/*
 * Metrics against figures of scikit-learn 1.9.1 (sklearn.metrics, zero_division=0) for the same predictions, which
 * are binary32 values taken to double. Two ways of summing in double differ by less than 1e-13.
 */
#include <math.h>

#include "program.h"
#include "support_network.h"
#include "train/metrics.h"

TestSuite(metrics_of_models, .init = enter_folder, .fini = leave_folder);

static void expect_figure(const char *name, double got, double expected) {
    bool same = isnan(expected) ? isnan(got) : fabs(got - expected) <= 1e-13 * fmax(1.0, fabs(expected));
    cr_expect(same, "%s: %.17g, scikit-learn has %.17g", name, got, expected);
}

static void expect_average(const tanda_average *got, tanda_average expected) {
    expect_figure("average precision", got->precision, expected.precision);
    expect_figure("average recall", got->recall, expected.recall);
    expect_figure("average f1", got->f1, expected.f1);
}

/* expected has support, predicted, precision, recall, f1 and roc_auc per class. */
static void expect_classes(const tanda_metrics *metrics, const double (*expected)[6]) {
    for (size_t i = 0; i < metrics->class_count; i++) {
        const tanda_class_metrics *class = &metrics->classes[i];
        cr_expect_eq(class->support, expected[i][0], "class %zu", i);
        cr_expect_eq(class->predicted, expected[i][1], "class %zu", i);
        expect_figure("precision", class->precision, expected[i][2]);
        expect_figure("recall", class->recall, expected[i][3]);
        expect_figure("f1", class->f1, expected[i][4]);
        expect_figure("roc_auc", class->roc_auc, expected[i][5]);
    }
}

static void expect_confusion(const tanda_metrics *metrics, const uint64_t *expected) {
    for (size_t i = 0; i < metrics->class_count * metrics->class_count; i++)
        cr_expect_eq(metrics->confusion[i], expected[i], "confusion of %zu and %zu", i / metrics->class_count,
                     i % metrics->class_count);
}

/* ---- classes ------------------------------------------------------------------------------------------ */

Test(metrics, of_two_classes_with_equal_scores) {
    static const int32_t classes[] = {0, 1, 0, 1, 1, 0, 1, 0, 1, 0};
    static const float p[] = {.9f,  .1f,  .5f,  .5f, .5f,  .5f,  .25f,  .75f,  .75f, .25f,
                              .75f, .25f, 0.0f, 1.f, .25f, .75f, .125f, .875f, 1.0f, 0.0f};
    static const double expected[][6] = {{5, 6, 2. / 3, .8, .7272727272727273, .82},
                                         {5, 4, .75, .6, 2. / 3, .82}};
    tanda_metrics *metrics = NULL;
    MUST(tanda_metrics_of_classes(p, classes, 10, 2, 1, &metrics, error));
    expect_figure("accuracy", metrics->accuracy, .7);
    expect_figure("top 1", metrics->top_accuracy, .7);
    expect_figure("roc_auc", metrics->roc_auc, .82);
    expect_figure("log_loss", metrics->log_loss, 0.4973139163036537);
    expect_classes(metrics, expected);
    expect_average(&metrics->macro, (tanda_average){0.7083333333333333, .7, 0.696969696969697});
    expect_average(&metrics->weighted, (tanda_average){0.7083333333333333, .7, 0.696969696969697});
    expect_confusion(metrics, (const uint64_t[]){4, 1, 2, 3});
    tanda_metrics_free(metrics);
}

/* Class 2 is never the prediction; rows have equal probabilities; one true class has probability 0. */
Test(metrics, of_four_classes_one_never_predicted) {
    static const int32_t classes[] = {0, 0, 0, 1, 1, 2, 2, 3, 3, 3, 1, 0};
    static const float p[] = {.7f, .1f, .1f, .1f, .4f, .4f, .1f, .1f, .25f, .25f, .25f, .25f,
                              .1f, .6f, .2f, .1f, .3f, .3f, .2f, .2f, .5f,  .2f,  .2f,  .1f,
                              .1f, .5f, .3f, .1f, .1f, .1f, .1f, .7f, .05f, .05f, .3f,  .6f,
                              .4f, .2f, .1f, .3f, .2f, .5f, .1f, .2f, 0.f,  .3f,  .2f,  .5f};
    static const double expected[][6] = {{4, 6, .5, .75, .6, 0.609375},
                                         {3, 3, 2. / 3, 2. / 3, 2. / 3, 0.8888888888888888},
                                         {2, 0, 0, 0, 0, .8},
                                         {3, 3, 2. / 3, 2. / 3, 2. / 3, 0.962962962962963}};
    static const double top[] = {NAN, .5, 0.8333333333333334, 0.8333333333333334};
    for (size_t k = 0; k < 4; k++) {
        tanda_metrics *metrics = NULL;
        MUST(tanda_metrics_of_classes(p, classes, 12, 4, k, &metrics, error));
        expect_figure("accuracy", metrics->accuracy, 0.5833333333333334);
        expect_figure("top", metrics->top_accuracy, top[k]);
        expect_figure("roc_auc", metrics->roc_auc, 0.815306712962963);
        expect_figure("log_loss", metrics->log_loss, 3.832978577422319);
        expect_classes(metrics, expected);
        expect_average(&metrics->macro,
                       (tanda_average){0.45833333333333326, 0.5208333333333333, 0.4833333333333333});
        expect_average(&metrics->weighted, (tanda_average){.5, 0.5833333333333334, 0.5333333333333333});
        expect_confusion(metrics, (const uint64_t[]){3, 0, 0, 1, 1, 2, 0, 0, 1, 1, 0, 0, 1, 0, 0, 2});
        tanda_metrics_free(metrics);
    }
}

/* Class 2 is nowhere: it does not count in the macro average, and the mean area is not defined. */
Test(metrics, of_four_classes_one_absent) {
    static const int32_t classes[] = {0, 1, 3, 3, 1, 0, 0, 3};
    static const float p[] = {.7f, .1f, .1f, .1f, .1f, .6f, .2f, .1f, .1f, .1f, .1f, .7f, .2f, .2f, .2f, .4f,
                              .6f, .2f, .1f, .1f, .5f, .3f, .1f, .1f, .1f, .5f, .2f, .2f, .1f, .2f, .3f, .4f};
    static const double expected[][6] = {{3, 3, 2. / 3, 2. / 3, 2. / 3, .7},
                                         {2, 2, .5, .5, .5, .75},
                                         {0, 0, 0, 0, 0, NAN},
                                         {3, 3, 1, 1, 1, 1}};
    tanda_metrics *metrics = NULL;
    MUST(tanda_metrics_of_classes(p, classes, 8, 4, 2, &metrics, error));
    expect_figure("accuracy", metrics->accuracy, .75);
    expect_figure("top 2", metrics->top_accuracy, .875);
    expect_figure("roc_auc", metrics->roc_auc, NAN);
    expect_figure("log_loss", metrics->log_loss, 0.9577408870123226);
    expect_classes(metrics, expected);
    expect_average(&metrics->macro,
                   (tanda_average){0.7222222222222222, 0.7222222222222222, 0.7222222222222222});
    expect_average(&metrics->weighted, (tanda_average){.75, .75, .75});
    tanda_metrics_free(metrics);
}

Test(metrics, of_more_classes_than_a_confusion_matrix_is_made_for) {
    enum { CLASSES = TANDA_CONFUSION_CLASSES + 1 };
    static float p[2 * CLASSES];
    static const int32_t classes[] = {3, CLASSES - 1};
    p[3] = p[CLASSES + 4] = 1.0f;
    tanda_metrics *metrics = NULL;
    MUST(tanda_metrics_of_classes(p, classes, 2, CLASSES, 2 * CLASSES, &metrics, error));
    cr_expect_null(metrics->confusion);
    cr_expect_eq(metrics->accuracy, .5);
    cr_expect_eq(metrics->top_k, CLASSES);
    cr_expect_eq(metrics->top_accuracy, 1.0);
    expect_average(&metrics->macro, (tanda_average){1. / 3, 1. / 3, 1. / 3});
    tanda_metrics_free(metrics);
}

Test(metrics, of_classes_that_cannot_be_rated_are_refused) {
    static const int32_t classes[] = {0, 2, -1};
    static const float p[] = {.5f, .5f, 1.f, 0.f, .5f, NAN};
    tanda_metrics *metrics = NULL;
    tanda_error error = {0};
    cr_expect_eq(tanda_metrics_of_classes(p, classes, 0, 2, 0, &metrics, &error), TANDA_BAD_INPUT);
    cr_expect_str_eq(error.message, "metrics: there are no predictions");
    cr_expect_eq(tanda_metrics_of_classes(p, classes, 2, 2, 0, &metrics, &error), TANDA_BAD_INPUT);
    cr_expect_str_eq(error.message, "metrics: row 1 (from 0) has class 2, there are 2 classes");
    cr_expect_eq(tanda_metrics_of_classes(p, classes + 2, 1, 2, 0, &metrics, &error), TANDA_BAD_INPUT);
    cr_expect_str_eq(error.message, "metrics: row 0 (from 0) has class -1, there are 2 classes");
    cr_expect_eq(tanda_metrics_of_classes(p, classes, 3, 2, 0, &metrics, &error), TANDA_BAD_INPUT);
    cr_expect_str_eq(error.message, "metrics: row 2 (from 0): the prediction is not finite");
    cr_expect_null(metrics);
}

/* ---- values ------------------------------------------------------------------------------------------- */

Test(metrics, of_values) {
    static const struct {
        float targets[6], predictions[6];
        size_t rows, columns;
        double mse, mae, r2;
    } cases[] = {
        {{3, -.5f, 2, 7},
         {2.5f, .1f, 2, 8.3f},
         4,
         1,
         0.575000124424705,
         0.6000000480562449,
         0.921199126417171},
        {{.5f, 1, -1, 1, 7, -6}, {0, 2, -1, 2, 8, -5}, 3, 2, 0.7083333333333334, .75, 0.9368005266622779},
        {{2, 2, 2}, {2, 2, 2.5f}, 3, 1, 0.08333333333333333, 0.16666666666666666, 0},
        {{2, 2, 2}, {2, 2, 2}, 3, 1, 0, 0, 1},
        {{2}, {2.5f}, 1, 1, .25, .5, NAN},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        tanda_metrics *metrics = NULL;
        MUST(tanda_metrics_of_values(cases[i].predictions, cases[i].targets, cases[i].rows, cases[i].columns,
                                     &metrics, error));
        expect_figure("mse", metrics->mse, cases[i].mse);
        expect_figure("mae", metrics->mae, cases[i].mae);
        expect_figure("r2", metrics->r2, cases[i].r2);
        cr_expect_null(metrics->classes);
        expect_figure("accuracy", metrics->accuracy, NAN);
        tanda_metrics_free(metrics);
    }
}

/* ---- their arithmetic --------------------------------------------------------------------------------- */

/* Pairs counted one by one, for scores with many ties and both signs. */
Test(metrics, area_is_the_share_of_pairs_in_the_right_order) {
    enum { ROWS = 1000 };
    static float scores[ROWS];
    static int32_t classes[ROWS];
    double won = 0.0, pairs = 0.0;
    uint32_t state = 1;
    for (size_t i = 0; i < ROWS; i++) {
        state = state * 1664525u + 1013904223u;
        classes[i] = (int32_t)(state >> 30) % 3;
        scores[i] = ldexpf((float)(int)(state >> 20 & 31) - 16.0f, (int)(state >> 10 & 1) * 20 - 10);
        if (scores[i] == 0.0f && i % 2 == 0) scores[i] = -0.0f;
    }
    for (size_t i = 0; i < ROWS; i++)
        for (size_t j = 0; j < ROWS; j++)
            if (classes[i] == 1 && classes[j] != 1) {
                pairs += 1.0;
                won += scores[i] > scores[j] ? 1.0 : scores[i] == scores[j] ? 0.5 : 0.0;
            }
    ranking ranking;
    MUST(ranking_create(ROWS, &ranking, error));
    cr_expect_eq(roc_auc(&ranking, scores, 1, classes, 1), won / pairs);
    ranking_free(&ranking);
}

Test(metrics, logarithm_is_that_of_libm_within_two_ulp) {
    uint64_t state = 7;
    for (size_t i = 0; i < 1000000; i++) {
        state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        double fraction = (double)(state >> 11) * 0x1p-53,
               x = i % 2 ? 1.0 - ldexp(fraction, -(int)(i % 53)) : 0;
        if (x <= 0.0) x = ldexp(1.0 + fraction, (int)(i % 2000) - 1000);
        double expected = log(x), got = exact_double_log(x);
        double ulp = nextafter(fabs(expected), INFINITY) - fabs(expected);
        cr_assert(fabs(got - expected) <= 2.0 * ulp, "log %a: %a, libm has %a", x, got, expected);
    }
    cr_expect_eq(exact_double_log(1.0), 0.0);
}
