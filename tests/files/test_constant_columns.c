/* A column that is constant in training: named, and without influence on what is predicted later. */
#include "program.h"

TestSuite(constant_columns, .init = enter_folder, .fini = leave_folder);

/* y goes with a alone; the years of new.csv are others than in training, and so is b. */
static void write_files(void) {
    char text[2000] = "a,year,b,y\n";
    for (int i = 0; i < 60; i++)
        sprintf(text + strlen(text), "%d.%d,2023,-1,%d\n", i % 7 - 3, i % 10, (i * 5 + i % 7) % 11 > 5);
    write_text("old.csv", text);
    write_text("new.csv", "a,year,b\n0.5,2023,-1\n0.5,2024,-1\n0.5,2025,7\n");
}

/* P(1) of the three rows of new.csv. */
static void predict(const char *scale, const char *seed, double probabilities[3]) {
    json_decref(RUN_JSON("train", "--data", "old.csv", "--scale", scale, "--seed", seed, "--optimizer",
                         "lbfgs", "--tolerance", "1e-8", "--l2", "0.01", "--output", "m.safetensors"));
    json_t *result = RUN_JSON("predict", "m.safetensors", "--data", "new.csv");
    for (size_t i = 0; i < 3; i++)
        probabilities[i] = json_figure(
            json_object_get(json_array_get(json_object_get(result, "predictions"), i), "probabilities"), "1");
    json_decref(result);
}

Test(constant_columns, decide_no_prediction_whatever_the_seed) {
    static const char *const scales[] = {"standard", "minmax"};
    write_files();
    for (size_t i = 0; i < 2; i++) {
        double one[3], other[3];
        predict(scales[i], "0", one);
        predict(scales[i], "1", other);
        for (size_t row = 0; row < 3; row++) {
            cr_expect_eq(one[row], one[0], "%s, row %zu", scales[i], row);
            cr_expect_float_eq(other[row], one[0], 1e-5, "%s, row %zu", scales[i], row);
        }
    }
}

Test(constant_columns, are_named_in_a_note) {
    write_files();
    outcome outcome = RUN("train", "--data", "old.csv");
    cr_expect_not_null(
        strstr(outcome.err,
               "\nnote: 2 features are constant in the training rows and without influence: year, b\n"),
        "%s", outcome.err);
    outcome = RUN("train", "--data", "old.csv", "--ignore", "b");
    cr_expect_not_null(
        strstr(outcome.err,
               "\nnote: 1 feature is constant in the training rows and without influence: year\n"),
        "%s", outcome.err);
    outcome = RUN("train", "--data", "old.csv", "--ignore", "b", "--ignore", "year");
    cr_expect_null(strstr(outcome.err, "constant"), "%s", outcome.err);
    outcome = RUN("train", "--data", "old.csv", "--scale", "none");
    cr_expect_null(strstr(outcome.err, "constant"), "%s", outcome.err);
    outcome = RUN("train", "--data", "old.csv", "--quiet");
    cr_expect_str_eq(outcome.err, "");
}

Test(constant_columns, many_are_told_by_their_number) {
    write_text("wide.csv", "1,1,1,1,1,1,1,0.5,0\n1,1,1,1,1,1,1,1.5,1\n");
    const outcome outcome = RUN("train", "--data", "wide.csv", "--header", "none");
    cr_expect_not_null(
        strstr(outcome.err,
               "note: 7 features are constant in the training rows and without influence: 0, 1, 2, "
               "3, 4, ...\n"),
        "%s", outcome.err);
}
