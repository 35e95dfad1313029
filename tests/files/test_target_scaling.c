/* --scale-target: standardised targets in training, the units of the data everywhere else. */
#include <math.h>

#include "feeds.h"
#include "program.h"
#include "support_model_file.h"

TestSuite(target_scaling, .init = enter_folder, .fini = leave_folder);
TestSuite(target_scaling_file, .init = make_folder, .fini = remove_folder);

/* Mean 5 and deviation 2, so that standardising is exact. */
static const char *const raw[] = {"2", "4", "4", "4", "5", "5", "7", "9"};
static const char *const standardised[] = {"-1.5", "-0.5", "-0.5", "-0.5", "0", "0", "1", "2"};

static void write_rows(const char *path, const char *const *targets, const char *unit) {
    static const char *const x[] = {"0.5", "-1", "0.25", "2", "-0.75", "1", "0.125", "3"};
    char text[400] = "a,b,y\n";
    for (size_t i = 0; i < 8; i++)
        sprintf(text + strlen(text), "%s,%zu,%s%s\n", x[i], i * i % 5, targets[i], unit);
    write_text(path, text);
}

static void write_both(void) {
    write_rows("raw.csv", raw, "");
    write_rows("hand.csv", standardised, "");
}

static char *digest_of(json_t *result) {
    char *digest = strdup(json_words(result, "weights_sha256"));
    json_decref(result);
    return digest;
}

/* ---- what is trained, and what is told ---------------------------------------------------------------- */

Test(target_scaling, weights_and_losses_are_those_of_targets_that_were_standardised_by_hand) {
    static const char *const losses[] = {"mse", "mae", "huber", "log_cosh"};
    write_both();
    for (size_t i = 0; i < 4; i++) {
        json_t *scaled =
            RUN_JSON("train", "--data", "raw.csv", "--hidden", "4", "--loss", losses[i], "--task",
                     "regression", "--scale-target", "standard", "--validation", "raw.csv");
        json_t *by_hand = RUN_JSON("train", "--data", "hand.csv", "--hidden", "4", "--loss", losses[i],
                                   "--task", "regression", "--validation", "hand.csv");
        cr_expect_str_eq(json_words(scaled, "weights_sha256"), json_words(by_hand, "weights_sha256"));
        cr_expect_eq(json_figure(scaled, "loss"), json_figure(by_hand, "loss"));
        cr_expect_eq(json_figure(scaled, "val_loss"), json_figure(by_hand, "val_loss"));
        cr_expect_str_eq(json_words(scaled, "scale_target"), "standard");
        cr_expect_null(json_object_get(by_hand, "scale_target"));
        cr_expect_null(json_object_get(scaled, "squared_error"));
        json_decref(scaled);
        json_decref(by_hand);
    }
}

/* 5 + 2 p of the predictions p of the model of targets that were standardised by hand. */
Test(target_scaling, predictions_and_metrics_are_in_the_units_of_the_data) {
    write_both();
    json_decref(RUN_JSON("train", "--data", "raw.csv", "--task", "regression", "--scale-target", "standard",
                         "--output", "s.safetensors"));
    json_decref(RUN_JSON("train", "--data", "hand.csv", "--task", "regression", "--output", "h.safetensors"));
    json_t *scaled = RUN_JSON("predict", "s.safetensors", "--data", "raw.csv");
    json_t *plain = RUN_JSON("predict", "h.safetensors", "--data", "raw.csv");
    const json_t *ours = json_object_get(scaled, "predictions"),
                 *theirs = json_object_get(plain, "predictions");
    double squared = 0.0, absolute = 0.0;
    cr_assert_eq(json_array_size(ours), 8);
    for (size_t i = 0; i < 8; i++) {
        const double got = json_number_value(json_array_get(ours, i));
        cr_expect_eq(got, (double)(float)(5.0 + 2.0 * json_number_value(json_array_get(theirs, i))));
        squared += pow(got - atof(raw[i]), 2.0) / 8.0;
        absolute += fabs(got - atof(raw[i])) / 8.0;
    }
    json_decref(scaled);
    json_decref(plain);
    json_t *evaluation = RUN_JSON("evaluate", "s.safetensors", "--data", "raw.csv");
    const json_t *metrics = json_object_get(evaluation, "metrics");
    cr_expect_float_eq(json_figure(metrics, "mse"), squared, 1e-12);
    cr_expect_float_eq(json_figure(metrics, "mae"), absolute, 1e-12);
    cr_expect_float_eq(json_figure(metrics, "r2"), 1.0 - squared / 4.0, 1e-12);
    cr_expect_float_eq(json_figure(evaluation, "loss"), squared / 4.0, 1e-6);
    cr_expect_str_eq(json_words(evaluation, "scale_target"), "standard");
    json_decref(evaluation);
}

