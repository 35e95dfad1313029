/* Several labels a row: a sigmoid each, the mean of their cross-entropies, and scikit-learn's multilabel metrics. */
#include <math.h>

#include "program.h"
#include "tanda.h"

TestSuite(labels, .init = enter_folder, .fini = leave_folder);

/* ---- metrics: what scikit-learn 1.9.1 gives (zero_division=0) ------------------------------------------ */

#define ROWS 7
#define LABELS 4
static const float probabilities[ROWS * LABELS] = {.9f, .2f,  .6f, .1f, .4f,  .7f,  .5f,  .3f, .8f, .8f,
                                                   .1f, .2f,  .3f, .1f, .2f,  .4f,  .55f, .6f, .9f, .1f,
                                                   .2f, .45f, .7f, .3f, .65f, .35f, .35f, .6f};
static const float truth[ROWS * LABELS] = {1, 0, 1, 0, 0, 1, 1, 0, 1, 0, 0, 0, 0, 0,
                                           0, 1, 1, 1, 1, 0, 1, 0, 0, 0, 0, 0, 0, 1};

static void expect_figure(const char *name, double got, double expected) {
    cr_expect_float_eq(got, expected, 1e-13, "%s: %.17g, scikit-learn has %.17g", name, got, expected);
}

static void expect_average(const char *name, const tanda_average *got, double precision, double recall,
                           double f1) {
    expect_figure(name, got->precision, precision);
    expect_figure(name, got->recall, recall);
    expect_figure(name, got->f1, f1);
}

Test(labels, metrics_are_those_of_scikit_learn) {
    static const double expected[LABELS][6] = {
        {4, 4, 0.75, 0.75, 0.75, 0.6666666666666666},
        {2, 3, 0.6666666666666666, 1.0, 0.8, 0.8},
        {3, 3, 0.6666666666666666, 0.6666666666666666, 0.6666666666666666, 0.8333333333333334},
        {2, 1, 1.0, 0.5, 0.6666666666666666, 1.0}};
    tanda_metrics *metrics = NULL;
    cr_assert_eq(tanda_metrics_of_labels(probabilities, truth, ROWS, LABELS, &metrics, NULL), TANDA_OK);
    cr_expect_eq(metrics->task, TANDA_TASK_LABELS);
    expect_figure("accuracy", metrics->accuracy, 0.2857142857142857);
    expect_figure("hamming_loss", metrics->hamming_loss, 0.21428571428571427);
    expect_figure("roc_auc", metrics->roc_auc, 0.8250000000000001);
    expect_figure("pr_auc", metrics->pr_auc, 0.8048115079365079);
    expect_average("micro", &metrics->micro, 0.7272727272727273, 0.7272727272727273, 0.7272727272727273);
    expect_average("macro", &metrics->macro, 0.7708333333333333, 0.7291666666666666, 0.7208333333333333);
    expect_average("weighted", &metrics->weighted, 0.7575757575757575, 0.7272727272727273,
                   0.7212121212121212);
    expect_average("samples", &metrics->samples, 0.5714285714285714, 0.6428571428571429, 0.5714285714285714);
    for (size_t i = 0; i < LABELS; i++) {
        const tanda_class_metrics *label = &metrics->classes[i];
        cr_expect_eq(label->support, (uint64_t)expected[i][0]);
        cr_expect_eq(label->predicted, (uint64_t)expected[i][1]);
        expect_figure("precision", label->precision, expected[i][2]);
        expect_figure("recall", label->recall, expected[i][3]);
        expect_figure("f1", label->f1, expected[i][4]);
        expect_figure("roc_auc of a label", label->roc_auc, expected[i][5]);
    }
    cr_expect(isnan(metrics->log_loss) && isnan(metrics->mse) && isnan(metrics->mcc));
    cr_expect_null(metrics->confusion);
    tanda_metrics_free(metrics);
}

