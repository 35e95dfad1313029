/* tanda train --folds, and --validation by class, as they are used. */
#include <math.h>

#include "program.h"

TestSuite(folds, .init = enter_folder, .fini = leave_folder);

static const json_t *cross_validation(const json_t *result) {
    const json_t *found = json_object_get(result, "cross_validation");
    cr_assert(json_is_object(found));
    return found;
}

/* Mean and std over the folds must be those that stand beside them. */
static void check_spread(const json_t *validation, const char *name) {
    const json_t *folds = json_object_get(validation, "folds");
    const size_t count = json_array_size(folds);
    double mean = 0.0, squares = 0.0;
    for (size_t i = 0; i < count; i++)
        mean += json_figure(json_array_get(folds, i), name) / (double)count;
    for (size_t i = 0; i < count; i++)
        squares += pow(json_figure(json_array_get(folds, i), name) - mean, 2);
    const json_t *stated = json_object_get(validation, name);
    cr_expect_float_eq(json_figure(stated, "mean"), mean, 1e-12);
    cr_expect_float_eq(json_figure(stated, "std"), sqrt(squares / (double)count), 1e-12);
}

Test(folds, each_row_is_held_out_once_and_mean_and_spread_are_told) {
    json_t *result = RUN_JSON("train", "--data", IRIS, "--folds", "4", "--epochs", "20", "--device", "cpu");
    const json_t *validation = cross_validation(result), *folds = json_object_get(validation, "folds");
    double rows = 0.0;
    cr_assert_eq(json_array_size(folds), 4);
    for (size_t i = 0; i < 4; i++) {
        const json_t *fold = json_array_get(folds, i);
        cr_expect_eq(json_figure(fold, "rows") + json_figure(fold, "validation_rows"), 150);
        rows += json_figure(fold, "validation_rows");
        for (size_t j = 0; j < i; j++)
            cr_expect_str_neq(json_words(fold, "weights_sha256"),
                              json_words(json_array_get(folds, j), "weights_sha256"));
    }
    cr_expect_eq(rows, 150);
    cr_expect_str_eq(json_words(validation, "stratify"), "yes");
    static const char *const names[] = {"loss", "accuracy", "val_loss", "val_accuracy"};
    for (size_t i = 0; i < 4; i++)
        check_spread(validation, names[i]);
    cr_expect_null(json_object_get(result, "loss"), "no model is kept, so there is no loss of one");
    json_decref(result);
}

Test(folds, with_output_a_training_on_all_rows_follows) {
    json_t *folds = RUN_JSON("train", "--data", IRIS, "--folds", "3", "--epochs", "5", "--output", "a.st");
    json_t *alone = RUN_JSON("train", "--data", IRIS, "--epochs", "5", "--output", "b.st");
    cr_expect_str_eq(json_words(folds, "weights_sha256"), json_words(alone, "weights_sha256"));
    cr_expect_str_eq(file_text("a.st"), file_text("b.st"));
    cr_expect_eq(json_figure(folds, "rows"), 150);
    cr_expect_eq(json_array_size(json_object_get(cross_validation(folds), "folds")), 3);
    json_decref(folds);
    json_decref(alone);
}

Test(folds, are_the_same_bits_on_opencl) {
    json_t *results[2];
    const char *const devices[] = {"cpu", "opencl"};
    if (RUN("train", "--data", IRIS, "--epochs", "1", "--device", "opencl", "--require-device").status == 4)
        cr_skip("SKIPPED: no OpenCL device");
    for (size_t i = 0; i < 2; i++)
        results[i] =
            RUN_JSON("train", "--data", IRIS, "--folds", "2", "--epochs", "2", "--device", devices[i]);
    for (size_t i = 0; i < 2; i++) {
        const json_t *a = json_array_get(json_object_get(cross_validation(results[0]), "folds"), i);
        const json_t *b = json_array_get(json_object_get(cross_validation(results[1]), "folds"), i);
        cr_expect_str_eq(json_words(a, "weights_sha256"), json_words(b, "weights_sha256"));
        cr_expect_eq(json_figure(a, "val_loss"), json_figure(b, "val_loss"));
    }
    json_decref(results[0]);
    json_decref(results[1]);
}

/* One fold holds out the only row of its category, and its training has not seen it. */
Test(folds, means_scaling_and_categories_are_of_the_rows_trained_on) {
    char text[2000] = "v,c,y\n";
    for (int row = 0; row < 30; row++)
        sprintf(text + strlen(text), "%d,%s,%d\n", row, row == 7 ? "rare" : "common", row % 2);
    write_text("rare.csv", text);
    const outcome refused =
        RUN("train", "--data", "rare.csv", "--categorical", "c", "--folds", "3", "--quiet");
    cr_expect_eq(refused.status, 3);
    cr_expect_not_null(strstr(refused.err, "(--unknown-category zero takes them): c 'rare' (line 9, fold "),
                       "%s", refused.err);
    json_decref(RUN_JSON("train", "--data", "rare.csv", "--categorical", "c", "--folds", "3",
                         "--unknown-category", "zero"));
}

Test(folds, what_does_not_go_with_them_is_refused) {
    static const struct {
        const char *arguments[4];
        const char *message;
    } cases[] = {
        {{"--folds", "3", "--validation", "0.2"},
         "--folds holds out every row once, which leaves none for --validation; give one of them"},
        {{"--folds", "3", "--checkpoint", "c"},
         "--folds makes several trainings, and --checkpoint is for one; leave one of them away"},
        {{"--folds", "3", "--log", "l"},
         "--log is of the training on all rows, which --folds makes with --output"},
        {{"--folds", "1", "--quiet", NULL}, "--folds: '1' is not a whole number from 2 to 1000000"},
        {{"--folds", "151", "--quiet", NULL}, "--folds: 151 parts of 150 rows; there must be 2 to 150"},
        {{"--stratify", "yes", "--quiet", NULL}, "--stratify goes with --validation FRACTION or --folds K"},
        {{"--stratify", "maybe", "--quiet", NULL}, "--stratify: 'maybe' is unknown; use yes or no"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *const *more = cases[i].arguments;
        const outcome outcome = RUN("train", "--data", IRIS, more[0], more[1], more[2], more[3]);
        cr_expect_eq(outcome.status, 2, "%d", outcome.status);
        cr_expect_not_null(strstr(outcome.err, cases[i].message), "%s", outcome.err);
    }
}

Test(folds, a_fraction_is_held_out_by_class_unless_asked_otherwise) {
    json_t *yes = RUN_JSON("train", "--data", IRIS, "--validation", "0.2", "--epochs", "3");
    json_t *same =
        RUN_JSON("train", "--data", IRIS, "--validation", "0.2", "--epochs", "3", "--stratify", "yes");
    json_t *no =
        RUN_JSON("train", "--data", IRIS, "--validation", "0.2", "--epochs", "3", "--stratify", "no");
    cr_expect_str_eq(json_words(yes, "weights_sha256"), json_words(same, "weights_sha256"));
    cr_expect_str_neq(json_words(yes, "weights_sha256"), json_words(no, "weights_sha256"));
    const outcome banner = RUN("train", "--data", IRIS, "--validation", "0.2", "--epochs", "1");
    cr_expect_not_null(strstr(banner.err, "setosa 40, versicolor 40, virginica 40"), "%s", banner.err);
    json_decref(yes);
    json_decref(same);
    json_decref(no);
}