Test(target_scaling, banner_and_inspect_tell_it) {
    write_both();
    outcome outcome = RUN("train", "--data", "raw.csv", "--task", "regression", "--scale-target", "standard",
                          "--optimizer", "lbfgs", "--output", "s.safetensors");
    cr_expect_not_null(strstr(outcome.err, ", loss mse of standardised targets\n"), "%s", outcome.err);
    outcome = RUN("inspect", "s.safetensors");
    cr_expect_not_null(strstr(outcome.out, "\nStandardised targets: mean 5, deviation 2\n"), "%s",
                       outcome.out);
    outcome = RUN("train", "--data", "raw.csv", "--task", "regression", "--scale-target", "none");
    cr_expect_null(strstr(outcome.err, "standardised"), "%s", outcome.err);
}

/* y = 1000000 a + 5 b + 7000000 comes out of the standardised weights. */
Test(target_scaling, weights_of_a_line_are_told_in_the_units_of_the_data) {
    double found[3] = {0};
    write_text("line.csv", "a,b,y\n0,1,7000005\n1,0,8000000\n2,1,9000005\n0,2,7000010\n3,3,10000015\n");
    json_decref(RUN_JSON("train", "--data", "line.csv", "--scale-target", "standard", "--optimizer", "lbfgs",
                         "--tolerance", "1e-9", "--task", "regression", "--scale", "none", "--output",
                         "l.safetensors"));
    const char *text = RUN("inspect", "l.safetensors").out;
    const char *at = strstr(text, "Weights in the units of the data:");
    cr_assert_not_null(at, "%s", text);
    cr_assert_eq(sscanf(at, "%*[^=]= %lf%*[^=]= %lf%*[^=]= %lf", &found[0], &found[1], &found[2]), 3, "%s",
                 at);
    cr_expect_float_eq(found[0], 7000000, 10, "%s", at);
    cr_expect_float_eq(found[1], 1000000, 10, "%s", at);
    cr_expect_float_eq(found[2], 5, 10, "%s", at);
}

Test(target_scaling, several_targets_have_each_its_own) {
    write_text("two.csv",
               "a,x,y\n1,2,1000\n2,4,3000\n3,4,2000\n4,4,4000\n5,5,4000\n6,5,1000\n7,7,7000\n8,9,2000\n");
    json_t *both = RUN_JSON("train", "--data", "two.csv", "--target", "x,y", "--scale-target", "standard",
                            "--optimizer", "lbfgs", "--tolerance", "1e-7", "--output", "two.safetensors");
    json_decref(both);
    cr_expect_not_null(strstr(RUN("inspect", "two.safetensors").out,
                              "Standardised targets: mean 5, deviation 2; mean 3000, deviation 1870.82869"));
    json_t *predicted = RUN_JSON("predict", "two.safetensors", "--data", "two.csv");
    double mean[2] = {0};
    for (size_t row = 0; row < 8; row++)
        for (size_t i = 0; i < 2; i++)
            mean[i] += json_number_value(json_array_get(
                           json_array_get(json_object_get(predicted, "predictions"), row), i)) /
                       8.0;
    cr_expect_float_eq(mean[0], 5.0, 1e-5);
    cr_expect_float_eq(mean[1], 3000.0, 1e-2);
    json_decref(predicted);
}