/* It holds nowhere and is said to hold nowhere: its f1 is 0 and counts. */
Test(labels, one_that_never_holds_counts_in_the_means) {
    float made[ROWS * LABELS], none[ROWS * LABELS];
    tanda_metrics *metrics = NULL;
    memcpy(made, probabilities, sizeof made);
    memcpy(none, truth, sizeof none);
    for (size_t row = 0; row < ROWS; row++) {
        made[row * LABELS + 3] = 0.1f;
        none[row * LABELS + 3] = 0.0f;
    }
    cr_assert_eq(tanda_metrics_of_labels(made, none, ROWS, LABELS, &metrics, NULL), TANDA_OK);
    expect_average("macro", &metrics->macro, 0.5208333333333333, 0.6041666666666666, 0.5541666666666667);
    expect_average("weighted", &metrics->weighted, 0.7037037037037037, 0.7777777777777778,
                   0.7333333333333333);
    expect_average("samples", &metrics->samples, 0.5, 0.5, 0.47619047619047616);
    expect_figure("accuracy", metrics->accuracy, 0.42857142857142855);
    cr_expect(isnan(metrics->roc_auc));
    tanda_metrics_free(metrics);
}

Test(labels, true_and_false_are_1_and_0) {
    write_text("b.csv", "a,b,p,q\n1,2,True,FALSE\n2,3,false,True\n3,1,True,True\n");
    const outcome shown = RUN("inspect", "b.csv", "--target", "p,q", "--task", "labels");
    cr_expect_not_null(strstr(shown.out, "Targets: p, q, labels (as asked): p 2, q 2\n"), "%s%s", shown.out,
                       shown.err);
    cr_expect_eq(RUN("inspect", "b.csv", "--target", "p,q", "--task", "regression").status, 3);
}

Test(labels, metrics_of_what_is_no_label_are_refused) {
    const float p[] = {0.5f, 0.5f}, y[] = {0, 2};
    tanda_metrics *metrics = NULL;
    tanda_error error = {0};
    cr_expect_eq(tanda_metrics_of_labels(p, y, 1, 2, &metrics, &error), TANDA_BAD_INPUT);
    cr_expect_str_eq(error.message, "metrics: row 0, label 1 (from 0) is 2; labels are 0 or 1");
}

/* ---- the commands ------------------------------------------------------------------------------------- */

/* red goes with a, big with b; odd is harder. */
static void write_rows(void) {
    char text[6000] = "a,b,red,big,odd\n";
    for (int i = 0; i < 120; i++) {
        const int a = i * 37 % 101 - 50, b = i * 53 % 97 - 48;
        sprintf(text + strlen(text), "%d,%d,%d,%d,%d\n", a, b, a > 5, b > 10, (a + b) * (a - b) % 7 > 2);
    }
    write_text("rows.csv", text);
}

#define TRAIN "train", "--data", "rows.csv", "--target", "red,big,odd", "--loss", "binary_crossentropy"

static void refuse(int status, const char *message, const char *const *arguments) {
    const outcome outcome = run_to(-1, arguments);
    cr_expect_eq(outcome.status, status, "%d: %s", outcome.status, outcome.err);
    cr_expect_not_null(strstr(outcome.err, message), "%s", outcome.err);
}

#define REFUSE(status, message, ...) \
    refuse(status, message, (const char *const[]){TANDA_PROGRAM, __VA_ARGS__, NULL})

