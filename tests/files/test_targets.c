/* Several targets and sample weights, from the file to both parts of a split. */
#include <math.h>

#include "data_files.h"

TestSuite(targets, .init = make_folder, .fini = remove_folder);
TestSuite(weights, .init = make_folder, .fini = remove_folder);

#define VALUES(...) ((const float[]){__VA_ARGS__})
#define NAMES(...) ((const char *const[]){__VA_ARGS__})

static void assert_floats(const float *found, size_t count, const float *wanted) {
    cr_assert_not_null(found);
    for (size_t i = 0; i < count; i++)
        cr_assert_eq(found[i], wanted[i], "number %zu is %.9g, not %.9g", i, found[i], wanted[i]);
}

/* ---- several targets ---------------------------------------------------------------------------------- */

Test(targets, several_are_columns_of_one_matrix_in_the_order_asked_for) {
    const char *path = write_text("t.csv", "x,a,y,b\n1,2,3,4\n5,6,7,-0\n");
    tanda_dataset *dataset = load(path, &(tanda_dataset_options){.target = "y,x"});
    assert_values(dataset, 2, 2, VALUES(2, 4, 6, 0));
    cr_assert_eq(dataset->task, TANDA_TASK_REGRESSION);
    cr_assert(dataset->task_was_found);
    cr_assert_eq(tanda_dataset_targets(dataset), 2);
    assert_floats(dataset->targets, 4, VALUES(3, 1, 7, 5));
    cr_assert_str_eq(dataset->target_names[0], "y");
    cr_assert_str_eq(dataset->target_names[1], "x");
    cr_assert_null(dataset->target_name);
    tanda_dataset_free(dataset);
    dataset = load(path, &(tanda_dataset_options){.target = "3,0", .task = TANDA_TASK_REGRESSION});
    assert_floats(dataset->targets, 4, VALUES(4, 1, 0, 5));
    cr_assert_not(dataset->task_was_found);
    tanda_dataset_free(dataset);
}

Test(targets, one_target_is_one_column_of_it) {
    tanda_dataset *dataset = load(write_text("o.csv", "x,y\n1,2\n3,4.5\n"), NULL);
    cr_assert_eq(dataset->target_count, 1);
    cr_assert_str_eq(dataset->target_name, "y");
    cr_assert_null(dataset->target_names);
    tanda_dataset_free(dataset);
    dataset = load(path_of("o.csv"), &(tanda_dataset_options){.without_target = true});
    cr_assert_eq(dataset->target_count, 0);
    tanda_dataset_free(dataset);
}

Test(targets, a_column_whose_name_has_a_comma_is_one) {
    const char *path = write_text("c.csv", "\"x,y\",x,y\n1,2,3\n4,5.5,6\n");
    tanda_dataset *dataset = load(path, &(tanda_dataset_options){.target = "x,y"});
    cr_assert_eq(dataset->target_count, 1);
    cr_assert_str_eq(dataset->target_name, "x,y");
    tanda_dataset_free(dataset);
}

