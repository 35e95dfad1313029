/* Splitting, scaling, and files that must fit what a model expects. */
#include <math.h>

#include "data_files.h"
#include "feeds.h"

TestSuite(expect, .init = make_folder, .fini = remove_folder);
TestSuite(split, .init = make_folder, .fini = remove_folder);
TestSuite(scale, .init = make_folder, .fini = remove_folder);

#define VALUES(...) ((const float[]){__VA_ARGS__})
#define NAMES(...) ((const char *const[]){__VA_ARGS__})
#define CLASSES(...) ((const int32_t[]){__VA_ARGS__})

/* ---- what is expected --------------------------------------------------------------------------------- */

static char *feature_names[] = {"width", "height"};
static char *class_names[] = {"ant", "bee"};

static const dataset_expectation named = {.feature_count = 2,
                                          .feature_names = feature_names,
                                          .class_count = 2,
                                          .class_names = class_names,
                                          .task = TANDA_TASK_CLASSES,
                                          .target_name = "kind"};

Test(expect, columns_are_found_by_name_in_any_order) {
    const char *path = write_text("a.csv", "id,height,kind,width\n7,1,bee,2\n8,3,bee,4\n");
    tanda_dataset *dataset = load_expecting(path, NULL, &named);
    assert_values(dataset, 2, 2, VALUES(2, 1, 4, 3));
    assert_classes(dataset, 2, NAMES("ant", "bee"), CLASSES(1, 1));
    cr_assert_str_eq(dataset->feature_names[0], "width");
    tanda_dataset_free(dataset);
}

Test(expect, without_names_the_number_of_columns_must_fit) {
    tanda_dataset *dataset = load_expecting(write_text("p.csv", "2,1,bee\n4,3,ant\n"), NULL, &named);
    assert_values(dataset, 2, 2, VALUES(2, 1, 4, 3));
    assert_classes(dataset, 2, NAMES("ant", "bee"), CLASSES(1, 0));
    tanda_dataset_free(dataset);
    refuse_expecting(write_text("p.csv", "2,1,5,bee\n"), NULL, &named, TANDA_BAD_INPUT,
                     "p.csv: has 4 columns to use; the model takes 2 features and the target");
    refuse_expecting(write_text("p.csv", "2,1\n"), NULL, &named, TANDA_BAD_INPUT,
                     "p.csv: has 2 columns to use; the model takes 2 features and the target");
    tanda_dataset_options options = {.without_target = true};
    refuse_expecting(write_text("p.csv", "2,1,5,6\n"), &options, &named, TANDA_BAD_INPUT,
                     "p.csv: has 4 columns to use; the model takes 2 features");
}

Test(expect, a_target_is_left_out_where_none_is_needed) {
    static const char *const texts[] = {"width,height\n2,1\n4,3\n", "2,1\n4,3\n", "2,1,bee\n4,3,?\n",
                                        "kind,height,width\n?,1,2\n?,3,4\n", "2,1,\n4,3,\n"};
    tanda_dataset_options options = {.without_target = true};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        tanda_dataset *dataset = load_expecting(write_text("w.csv", texts[i]), &options, &named);
        assert_values(dataset, 2, 2, VALUES(2, 1, 4, 3));
        cr_assert_eq(dataset->task, TANDA_TASK_AUTO);
        cr_assert(dataset->classes == NULL && dataset->targets == NULL);
        tanda_dataset_free(dataset);
    }
    options.target = "species";
    tanda_dataset *dataset = load_expecting(write_text("w.csv", "2,1\n4,3\n"), &options, &named);
    tanda_dataset_free(dataset);
}

Test(expect, unknown_classes_and_missing_columns_are_refused) {
    refuse_expecting(
        write_text("u.csv", "width,height,kind\n1,2,ant\n3,4,wasp\n"), NULL, &named, TANDA_BAD_INPUT,
        "u.csv:3:3: 'wasp' is none of the model's 2 classes, the first of which is 'ant' (column kind)");
    refuse_expecting(
        write_text("u.csv", "width,hight,kind\n1,2,ant\n"), NULL, &named, TANDA_BAD_INPUT,
        "the model's feature 'height': no such column in u.csv; did you mean 'hight'? its columns are "
        "width, hight, kind");
    refuse_expecting(write_text("u.csv", "width,height\n1,2\n"), NULL, &named, TANDA_BAD_INPUT,
                     "the model's target 'kind': no such column in u.csv; its columns are width, height");
    refuse_expecting(write_text("u.csv", "1,2,0\n"), NULL, &named, TANDA_BAD_INPUT,
                     "u.csv:1:3: '0' is none of the model's 2 classes, the first of which is 'ant'");
}

