/* What predict writes: the same in a file as on standard output, columns of the data before it, and numbers alone. */
#include "program.h"

TestSuite(predict, .init = enter_folder, .fini = leave_folder);

#define PREDICT(...) RUN("predict", "m", "--device", "cpu", "--quiet", __VA_ARGS__)

static const char fruit[] = "id,weight,\"note, long\",width,kind\n"
                            "001,1.5,plain,2,apple\n"
                            "002,1.25,\"a, \"\"b\"\"\",2.50,pear\n"
                            "003,3,,1,apple\n"
                            "004,2.75,\"two\nlines\",1,pear\n";

/* A model called m of the columns weight and width. */
static void begin(void) {
    write_text("fruit.csv", fruit);
    cr_assert_eq(RUN("train", "--data", "fruit.csv", "--features", "weight,width", "--epochs", "5",
                     "--device", "cpu", "--quiet", "--output", "m")
                     .status,
                 0);
}

/* Runs a line of the shell; $T is the program. */
static outcome shell(const char *line) {
    posix_spawn_file_actions_t actions;
    const char *const arguments[] = {"/bin/sh", "-c", line, NULL};
    pid_t child;
    int status = 0;
    setenv("T", TANDA_PROGRAM, 1);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 1, "out.txt", O_WRONLY | O_CREAT | O_TRUNC, 0600);
    posix_spawn_file_actions_addopen(&actions, 2, "err.txt", O_WRONLY | O_CREAT | O_TRUNC, 0600);
    cr_assert_eq(posix_spawn(&child, "/bin/sh", &actions, NULL, (char *const *)arguments, environ), 0);
    posix_spawn_file_actions_destroy(&actions);
    cr_assert_eq(waitpid(child, &status, 0), child);
    return (outcome){.status = WEXITSTATUS(status), .out = file_text("out.txt"), .err = file_text("err.txt")};
}

/* ---- files -------------------------------------------------------------------------------------------- */

Test(predict, a_csv_file_holds_what_standard_output_gets) {
    begin();
    const char *expected = PREDICT("--data", "fruit.csv").out;
    const outcome to_file = PREDICT("--data", "fruit.csv", "--output", "p.csv");
    cr_expect_eq(to_file.status, 0, "%s", to_file.err);
    cr_expect_str_eq(to_file.out, "");
    cr_expect_str_eq(file_text("p.csv"), expected);
    cr_expect_str_eq(PREDICT("--data", "fruit.csv", "--output", "/dev/stdout").out, expected);
    cr_expect_str_eq(shell("cat fruit.csv | $T predict m --data - --device cpu --quiet --output q.csv").err,
                     "");
    cr_expect_str_eq(file_text("q.csv"), expected);
    const outcome through =
        shell("mkfifo f; cat f & $T predict m --data fruit.csv --device cpu --quiet --output f; wait");
    cr_expect_eq(through.status, 0, "%s", through.err);
    cr_expect_str_eq(through.out, expected);
}

/* The shape in the header, and the values of a row of the text. */
Test(predict, an_npy_file_holds_the_probabilities) {
    static const char *const lines[] = {
        "$T predict m --data fruit.csv --device cpu --quiet --output p.npy",
        "cat fruit.csv | $T predict m --data - --device cpu --quiet --output p.npy"};
    begin();
    const char *text = strchr(PREDICT("--data", "fruit.csv").out, '\n') + 1;
    for (size_t i = 0; i < 2; i++) {
        float values[8];
        char line[128];
        cr_assert_eq(shell(lines[i]).status, 0);
        const char *bytes = file_text("p.npy");
        cr_expect_not_null(memmem(bytes, 128, "'shape': (4, 2)", 15));
        memcpy(values, bytes + 128, sizeof values);
        snprintf(line, sizeof line, ",%.9g,%.9g\n", (double)values[0], (double)values[1]);
        cr_expect_eq(strncmp(strchr(text, ','), line, strlen(line)), 0, "%s and %s", text, line);
        struct stat information;
        cr_assert_eq(stat("p.npy", &information), 0);
        cr_expect_eq(information.st_size, 128 + sizeof values);
        unlink("p.npy");
    }
}

