/* Columns that binary32 would ruin are kept as distances from an origin. */
#include <math.h>

#include "program.h"

TestSuite(origin, .init = enter_folder, .fini = leave_folder);

#define MILLISECONDS 1700000000000LL
#define ROWS 40

#define TRAIN(...) \
    RUN("train", "--device", "cpu", "--optimizer", "lbfgs", "--epochs", "50", "--output", "m", __VA_ARGS__)
#define PREDICT(...) RUN("predict", "m", "--device", "cpu", "--quiet", __VA_ARGS__)

static long long time_of(size_t row) {
    return MILLISECONDS + (long long)(row * 7 % ROWS);
}

/* Times in milliseconds, and a class that is of their order: rows first ... end - 1. */
static void write_times(const char *path, const char *names, size_t first, size_t end, const char *line_end) {
    FILE *file = fopen(path, "w");
    cr_assert_not_null(file);
    if (names != NULL) fprintf(file, "%s%s", names, line_end);
    for (size_t row = first; row < end; row++)
        fprintf(file, "%lld,%zu,%d%s", time_of(row), row % 3, time_of(row) >= MILLISECONDS + ROWS / 2,
                line_end);
    cr_assert_eq(fclose(file), 0);
}

static void write_npy(const char *path, const char *descr, const char *shape, const void *data, size_t size) {
    char header[128];
    FILE *file = fopen(path, "wb");
    cr_assert_not_null(file);
    memset(header, ' ', sizeof header);
    memcpy(header, "\x93NUMPY\x01\x00\x76\x00", 10);
    const int length = snprintf(header + 10, sizeof header - 10,
                                "{'descr': '%s', 'fortran_order': False, 'shape': %s, }", descr, shape);
    header[10 + length] = ' ';
    header[sizeof header - 1] = '\n';
    cr_assert_eq(fwrite(header, sizeof header, 1, file), 1);
    cr_assert_eq(fwrite(data, size, 1, file), 1);
    cr_assert_eq(fclose(file), 0);
}

/* The text of a model's header, which stands behind its length in 8 bytes. */
static const char *header_of(const char *path) {
    return file_text(path) + 8;
}

static const char *digest_of(const outcome *outcome) {
    cr_assert_eq(outcome->status, 0, "%s", outcome->err);
    const char *digest = strstr(outcome->out, "weights_sha256: ");
    cr_assert_not_null(digest);
    return strtok(strdup(digest), "\n");
}

static void assert_all_right(const outcome *outcome) {
    cr_assert_eq(outcome->status, 0, "%s", outcome->err);
    cr_assert_not_null(strstr(outcome->out, "accuracy: 1 "), "%s", outcome->out);
}

Test(origin, times_in_milliseconds_are_told_apart_and_noted) {
    write_times("t.csv", "t,k,y", 0, ROWS, "\n");
    const outcome outcome = TRAIN("--data", "t.csv");
    assert_all_right(&outcome);
    cr_assert_not_null(
        strstr(outcome.err, "note: kept as distances: t from 1700000000000 (binary32 would round"), "%s",
        outcome.err);
    cr_assert_not_null(strstr(header_of("m"), "\\\"origin\\\":[\\\"1700000000000\\\",\\\"0\\\"]"));
    const struct outcome inspected = RUN("inspect", "m");
    cr_assert_not_null(
        strstr(inspected.out, "Scaling: standard; distances from an origin: t from 1700000000000\n"), "%s",
        inspected.out);
    const struct outcome evaluated = RUN("evaluate", "m", "--data", "t.csv", "--device", "cpu", "--quiet");
    assert_all_right(&evaluated);
}

Test(origin, every_wide_source_gives_the_same_weights) {
    static int64_t whole[ROWS][3];
    static double wide[ROWS][3];
    for (size_t row = 0; row < ROWS; row++) {
        whole[row][0] = time_of(row);
        whole[row][1] = (int64_t)(row % 3);
        whole[row][2] = time_of(row) >= MILLISECONDS + ROWS / 2;
        for (size_t i = 0; i < 3; i++)
            wide[row][i] = (double)whole[row][i];
    }
    write_npy("i.npy", "<i8", "(40, 3)", whole, sizeof whole);
    write_npy("d.npy", "<f8", "(40, 3)", wide, sizeof wide);
    write_times("t.csv", "t,k,y", 0, ROWS, "\n");
    write_times("crlf.csv", "\"t\",k,y", 0, ROWS, "\r\n"); /* quotes: rows are read one by one */
    cr_assert_eq(mkdir("parts", 0700), 0);
    write_times("parts/1.csv", "t,k,y", 0, 1, "\n"); /* constant by itself */
    write_times("parts/2.csv", "t,k,y", 1, 30, "\n");
    write_times("parts/3.csv", "t,k,y", 30, ROWS, "\n");
    outcome outcome = TRAIN("--data", "t.csv");
    const char *expected = digest_of(&outcome);
    static const char *const files[] = {"i.npy", "d.npy", "crlf.csv", "parts"};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        outcome = TRAIN("--data", files[i]);
        cr_assert_str_eq(digest_of(&outcome), expected, "%s", files[i]);
    }
}

