/* How a run goes, from outside: early stopping, its logs, and what a signal does without a checkpoint. */
#include <math.h>
#include <signal.h>
#include <sys/ioctl.h>

#include "program.h"

TestSuite(runs, .init = enter_folder, .fini = leave_folder);

#define DEEP \
    "train", "--data", DIGITS, "--hidden", "32", "--validation", "0.3", "--device", "cpu", "--threads", "1"
#define MOST_EPOCHS 200

/* The column of the CSV log with this name; returns the rows. */
static size_t read_column(const char *path, const char *name, double *values) {
    char *rest = file_text(path), *line = strsep(&rest, "\n");
    size_t column = 0, rows = 0;
    for (char *title = strsep(&line, ",\r"); title != NULL && strcmp(title, name) != 0; column++)
        title = strsep(&line, ",\r");
    while ((line = strsep(&rest, "\n")) != NULL && *line != '\0') {
        const char *cell = NULL;
        for (size_t i = 0; i <= column; i++)
            cell = strsep(&line, ",\r");
        cr_assert_not_null(cell);
        values[rows++] = strtod(cell, NULL);
    }
    return rows;
}

typedef struct stop {
    size_t epochs, best;
} stop;

/* EarlyStopping.on_epoch_end of Keras 3.15 for a loss. */
static stop keras(const double *losses, size_t epochs, size_t patience, double min_delta) {
    double best = INFINITY;
    size_t wait = 0, best_epoch = 0;
    for (size_t epoch = 0; epoch < epochs; epoch++) {
        wait++;
        if (losses[epoch] + min_delta < best) {
            best = losses[epoch];
            best_epoch = epoch;
            wait = 0;
        } else if (wait >= patience && epoch > 0) {
            return (stop){epoch + 1, best_epoch + 1};
        }
    }
    return (stop){epochs, best_epoch + 1};
}

static void expect_stop(const stop *expected, const char *patience, const char *min_delta,
                        const char *batch) {
    json_t *run = RUN_JSON(DEEP, "--epochs", "120", "--batch", batch, "--patience", patience, "--min-delta",
                           min_delta, "--output", "stopped.safetensors");
    cr_expect_eq(json_figure(run, "epochs"), expected->epochs, "%s, %s", patience, min_delta);
    cr_expect_eq(json_figure(run, "best_epoch"), expected->best, "%s, %s", patience, min_delta);
    cr_expect_eq(json_is_true(json_object_get(run, "stopped_early")), expected->epochs < 120);
    /* The weights are those of a training that ends with the best epoch. */
    char epochs[32];
    snprintf(epochs, sizeof epochs, "%zu", expected->best);
    json_t *best = RUN_JSON(DEEP, "--epochs", epochs, "--batch", batch);
    cr_expect_str_eq(json_words(run, "weights_sha256"), json_words(best, "weights_sha256"));
    cr_expect_eq(json_figure(run, "best_score"), json_figure(best, "val_loss"));
    json_decref(best);
    json_decref(run);
}

Test(runs, early_stopping_ends_where_keras_ends_and_keeps_the_best_weights) {
    static const struct {
        const char *patience, *min_delta;
    } cases[] = {{"1", "0"}, {"3", "0"}, {"10", "0"}, {"2", "0.01"}, {"4", "0.001"}, {"200", "0"}};
    static const char *const batches[] = {"32", "full"};
    for (size_t b = 0; b < 2; b++) {
        double losses[MOST_EPOCHS];
        json_decref(RUN_JSON(DEEP, "--epochs", "120", "--batch", batches[b], "--report-every", "1",
                             "--csv-log", "all.csv"));
        cr_assert_eq(read_column("all.csv", "val_loss", losses), 120);
        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
            const stop expected =
                keras(losses, 120, strtoul(cases[i].patience, NULL, 10), strtod(cases[i].min_delta, NULL));
            expect_stop(&expected, cases[i].patience, cases[i].min_delta, batches[b]);
        }
    }
}

