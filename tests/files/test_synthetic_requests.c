/* Synthetic data as it is asked for: descriptions, flags and files, and what is said to those that cannot be. */
#include "data/dataset.h"
#include "data/synthetic.h"
#include "program.h"

/* ---- the program -------------------------------------------------------------------------------------- */

TestSuite(program, .init = enter_folder, .fini = leave_folder);

static double accuracy_of(const char *data, const char *key, const char *hidden) {
    json_t *object =
        RUN_JSON("train", "--device", "cpu", "--data", data, "--hidden", hidden, "--epochs", "30");
    const double accuracy = json_figure(object, key);
    json_decref(object);
    return accuracy;
}

Test(program, networks_learn_what_the_kinds_hide) {
    cr_expect_gt(accuracy_of("synthetic:moons,rows=4000,test-rows=1000", "val_accuracy", "32,32"), 0.98);
    cr_expect_gt(accuracy_of("synthetic:circles,rows=4000,test-rows=1000", "val_accuracy", "32,32"), 0.97);
    cr_expect_gt(accuracy_of("synthetic:spirals,rows=4000,test-rows=1000", "val_accuracy", "32,32"), 0.97);
    cr_expect_gt(accuracy_of("synthetic:xor,rows=4000,test-rows=1000", "val_accuracy", "16"), 0.99);
    cr_expect_gt(accuracy_of("synthetic:teacher,rows=20000,test-rows=1000,features=8,hidden=8",
                             "val_accuracy", "64,64"),
                 0.95);
    cr_expect_gt(accuracy_of("synthetic:images,rows=3000,test-rows=1000", "val_accuracy", "64"), 0.98);
}

/* The files and the data made in memory train to the same weights. */
Test(program, generate_writes_what_synthetic_makes) {
    cr_assert_eq(RUN("generate", "images", "--rows", "300", "--test-rows", "50", "--seed", "4", "--output",
                     "x.npy", "--labels", "y.npy")
                     .status,
                 0);
    cr_assert_eq(RUN("generate", "images", "--rows", "300", "--seed", "4", "--output", "xy.npy").status, 0);
    json_t *files =
        RUN_JSON("train", "--device", "cpu", "--data", "x.npy", "--labels", "y.npy", "--validation",
                 "x-test.npy", "--validation-labels", "y-test.npy", "--epochs", "3");
    json_t *joined = RUN_JSON("train", "--device", "cpu", "--data", "xy.npy", "--epochs", "3");
    json_t *memory = RUN_JSON("train", "--device", "cpu", "--data",
                              "synthetic:images,rows=300,test-rows=50,seed=4", "--epochs", "3");
    cr_expect_str_eq(json_words(files, "weights_sha256"), json_words(memory, "weights_sha256"));
    cr_expect_str_eq(json_words(joined, "weights_sha256"), json_words(memory, "weights_sha256"));
    cr_expect_eq(json_figure(files, "val_loss"), json_figure(memory, "val_loss"));
    json_decref(files);
    json_decref(joined);
    json_decref(memory);
}

static uint64_t fingerprint_of(const char *path, const char *labels) {
    const tanda_dataset_options options = {.size = sizeof options, .labels = labels};
    tanda_dataset *dataset = NULL;
    tanda_error error = {0};
    uint64_t fingerprint = 0;
    cr_assert_eq(tanda_dataset_load(path, &options, &dataset, &error), TANDA_OK, "%s", error.message);
    cr_assert_eq(dataset_fingerprint(dataset, NULL, &fingerprint, &error), TANDA_OK);
    tanda_dataset_free(dataset);
    return fingerprint;
}

Test(program, what_is_generated_as_csv_has_all_bits) {
    static const char *const kinds[] = {"logistic", "blobs", "regression", "images", "spirals", "teacher"};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        cr_assert_eq(
            RUN("generate", kinds[i], "--rows", "500", "--test-rows", "20", "--output", "x.npy").status, 0);
        cr_assert_eq(
            RUN("generate", kinds[i], "--rows", "500", "--test-rows", "20", "--output", "x.csv").status, 0);
        cr_expect_eq(fingerprint_of("x.csv", NULL), fingerprint_of("x.npy", NULL), "%s", kinds[i]);
        cr_expect_eq(fingerprint_of("x-test.csv", NULL), fingerprint_of("x-test.npy", NULL), "%s", kinds[i]);
        cr_assert_eq(
            RUN("generate", kinds[i], "--rows", "500", "--output", "f.csv", "--labels", "l.csv").status, 0);
        cr_expect_eq(fingerprint_of("f.csv", "l.csv"), fingerprint_of("x.npy", NULL), "%s", kinds[i]);
    }
}

