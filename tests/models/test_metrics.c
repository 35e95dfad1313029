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

/* average_precision_score, matthews_corrcoef, cohen_kappa_score and brier_score_loss. */
static void expect_agreement(const tanda_metrics *metrics, double pr_auc, double mcc, double kappa,
                             double brier) {
    expect_figure("pr_auc", metrics->pr_auc, pr_auc);
    expect_figure("mcc", metrics->mcc, mcc);
    expect_figure("kappa", metrics->kappa, kappa);
    expect_figure("brier", metrics->brier, brier);
}

/* ---- classes ------------------------------------------------------------------------------------------ */

Test(metrics, of_two_classes_with_equal_scores) {
    static const int32_t classes[] = {0, 1, 0, 1, 1, 0, 1, 0, 1, 0};
    static const float p[] = {.5f,  .5f,  .5f,  .5f, .5f,  .5f,  .25f,  .75f,  .75f, .25f,
                              .75f, .25f, 0.0f, 1.f, .25f, .75f, .125f, .875f, 1.0f, 0.0f};
    static const double expected[][6] = {{5, 6, 2. / 3, .8, .7272727272727273, 0.76},
                                         {5, 4, .75, .6, 2. / 3, 0.76}};
    tanda_metrics *metrics = NULL;
    MUST(tanda_metrics_of_classes(p, classes, 10, 2, 1, &metrics, error));
    expect_figure("accuracy", metrics->accuracy, .7);
    expect_figure("top 1", metrics->top_accuracy, .7);
    expect_figure("roc_auc", metrics->roc_auc, 0.76);
    expect_figure("log_loss", metrics->log_loss, 0.5560925801447703);
    expect_agreement(metrics, 0.7753968253968253, 0.408248290463863, 0.4, 0.2015625);
    expect_figure("pr_auc of class 0", metrics->classes[0].pr_auc, 0.7249999999999999);
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
        expect_agreement(metrics, 0.6537698412698412, 0.43000658178376583, 0.4117647058823529,
                         0.5654166632766526);
        expect_figure("pr_auc of class 2", metrics->classes[2].pr_auc, 0.39285714285714285);
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
    expect_agreement(metrics, NAN, 0.6190476190476191, 0.6190476190476191, 0.4950000035762789);
    expect_figure("pr_auc of class 0", metrics->classes[0].pr_auc, 0.6805555555555556);
    expect_figure("pr_auc of class 2", metrics->classes[2].pr_auc, NAN);
    expect_classes(metrics, expected);
    expect_average(&metrics->macro,
                   (tanda_average){0.7222222222222222, 0.7222222222222222, 0.7222222222222222});
    expect_average(&metrics->weighted, (tanda_average){.75, .75, .75});
    tanda_metrics_free(metrics);
}

Test(metrics, of_one_class_alone_are_those_of_scikit_learn) {
    static const float p[] = {0.f, 1.f, .25f, .75f};
    static const int32_t same[] = {1, 1}, other[] = {1, 0};
    tanda_metrics *metrics = NULL;
    MUST(tanda_metrics_of_classes(p, same, 2, 2, 0, &metrics, error));
    expect_agreement(metrics, 1.0, 0.0, NAN, 0.03125);
    tanda_metrics_free(metrics);
    MUST(tanda_metrics_of_classes(p, other, 2, 2, 0, &metrics, error));
    expect_agreement(metrics, 1.0, 0.0, 0.0, 0.28125);
    tanda_metrics_free(metrics);
}