Test(runs, without_restore_best_the_last_weights_are_kept) {
    json_t *run = RUN_JSON(DEEP, "--epochs", "120", "--patience", "3", "--restore-best", "no");
    char epochs[32];
    snprintf(epochs, sizeof epochs, "%.0f", json_figure(run, "epochs"));
    cr_assert_lt(json_figure(run, "best_epoch"), json_figure(run, "epochs"));
    json_t *last = RUN_JSON(DEEP, "--epochs", epochs);
    cr_expect_str_eq(json_words(run, "weights_sha256"), json_words(last, "weights_sha256"));
    json_decref(last);
    json_decref(run);
}

Test(runs, csv_log_has_the_columns_of_keras_and_epochs_from_0) {
    static const char *const headers[] = {"epoch,accuracy,loss,val_accuracy,val_loss\r\n0,",
                                          "epoch,loss,val_loss\r\n0,"};
    RUN_JSON(DEEP, "--epochs", "2", "--csv-log", "classes.csv");
    RUN_JSON("train", "--data", IRIS, "--target", "0", "--ignore", "species", "--task", "regression",
             "--epochs", "2", "--csv-log", "values.csv");
    cr_expect_eq(strncmp(file_text("classes.csv"), headers[0], strlen(headers[0])), 0);
    const char *values = file_text("values.csv");
    cr_expect_eq(strncmp(values, headers[1], strlen(headers[1])), 0, "%s", values);
    cr_expect_not_null(strstr(values, ",NA\r\n"), "there is no validation: %s", values);
}

Test(runs, log_has_an_object_per_epoch_and_one_with_the_results) {
    json_t *run = RUN_JSON(DEEP, "--epochs", "3", "--log", "log.jsonl");
    char *rest = file_text("log.jsonl"), *line;
    for (int epoch = 1; epoch <= 3; epoch++) {
        json_t *object = json_loads(strsep(&rest, "\n"), JSON_REJECT_DUPLICATES, NULL);
        cr_assert_not_null(object);
        cr_expect_str_eq(json_words(object, "event"), "epoch");
        cr_expect_eq(json_figure(object, "epoch"), epoch);
        cr_expect_gt(json_figure(object, "val_loss"), 0.0);
        json_decref(object);
    }
    json_t *end = json_loads(line = strsep(&rest, "\n"), JSON_REJECT_DUPLICATES, NULL);
    cr_assert_not_null(end, "%s", line);
    cr_expect_str_eq(json_words(end, "event"), "run");
    cr_expect_eq(json_figure(end, "status"), 0);
    cr_expect_str_eq(json_words(end, "weights_sha256"), json_words(run, "weights_sha256"));
    cr_expect_str_eq(rest, "");
    json_decref(end);
    json_decref(run);
}

/* A number, or text, or yes and no, wherever the key stands; never an object or array. */
static void note_kinds(json_t *kinds, const char *text) {
    const char *key = NULL;
    json_t *value = NULL, *line = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
    cr_assert_not_null(line, "%s", text);
    json_object_foreach(line, key, value) {
        const char *kind = json_is_number(value)    ? "number"
                           : json_is_string(value)  ? "text"
                           : json_is_boolean(value) ? "yes or no"
                                                    : "nested";
        const json_t *other = json_object_get(kinds, key);
        cr_expect_str_neq(kind, "nested", "%s: %s", key, text);
        cr_expect(other == NULL || strcmp(json_string_value(other), kind) == 0, "%s: %s", key, text);
        json_object_set_new(kinds, key, json_string(kind));
    }
    json_decref(line);
}

Test(runs, log_is_flat_and_each_key_of_one_kind) {
    static const char *const keys[] = {"seconds",         "seconds_train",
                                       "seconds_load",    "fold",
                                       "dialect_decimal", "cross_validation_val_loss_mean",
                                       "val_loss",        "time"};
    json_t *kinds = json_object();
    json_decref(RUN_JSON(DEEP, "--epochs", "2", "--log", "deep.jsonl"));
    json_decref(RUN_JSON("train", "--data", IRIS, "--epochs", "2", "--folds", "3", "--output",
                         "m.safetensors", "--log", "folds.jsonl"));
    cr_expect_eq(RUN(DEEP, "--batch", "full", "--learning-rate", "1e10", "--log", "failed.jsonl").status, 1);
    static const char *const logs[] = {"deep.jsonl", "folds.jsonl", "failed.jsonl"};
    for (size_t i = 0; i < sizeof logs / sizeof *logs; i++) {
        char *rest = file_text(logs[i]), *line = NULL;
        while ((line = strsep(&rest, "\n")) != NULL)
            if (line[0] != '\0') note_kinds(kinds, line);
    }
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        cr_expect_not_null(json_object_get(kinds, keys[i]), "%s", keys[i]);
    cr_expect_not_null(strstr(file_text("deep.jsonl"), "\"learning_rate\":0.1,"));
    json_decref(kinds);
}