Test(origin, rows_of_any_file_are_subtracted_from_as_in_training) {
    write_times("t.csv", "t,k,y", 0, ROWS, "\n");
    const outcome trained = TRAIN("--data", "t.csv");
    assert_all_right(&trained);
    const char *expected = PREDICT("--data", "t.csv").out;
    const size_t names = (size_t)(strchr(expected, '\n') + 1 - expected);
    write_times("one.csv", "t,k,y", 7, 8, "\n"); /* one row is no range */
    write_text("far.csv", "t,k,y\n0,1,0\n1700000000001,0,0\n");
    for (size_t row = 7, skip = names; row < 8; row++) {
        const char *line = expected + skip;
        for (size_t i = 0; i < row; i++)
            line = strchr(line, '\n') + 1;
        cr_assert_str_eq(PREDICT("--data", "one.csv").out + names,
                         strndup(line, (size_t)(strchr(line, '\n') + 1 - line)));
    }
    cr_assert_eq(PREDICT("--data", "far.csv").status, 0);
    write_text("swapped.csv", "k,t\n1,1700000000009\n"); /* row 7 */
    cr_assert_str_eq(PREDICT("--data", "swapped.csv").out, PREDICT("--data", "one.csv").out);
}

Test(origin, first_weights_bring_their_origins) {
    write_times("t.csv", "t,k,y", 0, ROWS, "\n");
    write_times("later.csv", "t,k,y", 3, ROWS, "\n"); /* begins elsewhere */
    const outcome trained = TRAIN("--data", "t.csv");
    assert_all_right(&trained);
    const outcome on = RUN("train", "--device", "cpu", "--init", "m", "--data", "later.csv", "--epochs", "1",
                           "--learning-rate", "1e-9", "--output", "n");
    assert_all_right(&on);
    cr_assert_not_null(strstr(header_of("n"), "\\\"origin\\\":[\\\"1700000000000\\\",\\\"0\\\"]"));
    const outcome anew = RUN("train", "--device", "cpu", "--init", "m", "--data", "later.csv", "--epochs",
                             "1", "--scale", "standard", "--output", "n");
    cr_assert_eq(anew.status, 0, "%s", anew.err);
    cr_assert_not_null(strstr(header_of("n"), "\\\"origin\\\":[\\\"1700000000021\\\",\\\"0\\\"]"));
}

Test(origin, without_scaling_nothing_is_subtracted_and_what_collapses_is_named) {
    write_times("t.csv", "t,k,y", 0, ROWS, "\n");
    const outcome outcome = RUN("train", "--device", "cpu", "--data", "t.csv", "--scale", "none", "--epochs",
                                "1", "--learning-rate", "1e-30", "--output", "m");
    cr_assert_eq(outcome.status, 0, "%s", outcome.err);
    cr_assert_not_null(strstr(outcome.err, "note: rounded in binary32: t by up to "), "%s", outcome.err);
    cr_assert_not_null(strstr(outcome.err, " of a span of 39; --scale standard keeps"), "%s", outcome.err);
    cr_assert_null(strstr(header_of("m"), "origin"));
}

/* 2^-10 of the greatest absolute value is the bound; what lies at it is read as ever. */
Test(origin, other_columns_are_read_as_ever) {
    write_text("c.csv", "bound,constant,zero,small,y\n"
                        "1024,1700000000123,0,-0.001,0\n"
                        "1023,1700000000123,0,0.002,1\n"
                        "1024,1700000000123,0,0.001,0\n"
                        "1023,1700000000123,0,0.002,1\n");
    const outcome outcome = TRAIN("--data", "c.csv");
    cr_assert_eq(outcome.status, 0, "%s", outcome.err);
    cr_assert_null(strstr(outcome.err, "distances"), "%s", outcome.err);
    cr_assert_null(strstr(header_of("m"), "origin"));
    write_text("d.csv", "below,y\n1025,0\n1024,1\n1025,0\n1024,1\n");
    cr_assert_not_null(strstr(TRAIN("--data", "d.csv").err, "kept as distances: below from 1025 "));
}