Test(target_scaling, a_constant_target_is_predicted_as_it_is) {
    write_text("c.csv", "a,y\n1,7.5\n2,7.5\n3,7.5\n");
    json_decref(RUN_JSON("train", "--data", "c.csv", "--scale-target", "standard", "--optimizer", "lbfgs",
                         "--output", "c.safetensors"));
    json_t *predicted = RUN_JSON("predict", "c.safetensors", "--data", "c.csv");
    cr_expect_float_eq(json_number_value(json_array_get(json_object_get(predicted, "predictions"), 1)), 7.5,
                       1e-4);
    json_decref(predicted);
}

/* ---- where it goes ------------------------------------------------------------------------------------ */

Test(target_scaling, settings_first_weights_and_checkpoints_carry_it) {
    write_both();
    char *first = digest_of(RUN_JSON("train", "--data", "raw.csv", "--task", "regression", "--hidden", "4",
                                     "--scale-target", "standard", "--epochs", "6", "--checkpoint",
                                     "six.safetensors", "--output", "a.safetensors"));
    char *again = digest_of(RUN_JSON("train", "--config", "a.safetensors"));
    cr_expect_str_eq(again, first);
    free(again);
    char *resumed = digest_of(
        RUN_JSON("train", "--resume", "six.safetensors", "--epochs", "9", "--output", "r.safetensors"));
    char *whole = digest_of(RUN_JSON("train", "--config", "a.safetensors", "--epochs", "9"));
    cr_expect_str_eq(resumed, whole);
    cr_expect_not_null(strstr(RUN("inspect", "r.safetensors").out, "Standardised targets: mean 5"));
    outcome outcome = RUN("train", "--resume", "six.safetensors", "--scale-target", "none");
    cr_expect_eq(outcome.status, 2);
    cr_expect_not_null(strstr(outcome.err, "--scale-target: "), "%s", outcome.err);

    /* Other rows, whose own mean and deviation are others. */
    write_text("more.csv", "a,b,y\n1,2,50\n2,1,70\n");
    json_decref(RUN_JSON("train", "--data", "more.csv", "--task", "regression", "--hidden", "4", "--init",
                         "a.safetensors", "--output", "i.safetensors", "--learning-rate", "0.001"));
    cr_expect_not_null(
        strstr(RUN("inspect", "i.safetensors").out, "Standardised targets: mean 5, deviation 2"));
    json_decref(RUN_JSON("train", "--data", "more.csv", "--task", "regression", "--hidden", "4", "--init",
                         "a.safetensors", "--output", "i.safetensors", "--scale-target", "standard"));
    cr_expect_not_null(
        strstr(RUN("inspect", "i.safetensors").out, "Standardised targets: mean 60, deviation 10"));
    char *fresh = digest_of(RUN_JSON("train", "--data", "more.csv", "--task", "regression", "--hidden", "4",
                                     "--init", "a.safetensors", "--output", "n.safetensors", "--scale-target",
                                     "none", "--learning-rate", "0.001"));
    cr_expect_null(strstr(RUN("inspect", "n.safetensors").out, "Standardised"));
    again = digest_of(RUN_JSON("train", "--config", "n.safetensors"));
    cr_expect_str_eq(again, fresh);
    free(first), free(again), free(resumed), free(whole), free(fresh);
}

Test(target_scaling, folds_standardise_by_the_rows_that_they_train_on) {
    write_both();
    json_t *folds = RUN_JSON("train", "--data", "raw.csv", "--task", "regression", "--scale-target",
                             "standard", "--folds", "4", "--optimizer", "lbfgs");
    const json_t *all = json_object_get(json_object_get(folds, "cross_validation"), "folds");
    cr_assert_eq(json_array_size(all), 4);
    cr_expect_neq(json_figure(json_array_get(all, 0), "loss"), json_figure(json_array_get(all, 1), "loss"));
    json_decref(folds);
}

