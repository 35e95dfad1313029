/*
 * What the program learns from the data sets of datasets/, held against figures from outside. Options are the
 * defaults (mini-batches of 32, learning rate 0.1) but for those given, the same for every seed.
 */
#include <math.h>

#include "program.h"

TestSuite(accuracy, .init = enter_folder, .fini = leave_folder);

#define SEEDS 10
static const char *const seeds[SEEDS] = {"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"};

/* One figure of a training on OpenMP. */
#define TRAINED(key, ...) \
    trained(key, (const char *const[]){TANDA_PROGRAM, "train", "--device", "cpu", "--json", "--quiet", \
                                       __VA_ARGS__, NULL})
static double trained(const char *key, const char *const *arguments) {
    json_t *result = run_json(arguments);
    const double figure = json_figure(result, key);
    json_decref(result);
    return figure;
}

Test(accuracy, softmax_regression_tells_iris_apart) {
    for (size_t i = 0; i < SEEDS; i++) {
        const double accuracy = TRAINED("accuracy", "--data", IRIS, "--epochs", "200", "--seed", seeds[i]);
        cr_expect_geq(accuracy, 0.96, "seed %s: %g", seeds[i], accuracy);
    }
}

/* The seed chooses the rows that are held out as well as the order of the others. */
Test(accuracy, logistic_regression_tells_unseen_tumours_apart) {
    double sum = 0.0;
    for (size_t i = 0; i < SEEDS; i++)
        sum += TRAINED("val_accuracy", "--data", BREAST_CANCER, "--validation", "0.2", "--epochs", "20",
                       "--seed", seeds[i]);
    cr_expect_geq(sum / SEEDS, 0.97, "mean of %d seeds: %g", SEEDS, sum / SEEDS);
}

Test(accuracy, one_hidden_layer_reads_unseen_digits) {
    double sum = 0.0;
    for (size_t i = 0; i < SEEDS; i++)
        sum += TRAINED("val_accuracy", "--data", DIGITS, "--hidden", "64", "--validation", "0.2", "--epochs",
                       "40", "--seed", seeds[i]);
    cr_expect_geq(sum / SEEDS, 0.96, "mean of %d seeds: %g", SEEDS, sum / SEEDS);
}

/*
 * The figures are sklearn.metrics.log_loss (scikit-learn 1.9.1) of what `tanda predict` wrote for all rows. Its
 * %.9g keeps every bit of a binary32, so the two differ by the rounding of probabilities and of losses alone.
 */
Test(accuracy, loss_is_what_scikit_learn_computes_from_the_predictions) {
    static const struct {
        const char *data, *epochs, *hidden;
        double log_loss;
    } cases[] = {{BREAST_CANCER, "20", NULL, 0.0752089057}, {DIGITS, "5", "32", 0.1181718437}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *hidden = cases[i].hidden;
        TRAINED("loss", "--data", cases[i].data, "--epochs", cases[i].epochs, "--shuffle", "none", "--output",
                "model", hidden == NULL ? NULL : "--hidden", hidden);
        json_t *evaluation = RUN_JSON("evaluate", "model", "--data", cases[i].data, "--device", "cpu");
        cr_expect_float_eq(json_figure(evaluation, "loss"), cases[i].log_loss, 1e-6, "%s: %.9g",
                           cases[i].data, json_figure(evaluation, "loss"));
        json_decref(evaluation);
    }
}