Test(predict, outputs_that_cannot_be_are_refused_before_anything_is_read) {
    static const struct {
        const char *output, *says;
    } cases[] = {
        {"p.txt", "tanda: --output: 'p.txt' ends neither in .csv nor in .npy, and these are written\n"},
        {"p", "tanda: --output: 'p' ends neither in .csv nor in .npy, and these are written\n"},
        {"fruit.csv",
         "tanda: --output fruit.csv: --data fruit.csv reads it, and it would be lost; name another "
         "file\n"},
        {"./link.csv",
         "tanda: --output ./link.csv: MODEL m reads it, and it would be lost; name another file\n"},
    };
    begin();
    cr_assert_eq(symlink("m", "link.csv"), 0);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const outcome outcome = PREDICT("--data", "fruit.csv", "--output", cases[i].output);
        cr_expect_eq(outcome.status, 2);
        cr_expect_str_eq(outcome.err, cases[i].says);
    }
    cr_expect_str_eq(file_text("fruit.csv"), fruit);
    cr_expect_eq(PREDICT("--data", "fruit.csv", "--output", "no/where.csv").status, 1);
    cr_expect_eq(PREDICT("--data", "fruit.csv", "--output", "p.npy", "--copy", "id").status, 2);
    cr_expect_eq(PREDICT("--data", "fruit.csv", "--output", "p.npy", "--top", "1").status, 2);
    cr_expect_neq(access("p.npy", F_OK), 0);
}

Test(predict, a_failure_leaves_the_old_file_and_nothing_else) {
    begin();
    write_text("p.csv", "old\n");
    write_text("bad.csv", "weight,width\n1,2\n1,x\n");
    cr_expect_eq(PREDICT("--data", "bad.csv", "--output", "p.csv").status, 3);
    const outcome half =
        shell("(cat fruit.csv; sleep 0.3; echo 5,x,y,1,apple) | $T predict m --data - --device cpu --quiet "
              "--output p.csv; s=$?; ls; exit $s");
    cr_expect_eq(half.status, 3);
    cr_expect_str_eq(file_text("p.csv"), "old\n");
    cr_expect_null(strstr(half.out, "unfinished"), "%s", half.out);
}

Test(predict, json_tells_of_the_file) {
    begin();
    json_t *object = RUN_JSON("predict", "m", "--device", "cpu", "--data", "fruit.csv", "--output", "p.csv",
                              "--copy", "id");
    cr_expect_eq(json_figure(object, "rows"), 4);
    cr_expect_str_eq(json_words(object, "output"), "p.csv");
    cr_expect_null(json_object_get(object, "predictions"));
    cr_expect_eq(count_lines(file_text("p.csv")), 5);
    json_decref(object);
    cr_expect_eq(PREDICT("--data", "fruit.csv", "--json", "--copy", "id").status, 2);
}

/* ---- columns of the data ------------------------------------------------------------------------------ */

/* Each line of `with` is what is expected, a comma, and the same line of `without`. */
static void expect_before(const char *with, const char *without, const char *const *expected, size_t count) {
    for (size_t i = 0; i < count; i++) {
        const size_t length = strcspn(without, "\n");
        cr_assert_eq(strncmp(with, expected[i], strlen(expected[i])), 0, "%s instead of %s", with,
                     expected[i]);
        with += strlen(expected[i]);
        cr_assert_eq(*with, ',', "%s", with);
        cr_assert_eq(strncmp(with + 1, without, length + 1), 0, "%s and %s", with, without);
        with += length + 2;
        without += length + 1;
    }
    cr_expect_str_eq(with, "");
}

Test(predict, copied_columns_stand_first_as_they_came) {
    static const char *const expected[] = {"\"note, long\",id", "plain,001", "\"a, \"\"b\"\"\",002", ",003",
                                           "\"two\nlines\",004"};
    static const char *const lines[] = {
        "$T predict m --data fruit.csv --copy '\"note, long\",id' $O",
        "$T predict m --data fruit.csv --copy 2 --copy 0 $O",
        "cat fruit.csv | $T predict m --data - --copy 2,id $O",
        "(head -n 2 fruit.csv; sleep 0.2; tail -n +3 fruit.csv) | $T predict m --data - --copy 2,id $O",
        "gzip -c fruit.csv > f.gz; $T predict m --data f.gz --copy 2,id $O",
        "sed 's/$/\\r/; s/two\\r/two/' fruit.csv | $T predict m --data - --copy 2,id $O"};
    begin();
    setenv("O", "--device cpu --quiet", 1);
    const char *without = PREDICT("--data", "fruit.csv").out;
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        const outcome outcome = shell(lines[i]);
        cr_assert_eq(outcome.status, 0, "%s: %s", lines[i], outcome.err);
        expect_before(outcome.out, without, expected, 5);
    }
}