Test(target_scaling, every_device_learns_the_same) {
    write_rows("raw.csv", raw, "00000.5");
    outcome outcome = RUN("verify", "--data", "raw.csv", "--hidden", "4", "--scale-target", "standard",
                          "--device", "opencl", "--against", "cpu", "--quiet");
    if (outcome.status != 4) cr_expect_eq(outcome.status, 0, "%s%s", outcome.out, outcome.err);
    outcome = RUN("record", "--data", "raw.csv", "--task", "regression", "--scale-target", "standard",
                  "--output", "g.golden", "--device", "cpu", "--quiet");
    cr_assert_eq(outcome.status, 0, "%s", outcome.err);
    outcome = RUN("verify", "--golden", "g.golden", "--device", "cpu", "--quiet");
    cr_expect_eq(outcome.status, 0, "%s%s", outcome.out, outcome.err);
    outcome =
        RUN("verify", "--data", "raw.csv", "--task", "regression", "--scale-target", "standard", "--device",
            "opencl,math=fast", "--against", "cpu", "--quiet"); /* within the bounds of the reference */
    if (outcome.status != 4) cr_expect_eq(outcome.status, 0, "%s%s", outcome.out, outcome.err);
}

/* ---- what is refused ---------------------------------------------------------------------------------- */

static void refuse(const char *message, const char *const *arguments) {
    const outcome outcome = run_to(-1, arguments);
    cr_expect_eq(outcome.status, 2, "%d", outcome.status);
    cr_expect_not_null(strstr(outcome.err, message), "%s", outcome.err);
}

#define REFUSE(message, ...) \
    refuse(message, (const char *const[]){TANDA_PROGRAM, "train", "--scale-target", __VA_ARGS__, NULL})

Test(target_scaling, what_it_does_not_go_with_is_refused_in_one_line) {
    write_both();
    REFUSE("--scale-target: loss poisson is for counts", "standard", "--data", "raw.csv", "--task",
           "regression", "--loss", "poisson");
    REFUSE("--scale-target: the target is classes; only quantities are standardised", "standard", "--data",
           IRIS);
    REFUSE("--scale-target: standardised targets lie below 0 as well, and the output softplus does not",
           "standard", "--data", "raw.csv", "--task", "regression", "--output-activation", "softplus");
    REFUSE("--scale-target: 'minmax' is unknown", "minmax", "--data", "raw.csv");
}

Test(target_scaling, a_divergence_names_it_where_targets_are_large) {
    write_rows("large.csv", raw, "00000.5");
    outcome outcome = RUN("train", "--data", "large.csv", "--hidden", "32", "--learning-rate", "10");
    cr_expect_eq(outcome.status, 1);
    cr_expect_not_null(
        strstr(outcome.err,
               "there are targets as large as 9e+05: --scale-target standard may help, or a smaller "
               "learning rate than 10"),
        "%s", outcome.err);
    outcome = RUN("train", "--data", "large.csv", "--hidden", "32", "--learning-rate", "1e9",
                  "--scale-target", "standard");
    cr_expect_not_null(strstr(outcome.err, "; a smaller learning rate than 1e+09 may help"), "%s",
                       outcome.err);
    outcome =
        RUN("record", "--data", "large.csv", "--hidden", "32", "--learning-rate", "10", "--output", "g");
    cr_expect_not_null(strstr(outcome.err, "--scale-target standard may help"), "%s", outcome.err);
}

/* ---- the model file and the library ------------------------------------------------------------------- */

static tanda_model *scaled_model(void) {
    tanda_model *model = regression_model();
    const float targets[] = {1e6f, 3e6f, 1e-3f, -2.0f};
    cr_assert_eq(fit_target_scaling(targets, 4, 1, &model->target_scaling, NULL), TANDA_OK);
    return model;
}

