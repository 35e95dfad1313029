/* Rows that come through a pipe: "-", /dev/stdin, FIFOs and process substitution. */
#include <poll.h>

#include "program.h"

TestSuite(pipes, .init = enter_folder, .fini = leave_folder);

/* Runs a line of the shell in which $T is the program. */
static outcome shell(const char *line) {
    pid_t child;
    int status = 0;
    char redirected[1000];
    setenv("T", TANDA_PROGRAM, 1);
    snprintf(redirected, sizeof redirected, "{ %s\n} > out.txt 2> err.txt", line);
    const char *const arguments[] = {"bash", "-c", redirected, NULL};
    cr_assert_eq(posix_spawnp(&child, "bash", NULL, NULL, (char *const *)arguments, environ), 0);
    cr_assert_eq(waitpid(child, &status, 0), child);
    return (outcome){.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status),
                     .out = file_text("out.txt"),
                     .err = file_text("err.txt")};
}

static void make_model(void) {
    const outcome outcome =
        RUN("train", "--data", IRIS, "--epochs", "2", "--device", "cpu", "--quiet", "--output", "m");
    cr_assert_eq(outcome.status, 0, "%s", outcome.err);
}

Test(pipes, training_and_evaluation_read_a_pipe_whole) {
    static const char *const lines[] = {
        "cat rows | $T train --data - $O",
        "cat rows | $T train --data /dev/stdin $O",
        "$T train --data <(cat rows) $O",
        "gzip -c rows | $T train --data - $O",
        "mkfifo f; cat rows > f & $T train --data f $O",
        "$T train --data - $O < rows",
    };
    setenv("O", "--epochs 2 --device cpu --quiet --output n", 1);
    cr_assert_eq(symlink(IRIS, "rows"), 0);
    make_model();
    const char *expected = strstr(shell("$T train --data rows $O").out, "weights_sha256: ");
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        const outcome outcome = shell(lines[i]);
        cr_assert_eq(outcome.status, 0, "%s: %s", lines[i], outcome.err);
        const char *found = strstr(outcome.out, "weights_sha256: ");
        cr_assert_not_null(found);
        cr_assert_str_eq(found, expected, "%s", lines[i]);
    }
    const char *of_file = RUN("evaluate", "m", "--data", IRIS, "--device", "cpu", "--quiet").out;
    cr_assert_str_eq(shell("cat rows | $T evaluate m --data - --device cpu --quiet").out, of_file);
}

Test(pipes, predictions_of_a_pipe_are_those_of_the_file) {
    static const char *const lines[] = {
        "cat rows | $T predict m --data - $O",
        "tail -n +2 rows | $T predict m --data - $O",
        "xz -c rows | $T predict m --data - $O",
        "$T predict m --data <(cat rows) $O",
        "(head -c 333 rows; sleep 0.2; tail -c +334 rows) | $T predict m --data /dev/stdin $O",
    };
    setenv("O", "--device cpu --quiet", 1);
    cr_assert_eq(symlink(IRIS, "rows"), 0);
    make_model();
    const char *expected = RUN("predict", "m", "--data", IRIS, "--device", "cpu", "--quiet").out;
    cr_assert_eq(count_lines(expected), 151);
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        const outcome outcome = shell(lines[i]);
        cr_assert_eq(outcome.status, 0, "%s: %s", lines[i], outcome.err);
        cr_assert_str_eq(outcome.out, expected, "%s", lines[i]);
    }
    json_t *object = json_loads(shell("cat rows | $T predict m --data - --json $O").out, 0, NULL);
    cr_assert_eq(json_figure(object, "rows"), 150);
    json_decref(object);
}

/* Reads a line, or fails after a while. */
static void read_line(int descriptor, char *line, size_t size) {
    size_t length = 0;
    struct pollfd waiting = {.fd = descriptor, .events = POLLIN};
    while (length + 1 < size && (length == 0 || line[length - 1] != '\n')) {
        cr_assert_eq(poll(&waiting, 1, 60000), 1, "no answer came");
        cr_assert_eq(read(descriptor, line + length, 1), 1, "the answer ended");
        length++;
    }
    line[length] = '\0';
}

Test(pipes, rows_are_answered_before_the_writer_closes) {
    static const char *const arguments[] = {TANDA_PROGRAM, "predict", "m",       "--data", "-",
                                            "--device",    "cpu",     "--quiet", NULL};
    static const char header[] = "petal_width,petal_length,sepal_width,sepal_length\n",
                      row[] = "0.2,1.4,3.5,5.1\n";
    posix_spawn_file_actions_t actions;
    int in[2], out[2], status = 0;
    pid_t child;
    char line[200], first[200];
    make_model();
    cr_assert_eq(pipe2(in, O_CLOEXEC) | pipe2(out, O_CLOEXEC), 0);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, in[0], 0);
    posix_spawn_file_actions_adddup2(&actions, out[1], 1);
    cr_assert_eq(posix_spawn(&child, TANDA_PROGRAM, &actions, NULL, (char *const *)arguments, environ), 0);
    posix_spawn_file_actions_destroy(&actions);
    close(in[0]);
    close(out[1]);
    cr_assert_gt(write(in[1], header, sizeof header - 1), 0);
    cr_assert_gt(write(in[1], row, sizeof row - 1), 0);
    read_line(out[0], line, sizeof line);
    cr_assert_str_eq(line, "class,setosa,versicolor,virginica\n");
    read_line(out[0], first, sizeof first);
    for (int i = 0; i < 3; i++) {
        cr_assert_gt(write(in[1], row, sizeof row - 1), 0);
        read_line(out[0], line, sizeof line);
        cr_assert_str_eq(line, first);
    }
    close(in[1]);
    cr_assert_eq(read(out[0], line, 1), 0);
    cr_assert_eq(waitpid(child, &status, 0), child);
    cr_assert_eq(status, 0);
    close(out[0]);
}

