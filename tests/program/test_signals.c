/* What signals do to a training: it finishes the step and saves, however often and whenever they come. */
#include <sys/resource.h>

#include "background.h"

TestSuite(signals, .init = enter_folder, .fini = leave_folder, .timeout = 300);

#define ENDLESS \
    "--data", DIGITS, "--hidden", "64", "--batch", "4", "--epochs", "1000000", "--device", "cpu", \
        "--threads", "1", "--quiet"
#define LIST(...) ((const char *const[]){__VA_ARGS__, NULL})
#define START(...) start(LIST(TANDA_PROGRAM, "train", __VA_ARGS__))

/* A training that has saved once, so that signals come while it runs. */
static pid_t start_saving(const char *folder) {
    const pid_t child = START(ENDLESS, "--checkpoint", folder, "--checkpoint-every", "0.02s");
    wait_for_checkpoint(folder, 0);
    return child;
}

static void expect_whole(const char *path) {
    const outcome run = RUN("evaluate", path, "--data", DIGITS, "--quiet"); /* checks all sums */
    cr_expect_eq(run.status, 0, "%s", run.err);
}

/* Saved, said so in one line, and left nothing but checkpoints. */
static void expect_saved(const char *folder, int status) {
    char path[300] = "", expected[400];
    const char *told = file_text("err.txt");
    cr_expect_eq(status, 130, "exit %d: %s", status, told);
    newest_step(folder, path);
    snprintf(expected, sizeof expected, "saved in %s, --resume goes on from there\n", path);
    cr_expect_not_null(strstr(told, expected), "%s", told);
    cr_expect_eq(count_lines(told), 1, "%s", told);
    cr_expect_eq(count_names(folder, "unfinished") + count_names(folder, "lock"), 0);
    expect_whole(path);
}

static const int endings[] = {SIGINT, SIGTERM, SIGHUP, SIGXCPU};
#define ENDINGS (sizeof endings / sizeof *endings)

Test(signals, each_saves_and_says_where) {
    for (size_t i = 0; i < ENDINGS; i++) {
        char folder[32];
        snprintf(folder, sizeof folder, "kept-%d", endings[i]);
        const pid_t child = start_saving(folder);
        const double begun = seconds_now();
        cr_assert_eq(kill(child, endings[i]), 0);
        expect_saved(folder, wait_for(child));
        cr_expect_lt(seconds_now() - begun, 10.0); /* a second, but for a busy machine */
    }
}

Test(signals, that_are_repeated_save_as_one_does) {
    static const struct {
        int count;
        double seconds; /* between two */
    } bursts[] = {{2, 0.0}, {2, 0.0002}, {2, 0.005}, {5, 0.001}, {200, 0.0}};
    for (size_t i = 0; i < 10; i++) {
        char folder[32];
        snprintf(folder, sizeof folder, "kept-%zu", i);
        const pid_t child = start_saving(folder);
        for (int k = 0; k < bursts[i % 5].count; k++) {
            kill(child, endings[(i + (size_t)k * (i / 5)) % ENDINGS]);
            pause_for(bursts[i % 5].seconds);
        }
        expect_saved(folder, wait_for(child));
    }
}

/* timeout sends its signal to the process, and again to its group. */
Test(signals, of_timeout_save) {
    for (size_t i = 0; i < 10; i++) {
        char folder[32], path[300] = "";
        snprintf(folder, sizeof folder, "kept-%zu", i);
        const pid_t child =
            start(LIST("timeout", "0.4", TANDA_PROGRAM, "train", ENDLESS, "--checkpoint", folder));
        cr_expect_eq(wait_for(child), 124);
        cr_assert_gt(newest_step(folder, path), 0, "nothing was saved: %s", file_text("err.txt"));
        expect_saved(folder, 130);
    }
}

Test(signals, of_a_limit_of_cpu_time_save) {
    const struct rlimit limit = {.rlim_cur = 1, .rlim_max = 60}, own = {.rlim_cur = 60, .rlim_max = 60};
    cr_assert_eq(setrlimit(RLIMIT_CPU, &limit), 0);
    const pid_t child = START(ENDLESS, "--checkpoint", "kept");
    cr_assert_eq(setrlimit(RLIMIT_CPU, &own), 0); /* this process may take as long as it likes */
    expect_saved("kept", wait_for(child));
}