Test(target_scaling_file, stays_in_the_model_file_to_the_bit) {
    tanda_model *model = scaled_model(), *loaded = NULL;
    tanda_error error = {0};
    bytes file = saved_file(model);
    cr_assert_eq(parse_file(file.data, file.size, &loaded, &error), TANDA_OK, "%s", error.message);
    cr_expect(same_model(model, loaded));
    cr_expect_eq(loaded->target_scaling.targets, 1);
    tanda_model_free(loaded);
    free(file.data);
    char path[PATH_SIZE];
    path_of("b.safetensors", path);
    model->target_scaling.deviation[0] = 0.0;
    cr_expect_eq(tanda_model_save(model, path, &error), TANDA_FAILED);
    cr_expect_not_null(strstr(error.message, "the scaling of target 1 is not finite or not above 0"), "%s",
                       error.message);
    tanda_model_free(model);
}

Test(target_scaling_file, a_damaged_one_is_refused) {
    static const struct {
        const char *json, *reason;
    } cases[] = {
        {"{\"mean\":[\"1\"]}", "target_scaling: Object item not found: deviation"},
        {"{\"mean\":[\"1\",\"2\"],\"deviation\":[\"1\"]}", "target_scaling: mean is not an array of 1"},
        {"{\"mean\":[1],\"deviation\":[\"1\"]}", "target_scaling: mean[0] is not the text of a number"},
        {"{\"mean\":[\"1\"],\"deviation\":[\"0\"]}",
         "target_scaling: deviation[0] is not the text of a number above 0"},
        {"{\"mean\":[\"nan\"],\"deviation\":[\"1\"]}", "target_scaling: mean[0] is not the text of a number"},
        {"[]", "target_scaling: Expected object"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        tanda_model *model = scaled_model();
        parts parts;
        take_apart(model, &parts);
        set_text(&parts, "target_scaling", cases[i].json);
        reseal(&parts);
        expect_refusal(put_together(&parts), cases[i].reason);
        tanda_model_free(model);
    }
    tanda_model *model = complete_model();
    parts parts;
    take_apart(model, &parts);
    set_text(&parts, "target_scaling", "{\"mean\":[\"1\"],\"deviation\":[\"1\"]}");
    reseal(&parts);
    expect_refusal(put_together(&parts), "target_scaling is given, but not for such a model");
    tanda_model_free(model);
}

Test(target_scaling, the_library_fits_and_tells_it) {
    const float values[] = {1, 2, 3, 4}, targets[] = {3, 5, 7, 9};
    const tanda_dataset_arrays arrays = {
        .size = sizeof arrays, .rows = 4, .features = 1, .values = values, .targets = targets};
    const double *mean = NULL, *deviation = NULL;
    tanda_dataset *dataset = NULL;
    tanda_model *model = NULL;
    tanda_error error = {0};
    cr_assert_eq(tanda_dataset_create(&arrays, &dataset, &error), TANDA_OK, "%s", error.message);
    cr_assert_eq(tanda_model_create_for(dataset, NULL, &model, &error), TANDA_OK, "%s", error.message);
    cr_expect_eq(tanda_model_target_scaling(model, &mean, NULL), TANDA_SCALE_NONE);
    cr_expect_null(mean);
    cr_assert_eq(tanda_model_fit_target_scaling(model, TANDA_SCALE_STANDARD, dataset, &error), TANDA_OK, "%s",
                 error.message);
    cr_expect_eq(tanda_model_target_scaling(model, &mean, &deviation), TANDA_SCALE_STANDARD);
    cr_expect_eq(mean[0], 6.0);
    cr_expect_eq(deviation[0], sqrt(5.0));
    cr_expect_eq(tanda_model_fit_target_scaling(model, TANDA_SCALE_MINMAX, dataset, &error), TANDA_USAGE);
    cr_expect_str_eq(error.message, "--scale-target: minmax is for features; use standard or none");
    cr_expect_eq(tanda_model_fit_target_scaling(model, TANDA_SCALE_NONE, dataset, &error), TANDA_OK);
    cr_expect_eq(tanda_model_target_scaling(model, NULL, NULL), TANDA_SCALE_NONE);
    tanda_model_free(model);
    tanda_dataset_free(dataset);
}