Test(targets, what_does_not_fit_is_a_usage_error) {
    const char *path = write_text("t.csv", "x,a,y\n1,2,3\n5,6,7\n");
    static const struct {
        tanda_dataset_options options;
        const char *message;
    } cases[] = {
        {{.target = "x,z"}, "--target 'z': no such column in t.csv; its columns are x, a, y"},
        {{.target = "x,x"}, "--target: column 0 is there twice; name each target once"},
        {{.target = "x,"}, "--target '': no such column in t.csv; its columns are x, a, y"},
        {{.target = "x,y", .task = TANDA_TASK_CLASSES},
         "--target: 2 columns; classes come from one (several are for --task regression)"},
        {{.target = "x,y", .sample_weight = "y"},
         "--target: column 2 is also the --sample-weight; choose another target"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        refuse_expecting(path, &cases[i].options, NULL, TANDA_USAGE, cases[i].message);
    refuse(write_text("t.csv", "x,a,y\n1,2,3\n5,6,?\n"), &(tanda_dataset_options){.target = "x,y"},
           "t.csv:3:3: the target is missing; --drop-missing-targets leaves this row out (column y)");
}

Test(targets, a_model_finds_them_by_name_or_as_the_last_columns) {
    tanda_dataset *training =
        load(write_text("t.csv", "a,b,x,y\n1,2,3,4\n5,6,7,8\n"), &(tanda_dataset_options){.target = "x,y"});
    dataset_expectation expected = dataset_expect(training);
    tanda_dataset *other = load_expecting(write_text("n.csv", "y,b,x,a\n1,2,3,4\n"), NULL, &expected);
    assert_values(other, 1, 2, VALUES(4, 2));
    assert_floats(other->targets, 2, VALUES(3, 1));
    tanda_dataset_free(other);
    other = load_expecting(write_text("p.csv", "1,2,3,4\n5,6,7,8\n"), NULL, &expected);
    assert_values(other, 2, 2, VALUES(1, 2, 5, 6));
    assert_floats(other->targets, 4, VALUES(3, 4, 7, 8));
    tanda_dataset_free(other);
    tanda_dataset_options blind = {.without_target = true};
    other = load_expecting(write_text("p.csv", "1,2,?,\n5,6,7,8\n"), &blind, &expected);
    assert_values(other, 2, 2, VALUES(1, 2, 5, 6));
    cr_assert_null(other->targets);
    tanda_dataset_free(other);
    refuse_expecting(write_text("p.csv", "1,2,3\n"), NULL, &expected, TANDA_BAD_INPUT,
                     "p.csv: has 3 columns to use; the model takes 2 features and the targets");
    refuse_expecting(write_text("n.csv", "y,b,a\n1,2,3\n"), NULL, &expected, TANDA_BAD_INPUT,
                     "the model's target 'x': no such column in n.csv; its columns are y, "
                     "b, a");
    refuse_expecting(path_of("n.csv"), &(tanda_dataset_options){.target = "y"}, &expected, TANDA_USAGE,
                     "--target: 1 column; the model has 2 targets");
    tanda_dataset_free(training);
}

Test(targets, a_file_of_labels_may_hold_several_quantities) {
    tanda_dataset_options options = {.labels = write_text("l.csv", "1,2\n3,4\n"),
                                     .task = TANDA_TASK_REGRESSION};
    tanda_dataset *dataset = load(write_text("d.csv", "5\n6\n"), &options);
    assert_values(dataset, 2, 1, VALUES(5, 6));
    cr_assert_eq(dataset->target_count, 2);
    assert_floats(dataset->targets, 4, VALUES(1, 2, 3, 4));
    tanda_dataset_free(dataset);
    options.task = TANDA_TASK_AUTO;
    refuse(path_of("d.csv"), &options, "l.csv: has 2 columns; a file of labels has one");
}

/* ---- weights ------------------------------------------------------------------------------------------ */

Test(weights, a_column_of_weights_is_no_feature) {
    const char *path = write_text("w.csv", "a,w,b,y\n1,0.5,2,no\n3,0,4,yes\n5,2e3,6,no\n");
    tanda_dataset *dataset = load(path, &(tanda_dataset_options){.sample_weight = "w"});
    assert_values(dataset, 3, 2, VALUES(1, 2, 3, 4, 5, 6));
    assert_floats(dataset->weights, 3, VALUES(0.5f, 0, 2e3f));
    cr_assert_str_eq(dataset->feature_names[1], "b");
    dataset_expectation expected = dataset_expect(dataset);
    tanda_dataset *other = load_expecting(write_text("v.csv", "y,v,b,a\nno,7,8,9\n"),
                                          &(tanda_dataset_options){.sample_weight = "v"}, &expected);
    assert_values(other, 1, 2, VALUES(9, 8));
    assert_floats(other->weights, 1, VALUES(7));
    tanda_dataset_free(other);
    other = load_expecting(path_of("v.csv"), NULL, &expected);
    cr_assert_null(other->weights);
    tanda_dataset_free(other);
    tanda_dataset_free(dataset);
    dataset =
        load(path, &(tanda_dataset_options){.sample_weight = "1", .without_target = true, .target = "y"});
    assert_values(dataset, 3, 2, VALUES(1, 2, 3, 4, 5, 6));
    cr_assert_null(dataset->weights);
    tanda_dataset_free(dataset);
}

Test(weights, the_last_column_is_the_target_even_next_to_weights) {
    tanda_dataset *dataset =
        load(write_text("l.csv", "1,7,4\n2,8,5\n"), &(tanda_dataset_options){.sample_weight = "2"});
    assert_values(dataset, 2, 1, VALUES(1, 2));
    assert_floats(dataset->weights, 2, VALUES(4, 5));
    cr_assert_eq(dataset->class_count, 2);
    tanda_dataset_free(dataset);
}

Test(weights, one_that_is_none_is_refused_with_its_place) {
    static const struct {
        const char *row;
        const char *message;
    } cases[] = {
        {"2,-0.5,no", "bad.csv:3:2: -0.5 is no weight: weights are 0 or more (column w)"},
        {"2,,no", "bad.csv:3:2: empty field: missing values are not accepted (column w)"},
        {"2,nan,no",
         "bad.csv:3:2: 'nan' is not finite: missing and infinite values are not accepted (column w)"},
        {"2,inf,no",
         "bad.csv:3:2: 'inf' is not finite: missing and infinite values are not accepted (column w)"},
        {"2,heavy,no", "bad.csv:3:2: 'heavy' is not a number (column w)"},
        {"2,1e39,no", "bad.csv:3:2: '1e39' is beyond the range of binary32 (3.4e38) (column w)"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[100];
        snprintf(text, sizeof text, "a,w,y\n1,1,yes\n%s\n", cases[i].row);
        refuse(write_text("bad.csv", text), &(tanda_dataset_options){.sample_weight = "w"}, cases[i].message);
    }
    refuse(write_text("bad.csv", "a,w,y\n1,0,yes\n2,0,no\n"), &(tanda_dataset_options){.sample_weight = "w"},
           "bad.csv: every sample weight is 0; some must be above");
}

Test(weights, a_column_has_one_use) {
    const char *path = write_text("u.csv", "a,w,y\n1,1,yes\n2,1,no\n");
    static const char *const columns[] = {"w"};
    static const struct {
        tanda_dataset_options options;
        const char *message;
    } cases[] = {
        {{.sample_weight = "v"}, "--sample-weight 'v': no such column in u.csv; its columns are a, w, y"},
        {{.sample_weight = "w", .ignore = columns, .ignore_count = 1},
         "--sample-weight: column 1 is also in --ignore; a column has one use"},
        {{.sample_weight = "w", .features = columns, .feature_count = 1},
         "--features: 'w' is the --sample-weight; leave it out of one"},
        {{.sample_weight = "w", .target = "w"},
         "--target: column 1 is also the --sample-weight; choose another target"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        refuse_expecting(path, &cases[i].options, NULL, TANDA_USAGE, cases[i].message);
    tanda_dataset *dataset = load(path, NULL);
    dataset_expectation expected = dataset_expect(dataset);
    refuse_expecting(path, &cases[1].options, &expected, TANDA_USAGE,
                     "--sample-weight: column 1 is also a feature of the model; a column has one use");
    tanda_dataset_free(dataset);
    refuse_expecting("synthetic:blobs", &(tanda_dataset_options){.sample_weight = "0"}, NULL, TANDA_USAGE,
                     "--sample-weight: it is for files; synthetic:blobs is made whole");
}

Test(weights, arrays_have_them_too) {
    char bytes[128 + 6 * sizeof(float)] = "\x93NUMPY\x01\x00\x76\x00{'descr': '<f4', 'fortran_order': False, "
                                          "'shape': (2, 3), }";
    const float values[] = {1, 0.25f, 7, 2, 3, 9};
    memset(bytes + strlen(bytes + 10) + 10, ' ', 128 - 10 - strlen(bytes + 10));
    bytes[8] = 0x76, bytes[9] = 0;
    memcpy(bytes + 128, values, sizeof values);
    tanda_dataset_options options = {.sample_weight = "1", .task = TANDA_TASK_REGRESSION};
    tanda_dataset *dataset = load(write_bytes("w.npy", bytes, sizeof bytes), &options);
    assert_values(dataset, 2, 1, VALUES(1, 2));
    assert_floats(dataset->weights, 2, VALUES(0.25f, 3));
    tanda_dataset_free(dataset);
    options = (tanda_dataset_options){.target = "2,0"};
    dataset = load(path_of("w.npy"), &options);
    assert_values(dataset, 2, 1, VALUES(0.25f, 3));
    assert_floats(dataset->targets, 4, VALUES(7, 1, 9, 2));
    tanda_dataset_free(dataset);
    bytes[128 + 4 + 3] = (char)0xbf; /* -1 or so */
    options = (tanda_dataset_options){.sample_weight = "1"};
    refuse(write_bytes("w.npy", bytes, sizeof bytes), &options,
           "w.npy: row 0, column 1 (from 0): -1 is no weight: weights are 0 or more");
}

/* ---- both through a split and a long file ------------------------------------------------------------- */

Test(targets, a_split_keeps_targets_and_weights_with_their_rows) {
    char text[4000] = "a,x,y,w\n";
    tanda_dataset *parts[2];
    size_t at = strlen(text);
    for (int row = 0; row < 100; row++)
        at += (size_t)sprintf(text + at, "%d,%d,%d,%d\n", row, row + 1000, row + 2000, row + 3000);
    tanda_dataset_options options = {.target = "x,y", .sample_weight = "w"};
    tanda_dataset *all = load(write_text("s.csv", text), &options);
    cr_assert_eq(dataset_split(all, 0.3, true, 1, &parts[0], &parts[1], NULL), TANDA_OK);
    tanda_dataset_free(all);
    for (size_t p = 0; p < 2; p++) {
        cr_assert_eq(parts[p]->target_count, 2);
        cr_assert_str_eq(parts[p]->target_names[1], "y");
        for (size_t row = 0; row < parts[p]->rows; row++) {
            float value = parts[p]->values[row];
            cr_assert_eq(parts[p]->targets[2 * row], value + 1000);
            cr_assert_eq(parts[p]->targets[2 * row + 1], value + 2000);
            cr_assert_eq(parts[p]->weights[row], value + 3000);
        }
        tanda_dataset_free(parts[p]);
    }
}

Test(targets, a_long_file_is_read_by_several_threads) {
    size_t rows = 40000, at = 0;
    char *text = malloc(rows * 40);
    for (size_t row = 0; row < rows; row++)
        at += (size_t)sprintf(text + at, "%zu,%zu.5,-%zu,%zu\n", row, row, row, row % 7);
    tanda_dataset_options options = {.target = "1,2", .sample_weight = "3"};
    tanda_dataset *dataset = load(write_text("long.csv", text), &options);
    cr_assert_eq(dataset->rows, rows);
    for (size_t row = 0; row < rows; row++) {
        cr_assert_eq(dataset->values[row], (float)row);
        cr_assert_eq(dataset->targets[2 * row], (float)row + 0.5f);
        cr_assert_eq(dataset->targets[2 * row + 1], -(float)row);
        cr_assert_eq(dataset->weights[row], (float)(row % 7));
    }
    tanda_dataset_free(dataset);
    free(text);
}