Test(signals, sighup_that_is_ignored_at_the_start_stays_ignored) {
    const pid_t child = start(LIST("sh", "-c", "trap '' HUP && exec \"$0\" \"$@\"", TANDA_PROGRAM, "train",
                                   ENDLESS, "--checkpoint", "kept", "--checkpoint-every", "0.02s"));
    wait_for_checkpoint("kept", 0);
    kill(child, SIGHUP);
    wait_for_checkpoint("kept", newest_step("kept", NULL));
    wait_for_checkpoint("kept", newest_step("kept", NULL));
    kill(child, SIGTERM);
    expect_saved("kept", wait_for(child));
}

/* A step of many seconds: the first signal waits for its end. */
Test(signals, second_sigint_ends_at_once_when_it_comes_a_second_after_the_first) {
    const pid_t child = START("--data", "synthetic:blobs,rows=100000,features=64,classes=10", "--hidden",
                              "2048,2048,2048", "--batch", "full", "--quiet", "--epochs", "5", "--device",
                              "cpu", "--checkpoint", "slow.safetensors");
    pause_for(3.0);
    for (size_t i = 0; i < 4; i++) {
        kill(child, i % 2 == 0 ? SIGINT : SIGTERM);
        pause_for(0.2);
    }
    cr_expect_eq(waitpid(child, NULL, WNOHANG), 0, "ended too soon: %s", file_text("err.txt"));
    pause_for(0.6);
    const double begun = seconds_now();
    kill(child, SIGINT);
    cr_expect_eq(wait_for(child), 128 + SIGINT, "%s", file_text("err.txt"));
    cr_expect_lt(seconds_now() - begun, 2.0);
    cr_expect_neq(access("slow.safetensors", F_OK), 0);
}

/* Some 0.03 and 0.3 seconds of reading, if the machine has nothing else to do. */
#define READING(rows) \
    "--data", "synthetic:blobs,rows=" rows ",features=32,classes=4", "--quiet", "--device", "cpu"

Test(signals, before_the_training_wait_for_its_first_step) {
    const pid_t child = START(READING("300000"), "--epochs", "1000000", "--checkpoint", "kept");
    while (access("kept/.lock", F_OK) != 0)
        pause_for(0.001);
    for (size_t i = 0; i < 4; i++)
        kill(child, i % 2 == 0 ? SIGTERM : SIGUSR1);
    cr_expect_eq(wait_for(child), 130, "%s", file_text("err.txt"));
    cr_expect_gt(newest_step("kept", NULL), 0);
}

/* Data may never come. What is left behind is in nobody's way. */
Test(signals, before_the_training_end_the_program_after_five_seconds) {
    const pid_t child = START(READING("3000000"), "--checkpoint", "kept");
    while (access("kept/.lock", F_OK) != 0)
        pause_for(0.001);
    kill(child, SIGTERM);
    pause_for(0.02);
    kill(child, SIGSTOP);
    pause_for(5.1);
    kill(child, SIGCONT);
    cr_expect_eq(wait_for(child), 128 + SIGTERM, "%s", file_text("err.txt"));
    const outcome run = RUN("train", "--data", IRIS, "--quiet", "--device", "cpu", "--checkpoint", "kept");
    cr_expect_eq(run.status, 0, "%s", run.err);
    cr_expect_eq(count_names("kept", "lock"), 0);
}

Test(signals, before_the_training_end_the_program_at_once_where_nothing_would_be_saved) {
    const pid_t child = START(READING("3000000"));
    pause_for(0.1);
    kill(child, SIGTERM);
    cr_expect_eq(wait_for(child), 128 + SIGTERM, "%s", file_text("err.txt"));
}

/* The end of a training, with its last checkpoint, its model and its lines, is not cut short. */
Test(signals, at_the_end_of_a_training_leave_all_or_a_checkpoint) {
    size_t ends[2] = {0};
    for (size_t i = 0; i < 20; i++) {
        char place[32], model[32];
        snprintf(place, sizeof place, "c-%zu.safetensors", i);
        snprintf(model, sizeof model, "m-%zu.safetensors", i);
        const pid_t child =
            START("--data", DIGITS, "--hidden", "512", "--batch", "64", "--epochs", "4", "--device", "cpu",
                  "--quiet", "--checkpoint", place, "--output", model, "--log", "log.jsonl");
        wait_for_text("log.jsonl");
        pause_for(0.01 * (double)i);
        for (size_t k = 0; k < 3; k++)
            kill(child, SIGTERM);
        const int status = wait_for(child);
        cr_assert(status == 0 || status == 130, "exit %d: %s", status, file_text("err.txt"));
        cr_expect_eq(access(model, F_OK) == 0, status == 0);
        cr_expect_eq(strstr(file_text("out.txt"), "\nmodel: ") != NULL, status == 0);
        expect_whole(place);
        if (status == 0) expect_whole(model);
        cr_expect_eq(count_names(".", "unfinished") + count_names(".", ".lock"), 0);
        unlink("log.jsonl");
        ends[status == 0]++;
    }
    cr_expect(ends[0] > 0 && ends[1] > 0, "%zu interrupted, %zu done: one kind is not tested", ends[0],
              ends[1]);
}