Test(pipes, a_fault_is_told_with_its_line_in_the_whole) {
    setenv("O", "--device cpu --quiet", 1);
    cr_assert_eq(symlink(IRIS, "rows"), 0);
    make_model();
    const outcome outcome =
        shell("(head -n 60 rows; sleep 0.3; echo 1,2,x,4,setosa) | $T predict m --data - $O");
    cr_assert_eq(outcome.status, 3);
    cr_assert_str_eq(outcome.err, "tanda: -:61:3: 'x' is not a number (column petal_length)\n");
    cr_assert_eq(count_lines(outcome.out), 60);
}

Test(pipes, quoted_line_ends_and_blank_lines_at_the_end_do_not_matter) {
    write_text("q.csv", "x,note,kind\n1,\"a\nb\",no\n2,\"c\",yes\n3,d,no\n");
    cr_assert_eq(RUN("train", "--data", "q.csv", "--ignore", "note", "--epochs", "1", "--device", "cpu",
                     "--quiet", "--output", "m")
                     .status,
                 0);
    const char *expected = RUN("predict", "m", "--data", "q.csv", "--device", "cpu", "--quiet").out;
    const outcome outcome =
        shell("(head -n 2 q.csv; sleep 0.2; tail -n +3 q.csv | head -n 1; sleep 0.2; tail -n +4 q.csv; "
              "sleep 0.2; echo; echo) | $T predict m --data - --device cpu --quiet");
    cr_assert_eq(outcome.status, 0, "%s", outcome.err);
    cr_assert_str_eq(outcome.out, expected);
}

Test(pipes, what_never_ends_or_never_comes_is_refused) {
    static const char *const cases[][2] = {
        {"$T inspect /dev/zero", "tanda: /dev/zero: is a device, neither a file nor a pipe\n"},
        {"$T predict m --data - < /dev/null", "tanda: -: is a device, neither a file nor a pipe\n"},
        {"printf '\\n\\n' | $T predict m --data -", "tanda: -: holds no rows\n"},
        {"true | $T predict m --data -", "tanda: -: nothing came\n"},
        {"true | $T train --data -", "tanda: -: nothing came; a pipe can be read only once\n"},
    };
    cr_assert_eq(symlink(IRIS, "rows"), 0);
    make_model();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const outcome outcome = shell(cases[i][0]);
        cr_assert_eq(outcome.status, 3, "%s", cases[i][0]);
        cr_assert_str_eq(outcome.err, cases[i][1]);
    }
}

Test(pipes, later_rows_are_read_as_the_first_ones_were) {
    write_text("rows.txt", "by hand\nx;kind\n1,5;a\n2,5;b\n3,5;a\n# the end\n4,5;b\n");
    cr_assert_eq(
        RUN("train", "--data", "rows.txt", "--epochs", "1", "--device", "cpu", "--quiet", "--output", "m")
            .status,
        0);
    const char *expected = RUN("predict", "m", "--data", "rows.txt", "--device", "cpu", "--quiet").out;
    outcome outcome =
        shell("(head -n 3 rows.txt; sleep 0.2; sed -n 4p rows.txt; sleep 0.2; tail -n +5 rows.txt) | "
              "$T predict m --data - --device cpu --quiet");
    cr_assert_eq(outcome.status, 0, "%s", outcome.err);
    cr_assert_str_eq(outcome.out, expected);
    cr_expect_eq(count_lines(expected), 5);
    outcome = shell("(tail -n +3 rows.txt; sleep 0.3; printf '7\\n1,5;a\\n2,5;a\\n') | "
                    "$T predict m --data - --device cpu --quiet");
    cr_expect_eq(outcome.status, 3);
    cr_expect_str_eq(outcome.err, "tanda: -:6: the line has fewer fields than the rows behind it\n");
}

Test(pipes, names_alone_are_answered_by_names_alone) {
    cr_assert_eq(symlink(IRIS, "rows"), 0);
    make_model();
    const outcome outcome = shell("head -n 1 rows | $T predict m --data - --device cpu --quiet");
    cr_expect_eq(outcome.status, 0, "%s", outcome.err);
    cr_expect_str_eq(outcome.out, "class,setosa,versicolor,virginica\n");
}
