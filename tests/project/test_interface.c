/* tanda.h as a program uses it that knows nothing else. The models come from the command line. */
#include "program.h"
#include "tanda.h"

TestSuite(interface, .init = enter_folder, .fini = leave_folder);

static void expect_ok(tanda_status status, const tanda_error *error) {
    cr_assert_eq(status, TANDA_OK, "%d: %s", status, error->message);
}

/* The data set is standardised, so this also tells that the rows were scaled as the model says. */
Test(interface, evaluates_a_model_as_the_program_does) {
    tanda_error error = {0};
    tanda_model *model = NULL;
    tanda_dataset *rows = NULL;
    tanda_device *device = NULL;
    tanda_evaluation evaluation;
    json_t *trained = RUN_JSON("train", "--data", IRIS, "--epochs", "20", "--output", "model");
    expect_ok(tanda_model_load("model", &model, &error), &error);
    expect_ok(tanda_dataset_load_for_model(IRIS, NULL, model, &rows, &error), &error);
    expect_ok(tanda_device_open(NULL, &device, NULL, &error), &error);
    expect_ok(tanda_evaluate(device, model, rows, &evaluation, &error), &error);
    cr_expect_eq(tanda_dataset_rows(rows), 150);
    cr_expect_eq(evaluation.loss, json_figure(trained, "loss"));
    cr_expect_eq(evaluation.accuracy, json_figure(trained, "accuracy"));
    tanda_device_close(device);
    tanda_dataset_free(rows);
    tanda_model_free(model);
    json_decref(trained);
}

/* What scikit-learn says of these predictions is in test_metrics.c. */
Test(interface, rates_a_model_and_predictions_of_any_origin) {
    static const float p[] = {.75f, .25f, .25f, .75f, .5f, .5f};
    static const int32_t truth[] = {0, 1, 1};
    tanda_error error = {0};
    tanda_model *model = NULL;
    tanda_dataset *rows = NULL;
    tanda_device *device = NULL;
    tanda_metrics *metrics = NULL;
    json_t *trained = RUN_JSON("train", "--data", IRIS, "--epochs", "20", "--output", "model");
    expect_ok(tanda_model_load("model", &model, &error), &error);
    expect_ok(tanda_dataset_load_for_model(IRIS, NULL, model, &rows, &error), &error);
    expect_ok(tanda_device_open(NULL, &device, NULL, &error), &error);
    expect_ok(tanda_metrics_evaluate(device, model, rows, 3, &metrics, &error), &error);
    cr_expect_eq(metrics->accuracy, json_figure(trained, "accuracy"));
    cr_expect_eq(metrics->top_accuracy, 1.0);
    cr_expect_eq(metrics->classes[2].support, 50);
    tanda_metrics_free(metrics);
    expect_ok(tanda_metrics_of_classes(p, truth, 3, 2, 0, &metrics, &error), &error);
    cr_expect_eq(metrics->roc_auc, 1.0);
    cr_expect_eq(metrics->confusion[2], 1);
    tanda_metrics_free(metrics);
    tanda_metrics_free(NULL);
    tanda_device_close(device);
    tanda_dataset_free(rows);
    tanda_model_free(model);
    json_decref(trained);
}

Test(interface, data_that_does_not_fit_the_model_is_refused) {
    tanda_error error = {0};
    tanda_model *model = NULL;
    tanda_dataset *rows = NULL;
    json_decref(RUN_JSON("train", "--data", IRIS, "--epochs", "1", "--output", "model"));
    expect_ok(tanda_model_load("model", &model, &error), &error);
    cr_expect_eq(tanda_dataset_load_for_model(DIGITS, NULL, model, &rows, &error), TANDA_BAD_INPUT);
    cr_expect_eq(tanda_dataset_load_for_model(DIGITS, NULL, model, &rows, NULL), TANDA_BAD_INPUT);
    cr_expect_null(rows);
    cr_expect_not_null(strstr(error.message, "digits.csv"), "%s", error.message);
    tanda_model_free(model);
}