/* Its standard output is a full pipe, so that it still has its lines to write when the signals come. */
Test(signals, after_a_training_change_nothing) {
    static char filling[1 << 20], out[1 << 21];
    cr_assert_eq(mkfifo("pipe", 0600), 0);
    const int pipe = open("pipe", O_RDWR | O_NONBLOCK);
    memset(filling, '.', sizeof filling);
    while (write(pipe, filling, sizeof filling) > 0)
        ;
    const pid_t child = start(LIST("sh", "-c", "exec \"$0\" \"$@\" > pipe", TANDA_PROGRAM, "train", "--data",
                                   IRIS, "--device", "cpu", "--quiet", "--output", "model"));
    wait_for_text("model");
    for (size_t i = 0; i < ENDINGS; i++) {
        pause_for(0.05);
        kill(child, endings[i]);
    }
    pause_for(0.05);
    size_t length = 0;
    int status = 0;
    for (bool ended = false; !ended;) { /* what it wrote is there when it has ended */
        ended = waitpid(child, &status, WNOHANG) == child;
        for (ssize_t more = 0; (more = read(pipe, out + length, sizeof out - 1 - length)) > 0;)
            length += (size_t)more;
    }
    cr_expect(WIFEXITED(status) && WEXITSTATUS(status) == 0, "%s", file_text("err.txt"));
    cr_expect_not_null(strstr(out, "\nmodel: model\n"), "%s", out + strspn(out, "."));
    close(pipe);
}

#define HASH "weights_sha256: "

Test(signals, sigusr1_saves_and_goes_on_to_the_same_bits) {
#define SOME "--data", DIGITS, "--hidden", "128", "--batch", "2", "--epochs", "16", "--device", "cpu"
    const pid_t child = START(SOME, "--checkpoint", "kept", "--checkpoint-every", "1000");
    while (access("kept/.lock", F_OK) != 0)
        pause_for(0.002);
    for (unsigned long i = 0, step = 0; i < 3; i++, step = newest_step("kept", NULL)) {
        kill(child, SIGUSR1);
        wait_for_checkpoint("kept", step);
    }
    cr_assert_eq(wait_for(child), 0, "%s", file_text("err.txt"));
    cr_expect_geq(count_lines(file_text("err.txt")), 5 + 3);
    const char *found = strstr(file_text("out.txt"), HASH);
    const outcome whole = RUN("train", SOME, "--quiet");
    cr_expect_eq(strncmp(found, strstr(whole.out, HASH), strlen(HASH) + 64), 0);
}

Test(signals, sigusr1_without_a_checkpoint_is_a_note_once) {
    static const char note[] =
        "note: asked to save, but there is no checkpoint to save to (--checkpoint FILE)\n";
    const pid_t child = START("--data", DIGITS, "--hidden", "64", "--batch", "4", "--epochs", "1000000",
                              "--device", "cpu", "--log", "log.jsonl");
    wait_for_text("log.jsonl");
    for (size_t i = 0; i < 3; i++) {
        kill(child, SIGUSR1);
        pause_for(0.3);
    }
    kill(child, SIGTERM);
    cr_expect_eq(wait_for(child), 130);
    const char *told = strstr(file_text("err.txt"), note);
    cr_assert_not_null(told, "%s", file_text("err.txt"));
    cr_expect_null(strstr(told + 1, note), "%s", told);
}

Test(signals, end_folds_with_one_line) {
    const pid_t child = START("--data", DIGITS, "--hidden", "128", "--batch", "2", "--epochs", "4", "--folds",
                              "100", "--device", "cpu", "--quiet");
    while (strstr(file_text("out.txt"), "fold 1/100: ") == NULL)
        pause_for(0.02);
    kill(child, SIGTERM);
    kill(child, SIGTERM);
    cr_expect_eq(wait_for(child), 130);
    const char *told = file_text("err.txt");
    size_t fold = 0;
    cr_expect_eq(sscanf(told, "tanda: interrupted in fold %zu of 100; the rest is not done", &fold), 1, "%s",
                 told);
    cr_expect_eq(count_lines(told), 1);
    cr_expect_eq(count_lines(file_text("out.txt")), fold - 1);
}