Test(runs, log_on_a_full_disk_is_told_once_and_makes_exit_1_after_the_work) {
    static const char *const flags[] = {"--log", "--csv-log"};
    for (size_t i = 0; i < 2; i++) {
        char told[256], end[256];
        const outcome run = RUN(DEEP, "--epochs", "4", flags[i], "/dev/full", "--quiet", "--output", "m");
        snprintf(
            told, sizeof told,
            "tanda: %s /dev/full: cannot be written any more: No space left on device; the training goes on "
            "without it\n",
            flags[i]);
        snprintf(end, sizeof end,
                 "tanda: %s /dev/full: it is incomplete: No space left on device; the training itself went "
                 "well\n",
                 flags[i]);
        cr_expect_eq(strncmp(run.err, told, strlen(told)), 0, "%s", run.err);
        cr_expect_str_eq(run.err + strlen(told), end);
        cr_expect_eq(run.status, 1);
        cr_expect_not_null(strstr(run.out, "weights_sha256: "));
        cr_expect_eq(access("m", R_OK), 0);
    }
}

Test(runs, log_that_cannot_be_made_is_refused_before_the_training) {
    const outcome run = RUN(DEEP, "--epochs", "4", "--log", "no/such/folder.jsonl", "--quiet");
    cr_expect_str_eq(run.err,
                     "tanda: --log no/such/folder.jsonl: cannot be written: No such file or directory\n");
    cr_expect_eq(run.status, 1);
}

/* Starts a training that takes minutes, and gives it a second to get going. */
static pid_t start_long(void) {
    const char *const arguments[] = {TANDA_PROGRAM, DEEP,       "--epochs", "1000000", "--log",
                                     "log.jsonl",   "--output", "kept",     "--quiet", NULL};
    posix_spawn_file_actions_t actions;
    pid_t child;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 2, "err.txt", O_WRONLY | O_CREAT | O_TRUNC, 0600);
    cr_assert_eq(posix_spawn(&child, TANDA_PROGRAM, &actions, NULL, (char *const *)arguments, environ), 0);
    posix_spawn_file_actions_destroy(&actions);
    for (struct stat log; stat("log.jsonl", &log) != 0 || log.st_size == 0;)
        usleep(10000);
    return child;
}

Test(runs, signal_ends_the_training_with_exit_130_and_says_that_nothing_was_kept) {
    static const int signals[] = {SIGINT, SIGTERM};
    for (size_t i = 0; i < 2; i++) {
        int status = 0;
        const pid_t child = start_long();
        cr_assert_eq(kill(child, signals[i]), 0);
        cr_assert_eq(waitpid(child, &status, 0), child);
        cr_expect(WIFEXITED(status) && WEXITSTATUS(status) == 130);
        const char *told = file_text("err.txt");
        cr_expect_eq(strncmp(told, "tanda: interrupted after epoch ", 31), 0, "%s", told);
        cr_expect_not_null(strstr(told, "nothing was saved"), "%s", told);
        cr_expect_neq(access("kept", F_OK), 0);
        unlink("log.jsonl");
    }
}

/* ---- the live bar -------------------------------------------------------------------------------------- */

