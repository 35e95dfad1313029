/* What inspect tells of columns, and the notes on those that are seldom meant. */
#include <math.h>

#include "data/column_check.h"
#include "data/profile.h"
#include "program.h"

TestSuite(profile, .init = enter_folder, .fini = leave_folder);

static tanda_dataset *load_columns(const char *path) {
    const tanda_dataset_options options = {.without_target = true};
    tanda_dataset *dataset = NULL;
    tanda_error error;
    cr_assert_eq(dataset_load_columns(path, &options, &dataset, &error), TANDA_OK, "%s", error.message);
    return dataset;
}

static column_profile *profile_of(const tanda_dataset *dataset) {
    column_profile *profiles = NULL;
    cr_assert_eq(profile_columns(dataset, &profiles, NULL), TANDA_OK);
    return profiles;
}

/* A CSV file of one column and `rows` rows, row i holding i * step % modulus. */
static void write_numbers(const char *path, const char *name, size_t rows, size_t step, size_t modulus) {
    FILE *file = fopen(path, "w");
    fprintf(file, "%s,y\n", name);
    for (size_t i = 0; i < rows; i++)
        fprintf(file, "%zu,%zu\n", i * step % modulus, i % 2);
    fclose(file);
}

Test(profile, columns_are_told_by_the_digits_that_came) {
    write_text("a.csv", "whole,real,colour,year,none\n3,0.1,red,2023,\n-7,0.3,blue,2023,NA\n,0.1,,2023,\n"
                        "3,0.2,red,2023,\n");
    tanda_dataset *dataset = load_columns("a.csv");
    column_profile *found = profile_of(dataset);
    static const column_type types[] = {COLUMN_INTEGER, COLUMN_REAL, COLUMN_TEXT, COLUMN_INTEGER,
                                        COLUMN_EMPTY};
    static const size_t missing[] = {1, 0, 1, 0, 4}, distinct[] = {2, 3, 2, 1, 0};
    for (size_t i = 0; i < 5; i++) {
        cr_expect_eq(found[i].type, types[i], "%zu", i);
        cr_expect_eq(found[i].missing, missing[i], "%zu", i);
        cr_expect_eq(found[i].distinct, distinct[i], "%zu", i);
        cr_expect_eq(profile_is_constant(&found[i]), i == 3, "%zu", i);
    }
    cr_expect(found[0].minimum == -7.0 && found[0].maximum == 3.0);
    cr_expect(found[0].most_frequent == 3.0 && found[0].most_frequent_rows == 2);
    cr_expect(found[1].minimum == 0.1 && found[1].maximum == 0.3, "not as binary32");
    cr_expect_lt(fabs(found[1].mean - 0.175), 1e-15);
    cr_expect_str_eq(found[2].most_frequent_text, "red");
    cr_expect(isnan(found[2].minimum) && isnan(found[4].mean));
    free(found);
    tanda_dataset_free(dataset);
}

/* 1,700,000,000.1 + row / 7, and row - 2^53; the mean is of numbers that binary32 cannot tell apart. */
static double figure_of(size_t row, size_t column) {
    return column == 0 ? 1700000000.1 + (double)row / 7.0 : (double)((int64_t)row - (INT64_C(1) << 53));
}

static void write_header(FILE *npy, const char *descr, bool by_columns, size_t rows, size_t columns) {
    char header[128];
    memset(header, ' ', sizeof header);
    memcpy(header, "\x93NUMPY\x01\x00\x76\x00", 10);
    header[10 + sprintf(header + 10, "{'descr': '%s', 'fortran_order': %s, 'shape': (%zu, %zu), }", descr,
                        by_columns ? "True" : "False", rows, columns)] = ' ';
    header[127] = '\n';
    fwrite(header, sizeof header, 1, npy);
}