Test(labels, are_learnt_and_told) {
    write_rows();
    const outcome outcome = RUN(TRAIN, "--epochs", "40", "--report-every", "20", "--output", "m.safetensors");
    cr_assert_eq(outcome.status, 0, "%s", outcome.err);
    cr_expect_not_null(
        strstr(outcome.err, "120 rows x 2 features, labels (as the loss): red 53, big 46, odd "), "%s",
        outcome.err);
    cr_expect_not_null(strstr(outcome.err, "model: 2 -> sigmoid 3, 9 parameters, loss binary_crossentropy\n"),
                       "%s", outcome.err);
    cr_expect_not_null(strstr(outcome.err, " - accuracy: "), "%s", outcome.err);
    json_t *evaluation = RUN_JSON("evaluate", "m.safetensors", "--data", "rows.csv");
    const json_t *metrics = json_object_get(evaluation, "metrics"),
                 *each = json_object_get(metrics, "labels");
    cr_expect_str_eq(json_words(evaluation, "task"), "labels");
    cr_expect_eq(json_figure(evaluation, "accuracy"), json_figure(metrics, "accuracy"));
    cr_expect_lt(json_figure(metrics, "hamming_loss"), 0.3);
    cr_expect_eq(json_array_size(each), 3);
    cr_expect_str_eq(json_words(json_array_get(each, 1), "name"), "big");
    cr_expect_gt(json_figure(json_array_get(each, 0), "f1"), 0.9);
    cr_expect_not_null(json_object_get(json_object_get(metrics, "samples"), "f1"));
    json_decref(evaluation);
    const char *text = RUN("evaluate", "m.safetensors", "--data", "rows.csv", "--quiet").out;
    static const char *const parts[] = {"\n         red  ", "\n   micro avg  ", "\n samples avg  ",
                                        "\nhamming_loss: 0.", "(mean over the labels)"};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        cr_expect_not_null(strstr(text, parts[i]), "%s not in\n%s", parts[i], text);
    cr_expect_not_null(strstr(RUN("inspect", "m.safetensors").out, "\nLabels: red, big, odd\n"));
}

Test(labels, are_predicted_as_probabilities_and_by_name) {
    write_rows();
    cr_assert_eq(RUN(TRAIN, "--epochs", "40", "--quiet", "--output", "m.safetensors").status, 0);
    write_text("new.csv", "b,a\n-40,45\n40,-45\n");
    const char *text = RUN("predict", "m.safetensors", "--data", "new.csv", "--quiet").out;
    float p[2][3];
    cr_assert_eq(sscanf(text, "red,big,odd\n%f,%f,%f\n%f,%f,%f\n", &p[0][0], &p[0][1], &p[0][2], &p[1][0],
                        &p[1][1], &p[1][2]),
                 6, "%s", text);
    cr_expect_gt(p[0][0], 0.8f);
    cr_expect_lt(p[0][1], 0.2f);
    json_t *predicted = RUN_JSON("predict", "m.safetensors", "--data", "new.csv");
    const json_t *second = json_array_get(json_object_get(predicted, "predictions"), 1);
    const json_t *held = json_object_get(second, "labels");
    cr_expect_eq(json_figure(json_object_get(second, "probabilities"), "big"), (double)p[1][1]);
    cr_expect_str_eq(json_string_value(json_array_get(held, 0)), "big");
    json_decref(predicted);
}

Test(labels, every_device_learns_the_same) {
    write_rows();
    outcome outcome =
        RUN("verify", "--data", "rows.csv", "--target", "red,big,odd", "--loss", "binary_crossentropy",
            "--hidden", "5", "--label-smoothing", "0.1", "--device", "opencl", "--against", "cpu", "--quiet");
    if (outcome.status != 4) cr_expect_eq(outcome.status, 0, "%s%s", outcome.out, outcome.err);
    outcome = RUN("record", "--data", "rows.csv", "--target", "red,big,odd", "--loss", "binary_crossentropy",
                  "--output", "g", "--device", "cpu", "--quiet");
    cr_assert_eq(outcome.status, 0, "%s", outcome.err);
    cr_expect_eq(RUN("verify", "--golden", "g", "--device", "cpu", "--threads", "2", "--quiet").status, 0);
}

static const char *digest_of(json_t *result) {
    static char digests[4][80];
    static size_t used = 0;
    char *digest = digests[used++ % 4];
    snprintf(digest, sizeof digests[0], "%s", json_words(result, "weights_sha256"));
    json_decref(result);
    return digest;
}