Test(expect, numeric_classes_keep_the_numbers_of_the_training_set) {
    tanda_dataset *training = load(write_text("t.csv", "a,b\n1,10\n2,-3\n3,7\n"), NULL);
    dataset_expectation expected = dataset_expect(training);
    tanda_dataset *dataset = load_expecting(write_text("v.csv", "b,a\n10,5\n7.0,6\n10,8\n"), NULL, &expected);
    assert_values(dataset, 3, 1, VALUES(5, 6, 8));
    assert_classes(dataset, 3, NAMES("-3", "7", "10"), CLASSES(2, 1, 2));
    cr_assert_not(dataset->task_was_found);
    tanda_dataset_free(dataset);
    refuse_expecting(
        write_text("v.csv", "a,b\n5,11\n"), NULL, &expected, TANDA_BAD_INPUT,
        "v.csv:2:2: '11' is none of the model's 3 classes, the first of which is '-3' (column b)");
    refuse_expecting(write_text("v.csv", "a,b\n5,ten\n"), NULL, &expected, TANDA_BAD_INPUT,
                     "v.csv:2:2: 'ten' is not a number (column b)");
    tanda_dataset_free(training);
}

Test(expect, a_regression_expects_numbers) {
    tanda_dataset *training = load(write_text("t.csv", "a,b\n1,0.5\n2,-3\n"), NULL);
    dataset_expectation expected = dataset_expect(training);
    tanda_dataset *dataset = load_expecting(write_text("v.csv", "1,2\n3,4\n"), NULL, &expected);
    cr_assert_eq(dataset->task, TANDA_TASK_REGRESSION);
    cr_assert_eq(dataset->targets[1], 4.0f);
    tanda_dataset_free(dataset);
    refuse_expecting(write_text("v.csv", "a,b\n5,ten\n"), NULL, &expected, TANDA_BAD_INPUT,
                     "v.csv:2:2: 'ten' is not a number (column b)");
    tanda_dataset_free(training);
}

/* ---- split -------------------------------------------------------------------------------------------- */

/* A data set of one feature whose value is its row. */
static tanda_dataset *numbered(size_t rows) {
    const char *path = path_of("rows.csv");
    FILE *file = fopen(path, "w");
    for (size_t i = 0; i < rows; i++)
        fprintf(file, "%zu,%s\n", i, i % 3 == 0 ? "fizz" : "none");
    fclose(file);
    return load(path, NULL);
}

/* Marks the part's rows; they must ascend and carry their own label. */
static void mark_rows(const tanda_dataset *part, unsigned char *seen) {
    cr_assert_eq(part->class_count, 2);
    cr_assert_str_eq(part->class_names[0], "fizz");
    for (size_t i = 0; i < part->rows; i++) {
        size_t row = (size_t)part->values[i];
        cr_assert(i == 0 || part->values[i] > part->values[i - 1], "rows keep the file's order");
        cr_assert_eq(part->classes[i], row % 3 == 0 ? 0 : 1);
        seen[row]++;
    }
}

Test(split, every_row_goes_to_exactly_one_part) {
    static const struct {
        size_t rows, held;
        double fraction;
    } cases[] = {{4, 1, 0.01}, {4, 3, 0.99}, {100, 20, 0.2}, {101, 34, 0.333}, {1000, 500, 0.5}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        unsigned char seen[1000] = {0};
        tanda_dataset *training = NULL, *validation = NULL;
        tanda_dataset *dataset = numbered(cases[i].rows);
        cr_assert_eq(dataset_split(dataset, cases[i].fraction, i % 2 == 0, 7, &training, &validation, NULL),
                     TANDA_OK);
        cr_assert_eq(validation->rows, cases[i].held, "%zu held", validation->rows);
        mark_rows(training, seen);
        mark_rows(validation, seen);
        for (size_t row = 0; row < cases[i].rows; row++)
            cr_assert_eq(seen[row], 1);
        tanda_dataset_free(dataset);
        tanda_dataset_free(training);
        tanda_dataset_free(validation);
    }
}

