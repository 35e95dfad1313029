/* What the training rows of a part or a fold lack is known before the first training. */
#include "program.h"

TestSuite(held_out, .init = enter_folder, .fini = leave_folder);

#define TRAIN(...) \
    RUN("train", "--device", "cpu", "--epochs", "1", "--missing", "mean", "--categorical", "c", __VA_ARGS__)

static void write_rows(void) {
    FILE *file = fopen("t.csv", "w");
    cr_assert_not_null(file);
    fputs("a,c,y\n", file);
    for (int row = 0; row < 40; row++)
        fprintf(file, "%d,%s,%d\n", row,
                row == 11   ? "rare"
                : row == 30 ? "odd"
                : row % 3   ? "u"
                            : "v",
                row % 2);
    cr_assert_eq(fclose(file), 0);
}

Test(held_out, categories_that_a_fold_lacks_are_refused_before_the_first_training) {
    write_rows();
    const outcome outcome = TRAIN("--data", "t.csv", "--folds", "4");
    cr_assert_eq(outcome.status, 3, "%s", outcome.err);
    cr_assert_str_empty(outcome.out);
    cr_assert_not_null(strstr(outcome.err, "c 'rare' (line 13, fold "), "%s", outcome.err);
    cr_assert_not_null(strstr(outcome.err, "c 'odd' (line 32, fold "), "%s", outcome.err);
    cr_assert_not_null(strstr(outcome.err, "--unknown-category zero takes them"));
}

Test(held_out, categories_that_are_taken_for_none_are_told_once) {
    write_rows();
    const outcome outcome = TRAIN("--data", "t.csv", "--folds", "4", "--unknown-category", "zero");
    cr_assert_eq(outcome.status, 0, "%s", outcome.err);
    const char *found = strstr(outcome.err, "note: held-out rows are of no category");
    cr_assert_not_null(found, "%s", outcome.err);
    cr_assert_not_null(strstr(found, "c 'rare' (line 13, fold "));
    cr_assert_null(strstr(strchr(found, '\n'), "'rare'"));
    const struct outcome half = TRAIN("--data", "t.csv", "--validation", "0.9", "--unknown-category", "zero");
    cr_assert_eq(half.status, 0, "%s", half.err);
    cr_assert_not_null(strstr(half.err, "note: held-out rows are of no category"), "%s", half.err);
}

Test(held_out, a_column_that_has_no_value_in_a_fold_is_named_before_the_first_training) {
    write_text("t.csv", "a,c,y\n1,u,0\nNA,v,1\nNA,u,0\nNA,v,1\nNA,u,0\nNA,v,1\nNA,v,0\nNA,u,1\n");
    const outcome outcome = TRAIN("--data", "t.csv", "--folds", "2");
    cr_assert_eq(outcome.status, 3, "%s", outcome.err);
    cr_assert_str_empty(outcome.out);
    cr_assert_not_null(strstr(outcome.err, "feature a has no value in the training rows of fold "), "%s",
                       outcome.err);
}