Test(labels, settings_first_weights_folds_and_checkpoints_know_them) {
    write_rows();
    const char *first = digest_of(RUN_JSON(TRAIN, "--epochs", "3", "--label-smoothing", "0.2", "--checkpoint",
                                           "c.safetensors", "--output", "m.safetensors"));
    cr_expect_str_eq(digest_of(RUN_JSON("train", "--config", "m.safetensors")), first);
    const char *whole = digest_of(RUN_JSON("train", "--config", "m.safetensors", "--epochs", "6"));
    cr_expect_str_eq(digest_of(RUN_JSON("train", "--resume", "c.safetensors", "--epochs", "6")), whole);
    json_decref(RUN_JSON(TRAIN, "--init", "m.safetensors"));
    json_t *folds = RUN_JSON(TRAIN, "--folds", "3");
    const json_t *all = json_object_get(folds, "cross_validation");
    cr_expect_str_eq(json_words(all, "stratify"), "no");
    cr_expect_not_null(json_object_get(all, "val_accuracy"));
    json_decref(folds);
    json_t *held = RUN_JSON(TRAIN, "--validation", "0.25");
    cr_expect_eq(json_figure(held, "validation_rows"), 30);
    cr_expect_not_null(json_object_get(held, "val_accuracy"));
    json_decref(held);
}

Test(labels, what_does_not_go_with_them_is_refused_in_one_line) {
    write_rows();
    REFUSE(2, "--class-weight: there are several labels a row; only classes have such weights", TRAIN,
           "--class-weight", "balanced");
    REFUSE(2, "--stratify: there are several labels a row; only classes can be stratified", TRAIN,
           "--validation", "0.2", "--stratify", "yes");
    REFUSE(2, "--scale-target: the target is labels; only quantities are standardised", TRAIN,
           "--scale-target", "standard");
    REFUSE(2, "loss mse: several labels a row go with binary_crossentropy", "train", "--data", "rows.csv",
           "--target", "red,big", "--task", "labels", "--loss", "mse");
    REFUSE(2, "needs a sigmoid output for each of 2 or more labels", TRAIN, "--output-activation", "tanh");
    REFUSE(3, "rows.csv:2:2: -48 is no label: several labels a row are 0 or 1 each (column b)", "train",
           "--data", "rows.csv", "--target", "red,b", "--loss", "binary_crossentropy");
    REFUSE(2, "synthetic:moons has one target, not several labels", "train", "--data", "synthetic:moons",
           "--task", "labels");
    cr_assert_eq(RUN(TRAIN, "--quiet", "--output", "m.safetensors").status, 0);
    REFUSE(2, "--top is for classes, and the model predicts several labels", "predict", "m.safetensors",
           "--data", "rows.csv", "--top", "1");
    REFUSE(2, "--top-k is for classes, and the model predicts several labels", "evaluate", "m.safetensors",
           "--data", "rows.csv", "--top-k", "1");
}

/* ---- losses that decide the task ---------------------------------------------------------------------- */

Test(labels, losses_of_quantities_decide_for_regression_and_mse_does_not) {
    static const char *const losses[] = {"mae", "huber", "log_cosh", "poisson"};
    write_text("count.csv", "a,y\n0,0\n1,0\n2,1\n3,2\n4,3\n5,4\n6,6\n");
    for (size_t i = 0; i < 4; i++) {
        const outcome outcome = RUN("train", "--data", "count.csv", "--loss", losses[i], "--epochs", "1");
        cr_expect_eq(outcome.status, 0, "%s: %s", losses[i], outcome.err);
        cr_expect_not_null(strstr(outcome.err, ", regression (as the loss);"), "%s: %s", losses[i],
                           outcome.err);
    }
    REFUSE(2, "loss mse needs 1 sigmoid output for classes, not 6 softmax", "train", "--data", "count.csv",
           "--loss", "mse");
    REFUSE(2, "loss mae is for regression, not 6 softmax for classes", "train", "--data", "count.csv",
           "--loss", "mae", "--task", "classes");
}

/* ---- notes -------------------------------------------------------------------------------------------- */

