/* Targets that are missing, words among numbers, and labels that are neither 0 nor 1. */
#include <math.h>

#include "data_files.h"

TestSuite(missing_targets, .init = make_folder, .fini = remove_folder);

#define DROP .drop_missing_targets = true

/* ---- missing ------------------------------------------------------------------------------------------ */

static const char *const words[] = {"", "NA", "NaN", "nan", "null", "?"};
#define WORDS (sizeof words / sizeof *words)

/* Classes of numbers, of text, and a quantity: the missing one stands first, in the middle, or last. */
Test(missing_targets, are_refused_whatever_they_are_called_and_wherever_they_stand) {
    static const char *const targets[][3] = {{"0", "1", "0"}, {"no", "yes", "no"}, {"0.5", "1.25", "7"}};
    for (size_t w = 0; w < WORDS; w++)
        for (size_t t = 0; t < 3; t++)
            for (size_t at = 0; at < 4; at++) {
                char text[200] = "a,y\n", message[200];
                for (size_t row = 0, next = 0; row < 4; row++)
                    sprintf(text + strlen(text), "%zu,%s\n", row, row == at ? words[w] : targets[t][next++]);
                const char *path = write_text("m.csv", text);
                sprintf(message,
                        "m.csv:%zu:2: the target is missing; --drop-missing-targets leaves this row out "
                        "(column y)",
                        at + 2);
                refuse(path, NULL, message);
                tanda_dataset *dataset = load(path, &(tanda_dataset_options){DROP});
                cr_assert_eq(dataset->rows, 3);
                cr_assert_eq(dataset->dropped, 1);
                cr_assert_eq(dataset->task, t == 2 ? TANDA_TASK_REGRESSION : TANDA_TASK_CLASSES);
                for (size_t row = 0; row < 3; row++) {
                    cr_assert_eq(dataset->values[row], (float)(row + (row >= at)));
                    if (t == 2) cr_assert_eq(dataset->targets[row], (float)atof(targets[t][row]));
                    if (t < 2) cr_assert_str_eq(dataset->class_names[dataset->classes[row]], targets[t][row]);
                }
                tanda_dataset_free(dataset);
            }
}

Test(missing_targets, are_counted_and_the_first_is_named_by_its_line) {
    refuse(write_text("m.csv", "a,b,y\n1,\"7\",0\n2,7,1\n3,7,NA\n4,7,1\n5,7,\n6,7,?\n"), NULL,
           "m.csv:4:3: the target is missing here and in 2 more of 6 rows; --drop-missing-targets leaves "
           "them out "
           "(column y)");
    refuse(write_text("m.csv", "1,NA\n2,\n"), &(tanda_dataset_options){DROP},
           "m.csv:1:2: the target is missing in every row");
}

Test(missing_targets, of_several_leave_the_whole_row_out) {
    const char *path = write_text("s.csv", "a,x,y,w\n1,2,3,1\n2,,5,1\n3,4,NA,2\n4,nan,nan,1\n5,6,7,3\n");
    tanda_dataset_options options = {.target = "x,y", .sample_weight = "w"};
    refuse(path, &options,
           "s.csv:3:2: the target is missing here and in 2 more of 5 rows; --drop-missing-targets leaves "
           "them out "
           "(column x)");
    options.drop_missing_targets = true;
    tanda_dataset *dataset = load(path, &options);
    cr_assert_eq(dataset->rows, 2);
    cr_assert_eq(dataset->dropped, 3);
    cr_expect_eq(dataset->values[1], 5.0f);
    cr_expect_eq(dataset->targets[2], 6.0f);
    cr_expect_eq(dataset->targets[3], 7.0f);
    cr_expect_eq(dataset->weights[1], 3.0f);
    tanda_dataset_free(dataset);
}

/* Longer than one chunk, so that threads read it, and with a quote, so that one does. */
Test(missing_targets, of_a_long_file_are_found_by_every_way_of_reading) {
    static const char *const kinds[] = {"%zu,%zu\n", "%zu,%zu.5\n", "%zu,c%zu\n"};
    char *text = malloc(1000000);
    for (size_t k = 0; k < 3; k++)
        for (size_t quoted = 0; quoted < 2; quoted++) {
            size_t at = (size_t)sprintf(text, quoted ? "\"a\",y\n" : "a,y\n");
            for (size_t row = 0; row < 40000; row++)
                at += (size_t)(row % 1000 == 999 ? sprintf(text + at, "%zu,NA\n", row)
                                                 : sprintf(text + at, kinds[k], row, row % 3));
            const char *path = write_text("long.csv", text);
            refuse(path, NULL,
                   "long.csv:1001:2: the target is missing here and in 39 more of 40000 rows; "
                   "--drop-missing-targets leaves them out (column y)");
            tanda_dataset *dataset = load(path, &(tanda_dataset_options){DROP});
            cr_assert_eq(dataset->rows, 39960);
            cr_assert_eq(dataset->task, k == 1 ? TANDA_TASK_REGRESSION : TANDA_TASK_CLASSES);
            for (size_t row = 0; row < 39960; row++) {
                const size_t source = row + row / 999;
                cr_assert_eq(dataset->values[row], (float)source);
                if (k == 1) cr_assert_eq(dataset->targets[row], (float)(source % 3) + 0.5f);
                if (k != 1) cr_assert_eq(dataset->classes[row], (int32_t)(source % 3));
            }
            tanda_dataset_free(dataset);
        }
    free(text);
}