Test(program, the_label_of_generated_csv_has_a_name) {
    cr_assert_eq(RUN("generate", "moons", "--rows", "3", "--output", "m.csv").status, 0);
    cr_assert_eq(RUN("generate", "regression", "--rows", "3", "--features", "1", "--output", "r.csv").status,
                 0);
    cr_expect_eq(strncmp(file_text("m.csv"), "x1,x2,class\n", 12), 0);
    cr_expect_eq(strncmp(file_text("r.csv"), "x1,target\n", 10), 0);
    cr_expect_eq(count_lines(file_text("m.csv")), 4);
}

Test(program, a_quantity_is_written_as_one) {
    cr_assert_eq(
        RUN("generate", "regression", "--rows", "300", "--output", "x.npy", "--labels", "y.npy").status, 0);
    json_t *files =
        RUN_JSON("train", "--device", "cpu", "--data", "x.npy", "--labels", "y.npy", "--epochs", "3");
    json_t *memory =
        RUN_JSON("train", "--device", "cpu", "--data", "synthetic:regression,rows=300", "--epochs", "3");
    cr_expect_str_eq(json_words(files, "weights_sha256"), json_words(memory, "weights_sha256"));
    json_decref(files);
    json_decref(memory);
}

Test(program, held_out_rows_follow_the_others) {
    const char *model = "m.safetensors";
    json_t *trained =
        RUN_JSON("train", "--device", "cpu", "--data", "synthetic:logistic,rows=500,test-rows=80", "--epochs",
                 "2", "--output", model);
    json_t *evaluated =
        RUN_JSON("evaluate", model, "--device", "cpu", "--data", "synthetic:logistic,rows=80,skip=500");
    cr_expect_eq(json_figure(trained, "val_loss"), json_figure(evaluated, "loss"));
    json_decref(trained);
    json_decref(evaluated);
}

/* Three ways to say which rows are held out come to the same, and leave the same settings behind. */
Test(program, test_rows_are_a_flag_and_a_key) {
    const char *rows = "synthetic:logistic,rows=500";
    json_t *by_key =
        RUN_JSON("train", "--device", "cpu", "--data", "synthetic:logistic,rows=500,test-rows=80", "--epochs",
                 "2", "--output", "a.safetensors");
    json_t *by_flag = RUN_JSON("train", "--device", "cpu", "--data", rows, "--test-rows", "80", "--epochs",
                               "2", "--output", "b.safetensors");
    json_t *held_out =
        RUN_JSON("evaluate", "b.safetensors", "--device", "cpu", "--data", rows, "--test-rows", "80");
    json_t *seen = RUN_JSON("evaluate", "b.safetensors", "--device", "cpu", "--data", rows);
    cr_expect_eq(json_figure(by_flag, "val_loss"), json_figure(by_key, "val_loss"));
    cr_expect_eq(json_figure(by_flag, "val_loss"), json_figure(held_out, "loss"));
    cr_expect_eq(json_figure(by_flag, "loss"), json_figure(seen, "loss"));
    cr_expect_str_eq(file_text("a.safetensors") + 8,
                     file_text("b.safetensors") + 8); /* header with settings */
    const outcome predicted =
        RUN("predict", "b.safetensors", "--device", "cpu", "--quiet", "--data", rows, "--test-rows", "80");
    cr_expect_eq(count_lines(predicted.out), 81, "%zu lines",
                 count_lines(predicted.out)); /* and the heading */
    json_decref(by_key);
    json_decref(by_flag);
    json_decref(held_out);
    json_decref(seen);
}

