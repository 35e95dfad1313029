/* Several files whose rows follow one another: --data again, or a folder. */
#include <sys/stat.h>

#include "data/place.h"
#include "data_files.h"

TestSuite(parts, .init = make_folder, .fini = remove_folder);

#define VALUES(...) ((const float[]){__VA_ARGS__})
#define NAMES(...) ((const char *const[]){__VA_ARGS__})
#define CLASSES(...) ((const int32_t[]){__VA_ARGS__})

static tanda_dataset_options followed_by(const char *second) {
    static const char *files[1];
    static char path[128];
    snprintf(path, sizeof path, "%s", second);
    files[0] = path;
    return (tanda_dataset_options){.more_files = files, .more_count = 1};
}

static const char *first(void) {
    static char path[128];
    snprintf(path, sizeof path, "%s", write_text("1.csv", "a,b,kind\n1,2,no\n3,4,yes\n"));
    return path;
}

static void assert_four(tanda_dataset *dataset) {
    assert_values(dataset, 4, 2, VALUES(1, 2, 3, 4, 5, 6, 7, 8));
    assert_classes(dataset, 3, NAMES("maybe", "no", "yes"), CLASSES(1, 2, 0, 1));
    cr_assert_str_eq(dataset->feature_names[1], "b");
    cr_assert_str_eq(dataset->target_name, "kind");
    cr_assert_str_eq(dataset->remark, "2 files");
    tanda_dataset_free(dataset);
}

Test(parts, each_has_the_header_or_only_the_first) {
    tanda_dataset_options options = followed_by(write_text("2.csv", "a,b,kind\n5,6,maybe\n7,8,no\n"));
    assert_four(load(first(), &options));
    options = followed_by(write_text("2.csv", "5,6,maybe\n7,8,no\n"));
    assert_four(load(first(), &options));
    options = followed_by(write_text("2.csv", "kind;b;a\nmaybe;6;5\nno;8;7\n")); /* columns by name */
    assert_four(load(first(), &options));
    options.header = TANDA_HEADER_FIRST_ROW;
    assert_four(load(first(), &options));
}

Test(parts, without_a_header_in_the_first_there_is_none) {
    const tanda_dataset_options options = followed_by(write_text("2.csv", "1,2,0\n3,4,1\n"));
    tanda_dataset *dataset = load(write_text("1.csv", "1,2,0\n5,6,1\n"), &options);
    assert_values(dataset, 4, 2, VALUES(1, 2, 5, 6, 1, 2, 3, 4)); /* a row that stands again is a row */
    tanda_dataset_free(dataset);
}