Test(split, the_seed_alone_decides) {
    tanda_dataset *dataset = numbered(1000);
    tanda_dataset *parts[3], *rest[3];
    for (size_t i = 0; i < 3; i++)
        cr_assert_eq(dataset_split(dataset, 0.2, false, i / 2, &rest[i], &parts[i], NULL), TANDA_OK);
    cr_assert_arr_eq(parts[0]->values, parts[1]->values, 200 * sizeof(float));
    cr_assert_arr_neq(parts[0]->values, parts[2]->values, 200 * sizeof(float));
    double mean = 0;
    for (size_t i = 0; i < 200; i++)
        mean += parts[0]->values[i] / 200.0;
    cr_assert(fabs(mean - 499.5) < 4 * 288.7 / sqrt(200), "held rows come from everywhere, mean %g", mean);
    for (size_t i = 0; i < 3; i++) {
        tanda_dataset_free(parts[i]);
        tanda_dataset_free(rest[i]);
    }
    tanda_dataset_free(dataset);
}

Test(split, a_fraction_outside_0_and_1_is_refused) {
    const double fractions[] = {0.0, 1.0, -0.5, NAN};
    tanda_dataset *dataset = numbered(10), *a = NULL, *b = NULL;
    for (size_t i = 0; i < 4; i++)
        cr_assert_eq(dataset_split(dataset, fractions[i], false, 0, &a, &b, NULL), TANDA_USAGE);
    tanda_dataset_free(dataset);
}

/* ---- by class ----------------------------------------------------------------------------------------- */

/* A data set whose row i is (i, class of i), from counts of classes that take turns as long as they last. */
static tanda_dataset *classes_of(const size_t *counts, size_t classes, bool last_first) {
    const char *path = path_of("classes.csv");
    FILE *file = fopen(path, "w");
    size_t row = 0, before;
    size_t used[8] = {0};
    do {
        before = row;
        for (size_t i = 0; i < classes; i++) {
            size_t c = last_first ? classes - 1 - i : i;
            if (used[c] < counts[c]) fprintf(file, "%zu,%zu\n", row++, (used[c]++, c));
        }
    } while (row > before);
    fclose(file);
    return load(path, NULL);
}

static void assert_counts(const tanda_dataset *part, const size_t *wanted, size_t classes) {
    size_t counts[8] = {0};
    for (size_t row = 0; row < part->rows; row++)
        counts[part->classes[row]]++;
    for (size_t c = 0; c < classes; c++)
        cr_assert_eq(counts[c], wanted[c], "class %zu has %zu rows, not %zu", c, counts[c], wanted[c]);
}

/* The counts of train_test_split(..., stratify=y) of scikit-learn 1.9.1, where remainders are not equal. */
Test(split, by_class_each_class_gives_its_share) {
    static const struct {
        size_t counts[4], held[4];
        double fraction;
    } cases[] = {{{357, 212, 0, 0}, {72, 42, 0, 0}, 0.2},
                 {{50, 50, 50, 0}, {10, 10, 10, 0}, 0.2},
                 {{97, 31, 11, 3}, {24, 8, 3, 1}, 0.25},
                 {{5, 3, 2, 0}, {2, 1, 1, 0}, 0.35}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        tanda_dataset *training = NULL, *validation = NULL;
        size_t classes = cases[i].counts[2] == 0 ? 2 : cases[i].counts[3] == 0 ? 3 : 4;
        tanda_dataset *dataset = classes_of(cases[i].counts, classes, false);
        cr_assert_eq(dataset_split(dataset, cases[i].fraction, true, 3, &training, &validation, NULL),
                     TANDA_OK);
        assert_counts(validation, cases[i].held, classes);
        cr_assert_eq(training->rows + validation->rows, dataset->rows);
        tanda_dataset_free(dataset);
        tanda_dataset_free(training);
        tanda_dataset_free(validation);
    }
}