Test(origin, missing_values_become_the_mean_of_the_distances) {
    write_text("m.csv", "c,t,y\na,,0\nb,1700000000001,0\na,1700000000002,1\na,NA,1\nb,1700000000006,1\n");
    const outcome outcome = TRAIN("--data", "m.csv", "--categorical", "c", "--missing", "mean");
    cr_assert_eq(outcome.status, 0, "%s", outcome.err);
    const char *model = header_of("m");
    cr_assert_not_null(strstr(model, "\\\"origin\\\":[\\\"0\\\",\\\"0\\\",\\\"1700000000001\\\"]"));
    cr_assert_not_null(strstr(model, "\\\"mean\\\":2.0"));
    write_text("n.csv", "c,t\na,\na,1700000000003\n"); /* 1700000000001 + 2 */
    const char *out = PREDICT("--data", "n.csv").out;
    const char *first = strchr(out, '\n') + 1, *second = strchr(first, '\n') + 1;
    cr_assert_eq(strncmp(first, second, (size_t)(second - first)), 0, "%s", out);
}

Test(origin, libsvm_text_is_a_wide_source) {
    FILE *file = fopen("t.svm", "w");
    cr_assert_not_null(file);
    for (size_t row = 0; row < ROWS; row++)
        fprintf(file, "%d 1:%lld 2:%zu\n", time_of(row) >= MILLISECONDS + ROWS / 2, time_of(row), row % 3);
    cr_assert_eq(fclose(file), 0);
    const outcome outcome = TRAIN("--data", "t.svm");
    assert_all_right(&outcome);
    cr_assert_not_null(strstr(outcome.err, "kept as distances: 1 from 1700000000000 "), "%s", outcome.err);
}

Test(origin, rows_without_a_target_are_left_out_with_their_distances) {
    char all[2000] = "t,k,y\n", rest[2000] = "t,k,y\n";
    for (size_t row = 0; row < ROWS; row++) {
        char line[60];
        const bool missing = row % 10 == 2;
        sprintf(line, "%lld,%zu,", time_of(row), row % 3);
        strcat(strcat(all, line), missing ? "\n" : time_of(row) >= MILLISECONDS + ROWS / 2 ? "1\n" : "0\n");
        if (!missing) strcat(strcat(rest, line), time_of(row) >= MILLISECONDS + ROWS / 2 ? "1\n" : "0\n");
    }
    write_text("all.csv", all);
    write_text("rest.csv", rest);
    const outcome without = TRAIN("--data", "rest.csv");
    assert_all_right(&without);
    const char *predicted = PREDICT("--data", "rest.csv").out;
    const outcome dropped = TRAIN("--data", "all.csv", "--drop-missing-targets");
    assert_all_right(&dropped);
    cr_assert_str_eq(digest_of(&dropped), digest_of(&without));
    cr_assert_str_eq(PREDICT("--data", "rest.csv").out, predicted);
}

/* A row that is left out is far from all others. */
Test(origin, rows_without_a_target_do_not_widen_a_column) {
    write_text("far.csv", "t,y\n1700000000001,0\n0,\n1700000000003,1\n1700000000002,0\n1700000000004,1\n");
    const outcome outcome = TRAIN("--data", "far.csv", "--drop-missing-targets");
    cr_assert_eq(outcome.status, 0, "%s", outcome.err);
    cr_assert_not_null(strstr(outcome.err, "kept as distances: t from 1700000000001 "), "%s", outcome.err);
}

/* The columns of the first weights' model stand elsewhere in the new file. */
Test(origin, first_weights_bring_their_origins_by_name) {
    write_times("t.csv", "t,k,y", 0, ROWS, "\n");
    const outcome trained = TRAIN("--data", "t.csv");
    assert_all_right(&trained);
    char swapped[2000] = "k,t,y\n";
    for (size_t row = 3; row < ROWS; row++)
        sprintf(swapped + strlen(swapped), "%zu,%lld,%d\n", row % 3, time_of(row),
                time_of(row) >= MILLISECONDS + ROWS / 2);
    write_text("swapped.csv", swapped);
    const outcome on = RUN("train", "--device", "cpu", "--init", "m", "--data", "swapped.csv", "--epochs",
                           "1", "--learning-rate", "1e-9", "--output", "n");
    assert_all_right(&on);
    cr_assert_not_null(strstr(header_of("n"), "\\\"origin\\\":[\\\"0\\\",\\\"1700000000000\\\"]"));
}

Test(origin, inspection_shows_columns_as_they_came) {
    write_text("t.csv",
               "t,h,y\n1700000000001,1000000.5,0\n1700000000002,1000001.5,1\n1700000000006,1000004.5,0\n");
    const outcome shown = RUN("inspect", "t.csv", "--json");
    cr_assert_eq(shown.status, 0, "%s", shown.err);
    cr_assert_not_null(strstr(shown.out, "1700000000001"), "%s", shown.out);
    cr_assert_not_null(strstr(shown.out, "1700000000003"), "%s", shown.out);
    cr_assert_not_null(strstr(shown.out, "1700000000006"), "%s", shown.out);
    cr_assert_not_null(strstr(shown.out, "1000004.5"), "%s", shown.out);
    cr_assert_not_null(strstr(shown.out, "real"), "%s", shown.out);
}
