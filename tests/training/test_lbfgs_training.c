/* --optimizer lbfgs: scikit-learn's optimum, one hash everywhere, and what does not go with it. */
#include "model/model_file.h"
#include "program.h"

#define OF_C1 "0.0017574692442882249" /* 1 / (C n), C = 1, n = 569 */
#define TRAIN "train", "--data", BREAST_CANCER, "--optimizer", "lbfgs"
#define TO_THE_END TRAIN, "--l2", OF_C1, "--tolerance", "1e-8"
#define DEEP_SUM "37d2697419449297336a18f5b6833dc3742a6bcf645fbd0b442ba148035fdf87"

/*
 * LogisticRegression(C=1, tol=1e-10).fit((X - X.mean(0)) / X.std(0), y) of scikit-learn 1.9.1; malignant is the
 * second class.
 */
static const double coefficients[30] = {0.363092715,   0.387675283,  0.3510623,   0.435609234,   0.161831744,
                                        -0.562653998,  0.85991684,   0.962279798, -0.0762092229, -0.322225619,
                                        1.29094245,    -0.268921979, 0.659975241, 1.01255725,    0.277213044,
                                        -0.736323617,  -0.110538984, 0.333406791, -0.295793245,  -0.680920094,
                                        1.02926286,    1.31460825,   0.823348029, 1.01070626,    0.670680835,
                                        -0.0445640449, 0.873334057,  0.912003128, 0.887837365,   0.479818999};
static const double intercept = -0.214502949;

TestSuite(lbfgs_training, .init = enter_folder, .fini = leave_folder);

Test(lbfgs_training, ends_in_the_optimum_of_scikit_learn) {
    tanda_model *model = NULL;
    json_decref(RUN_JSON(TO_THE_END, "--output", "m.safetensors"));
    cr_assert_eq(model_file_load("m.safetensors", &model, NULL), TANDA_OK);
    for (size_t i = 0; i < 30; i++)
        cr_expect_float_eq((double)model->parameters[i], coefficients[i], 1e-4, "%zu: %.9g, not %.9g", i,
                           (double)model->parameters[i], coefficients[i]);
    cr_expect_float_eq((double)model->parameters[30], intercept, 1e-4);
    tanda_model_free(model);
}

Test(lbfgs_training, converges_and_says_so) {
    const outcome run = RUN(TO_THE_END);
    cr_assert_eq(run.status, 0, "%s", run.err);
    cr_expect_not_null(strstr(run.err, "note: converged after "), "%s", run.err);
    cr_expect_null(strstr(run.err, "Epoch 100/100"), "%s", run.err);
}

Test(lbfgs_training, that_has_too_few_epochs_says_so) {
    const outcome run = RUN(TRAIN, "--l2", OF_C1, "--epochs", "3", "--json");
    cr_assert_eq(run.status, 0, "%s", run.err);
    cr_expect_not_null(strstr(run.err, "note: not converged: the epochs ended after "), "%s", run.err);
    cr_expect_not_null(strstr(run.err, "the largest derivative is "), "%s", run.err);
    json_t *short_run = only_object(&run), *whole = RUN_JSON(TRAIN, "--l2", OF_C1);
    cr_expect(json_is_false(json_object_get(short_run, "converged")));
    cr_expect(json_is_true(json_object_get(whole, "converged")));
    cr_expect_gt(json_figure(short_run, "largest_derivative"), 1e-5);
    cr_expect_leq(json_figure(whole, "largest_derivative"), 1e-5);
    json_decref(short_run);
    json_decref(whole);
}

/* Nothing is left to do, but whether it converged is told all the same. */
Test(lbfgs_training, resumed_at_its_end_tells_the_same) {
    json_t *first = RUN_JSON(TRAIN, "--l2", OF_C1, "--checkpoint", "c.safetensors");
    json_t *again = RUN_JSON("train", "--resume", "c.safetensors");
    cr_expect(json_is_true(json_object_get(again, "converged")));
    cr_expect_eq(json_figure(first, "largest_derivative"), json_figure(again, "largest_derivative"));
    cr_expect_str_eq(json_words(first, "weights_sha256"), json_words(again, "weights_sha256"));
    json_decref(first);
    json_decref(again);
}

static const char *const machines[][3] = {{"cpu", "1", "x86-64-v4"},
                                          {"cpu", "3", "x86-64-v3"},
                                          {"cpu", "2", "generic"},
                                          {"opencl", "1", "x86-64-v3"}};

/* What the whole run gives; the first part is checkpointed, the rest goes on where the machine says. */
static char *hash_of_two_parts(const char *const *first, const char *const *second) {
    static char hash[2][80];
    static int calls;
    setenv("TANDA_ISA", first[2], 1);
    json_decref(RUN_JSON("train", "--data", DIGITS, "--optimizer", "lbfgs", "--hidden", "16", "--activation",
                         "tanh", "--l2", "1e-3", "--epochs", "15", "--history", "4", "--checkpoint",
                         "c.safetensors", "--device", first[0], "--threads", first[1]));
    setenv("TANDA_ISA", second[2], 1);
    json_t *result = RUN_JSON("train", "--resume", "c.safetensors", "--epochs", "30", "--device", second[0],
                              "--threads", second[1]);
    char *text = hash[calls++ % 2];
    snprintf(text, sizeof hash[0], "%s", json_words(result, "weights_sha256"));
    json_decref(result);
    remove("c.safetensors");
    return text;
}

Test(lbfgs_training, has_one_hash_on_every_machine_resumed_or_not) {
    json_t *whole =
        RUN_JSON("train", "--data", DIGITS, "--optimizer", "lbfgs", "--hidden", "16", "--activation", "tanh",
                 "--l2", "1e-3", "--epochs", "30", "--history", "4", "--device", "cpu");
    cr_expect_str_eq(json_words(whole, "weights_sha256"), DEEP_SUM);
    for (size_t i = 0; i < 4; i++)
        cr_expect_str_eq(hash_of_two_parts(machines[i], machines[(i + 1) % 4]), DEEP_SUM, "machine %zu", i);
    json_decref(whole);
}

Test(lbfgs_training, refuses_what_it_has_no_use_for) {
    static const struct {
        const char *flag, *value, *message;
    } cases[] = {
        {"--batch", "32", "tanda: --batch: lbfgs sees all rows"},
        {"--learning-rate", "0.1", "tanda: --learning-rate: lbfgs finds the length of each step itself"},
        {"--l1", "0.1", "tanda: --l1 is for --optimizer sgd"},
        {"--schedule", "cosine", "tanda: --schedule: lbfgs has no learning rate to change"},
        {"--history", "0", "tanda: --history: "},
        {"--history", "2.5", "tanda: --history: 2.5 is not a whole number from 1 to 100"},
        {"--dropout", "0.5", "tanda: --dropout: lbfgs"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const outcome run = RUN(TRAIN, "--hidden", "8", cases[i].flag, cases[i].value);
        cr_expect_eq(run.status, 2, "%s %s: exit %d", cases[i].flag, cases[i].value, run.status);
        cr_expect_eq(strncmp(run.err, cases[i].message, strlen(cases[i].message)), 0, "%s", run.err);
        cr_expect_eq(count_lines(run.err), 1, "%s", run.err);
    }
    cr_expect_eq(RUN("verify", "--data", IRIS, "--optimizer", "lbfgs").status, 2);
}