/* Class counts of StratifiedKFold(n_splits=K) of scikit-learn 1.9.1 on the same labels. */
Test(split, folds_have_the_class_counts_of_scikit_learn) {
    static const size_t counts[] = {23, 11, 7, 2};
    static const size_t wanted[2][5][4] = {
        {{5, 2, 2, 0}, {5, 2, 1, 1}, {5, 2, 1, 1}, {4, 3, 1, 0}, {4, 2, 2, 0}},
        {{5, 2, 1, 1},
         {5, 2, 1, 1},
         {5, 2, 2, 0},
         {4, 2, 2, 0},
         {4, 3, 1, 0}}}; /* class 3 in the first row */
    for (size_t order = 0; order < 2; order++) {
        unsigned char seen[43] = {0};
        tanda_dataset *dataset = classes_of(counts, 4, order == 1);
        for (size_t fold = 0; fold < 5; fold++) {
            tanda_dataset *training = NULL, *validation = NULL;
            cr_assert_eq(dataset_fold(dataset, 5, fold, true, 9, &training, &validation, NULL), TANDA_OK);
            assert_counts(validation, wanted[order][fold], 4);
            cr_assert_eq(training->rows + validation->rows, 43);
            for (size_t row = 0; row < validation->rows; row++)
                seen[(size_t)validation->values[row]]++;
            tanda_dataset_free(training);
            tanda_dataset_free(validation);
        }
        for (size_t row = 0; row < 43; row++)
            cr_assert_eq(seen[row], 1, "row %zu is held out %d times", row, seen[row]);
        tanda_dataset_free(dataset);
    }
}

Test(split, folds_without_classes_are_of_equal_size) {
    tanda_dataset *dataset = numbered(103), *first = NULL;
    for (size_t fold = 0; fold < 10; fold++) {
        tanda_dataset *training = NULL, *validation = NULL;
        cr_assert_eq(dataset_fold(dataset, 10, fold, false, 1, &training, &validation, NULL), TANDA_OK);
        cr_assert_eq(validation->rows, fold < 3 ? 11 : 10);
        tanda_dataset_free(training);
        if (fold == 0)
            first = validation;
        else
            tanda_dataset_free(validation);
    }
    double mean = 0;
    for (size_t row = 0; row < 11; row++)
        mean += first->values[row] / 11.0;
    cr_assert(fabs(mean - 51) < 4 * 29.7 / sqrt(11), "rows come from everywhere, mean %g", mean);
    tanda_dataset *a = NULL, *b = NULL;
    const size_t wrong[] = {0, 1, 104};
    for (size_t i = 0; i < 3; i++)
        cr_assert_eq(dataset_fold(dataset, wrong[i], 0, false, 1, &a, &b, NULL), TANDA_USAGE);
    cr_assert_eq(dataset_fold(dataset, 103, 102, true, 1, &a, &b, NULL), TANDA_OK);
    cr_assert_eq(b->rows, 1);
    tanda_dataset_free(a);
    tanda_dataset_free(b);
    tanda_dataset_free(first);
    tanda_dataset_free(dataset);
}

/* ---- scaling ------------------------------------------------------------------------------------------ */

Test(scale, standard_gives_the_figures_worked_out_by_hand) {
    /* column 0: mean 5, deviations -3 -1 -1 -1 0 0 2 4, variance 32 / 8 = 4; column 1 is constant */
    const float values[] = {2, 0.1f, 4, 0.1f, 4, 0.1f, 4, 0.1f, 5, 0.1f, 5, 0.1f, 7, 0.1f, 9, 0.1f};
    scaling scaling;
    cr_assert_eq(fit_scaling(TANDA_SCALE_STANDARD, values, 8, 2, &scaling, NULL), TANDA_OK);
    cr_assert_eq(scaling.center[0], 5.0f);
    cr_assert_eq(scaling.factor[0], 0.5f);
    cr_assert_eq(scaling.center[1], 0.1f);
    cr_assert_eq(scaling.factor[1], 0.0f);
    scaling_free(&scaling);
}