static void write_wide(size_t rows) {
    FILE *csv = fopen("w.csv", "w"), *svm = fopen("w.svm", "w"), *quoted = fopen("q.csv", "w");
    FILE *npy = fopen("w.npy", "wb"), *parts[2] = {fopen("parts/1.csv", "w"), fopen("parts/2.csv", "w")};
    write_header(npy, "<f8", false, rows, 2);
    for (size_t row = 0; row < rows; row++) {
        const double values[] = {figure_of(row, 0), figure_of(row, 1)};
        fprintf(csv, "%.17g,%.17g\n", values[0], values[1]);
        fprintf(parts[row >= rows / 3], "%.17g,%.17g\n", values[0], values[1]);
        fprintf(quoted, "\"%.17g\",%.17g\n", values[0], values[1]);
        fprintf(svm, "0 1:%.17g 2:%.17g\n", values[0], values[1]);
        fwrite(values, sizeof values, 1, npy);
    }
    FILE *const files[] = {csv, svm, quoted, npy, parts[0], parts[1]};
    for (size_t i = 0; i < 6; i++)
        cr_assert_eq(fclose(files[i]), 0);
}

Test(profile, figures_are_of_the_source_in_binary64_whatever_that_is) {
    static const char *const files[] = {"w.csv", "q.csv", "parts", "w.npy", "w.svm"};
    const size_t rows = 40000;
    cr_assert_eq(mkdir("parts", 0700), 0);
    write_wide(rows);
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        tanda_dataset *dataset = load_columns(files[i]);
        column_profile *found = profile_of(dataset);
        for (size_t column = 0; column < 2; column++) {
            const double low = figure_of(0, column), high = figure_of(rows - 1, column);
            cr_expect_eq(found[column].minimum, low, "%s: %.17g", files[i], found[column].minimum);
            cr_expect_eq(found[column].maximum, high, "%s: %.17g", files[i], found[column].maximum);
            cr_expect_leq(fabs(found[column].mean - (low + (high - low) / 2.0)), 1e-15 * fabs(high),
                          "%s: %.17g", files[i], found[column].mean);
            cr_expect(found[column].has_more, "%s", files[i]);
            cr_expect_eq(found[column].type, column == 0 ? COLUMN_REAL : COLUMN_INTEGER, "%s", files[i]);
        }
        free(found);
        tanda_dataset_free(dataset);
    }
}

Test(profile, values_that_binary32_takes_for_one_are_told_apart) {
    write_text("d.csv", "x,y\n0.1,0\n0.1000000001,1\n0.1,0\n0.10000000020,1\n-0,1\n0.0,0\n");
    json_t *found = RUN_JSON("inspect", "d.csv");
    const json_t *column = json_array_get(json_object_get(found, "columns"), 0);
    cr_expect_eq(json_integer_value(json_object_get(column, "distinct")), 4);
    cr_expect_eq(json_real_value(json_object_get(column, "max")), 0.1000000002);
    cr_expect_eq(json_integer_value(json_object_get(column, "most_frequent_rows")), 2);
    cr_expect_eq(json_real_value(json_object_get(column, "most_frequent")), 0.1, "of equals the first");
    json_decref(found);
    cr_expect_not_null(strstr(RUN("inspect", "d.csv").out, " 0.1000000002  0.1 (2)"));
}

Test(profile, a_word_far_below_makes_a_column_text) {
    FILE *file = fopen("f.csv", "w");
    for (size_t i = 0; i < 400000; i++)
        fprintf(file, "%zu.5,%zu\n", i % 9, i % 2);
    for (size_t i = 0; i < 100000; i++)
        fputs("red,1\n", file);
    fclose(file);
    json_t *found = RUN_JSON("inspect", "f.csv");
    const json_t *column = json_array_get(json_object_get(found, "columns"), 0);
    cr_expect_str_eq(json_words(column, "type"), "text");
    cr_expect_str_eq(json_words(column, "most_frequent"), "red");
    json_decref(found);
}