/* Standard error of a command that must succeed, on a terminal of 100 columns. */
#define RUN_ON_TERMINAL(...) run_on_terminal((const char *const[]){TANDA_PROGRAM, __VA_ARGS__, NULL})
static char *run_on_terminal(const char *const *arguments) {
    const struct winsize size = {.ws_row = 24, .ws_col = 100};
    static char text[1 << 20];
    size_t length = 0;
    pid_t child;
    setenv("TERM", "xterm", 1);
    const int terminal = posix_openpt(O_RDWR | O_NOCTTY);
    cr_assert(terminal >= 0 && grantpt(terminal) == 0 && unlockpt(terminal) == 0);
    const int other = open(ptsname(terminal), O_RDWR | O_NOCTTY);
    cr_assert_geq(other, 0);
    cr_assert_eq(ioctl(terminal, TIOCSWINSZ, &size), 0);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 1, "out.txt", O_WRONLY | O_CREAT | O_TRUNC, 0600);
    posix_spawn_file_actions_adddup2(&actions, other, 2);
    cr_assert_eq(posix_spawn(&child, TANDA_PROGRAM, &actions, NULL, (char *const *)arguments, environ), 0);
    posix_spawn_file_actions_destroy(&actions);
    close(other);
    /* At the end of the process the terminal has no writer: reading fails. */
    for (ssize_t part; (part = read(terminal, text + length, sizeof text - 1 - length)) > 0;)
        length += (size_t)part;
    text[length] = '\0';
    close(terminal);
    int status = 0;
    cr_assert_eq(waitpid(child, &status, 0), child);
    cr_assert_eq(status, 0, "%s", text);
    return text;
}

Test(runs, bar_on_a_terminal_fits_its_width_and_leaves_nothing_behind) {
    char *text = RUN_ON_TERMINAL("train", "--data", DIGITS, "--hidden", "256,256", "--batch", "2",
                                 "--threads", "1", "--device", "cpu", "--epochs", "1", "--isa", "generic");
    cr_expect_not_null(strstr(text, " - ETA "), "%s", text);
    cr_expect_not_null(strstr(text, "] "), "%s", text);
    size_t bars = 0;
    for (char *line = strsep(&text, "\n"); line != NULL; line = strsep(&text, "\n")) {
        /* What is seen in the end is what was drawn after the last return to the line's beginning. */
        const size_t end = strlen(line);
        if (end > 0 && line[end - 1] == '\r') line[end - 1] = '\0';
        char *seen = line;
        for (char *part = strsep(&line, "\r"); part != NULL; part = strsep(&line, "\r")) {
            const char *erase = strstr(part, "\033[K");
            if (erase != NULL && strstr(part, "ETA") != NULL) bars++;
            if (erase != NULL && strstr(part, "ETA") != NULL) cr_expect_leq(erase - part, 99, "%s", part);
            seen = part;
        }
        cr_expect_null(strstr(seen, "ETA"), "a bar is left: %s", seen);
    }
    cr_expect_gt(bars, 2);
}

/* The first time it takes seconds; it is erased before anything else is said. */
Test(runs, a_terminal_tells_that_a_device_is_opened) {
    static const char told[] = "opening the device; OpenCL compiles the kernels the first time ...\r\033[K";
    const char *found = strstr(RUN_ON_TERMINAL("train", "--data", IRIS, "--epochs", "1"), told);
    cr_assert_not_null(found);
    cr_expect_null(strstr(found + 1, "opening"));
    cr_expect_not_null(strstr(RUN_ON_TERMINAL("devices"), told));
    cr_expect_null(strstr(RUN_ON_TERMINAL("train", "--data", IRIS, "--epochs", "1", "--quiet"), "opening"));
    cr_expect_null(
        strstr(RUN_ON_TERMINAL("train", "--data", IRIS, "--epochs", "1", "--device", "cpu"), "opening"));
    cr_expect_null(strstr(RUN("train", "--data", IRIS, "--epochs", "1").err, "opening"));
}

Test(runs, there_is_no_bar_in_a_file) {
    setenv("TERM", "xterm", 1);
    const outcome run = RUN("train", "--data", DIGITS, "--hidden", "512,512", "--batch", "2", "--threads",
                            "1", "--device", "cpu", "--epochs", "2");
    cr_expect_eq(run.status, 0);
    cr_expect_null(strchr(run.err, '\r'));
    cr_expect_null(strstr(run.err, "ETA"));
}