Test(predict, copied_columns_of_other_dialects_are_quoted_where_commas_need_it) {
    begin();
    write_text("d.csv", "weight;id;width\n1,5;a,b;2\n3;c;1\n");
    const char *const expected[] = {"id,weight", "\"a,b\",\"1,5\"", "c,3"};
    expect_before(PREDICT("--data", "d.csv", "--copy", "id,weight").out, PREDICT("--data", "d.csv").out,
                  expected, 3);
    write_text("n.csv", "1.5,2\n3,1\n");
    const char *const indexed[] = {"column_1,column_0", "2,1.5", "1,3"};
    expect_before(PREDICT("--data", "n.csv", "--copy", "1,0").out, PREDICT("--data", "n.csv").out, indexed,
                  3);
}

Test(predict, rows_of_several_files_are_copied_in_their_order) {
    begin();
    write_text("more.csv", "width,id,weight,\"note, long\",kind\n2,005,1,,\n1,006,2,,\n");
    const char *const expected[] = {"id", "001", "002", "003", "004", "005", "006"};
    const outcome outcome = PREDICT("--data", "fruit.csv", "--data", "more.csv", "--copy", "id");
    cr_assert_eq(outcome.status, 0, "%s", outcome.err);
    expect_before(outcome.out, PREDICT("--data", "fruit.csv", "--data", "more.csv").out, expected, 7);
}

Test(predict, what_has_no_such_text_is_refused) {
    static const char *const cases[][3] = {
        {"fruit.csv", "colour",
         "tanda: --copy 'colour': no such column in fruit.csv; its columns are id, weight, note, long, "
         "width, "
         "kind\n"},
        {"x.npy", "0", "tanda: --copy: it passes the text of CSV columns on, and x.npy is npy\n"},
        {"synthetic:moons", "0", "tanda: --copy: it is for files; synthetic:moons is made whole\n"}};
    begin();
    cr_assert_eq(RUN("generate", "moons", "--rows", "4", "--output", "x.npy", "--labels", "y.npy").status, 0);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const outcome outcome = PREDICT("--data", cases[i][0], "--copy", cases[i][1]);
        cr_expect_eq(outcome.status, 2);
        cr_expect_str_eq(outcome.err, cases[i][2]);
    }
}

/* ---- rows --------------------------------------------------------------------------------------------- */

Test(predict, a_header_without_rows_predicts_none) {
    static const char *const lines[] = {
        "$T predict m --data h.csv $O",
        "$T predict m --data - $O < h.csv",
        "cat h.csv | $T predict m --data - $O",
        "gzip -c h.csv > h.gz; $T predict m --data h.gz $O",
        "$T predict m --data h.csv $O --output p.csv && cat p.csv",
        "cat h.csv | $T predict m --data - $O --output p.csv && cat p.csv",
    };
    begin();
    write_text("h.csv", "id,weight,width\n");
    setenv("O", "--device cpu --quiet", 1);
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        const outcome outcome = shell(lines[i]);
        cr_expect_eq(outcome.status, 0, "%s: %s", lines[i], outcome.err);
        cr_expect_str_eq(outcome.out, "class,apple,pear\n", "%s", lines[i]);
    }
    cr_expect_str_eq(PREDICT("--data", "h.csv", "--copy", "id").out, "id,class,apple,pear\n");
    cr_expect_eq(PREDICT("--data", "h.csv", "--output", "p.npy").status, 0);
    cr_expect_not_null(memmem(file_text("p.npy"), 128, "'shape': (0, 2)", 15));
}

/* Many sweeps' blocks, each piece by itself and any number of threads. */
Test(predict, rows_are_predicted_alike_wherever_they_stand) {
    static const char *const pieces[] = {"rows=4096", "rows=4096,skip=4096", "rows=1809,skip=8192"};
    static const char *const threads[] = {"1", "2", "7"};
    cr_assert_eq(RUN("train", "--data", "synthetic:blobs,features=5,rows=500", "--hidden", "9", "--epochs",
                     "2", "--device", "cpu", "--quiet", "--output", "m")
                     .status,
                 0);
    const char *all = PREDICT("--data", "synthetic:blobs,features=5,rows=10001").out,
               *at = strchr(all, '\n') + 1;
    cr_assert_eq(count_lines(all), 10002);
    for (size_t i = 0; i < 3; i++) {
        char data[80];
        snprintf(data, sizeof data, "synthetic:blobs,features=5,%s", pieces[i]);
        const char *piece = strchr(PREDICT("--data", data).out, '\n') + 1;
        cr_assert_eq(strncmp(at, piece, strlen(piece)), 0, "%s", pieces[i]);
        at += strlen(piece);
        cr_expect_str_eq(
            PREDICT("--data", "synthetic:blobs,features=5,rows=10001", "--threads", threads[i]).out, all);
    }
    cr_expect_str_eq(at, "");
}