static void write_classes(size_t classes, size_t rows) {
    char text[8000] = "a,y\n";
    for (size_t row = 0; row < rows; row++)
        sprintf(text + strlen(text), "%zu,c%zu\n", row, row % classes);
    write_text("many.csv", text);
}

Test(labels, many_classes_for_few_rows_are_told) {
    write_classes(21, 209);
    cr_expect_not_null(
        strstr(RUN("train", "--data", "many.csv", "--epochs", "1").err,
               "\nnote: 21 classes for 209 rows: for a quantity give --task regression, for an "
               "identifier another --target\n"));
    write_classes(21, 210);
    cr_expect_null(strstr(RUN("train", "--data", "many.csv", "--epochs", "1").err, "classes for"));
    write_classes(20, 60);
    cr_expect_null(strstr(RUN("train", "--data", "many.csv", "--epochs", "1").err, "classes for"));
}

Test(labels, rows_left_out_are_told) {
    write_text("m.csv", "a,y\n1,0\n2,1\n3,NA\n4,1\n5,0\n6,\n");
    outcome outcome = RUN("train", "--data", "m.csv", "--drop-missing-targets", "--validation", "m.csv",
                          "--output", "m.safetensors");
    cr_expect_eq(outcome.status, 0, "%s", outcome.err);
    const char *note = "\nnote: 2 rows of m.csv without a target are left out\n";
    const char *found = strstr(outcome.err, note);
    cr_assert_not_null(found, "%s", outcome.err);
    cr_expect_not_null(strstr(found + 1, note), "not of the validation: %s", outcome.err);
    cr_expect_not_null(
        strstr(RUN("inspect", "m.safetensors", "--settings").out, "\"drop_missing_targets\": true"));
    outcome = RUN("evaluate", "m.safetensors", "--data", "m.csv");
    cr_expect_eq(outcome.status, 3);
    cr_expect_not_null(strstr(outcome.err, "--drop-missing-targets"), "%s", outcome.err);
    outcome = RUN("evaluate", "m.safetensors", "--data", "m.csv", "--drop-missing-targets");
    cr_expect_eq(outcome.status, 0, "%s", outcome.err);
    cr_expect_not_null(strstr(outcome.err, note), "%s", outcome.err);
}

/* ---- the library -------------------------------------------------------------------------------------- */

Test(labels, come_from_arrays_too) {
    const float values[] = {1, 2, 3, 4}, targets[] = {0, 1, 1, 0, 1, 1, 0, 0},
                bad[] = {0, 1, 1, 0.5f, 1, 1, 0, 0};
    tanda_dataset_arrays arrays = {.size = sizeof arrays,
                                   .rows = 4,
                                   .features = 1,
                                   .values = values,
                                   .targets = targets,
                                   .target_count = 2,
                                   .targets_are_labels = true};
    tanda_dataset *dataset = NULL;
    tanda_model *model = NULL;
    tanda_error error = {0};
    cr_assert_eq(tanda_dataset_create(&arrays, &dataset, &error), TANDA_OK, "%s", error.message);
    cr_expect_eq(tanda_dataset_task(dataset), TANDA_TASK_LABELS);
    cr_assert_eq(tanda_model_create_for(dataset, NULL, &model, &error), TANDA_OK, "%s", error.message);
    cr_expect_str_eq(tanda_model_loss(model), "binary_crossentropy");
    cr_expect_eq(tanda_model_outputs(model), 2);
    cr_expect_eq(tanda_model_class_count(model), 0);
    cr_expect_eq(tanda_prediction_columns(model), 2);
    tanda_model_free(model);
    tanda_dataset_free(dataset);
    arrays.targets = bad;
    cr_expect_eq(tanda_dataset_create(&arrays, &dataset, &error), TANDA_BAD_INPUT);
    cr_expect_str_eq(error.message, "targets: row 1, label 1 (from 0) is 0.5; labels are 0 or 1");
    arrays.target_count = 1;
    cr_expect_eq(tanda_dataset_create(&arrays, &dataset, &error), TANDA_USAGE);
}
