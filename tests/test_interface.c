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