/* Nothing is known of how another value of it would matter. */
Test(scale, a_constant_column_has_no_influence_whatever_it_holds_later) {
    static const tanda_scale kinds[] = {TANDA_SCALE_STANDARD, TANDA_SCALE_MINMAX};
    const float values[] = {1, 2023, 2, 2023, 3, 2023}, later[] = {1, 2024, 2, -3.4e38f, 3, 2023};
    for (size_t i = 0; i < 2; i++) {
        scaling scaling;
        tanda_dataset dataset = {.rows = 3, .features = 2};
        cr_assert_eq(fit_scaling(kinds[i], values, 3, 2, &scaling, NULL), TANDA_OK);
        cr_expect_eq(scaling_constant_count(&scaling), 1);
        dataset.owned = malloc(sizeof later);
        memcpy(dataset.owned, later, sizeof later);
        dataset.values = dataset.owned;
        cr_assert_eq(dataset_scale(&dataset, &scaling, NULL), TANDA_OK);
        for (size_t row = 0; row < 3; row++)
            cr_expect_eq(dataset.values[2 * row + 1], 0.0f);
        cr_expect_neq(dataset.values[0], dataset.values[2]);
        free(dataset.owned);
        scaling_free(&scaling);
    }
}

Test(scale, minmax_gives_the_figures_worked_out_by_hand) {
    const float values[] = {2, -1, -6, 7, 6, 7};
    scaling scaling;
    cr_assert_eq(fit_scaling(TANDA_SCALE_MINMAX, values, 2, 3, &scaling, NULL), TANDA_OK);
    const float centers[] = {2, -1, -6};
    const float factors[] = {1.0f / 5, 1.0f / 7, 1.0f / 13};
    cr_assert_arr_eq(scaling.center, centers, sizeof centers);
    cr_assert_arr_eq(scaling.factor, factors, sizeof factors);
    scaling_free(&scaling);
}

/* The sum of chunks [first, first + count): left half the largest power of two below count. */
static double tree(const double *chunks, size_t count) {
    size_t left = 1;
    if (count == 1) return chunks[0];
    while (left * 2 < count)
        left *= 2;
    return tree(chunks, left) + tree(chunks + left, count - left);
}

Test(scale, sums_follow_the_fixed_tree_over_chunks_of_256_rows) {
    for (size_t rows = 255; rows < 256 * 18; rows += 255) {
        double chunks[20] = {0}, squares[20] = {0};
        size_t count = (rows + 255) / 256;
        float *values = malloc(rows * sizeof *values);
        for (size_t i = 0; i < rows; i++) {
            values[i] = (float)((i * 2654435761u) % 1000003) * 1e-3f;
            /* swallow what they are added to before they meet: the mean shows the order of the sums */
            if (i == 256 && count > 2) values[i] = 0x1p90f;
            if (i == 512 && count > 2) values[i] = -0x1p90f;
            chunks[i / 256] += (double)values[i];
        }
        double mean = tree(chunks, count) / (double)rows;
        for (size_t i = 0; i < rows; i++)
            squares[i / 256] += ((double)values[i] - mean) * ((double)values[i] - mean);
        double deviation = sqrt(tree(squares, count) / (double)rows);
        scaling scaling;
        cr_assert_eq(fit_scaling(TANDA_SCALE_STANDARD, values, rows, 1, &scaling, NULL), TANDA_OK);
        cr_assert_eq(scaling.center[0], (float)mean, "%zu rows", rows);
        cr_assert_eq(scaling.factor[0], (float)(1.0 / deviation), "%zu rows", rows);
        scaling_free(&scaling);
        free(values);
    }
}

Test(scale, a_scaled_data_set_has_mean_0_and_deviation_1) {
    tanda_dataset *dataset = load(TANDA_SOURCE_DIR "/datasets/breast_cancer.csv", NULL);
    scaling scaling;
    cr_assert_eq(
        fit_scaling(TANDA_SCALE_STANDARD, dataset->values, dataset->rows, dataset->features, &scaling, NULL),
        TANDA_OK);
    /* NumPy's mean(0) and std(0) of the same column in binary64 */
    cr_assert_float_eq(scaling.center[0], 14.127291739894563f, 1e-6);
    cr_assert_float_eq(1 / scaling.factor[0], 3.5209507607110626f, 1e-5);
    cr_assert_eq(dataset_scale(dataset, &scaling, NULL), TANDA_OK);
    for (size_t feature = 0; feature < dataset->features; feature++) {
        double mean = 0, square = 0;
        for (size_t row = 0; row < dataset->rows; row++) {
            double value = dataset->values[row * dataset->features + feature];
            mean += value / (double)dataset->rows;
            square += value * value / (double)dataset->rows;
        }
        cr_assert(fabs(mean) < 1e-6 && fabs(square - 1) < 1e-5, "feature %zu: %g, %g", feature, mean, square);
    }
    scaling_free(&scaling);
    tanda_dataset_free(dataset);
}