static void expect_refused(const char *data, int status, const char *message) {
    const outcome outcome = RUN("train", "--device", "cpu", "--quiet", "--data", data);
    cr_expect_eq(outcome.status, status, "%s: exit %d", data, outcome.status);
    cr_expect(strstr(outcome.err, message) != NULL && count_lines(outcome.err) == 1, "%s: %s", data,
              outcome.err);
}

Test(program, mistakes_are_named_with_what_there_is) {
    expect_refused("synthetic:moonz", 2,
                   "'moonz' is no kind of synthetic data; there are linear, logistic, blobs");
    expect_refused("synthetic:", 2, "'' is no kind");
    expect_refused("synthetic:blobs,margin=1", 2,
                   "synthetic:blobs: 'margin' is no key of it; it takes rows, test-rows");
    expect_refused("synthetic:blobs,rows", 2, "synthetic:blobs: 'rows' is not key=value");
    expect_refused("synthetic:blobs,rows=ten", 2,
                   "synthetic:blobs: rows: 'ten' is not a whole number from 1 to");
    expect_refused("synthetic:blobs,rows=0", 2, "rows: '0' is not a whole number");
    expect_refused("synthetic:blobs,rows=5,rows=6", 2, "synthetic:blobs: rows is given twice");
    expect_refused("synthetic:blobs,noise=-1", 2, "noise: '-1' is not a number from 0 to");
    expect_refused("synthetic:moons,classes=3", 2, "synthetic:moons: classes: 3 are too many; at most 2");
    expect_refused("synthetic:moons,features=1", 2, "synthetic:moons: features: 1 is not from 2 to");
    expect_refused("synthetic:images,features=100", 2, "features: 100 is not from 784 to 784");
    expect_refused("synthetic:logistic,distribution=cauchy", 2, "'cauchy' is none of normal, uniform");
    expect_refused("synthetic:classification,features=4,informative=3,redundant=2", 2,
                   "3 informative and 2 redundant columns do not fit in 4 features");
    expect_refused("synthetic:blobs,rows=281474976710656", 2,
                   "--shuffle full mixes all rows, which are more than --memory holds");
}

static void expect_test_rows_refused(const char *data, const char *rows, int status, const char *message) {
    const outcome outcome = RUN("train", "--device", "cpu", "--quiet", "--data", data, "--test-rows", rows);
    cr_expect_eq(outcome.status, status, "%s %s: exit %d", data, rows, outcome.status);
    cr_expect(strstr(outcome.err, message) != NULL && count_lines(outcome.err) == 1, "%s %s: %s", data, rows,
              outcome.err);
}

Test(program, test_rows_name_their_mistakes) {
    expect_test_rows_refused("iris.csv", "10", 2,
                             "--test-rows: iris.csv is a file; it is for --data synthetic:");
    expect_test_rows_refused("synthetic:moons", "ten", 2, "--test-rows: 'ten' is not a whole number");
    expect_test_rows_refused("synthetic:moons", "-1", 2, "--test-rows: '-1' is not a whole number");
    expect_test_rows_refused("synthetic:moons", "99999999999999999999", 2,
                             "--test-rows: '99999999999999999999'");
    expect_test_rows_refused("synthetic:moons,test-rows=5", "6", 2,
                             "synthetic:moons: test-rows is given twice");
}

/* Without the program, as this many of them would take long: what is asked for, and what is said to it. */
typedef struct refusal {
    const char *data;
    const char *message;
} refusal;

