/* libsvm's text: what is read, and what is said of text that is wrong. */
#include <math.h>

#include "data_files.h"

TestSuite(libsvm, .init = make_folder, .fini = remove_folder);

#define VALUES(...) ((const float[]){__VA_ARGS__})
#define NAMES(...) ((const char *const[]){__VA_ARGS__})
#define CLASSES(...) ((const int32_t[]){__VA_ARGS__})

static const tanda_dataset_options as_libsvm = {.format = "libsvm"};

Test(libsvm, rows_are_dense_and_indexes_begin_at_1_or_at_0_as_found) {
    tanda_dataset *dataset =
        load(write_text("a", "# made by hand\n+1 1:0.5 3:-2e0\n\n-1 2:7 # a note\r\n+1\n"), NULL);
    assert_values(dataset, 3, 3, VALUES(0.5f, 0, -2, 0, 7, 0, 0, 0, 0));
    assert_classes(dataset, 2, NAMES("-1", "1"), CLASSES(1, 0, 1));
    cr_assert_str_eq(dataset->remark, "libsvm, indexes from 1");
    cr_assert_str_eq(dataset->feature_names[0], "1");
    tanda_dataset_free(dataset);
    dataset = load(write_text("b", "2 0:1\n5 2:3"), NULL);
    assert_values(dataset, 2, 3, VALUES(1, 0, 0, 0, 0, 3));
    assert_classes(dataset, 2, NAMES("2", "5"), CLASSES(0, 1));
    cr_assert_str_eq(dataset->remark, "libsvm, indexes from 0");
    tanda_dataset_free(dataset);
}

Test(libsvm, labels_are_quantities_where_they_are_in_csv) {
    tanda_dataset *dataset = load(write_text("r", "0.5 1:1\n2 1:3\n"), NULL);
    cr_assert_eq(dataset->task, TANDA_TASK_REGRESSION);
    cr_assert_eq(dataset->targets[1], 2.0f);
    tanda_dataset_free(dataset);
}

Test(libsvm, other_text_is_not_taken_for_it) {
    tanda_dataset *dataset = load(write_text("c", "1,2\n3,4\n"), NULL);
    cr_assert_null(dataset->remark);
    tanda_dataset_free(dataset);
    dataset =
        load(write_text("t", "time,kind\n10:30,1\n"),
             &(tanda_dataset_options){.without_target = true, .ignore = NAMES("time"), .ignore_count = 1});
    cr_assert_null(dataset->remark);
    tanda_dataset_free(dataset);
}

Test(libsvm, a_model_knows_its_indexes_again) {
    tanda_dataset *training = load(write_text("t", "0 1:1 4:1\n1 2:1\n"), NULL);
    const dataset_expectation expected = dataset_expect(training);
    tanda_dataset *dataset = load_expecting(write_text("n", "1 2:5\n"), NULL, &expected);
    assert_values(dataset, 1, 4, VALUES(0, 5, 0, 0));
    assert_classes(dataset, 2, NAMES("0", "1"), CLASSES(1));
    tanda_dataset_free(dataset);
    refuse_expecting(write_text("l", "1 5:5\n"), NULL, &expected, TANDA_BAD_INPUT,
                     "l: has the index 5; those of the model are 1 to 4");
    refuse_expecting(write_text("z", "1 0:5\n"), NULL, &expected, TANDA_BAD_INPUT,
                     "z: has the index 0; those of the model are 1 to 4");
    tanda_dataset_free(training);
    const dataset_expectation unnamed = {.feature_count = 2, .task = TANDA_TASK_REGRESSION};
    dataset = load_expecting(write_text("u", "1 0:5\n"), NULL, &unnamed);
    assert_values(dataset, 1, 2, VALUES(5, 0));
    tanda_dataset_free(dataset);
}

Test(libsvm, columns_are_chosen_by_index) {
    const tanda_dataset_options options = {
        .features = NAMES("3", "1"), .feature_count = 2, .sample_weight = "2"};
    tanda_dataset *dataset = load(write_text("w", "0 1:1 2:0.5 3:9\n1 1:2 2:4\n"), &options);
    assert_values(dataset, 2, 2, VALUES(9, 1, 0, 2));
    cr_assert_eq(dataset->weights[1], 4.0f);
    tanda_dataset_free(dataset);
    const tanda_dataset_options missing = {.missing = TANDA_MISSING_MEAN};
    dataset = load(write_text("m", "0 1:nan\n1 1:2\n"), &missing);
    cr_assert(isnan(dataset->values[0]));
    tanda_dataset_free(dataset);
}

Test(libsvm, what_is_wrong_is_told_with_its_place) {
    static const struct {
        const char *text, *message;
    } cases[] = {
        {"1 1:2 3:4\n1 3:1 2:4\n", "l:2:3: '2:4' does not ascend: each index stands once in a row, in order"},
        {"1 1:2\n1 1:1 1:4\n", "l:2:3: '1:4' does not ascend: each index stands once in a row, in order"},
        {"1 1:2\n0 qid:3 2:1\n", "l:2:2: 'qid:3' groups rows for ranking, which is not learnt; leave it out"},
        {"1,2 1:2\n1 2:2\n", "l:1:1: '1,2' is more than one label; a row has one"},
        {"1 1:2\n2 2:x\n", "l:2:2: '2:x' is not a number"},
        {"1 1:2\n2 2:nan\n", "l:2:2: '2:nan' is not finite: missing and infinite values are not accepted"},
        {"1 1:2\n2 7\n", "l:2:2: '7' is no index:value, such as 3:0.5"},
        {"1 1:2\nx 2:7\n", "l:2:1: 'x' is not a number"},
        {"1 1:2\n2 3000000000:1\n", "l:2:2: '3000000000:1' has an index beyond 2^31"},
        {"# nothing\n\n", "l: holds no rows"},
        {"1\n2\n", "l: no row has a value"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        refuse(write_text("l", cases[i].text), &as_libsvm, cases[i].message);
    const tanda_dataset_options categorical = {.categorical = NAMES("1"), .categorical_count = 1};
    refuse_expecting(write_text("c", "1 1:2\n2 1:3\n"), &categorical, NULL, TANDA_USAGE,
                     "--categorical: c is libsvm text, which holds numbers; make it CSV");
}

Test(libsvm, a_target_that_is_missing_is_told_with_its_line) {
    const char *path = write_text("t.svm", "1 1:2 2:3\n# more\n0 1:4 2:nan\n1 1:6 2:7\n");
    tanda_dataset_options options = {.target = "2", .missing = TANDA_MISSING_MEAN};
    refuse(path, &options, "t.svm:3:1: the target is missing; --drop-missing-targets leaves this row out");
    options.drop_missing_targets = true;
    tanda_dataset *dataset = load(path, &options);
    cr_assert_eq(dataset->rows, 2);
    tanda_dataset_free(dataset);
}

Test(libsvm, rows_that_are_too_wide_are_refused_before_memory_is_asked_for) {
    tanda_error error = {0};
    tanda_dataset *dataset = NULL;
    cr_assert_eq(dataset_load(write_text("w", "1 1:2\n2 2147483648:1\n"), NULL, NULL, &dataset, &error),
                 TANDA_BAD_INPUT);
    cr_assert(strstr(error.message,
                     "w: 2 rows of 2147483648 features are stored dense, which takes 98304 MiB with the "
                     "features' names; the memory allows ") != NULL,
              "%s", error.message);
}