Test(missing_targets, of_a_file_of_labels_leave_rows_of_the_data_out) {
    tanda_dataset_options options = {.labels = write_text("l.csv", "0\nNA\n1\n")};
    const char *path = write_text("d.csv", "5\n6\n7\n");
    refuse(path, &options, "l.csv:2:1: the target is missing; --drop-missing-targets leaves this row out");
    options.drop_missing_targets = true;
    tanda_dataset *dataset = load(path, &options);
    cr_assert_eq(dataset->rows, 2);
    cr_expect_eq(dataset->values[1], 7.0f);
    cr_expect_eq(dataset->classes[1], 1);
    tanda_dataset_free(dataset);
}

static const char *write_npy(const char *name, size_t rows, size_t columns, const float *values) {
    char bytes[128 + 64 * sizeof(float)] = "\x93NUMPY\x01\x00\x76\x00";
    memset(bytes + 10, ' ', 118);
    char header[119];
    const int length =
        snprintf(header, sizeof header, "{'descr': '<f4', 'fortran_order': False, 'shape': (%zu, %zu), }",
                 rows, columns);
    memcpy(bytes + 10, header, (size_t)length);
    bytes[8] = 0x76, bytes[9] = 0;
    memcpy(bytes + 128, values, rows * columns * sizeof *values);
    return write_bytes(name, bytes, 128 + rows * columns * sizeof *values);
}

Test(missing_targets, nan_in_arrays_is_one) {
    const float values[] = {1, 0, 2, NAN, 3, 1, 4, NAN}, features[] = {5, 6, 7, 8}, labels[] = {0, NAN, 1, 1};
    const char *path = write_npy("a.npy", 4, 2, values);
    refuse(path, NULL,
           "a.npy: row 1, column 1 (from 0): the target is missing here and in 1 more of 4 rows; "
           "--drop-missing-targets leaves them out");
    tanda_dataset *dataset = load(path, &(tanda_dataset_options){DROP});
    cr_assert_eq(dataset->rows, 2);
    cr_expect_eq(dataset->values[1], 3.0f);
    cr_expect_eq(dataset->classes[1], 1);
    tanda_dataset_free(dataset);
    /* Features that lie in the mapped file. */
    tanda_dataset_options options = {.labels = write_npy("l.npy", 4, 1, labels), DROP};
    dataset = load(write_npy("f.npy", 4, 1, features), &options);
    cr_assert_eq(dataset->rows, 3);
    cr_expect_eq(dataset->values[1], 7.0f);
    cr_expect_eq(dataset->classes[2], 1);
    tanda_dataset_free(dataset);
    const float two[] = {1, 2, 3, 4, NAN, 6};
    refuse(
        write_npy("t.npy", 2, 3, two), &(tanda_dataset_options){.target = "1,2"},
        "t.npy: row 1, column 1 (from 0): the target is missing; --drop-missing-targets leaves this row out");
}

Test(missing_targets, do_not_matter_where_none_is_wanted) {
    tanda_dataset *dataset = load(write_text("p.csv", "a,y\n1,NA\n2,\n"),
                                  &(tanda_dataset_options){.without_target = true, .target = "y"});
    cr_assert_eq(dataset->rows, 2);
    tanda_dataset_free(dataset);
}

Test(missing_targets, a_class_of_the_model_is_none_whatever_it_looks_like) {
    static char *const names[] = {"NA", "yes"};
    const dataset_expectation expected = {
        .feature_count = 1, .class_count = 2, .class_names = names, .task = TANDA_TASK_CLASSES};
    tanda_dataset *dataset = load_expecting(write_text("e.csv", "1,NA\n2,yes\n"), NULL, &expected);
    cr_expect_eq(dataset->classes[0], 0);
    cr_expect_eq(dataset->classes[1], 1);
    tanda_dataset_free(dataset);
    refuse_expecting(write_text("e.csv", "1,NA\n2,null\n"), NULL, &expected, TANDA_BAD_INPUT,
                     "e.csv:2:2: the target is missing; --drop-missing-targets leaves this row out");
}