static const refusal refusals[] = {
    {"synthetic:blobs,", "synthetic:blobs: '' is not key=value"},
    {"synthetic:blobs,,rows=5", "synthetic:blobs: '' is not key=value"},
    {"synthetic:blobs,=5", "synthetic:blobs: '' is no key of it; it takes rows, test-rows"},
    {"synthetic:blobs,ROWS=5", "'ROWS' is no key of it"},
    {"synthetic:blobs, rows=5", "' rows' is no key of it"},
    {"synthetic:blobs,rows=", "rows: '' is not a whole number from 1 to 281474976710656"},
    {"synthetic:blobs,rows==5", "rows: '=5' is not a whole number"},
    {"synthetic:blobs,rows=5.0", "rows: '5.0' is not a whole number"},
    {"synthetic:blobs,rows=1e6", "rows: '1e6' is not a whole number"},
    {"synthetic:blobs,rows=-5", "rows: '-5' is not a whole number"},
    {"synthetic:blobs,rows=18446744073709551617", "rows: '18446744073709551617' is not a whole number"},
    {"synthetic:blobs,rows=281474976710657", "rows: '281474976710657' is not a whole number"},
    {"synthetic:blobs,skip=281474976710657", "skip: '281474976710657' is not a whole number"},
    {"synthetic:blobs,seed=9223372036854775808", "seed: '9223372036854775808' is not a whole number"},
    {"synthetic:blobs,features=0", "features: '0' is not a whole number from 1 to 1048576"},
    {"synthetic:blobs,features=1048577", "features: '1048577' is not a whole number"},
    {"synthetic:blobs,classes=1", "classes: '1' is not a whole number from 2 to 65536"},
    {"synthetic:blobs,noise=", "noise: '' is not a number from 0 to 1e+06"},
    {"synthetic:blobs,noise=nan", "noise: 'nan' is not a number"},
    {"synthetic:blobs,noise=inf", "noise: 'inf' is not a number"},
    {"synthetic:blobs,balance=1.5", "balance: '1.5' is not a number from 0 to 1"},
    {"synthetic:linear,noise=1.5", "synthetic:linear: noise: 1.5 is no share of the labels, from 0 to 1"},
    {"synthetic:spirals,turns=101", "turns: '101' is not a number from 0 to 100"},
    {"synthetic:teacher,hidden=257", "hidden: '257' is not a whole number from 1 to 256"},
    {"synthetic:teacher,layers=65", "layers: '65' is not a whole number from 0 to 64"},
    {"synthetic:teacher,classes=257", "synthetic:teacher: classes: 257 are too many; at most 256"},
    {"synthetic:regression,classes=2", "'classes' is no key of it"},
    {"synthetic:xor,features=40,informative=33", "synthetic:xor: informative: 33 is more than 32"},
    {"synthetic:linear,rows=281474976710656,features=1048576",
     "of 1048576 features and 2 classes are more than"},
    {"synthetic:linear,skip=17592186044417,features=1048576", "are more than can be told apart"},
    {"synthetic:blobs,classes=65536,features=8192", "share a table of 536870912 numbers; at most 268435456"},
    {"synthetic:classification,features=1048576,redundant=500000", "share a table of"},
};

Test(requests, mistakes_are_named) {
    for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++) {
        const char *data = refusals[i].data;
        tanda_dataset *dataset = NULL;
        tanda_error error = {0};
        const tanda_dataset_options options = {0};
        const tanda_status status = synthetic_load(data, &options, NULL, false, &dataset, &error);
        cr_expect_eq(status, TANDA_USAGE, "%s: %d", data, (int)status);
        cr_expect(strstr(error.message, refusals[i].message) != NULL, "%s: %s", data, error.message);
        cr_expect(strchr(error.message, '\n') == NULL && dataset == NULL, "%s", data);
        tanda_dataset_free(dataset);
    }
}

Test(program, generate_names_its_mistakes) {
    const outcome nothing = RUN("generate", "moons"), kind = RUN("generate", "--output", "x.npy");
    cr_expect(nothing.status == 2 && strstr(nothing.err, "--output") != NULL, "%s", nothing.err);
    cr_expect(kind.status == 2 && strstr(kind.err, "no kind") != NULL, "%s", kind.err);
    const outcome folder = RUN("generate", "moons", "--output", "missing/x.npy");
    cr_expect(folder.status == 1 && strstr(folder.err, "missing/x.npy") != NULL, "%s", folder.err);
    const outcome same = RUN("generate", "moons", "--output", "x.npy", "--labels", "x.npy"),
                  test = RUN("generate", "moons", "--test-rows", "5", "--output", "x.npy", "--labels",
                             "x-test.npy");
    cr_expect(same.status == 2 && strstr(same.err, "--labels x.npy: --output x.npy writes it too") != NULL,
              "%s", same.err);
    cr_expect(test.status == 2 &&
                  strstr(test.err, "--labels x-test.npy: --test-rows x-test.npy writes it too") != NULL,
              "%s", test.err);
    cr_expect_neq(access("x.npy", F_OK), 0);
}