Test(parts, columns_that_differ_are_refused_with_the_file) {
    static const struct {
        const char *text, *message;
    } cases[] = {
        {"a,B,kind\n5,6,no\n", "1.csv's feature 'b': no such column in 2.csv; its columns are a, B, kind"},
        {"a,b,kind,more\n5,6,no,1\n", "2.csv: has 4 columns, and 1.csv, which it follows, has 3"},
        {"5,6,1,no\n", "2.csv: has 4 columns to use; 1.csv takes 2 features and the target"},
        {"a,b,kind\n5,6,no\n7,x,no\n", "2.csv:3:2: 'x' is not a number; --categorical takes text (column b)"},
        {"a,b,kind\n5,6,no\n7,no\n", "2.csv:3: 2 fields, the first row has 3"},
        {"", "2.csv: the file is empty"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const tanda_dataset_options options = followed_by(write_text("2.csv", cases[i].text));
        refuse(first(), &options, cases[i].message);
    }
    const tanda_dataset_options options = followed_by(path_of("none.csv"));
    refuse(first(), &options, "none.csv: No such file or directory");
}

Test(parts, a_folder_is_read_in_the_order_of_names_without_hidden_files) {
    char folder[100], path[160];
    snprintf(folder, sizeof folder, "%s/parts", test_folder);
    cr_assert_eq(mkdir(folder, 0700), 0);
    refuse(folder, NULL, "parts: is a folder without files");
    const char *const files[][2] = {{"parts/part-1.csv", "a,b,kind\n5,6,maybe\n7,8,no\n"},
                                    {"parts/part-0.csv", "a,b,kind\n1,2,no\n3,4,yes\n"},
                                    {"parts/_SUCCESS", ""},
                                    {"parts/.part-0.csv.crc", "crc"}};
    for (size_t i = 0; i < 4; i++)
        write_text(files[i][0], files[i][1]);
    assert_four(load(folder, NULL));
    for (size_t i = 0; i < 4; i++) {
        snprintf(path, sizeof path, "%s/%s", test_folder, files[i][0]);
        unlink(path);
    }
    rmdir(folder);
}

Test(parts, classes_are_those_of_all_files) {
    tanda_dataset_options options = followed_by(write_text("2.csv", "3,no\n4,1\n"));
    tanda_dataset *dataset = load(write_text("1.csv", "1,0\n2,1\n"), &options); /* one word makes all text */
    assert_classes(dataset, 3, NAMES("0", "1", "no"), CLASSES(0, 1, 2, 1));
    tanda_dataset_free(dataset);
    options = followed_by(write_text("2.csv", "3,10\n4,1\n"));
    dataset = load(path_of("1.csv"), &options);
    assert_classes(dataset, 3, NAMES("0", "1", "10"), CLASSES(0, 1, 2, 1));
    tanda_dataset_free(dataset);
    options = followed_by(write_text("2.csv", "3,0.5\n4,1\n"));
    dataset = load(path_of("1.csv"), &options);
    cr_assert_eq(dataset->task, TANDA_TASK_REGRESSION);
    cr_assert_eq(dataset->targets[2], 0.5f);
    tanda_dataset_free(dataset);
}

Test(parts, categories_are_those_of_all_files_and_keep_their_places) {
    tanda_dataset_options options = followed_by(write_text("2.csv", "town,y\nUlm,1\nJena,0\n"));
    options.categorical_auto = true;
    tanda_dataset *dataset = load(write_text("1.csv", "town,y\nBonn,0\nUlm,1\n"), &options);
    assert_values(dataset, 4, 1, VALUES(0, 1, 1, 2));
    const categories *categories = &dataset->raw.categories[0];
    cr_assert_eq(categories->texts.count, 3);
    cr_assert_str_eq(categories->texts.texts[2], "Jena");
    cr_assert_eq(categories->places[2].part, 1);
    cr_assert_eq(categories->places[2].line, 3);
    cr_assert(strstr(raw_columns_path(&dataset->raw, &categories->places[2]), "/2.csv") != NULL);
    tanda_dataset_free(dataset);
}

Test(parts, targets_weights_and_labels_follow_too) {
    tanda_dataset_options options = followed_by(write_text("2.csv", "5,6,7,8\n"));
    options.target = "0,1";
    options.sample_weight = "3";
    tanda_dataset *dataset = load(write_text("1.csv", "1,2,3,4\n"), &options);
    assert_values(dataset, 2, 1, VALUES(3, 7));
    cr_assert_eq(memcmp(dataset->targets, VALUES(1, 2, 5, 6), 16), 0);
    cr_assert_eq(dataset->weights[1], 8.0f);
    tanda_dataset_free(dataset);
    options = followed_by(path_of("2.csv"));
    options.labels = write_text("l.csv", "x\ny\n");
    dataset = load(path_of("1.csv"), &options);
    assert_values(dataset, 2, 4, VALUES(1, 2, 3, 4, 5, 6, 7, 8));
    assert_classes(dataset, 2, NAMES("x", "y"), CLASSES(0, 1));
    tanda_dataset_free(dataset);
}

Test(parts, rows_without_a_target_are_told_and_left_out) {
    tanda_dataset_options options = followed_by(write_text("2.csv", "a,b,kind\n5,6,\n7,8,no\n"));
    refuse(first(), &options,
           "2.csv:2:3: the target is missing; --drop-missing-targets leaves this row out (column kind)");
    options.drop_missing_targets = true;
    tanda_dataset *dataset = load(first(), &options);
    assert_values(dataset, 3, 2, VALUES(1, 2, 3, 4, 7, 8));
    assert_classes(dataset, 2, NAMES("no", "yes"), CLASSES(0, 1, 0));
    cr_assert_eq(dataset->dropped, 1);
    tanda_dataset_free(dataset);
}

Test(parts, a_word_among_the_numbers_of_all_files_is_refused) {
    char numbers[200] = "a,y\n";
    for (int row = 0; row < 20; row++)
        sprintf(numbers + strlen(numbers), "%d,%d\n", row, row);
    tanda_dataset_options options = followed_by(write_text("2.csv", "a,y\n1,word\n"));
    const char *path = write_text("1.csv", numbers);
    refuse(
        path, &options,
        "2.csv: the target 'word' is not a number, as 20 of 21 in all files are; --task classes takes all as "
        "classes");
    options.task = TANDA_TASK_CLASSES;
    tanda_dataset *dataset = load(path, &options);
    cr_assert_eq(dataset->class_count, 21);
    tanda_dataset_free(dataset);
}