/* ---- words among numbers ------------------------------------------------------------------------------ */

/* `numbers` rows of numbers and, as row `at`, a word. */
static const char *write_word(size_t numbers, size_t at, const char *word) {
    char text[4000] = "a,y\n";
    for (size_t row = 0; row <= numbers; row++)
        if (row == at)
            sprintf(text + strlen(text), "%zu,%s\n", row, word);
        else
            sprintf(text + strlen(text), "%zu,%zu\n", row, row * row % 97);
    return write_text("w.csv", text);
}

Test(missing_targets, a_word_among_nine_of_ten_numbers_is_refused_with_its_place) {
    refuse(write_word(9, 4, "-"), NULL,
           "w.csv:6:2: '-' is not a number, as 9 of 10 targets are; --task classes takes all as classes "
           "(column y)");
    refuse(
        write_word(99, 0, "total"), NULL,
        "w.csv:2:2: 'total' is not a number, as 99 of 100 targets are; --task classes takes all as classes "
        "(column y)");
    tanda_dataset *dataset = load(path_of("w.csv"), &(tanda_dataset_options){.task = TANDA_TASK_CLASSES});
    cr_expect_eq(dataset->task, TANDA_TASK_CLASSES);
    cr_expect_str_eq(dataset->class_names[dataset->classes[0]], "total");
    tanda_dataset_free(dataset);
    refuse(path_of("w.csv"), &(tanda_dataset_options){.task = TANDA_TASK_REGRESSION},
           "w.csv:2:2: 'total' is not a number (column y)");
}

Test(missing_targets, with_fewer_numbers_all_are_classes) {
    tanda_dataset *dataset = load(write_word(8, 3, "x"), NULL);
    cr_expect_eq(dataset->task, TANDA_TASK_CLASSES);
    tanda_dataset_free(dataset);
}

/* Nine numbers, a word and ten rows without a target: nine of ten of those that are there. */
Test(missing_targets, do_not_count_among_them) {
    char text[2000] = "a,y\n0,x\n";
    for (int row = 0; row < 9; row++)
        sprintf(text + strlen(text), "%d,%d\n%d,NA\n", row, row, row);
    refuse(write_text("w.csv", text), &(tanda_dataset_options){DROP},
           "w.csv:2:2: 'x' is not a number, as 9 of 10 targets are; --task classes takes all as classes "
           "(column y)");
}

/* ---- several labels ----------------------------------------------------------------------------------- */

Test(missing_targets, labels_are_0_or_1_and_another_is_refused_with_its_place) {
    const char *path = write_text("l.csv", "a,l1,l2\n1,0,1\n2,1,0\n3,1.0,2\n");
    tanda_dataset_options options = {.target = "l1,l2", .labels_of_several = true};
    refuse(path, &options, "l.csv:4:3: 2 is no label: several labels a row are 0 or 1 each (column l2)");
    tanda_dataset *dataset = load(path, &(tanda_dataset_options){.target = "l1,l2"});
    cr_expect_eq(dataset->task, TANDA_TASK_REGRESSION);
    tanda_dataset_free(dataset);
    path = write_text("l.csv", "a,l1,l2\n1,0,1\n2,1,\n3,1.0,0\n");
    options.drop_missing_targets = true;
    dataset = load(path, &options);
    cr_expect_eq(dataset->task, TANDA_TASK_LABELS);
    cr_expect(dataset->task_was_found);
    cr_expect_eq(dataset->rows, 2);
    cr_expect_str_eq(dataset->target_names[1], "l2");
    tanda_dataset_free(dataset);
    dataset = load(path_of("l.csv"), &(tanda_dataset_options){.labels_of_several = true, DROP});
    cr_expect_eq(dataset->task, TANDA_TASK_CLASSES); /* one target is what it always was */
    tanda_dataset_free(dataset);
}

Test(missing_targets, labels_may_be_asked_for_and_come_from_a_file_of_their_own) {
    tanda_dataset_options options = {.task = TANDA_TASK_LABELS, .labels = write_text("l.csv", "0,1\n1,1\n")};
    tanda_dataset *dataset = load(write_text("d.csv", "5\n6\n"), &options);
    cr_expect_eq(dataset->task, TANDA_TASK_LABELS);
    cr_expect_not(dataset->task_was_found);
    cr_expect_eq(dataset->target_count, 2);
    tanda_dataset_free(dataset);
    refuse_expecting(
        write_text("o.csv", "a,y\n1,0\n2,1\n"), &(tanda_dataset_options){.task = TANDA_TASK_LABELS}, NULL,
        TANDA_USAGE,
        "--task labels: 1 target; labels are several, each 0 or 1, as in --target a,b,c (one is for "
        "--task classes)");
}