Test(profile, decimals_are_the_shortest_that_read_as_the_same_number) {
    static const struct {
        float value;
        double decimal;
    } cases[] = {{0.1f, 0.1},
                 {-4.3f, -4.3},
                 {1e12f, 1e12},
                 {2023.0f, 2023.0},
                 {1e-20f, 1e-20},
                 {0.0f, 0.0},
                 {16777216.0f, 16777216.0},
                 {3.4e38f, 3.4e38},
                 {1e-45f, 1e-45},
                 {123.456f, 123.456},
                 {0.0001234f, 0.0001234}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        cr_expect_eq(shortest_decimal(cases[i].value), cases[i].decimal, "%.9g gives %.17g",
                     (double)cases[i].value, shortest_decimal(cases[i].value));
    for (uint32_t i = 0; i < 4000000; i++) {
        const uint32_t bits = i * UINT32_C(2654435761);
        float value;
        memcpy(&value, &bits, sizeof value);
        if (isfinite(value) && (float)shortest_decimal(value) != value)
            cr_assert_fail("%.9g becomes %.17g", (double)value, shortest_decimal(value));
    }
}

Test(profile, distinct_values_are_counted_up_to_4096) {
    static const struct {
        size_t modulus, distinct;
        bool has_more;
    } cases[] = {{4095, 4095, false}, {4096, 4096, false}, {4097, 4096, true}};
    for (size_t i = 0; i < 3; i++) {
        write_numbers("n.csv", "n", 5000, 1, cases[i].modulus);
        tanda_dataset *dataset = load_columns("n.csv");
        column_profile *found = profile_of(dataset);
        cr_expect_eq(found[0].distinct, cases[i].distinct, "%zu", i);
        cr_expect_eq(found[0].has_more, cases[i].has_more, "%zu", i);
        cr_expect_eq(found[0].type, COLUMN_INTEGER);
        cr_expect(found[0].maximum == (double)cases[i].modulus - 1.0);
        cr_expect(found[1].distinct == 2 && found[1].most_frequent == 0.0, "of equals the first");
        free(found);
        tanda_dataset_free(dataset);
    }
}

Test(profile, a_fraction_behind_many_whole_numbers_makes_a_column_real) {
    write_numbers("n.csv", "n", 9000, 1, 9000);
    FILE *file = fopen("n.csv", "a");
    fputs("0.5,1\n", file);
    fclose(file);
    tanda_dataset *dataset = load_columns("n.csv");
    column_profile *found = profile_of(dataset);
    cr_expect_eq(found[0].type, COLUMN_REAL);
    cr_expect_lt(fabs(found[0].mean - (9000.0 * 8999.0 / 2.0 + 0.5) / 9001.0), 1e-9);
    free(found);
    tanda_dataset_free(dataset);
}

Test(profile, figures_do_not_depend_on_the_threads) {
    FILE *file = fopen("w.csv", "w");
    for (size_t row = 0; row < 6000; row++)
        for (size_t i = 0; i < 70; i++)
            fprintf(file, "%.6g%c", sin((double)(row * 70 + i)), i < 69 ? ',' : '\n');
    fclose(file);
    write_numbers("n.csv", "n", 70001, 7919, 4001); /* several blocks of rows */
    setenv("OMP_NUM_THREADS", "1", 1);
    const char *one_of_numbers = RUN("inspect", "n.csv", "--json").out;
    const char *one = RUN("inspect", "w.csv", "--json", "--target", "0").out;
    unsetenv("OMP_NUM_THREADS");
    cr_expect_str_eq(RUN("inspect", "n.csv", "--json").out, one_of_numbers);
    cr_expect_str_eq(RUN("inspect", "w.csv", "--json", "--target", "0").out, one);
}

Test(profile, text_of_many_values_is_no_fault_to_look_at_in_one_file_or_several) {
    FILE *file = fopen("t.csv", "w");
    fputs("name,y\n", file);
    for (size_t i = 0; i < 4500; i++)
        fprintf(file, "n%zu,%zu\n", i, i % 2);
    fclose(file);
    json_t *found = RUN_JSON("inspect", "t.csv");
    const json_t *column = json_array_get(json_object_get(found, "columns"), 0);
    cr_expect_str_eq(json_words(column, "distinct"), "more");
    cr_expect_str_eq(json_words(column, "type"), "text");
    cr_expect_null(json_object_get(column, "most_frequent"));
    json_decref(found);
    cr_expect_eq(mkdir("parts", 0700), 0);
    cr_expect_eq(link("t.csv", "parts/1.csv"), 0);
    cr_expect_eq(link("t.csv", "parts/2.csv"), 0);
    const outcome both = RUN("inspect", "parts");
    cr_expect_eq(both.status, 0, "%s", both.err);
    cr_expect_not_null(strstr(both.out, "  name                 text            0     more"), "%s", both.out);
    cr_expect_eq(RUN("train", "--data", "t.csv", "--categorical", "auto").status, 3,
                 "which training refuses");
}

/* ---- rows that stay where they are ---------------------------------------------------------------------- */

/* The table of the columns alone. */
static const char *table_of(const outcome run) {
    cr_assert_eq(run.status, 0, "%s", run.err);
    const char *table = strstr(run.out, "\n\n");
    cr_assert_not_null(table, "%s", run.out);
    return table;
}

#define BLOBS "blobs", "--rows", "40000", "--features", "70"

Test(profile, a_folder_of_shards_is_told_as_the_same_rows_in_one_file) {
    static const char *const memory[] = {"1K", "1G"};
    cr_assert_eq(RUN("generate", BLOBS, "--output", "one.npy").status, 0);
    cr_assert_eq(RUN("generate", BLOBS, "--shards", "3", "--output", "rows").status, 0);
    const char *table = table_of(RUN("inspect", "one.npy"));
    json_t *one = RUN_JSON("inspect", "one.npy");
    for (size_t i = 0; i < 2; i++) {
        const outcome run = RUN("inspect", "rows", "--memory", memory[i]);
        cr_expect_str_eq(table_of(run), table, "%s", memory[i]);
        cr_expect_not_null(strstr(run.out, "\nWhole: "), "%s", run.out);
        json_t *folder = RUN_JSON("inspect", "rows", "--memory", memory[i]);
        static const char *const keys[] = {"rows", "features", "task", "classes", "columns"};
        for (size_t key = 0; key < sizeof keys / sizeof *keys; key++)
            cr_expect(json_equal(json_object_get(folder, keys[key]), json_object_get(one, keys[key])),
                      "%s with --memory %s", keys[key], memory[i]);
        cr_expect_eq(json_integer_value(json_object_get(folder, "shards")), 3);
        json_decref(folder);
    }
    json_decref(one);
}

Test(profile, a_cache_of_text_is_told_as_its_text) {
    FILE *file = fopen("t.csv", "w");
    fputs("when,colour,x,y\n", file);
    for (size_t i = 0; i < 3000; i++)
        fprintf(file, "%.17g,%s,%s,%zu\n", 1700000000.1 + (double)i / 8.0, i % 3 == 0 ? "red" : "blue",
                i % 5 == 0 ? "" : "2.5", i % 2);
    fclose(file);
    const outcome run =
        RUN("train", "--data", "t.csv", "--categorical", "colour", "--missing", "mean", "--memory", "20K",
            "--data-cache", "cache", "--batch", "full", "--epochs", "1", "--device", "cpu", "--quiet");
    cr_assert_eq(run.status, 0, "%s", run.err);
    cr_assert_eq(system("mv cache/t.csv-* rows"), 0);
    cr_expect_str_eq(table_of(RUN("inspect", "rows")), table_of(RUN("inspect", "t.csv")));
    cr_expect_str_eq(table_of(RUN("inspect", "rows", "--memory", "1K")), table_of(RUN("inspect", "t.csv")));
}

/* A missing value in each seventh row of the first column; the element of row `wrong` is infinite. */
static void write_narrow(const char *path, bool wide, size_t rows, size_t wrong) {
    FILE *npy = fopen(path, "wb");
    write_header(npy, wide ? "<f8" : "<f4", false, rows, 2);
    for (size_t row = 0; row < rows; row++) {
        const double value = row == wrong ? INFINITY : row % 7 == 0 ? NAN : (double)(float)(row % 100);
        const double values[] = {value, (double)(row % 2)};
        const float narrow[] = {(float)value, (float)(row % 2)};
        if (wide)
            fwrite(values, sizeof values, 1, npy);
        else
            fwrite(narrow, sizeof narrow, 1, npy);
    }
    cr_assert_eq(fclose(npy), 0);
}

Test(profile, an_npy_beyond_memory_may_lack_values_and_none_is_infinite) {
    for (int wide = 0; wide < 2; wide++) {
        write_narrow("n.npy", wide, 20000, SIZE_MAX);
        const outcome run = RUN("inspect", "n.npy", "--memory", "1K");
        cr_assert_eq(run.status, 0, "%s", run.err);
        cr_expect_not_null(strstr(run.out, "  integer      2858      100           0 "), "%s", run.out);
        cr_expect_not_null(strstr(run.out, ": 0 10000, 1 10000\n"), "%s", run.out);
        write_narrow("n.npy", wide, 20000, 17000);
        const outcome wrong = RUN("inspect", "n.npy", "--memory", "1K", "--quiet");
        cr_expect_eq(wrong.status, 3);
        cr_expect_not_null(strstr(wrong.err, "n.npy: row 17000, column 0 (from 0): inf"), "%s", wrong.err);
    }
}

/* ---- notes -------------------------------------------------------------------------------------------- */

static void expect_note(const char *path, const char *target, const char *note) {
    const outcome run = RUN("train", "--data", path, "--target", target, "--epochs", "1", "--device", "cpu");
    cr_assert_eq(run.status, 0, "%s", run.err);
    if (note == NULL)
        cr_expect(strstr(run.err, "note: column") == NULL, "%s", run.err);
    else
        cr_expect_not_null(strstr(run.err, note), "no '%s' in %s", note, run.err);
}

Test(profile, an_unnamed_column_that_counts_the_rows_is_noted) {
    static const char *const note =
        "note: column 0 has no name and counts the rows; --ignore 0 leaves it out\n";
    write_text("i.csv", ",x,y\n0,1.5,0\n1,0.5,1\n2,2.5,0\n");
    expect_note("i.csv", "y", note);
    expect_note("i.csv", "1", note);
    write_text("i.csv", "Unnamed: 0,x,y\n1,1.5,0\n2,0.5,1\n3,2.5,0\n");
    expect_note("i.csv", "y", note);
    const outcome quiet = RUN("train", "--data", "i.csv", "--epochs", "1", "--device", "cpu", "--quiet");
    cr_expect_null(strstr(quiet.err, "note:"), "%s", quiet.err);
    write_text("i.csv", ",x,y\n0,1.5,0\n1,0.5,1\n3,2.5,0\n");
    expect_note("i.csv", "y", NULL);
    write_text("i.csv", "y,,x\n0,7,1.5\n1,8,0.5\n0,9,2.5\n");
    expect_note("i.csv", "y", "note: column 1 has no name and counts the rows; --ignore 1 leaves it out\n");
}

Test(profile, rows_held_out_do_not_hide_the_index) {
    write_numbers("i.csv", "", 40, 1, 40);
    const outcome run =
        RUN("train", "--data", "i.csv", "--validation", "0.5", "--epochs", "1", "--device", "cpu");
    cr_expect_not_null(strstr(run.err, "note: column 0 has no name and counts"), "%s", run.err);
    const outcome folds = RUN("train", "--data", "i.csv", "--folds", "3", "--epochs", "1", "--device", "cpu");
    const char *first = strstr(folds.err, "note: column 0 has no name and counts");
    cr_assert_not_null(first, "%s", folds.err);
    cr_expect_null(strstr(first + 1, "note: column 0"), "once is enough: %s", folds.err);
}

Test(profile, whole_numbers_that_differ_in_each_of_100_rows_are_noted) {
    static const char *const note =
        "note: column 0 (id) holds another whole number in each row, as identifiers "
        "do; --ignore 0 leaves it out\n";
    write_numbers("n.csv", "id", 100, 1, 1000);
    expect_note("n.csv", "y", note);
    write_numbers("n.csv", "id", 5003, 7919, 5003); /* in no order, and 0 among them */
    expect_note("n.csv", "y", note);
    write_numbers("n.csv", "id", 99, 1, 1000);
    expect_note("n.csv", "y", NULL);
    write_numbers("n.csv", "id", 5004, 7919, 5003);
    expect_note("n.csv", "y", NULL);
}

Test(profile, names_that_stand_twice_are_told_apart_by_index) {
    write_text("a.csv", "a,a,label\n1,2.5,0\n2,1.5,1\n4,3.5,0\n");
    expect_note("a.csv", "label",
                "note: columns 0 and 1 are both named 'a': options take their indexes, e.g. --ignore 1\n");
    expect_note("a.csv", "1",
                "note: columns 0 and 1 are both named 'a': options take their indexes, e.g. --ignore 1\n");
    cr_expect_eq(RUN("train", "--data", "a.csv", "--ignore", "a", "--epochs", "1").status, 3);
    const outcome cured =
        RUN("train", "--data", "a.csv", "--ignore", "1", "--epochs", "1", "--device", "cpu");
    cr_expect_eq(cured.status, 0);
    cr_expect_null(strstr(cured.err, "both named"), "%s", cured.err);
}