Test(scale, a_mapped_file_is_copied_and_left_alone) {
    static const char header[] =
        "\x93NUMPY\1\0v\0{'descr': '<f4', 'fortran_order': False, 'shape': (2, 2), }";
    unsigned char file[128 + 16];
    const float values[] = {1, 2, 3, 6};
    memset(file, ' ', 128);
    memcpy(file, header, sizeof header - 1);
    memcpy(file + 128, values, sizeof values);
    const char *path = write_bytes("x.npy", file, sizeof file);
    tanda_dataset_options options = {.without_target = true};
    tanda_dataset *dataset = load(path, &options);
    cr_assert_not_null(dataset->mapping.data);
    scaling scaling;
    cr_assert_eq(fit_scaling(TANDA_SCALE_MINMAX, dataset->values, 2, 2, &scaling, NULL), TANDA_OK);
    cr_assert_eq(dataset_scale(dataset, &scaling, NULL), TANDA_OK);
    cr_assert_null(dataset->mapping.data);
    assert_values(dataset, 2, 2, VALUES(0, 0, 1, 1));
    tanda_dataset *again = load(path, &options);
    assert_values(again, 2, 2, values);
    tanda_dataset_free(again);
    tanda_dataset_free(dataset);
    scaling_free(&scaling);
}

Test(scale, none_leaves_everything_as_it_is) {
    const float values[] = {1, 2};
    scaling scaling;
    cr_assert_eq(fit_scaling(TANDA_SCALE_NONE, values, 2, 1, &scaling, NULL), TANDA_OK);
    cr_assert(scaling.features == 0 && scaling.center == NULL && scaling.factor == NULL);
    tanda_dataset *dataset = load(write_text("n.csv", "1,0\n2,1\n"), NULL);
    cr_assert_eq(dataset_scale(dataset, &scaling, NULL), TANDA_OK);
    assert_values(dataset, 2, 1, values);
    tanda_dataset_free(dataset);
}

Test(scale, figures_beyond_binary32_are_refused) {
    const float close[] = {0.0f, 0x1p-149f};
    scaling scaling;
    tanda_error error;
    cr_assert_eq(fit_scaling(TANDA_SCALE_MINMAX, close, 2, 1, &scaling, &error), TANDA_BAD_INPUT);
    cr_assert_not_null(strstr(error.message, "--scale minmax: feature 0 (from 0)"));
    const float wide[] = {0.0f, 1.0f};
    tanda_dataset *dataset = load(write_text("w.csv", "a,b\n3e38,0\n1,1\n"), NULL);
    cr_assert_eq(fit_scaling(TANDA_SCALE_STANDARD, wide, 2, 1, &scaling, NULL), TANDA_OK);
    cr_assert_eq(dataset_scale(dataset, &scaling, &error), TANDA_BAD_INPUT);
    cr_assert_str_eq(error.message,
                     "--scale: row 0, feature 0 (from 0) a: the scaled value is beyond the range of "
                     "binary32 (3.4e38)");
    scaling_free(&scaling);
    tanda_dataset_free(dataset);
}

Test(scale, names_lead_back_to_their_kinds) {
    for (tanda_scale kind = TANDA_SCALE_NONE; kind <= TANDA_SCALE_MINMAX; kind++) {
        tanda_scale found = TANDA_SCALE_MINMAX + 1;
        cr_assert(scaling_from_name(scaling_name(kind), &found));
        cr_assert_eq(found, kind);
    }
    tanda_scale found = TANDA_SCALE_MINMAX;
    cr_assert_not(scaling_from_name("robust", &found));
    cr_assert_eq(found, TANDA_SCALE_MINMAX);
}