Test(metrics, of_what_is_no_probability_have_neither_brier_nor_log_loss) {
    static const float margins[] = {1.5f, -1.5f, -.5f, .5f};
    static const int32_t classes[] = {0, 1};
    tanda_metrics *metrics = NULL;
    MUST(tanda_metrics_of_classes(margins, classes, 2, 2, 0, &metrics, error));
    expect_agreement(metrics, 1.0, 1.0, 1.0, NAN);
    expect_figure("log_loss", metrics->log_loss, NAN);
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
    ranking_sort(&ranking, scores, 1, classes, 1);
    cr_expect_eq(roc_auc(&ranking), won / pairs);
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

/* ---- of models ---------------------------------------------------------------------------------------- */

static void expect_json_average(const json_t *metrics, const char *name, tanda_average expected) {
    const json_t *average = json_object_get(metrics, name);
    const tanda_average got = {json_figure(average, "precision"), json_figure(average, "recall"),
                               json_figure(average, "f1")};
    expect_average(&got, expected);
}

/* One hash of weights per training makes these figures the same on every machine; the predictions are predict's. */
Test(metrics_of_models, evaluate_gives_what_scikit_learn_makes_of_the_predictions) {
    static const struct {
        const char *data, *epochs, *hidden;
        double accuracy, roc_auc, log_loss, top_2;
        tanda_average macro, weighted;
    } cases[] = {
        {BREAST_CANCER,
         "20",
         NULL,
         0.984182776801406,
         0.9956529781724011,
         0.07519598085778133,
         1.0,
         {0.985500573838311, 0.9806894455895565, 0.9830014505694398},
         {0.9842677959650773, 0.984182776801406, 0.9841433992603404}},
        {IRIS,
         "5",
         NULL,
         0.6866666666666666,
         0.9842666666666666,
         0.5600452194825642,
         0.98,
         {0.8109161793372319, 0.6866666666666666, 0.5873575669026206},
         {0.8109161793372319, 0.6866666666666666, 0.5873575669026206}},
        {DIGITS,
         "2",
         "16",
         0.9198664440734557,
         0.9947705390813641,
         0.3201433877805268,
         0.9771841958820257,
         {0.9206982075758002, 0.9194699602746226, 0.9191539960260933},
         {0.9205990959631004, 0.9198664440734557, 0.9193066513202489}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *hidden = cases[i].hidden;
        RUN("train", "--data", cases[i].data, "--device", "cpu", "--epochs", cases[i].epochs, "--output",
            "model", hidden == NULL ? NULL : "--hidden", hidden);
        json_t *result = RUN_JSON("evaluate", "model", "--data", cases[i].data, "--top-k", "2");
        const json_t *metrics = json_object_get(result, "metrics");
        expect_figure("accuracy", json_figure(metrics, "accuracy"), cases[i].accuracy);
        expect_figure("roc_auc", json_figure(metrics, "roc_auc"), cases[i].roc_auc);
        expect_figure("log_loss", json_figure(metrics, "log_loss"), cases[i].log_loss);
        expect_figure("top_k_accuracy", json_figure(metrics, "top_k_accuracy"), cases[i].top_2);
        expect_json_average(metrics, "macro", cases[i].macro);
        expect_json_average(metrics, "weighted", cases[i].weighted);
        cr_expect_lt(fabs(json_figure(result, "loss") - cases[i].log_loss), 1e-6);
        json_decref(result);
    }
}

/* classification_report(digits=4, zero_division=0) and confusion_matrix of the same predictions. */
Test(metrics_of_models, evaluate_prints_the_report_of_scikit_learn) {
    static const char expected[] = "loss: 0.0751959762\n"
                                   "accuracy: 0.984182777 (560 of 569)\n"
                                   "\n"
                                   "              precision    recall  f1-score   support\n"
                                   "\n"
                                   "      benign     0.9807    0.9944    0.9875       357\n"
                                   "   malignant     0.9903    0.9670    0.9785       212\n"
                                   "\n"
                                   "    accuracy                         0.9842       569\n"
                                   "   macro avg     0.9855    0.9807    0.9830       569\n"
                                   "weighted avg     0.9843    0.9842    0.9841       569\n"
                                   "\n"
                                   "roc_auc: 0.995652978\n"
                                   "pr_auc: 0.994758259\n"
                                   "mcc: 0.966178041\n"
                                   "kappa: 0.966005722\n"
                                   "brier: 0.0183294282\n"
                                   "log_loss: 0.0751959809\n"
                                   "\n"
                                   "Confusion matrix (row: truth, column: prediction):\n"
                                   "              benign  malignant\n"
                                   "   benign        355          2\n"
                                   "malignant          7        205\n";
    RUN("train", "--data", BREAST_CANCER, "--device", "cpu", "--epochs", "20", "--output", "model");
    cr_expect_str_eq(RUN("evaluate", "model", "--data", BREAST_CANCER, "--quiet").out, expected);
}

Test(metrics_of_models, regression_gives_mse_mae_and_r2) {
    RUN("train", "--data", DIGITS, "--device", "cpu", "--task", "regression", "--epochs", "3",
        "--learning-rate", "0.01", "--output", "model");
    json_t *result = RUN_JSON("evaluate", "model", "--data", DIGITS);
    const json_t *metrics = json_object_get(result, "metrics");
    expect_figure("mse", json_figure(metrics, "mse"), 3.57520805603186);
    expect_figure("mae", json_figure(metrics, "mae"), 1.4927482466997541);
    expect_figure("r2", json_figure(metrics, "r2"), 0.564285794511284);
    json_decref(result);
    cr_expect_not_null(strstr(RUN("evaluate", "model", "--data", DIGITS, "--quiet").out,
                              "\nmse: 3.57520806\nmae: 1.49274825\nr2: 0.564285795\n"));
    const outcome outcome = RUN("evaluate", "model", "--data", DIGITS, "--top-k", "2", "--quiet");
    cr_expect_eq(outcome.status, 2);
    cr_expect_str_eq(outcome.err, "tanda: --top-k is for classes, and the model predicts a quantity\n");
}

/* A data set may lack classes of the model; those that are no prediction either are not shown. */
Test(metrics_of_models, classes_without_rows_are_told) {
    RUN("train", "--data", IRIS, "--epochs", "50", "--output", "model");
    write_text("part.csv", "sepal_length,sepal_width,petal_length,petal_width,species\n"
                           "5.1,3.5,1.4,0.2,setosa\n4.9,3.0,1.4,0.2,setosa\n7.0,3.2,4.7,1.4,versicolor\n");
    const outcome outcome = RUN("evaluate", "model", "--data", "part.csv", "--quiet");
    cr_expect_not_null(strstr(outcome.out, "\n1 of 3 classes have neither rows nor predictions"), "%s",
                       outcome.out);
    cr_expect_not_null(strstr(outcome.out, "\nroc_auc: not defined, no row is of class virginica\n"));
    cr_expect_null(strstr(outcome.out, "\n   virginica  "));
}

/* 50 classes: the 20 worst and the 10 most frequent confusions, long names cut; JSON has everything. */
Test(metrics_of_models, a_report_of_many_classes_stays_short) {
    FILE *file = fopen("many.csv", "w");
    cr_assert_not_null(file);
    fputs("x,y,kind\n", file);
    for (int i = 0; i < 500; i++)
        fprintf(file, "%d,%d,class %02d of the \xc3\xa4ltest catalogue of all\n", i % 50 / 7, i % 7 + i / 250,
                i % 50);
    fclose(file);
    RUN("train", "--data", "many.csv", "--epochs", "3", "--output", "model");
    const char *out = RUN("evaluate", "model", "--data", "many.csv", "--quiet").out;
    cr_expect_not_null(strstr(out, "\nThe 20 of 50 classes with the lowest f1-score (--json has all):\n"),
                       "%s", out);
    cr_expect_not_null(strstr(out, " of the \xc3\xa4ltest.. "), "%s", out);
    const char *confusions = strstr(out, "\nMost frequent confusions (--json has the matrix):\n");
    cr_assert_not_null(confusions, "%s", out);
    cr_expect_lt(count_lines(out), 50);
    json_t *result = RUN_JSON("evaluate", "model", "--data", "many.csv");
    const json_t *metrics = json_object_get(result, "metrics");
    cr_expect_eq(json_array_size(json_object_get(metrics, "classes")), 50);
    const json_t *matrix = json_object_get(metrics, "confusion_matrix");
    cr_expect_eq(json_array_size(matrix), 50);
    long most = 0, lines = 0;
    for (size_t i = 0; i < 50 * 50; i++) {
        long count = (long)json_integer_value(json_array_get(json_array_get(matrix, i / 50), i % 50));
        if (i / 50 != i % 50 && count > most) most = count;
    }
    for (const char *at = confusions; (at = strstr(at, ".: ")) != NULL; at++, lines++) {
        long count = strtol(at + 3, NULL, 10);
        cr_expect(lines == 0 ? count == most : count <= most, "%s", confusions);
        most = count;
    }
    cr_expect_eq(lines, 10);
    json_decref(result);
}

/* tanda_predict gives 4096 rows at a time; here the same rows come 34 times. */
Test(metrics_of_models, rows_beyond_the_first_block_count) {
    const char *iris = file_text(IRIS), *rows = strchr(iris, '\n') + 1;
    FILE *file = fopen("long.csv", "w");
    cr_assert_not_null(file);
    fwrite(iris, 1, (size_t)(rows - iris), file);
    for (int i = 0; i < 34; i++)
        fputs(rows, file);
    fclose(file);
    RUN("train", "--data", IRIS, "--epochs", "5", "--output", "model");
    json_t *once = RUN_JSON("evaluate", "model", "--data", IRIS);
    json_t *often = RUN_JSON("evaluate", "model", "--data", "long.csv");
    const json_t *expected = json_object_get(once, "metrics"), *got = json_object_get(often, "metrics");
    cr_expect_eq(json_figure(often, "rows"), 34 * 150);
    expect_figure("roc_auc", json_figure(got, "roc_auc"), json_figure(expected, "roc_auc"));
    expect_figure("log_loss", json_figure(got, "log_loss"), json_figure(expected, "log_loss"));
    expect_figure("accuracy", json_figure(got, "accuracy"), json_figure(expected, "accuracy"));
    json_decref(once);
    json_decref(often);
}

Test(metrics_of_models, predictions_that_are_not_finite_are_refused) {
    write_text("line.csv", "x,y\n0,0\n1,10.5\n2,19.5\n3,30.25\n");
    write_text("far.csv", "x,y\n1,10.5\n3e38,2.5\n");
    RUN("train", "--data", "line.csv", "--scale", "none", "--epochs", "500", "--batch", "full", "--output",
        "model");
    const outcome outcome = RUN("evaluate", "model", "--data", "far.csv", "--quiet");
    cr_expect_eq(outcome.status, 1);
    cr_expect_str_eq(outcome.err,
                     "tanda: row 1 (from 0): the prediction is not finite; its features are too large "
                     "for the model\n");
}
