/* The place of a training's checkpoints: one training at a time saves there, and nothing of another is lost. */
#include "background.h"

TestSuite(places, .init = enter_folder, .fini = leave_folder, .timeout = 300);

#define TRAIN_IRIS "train", "--data", IRIS, "--device", "cpu", "--threads", "1", "--quiet"
#define LIST(...) ((const char *const[]){__VA_ARGS__, NULL})

/* A training that goes on for ever, and has the lock. */
static pid_t start_at(const char *place) {
    const pid_t child = start(LIST(TANDA_PROGRAM, "train", "--data", DIGITS, "--device", "cpu", "--threads",
                                   "1", "--quiet", "--epochs", "1000000000", "--checkpoint", place,
                                   "--checkpoint-every", "1s", "--log", "first.jsonl"));
    wait_for_text("first.jsonl");
    return child;
}

static void expect_busy(const outcome *run, const char *place, pid_t first) {
    char expected[400];
    snprintf(expected, sizeof expected,
             "tanda: checkpoint %s: process %d saves its training there; wait for its end, or name another "
             "place\n",
             place, (int)first);
    cr_expect_str_eq(run->err, expected);
    cr_expect_eq(run->status, 2);
}

static void end(pid_t child) {
    kill(child, SIGTERM);
    cr_expect_eq(wait_for(child), 130);
}

/* ---- two at once --------------------------------------------------------------------------------------- */

Test(places, folder_of_a_running_training_is_refused_by_whatever_path) {
    cr_assert_eq(mkdir("d", 0777), 0);
    const pid_t first = start_at("kept");
    cr_assert_eq(symlink("kept", "link"), 0);
    write_text("kept/step-000000000002.safetensors.unfinished-abcdef", "the first is writing it");
    static const char *const paths[] = {"kept", "./d/../kept/", "link", "kept/step-000000000001.safetensors",
                                        "link/best.safetensors"};
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        const outcome run = RUN(TRAIN_IRIS, "--checkpoint", paths[i], "--log", "second.jsonl");
        expect_busy(&run, paths[i], first);
    }
    wait_for_checkpoint("kept", 0);
    const outcome resumed = RUN("train", "--resume", "kept");
    expect_busy(&resumed, "kept", first);
    cr_expect_neq(access("second.jsonl", F_OK), 0, "the log was opened");
    cr_expect_eq(access("kept/step-000000000002.safetensors.unfinished-abcdef", F_OK), 0, "it was removed");
    end(first);
    cr_expect_neq(access("kept/.lock", F_OK), 0);
}

Test(places, file_of_a_running_training_is_refused_by_whatever_path) {
    cr_assert_eq(mkdir("d", 0777), 0);
    cr_assert_eq(symlink("../c.safetensors", "d/link.safetensors"), 0); /* to a file that is not there yet */
    const pid_t first = start_at("c.safetensors");
    static const char *const paths[] = {"c.safetensors", "d/../c.safetensors", "d/link.safetensors"};
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        const outcome run = RUN(TRAIN_IRIS, "--checkpoint", paths[i]);
        expect_busy(&run, paths[i], first);
    }
    const outcome other = RUN(TRAIN_IRIS, "--checkpoint", "e.safetensors");
    cr_expect_eq(other.status, 0, "%s", other.err);
    end(first);
    cr_expect_eq(count_names(".", ".lock"), 0);
}

/* Their output goes to files of their own. */
static pid_t start_one_of_two(size_t index, const char *place) {
    const char *const line = "exec \"$0\" \"$@\" > out-$ONE.txt 2> err-$ONE.txt";
    setenv("ONE", index == 0 ? "0" : "1", 1);
    return start(LIST("sh", "-c", line, TANDA_PROGRAM, TRAIN_IRIS, "--epochs", "1000000000", "--checkpoint",
                      place, "--log", index == 0 ? "log-0.jsonl" : "log-1.jsonl"));
}

Test(places, of_two_that_start_together_one_is_refused) {
    for (size_t i = 0; i < 20; i++) {
        char place[32];
        pid_t children[2];
        snprintf(place, sizeof place, i % 2 == 0 ? "kept-%zu" : "c-%zu.safetensors", i);
        for (size_t k = 0; k < 2; k++)
            children[k] = start_one_of_two(k, place);
        int status = 0;
        const size_t refused = waitpid(-1, &status, 0) == children[0] ? 0 : 1;
        const outcome run = {.status = WIFEXITED(status) ? WEXITSTATUS(status) : -1,
                             .err = file_text(refused == 0 ? "err-0.txt" : "err-1.txt")};
        expect_busy(&run, place, children[1 - refused]);
        wait_for_text(refused == 0 ? "log-1.jsonl" : "log-0.jsonl");
        end(children[1 - refused]);
        cr_expect_eq(count_names(".", "log-"), 1, "both opened their logs");
        cr_assert_eq(system("rm -f log-*.jsonl"), 0);
    }
}

Test(places, dead_process_leaves_no_lock_and_its_unfinished_file_goes) {
    const pid_t first = start_at("kept");
    write_text("kept/step-000000000002.safetensors.unfinished-abcdef", "half of it");
    kill(first, SIGKILL);
    cr_assert_eq(wait_for(first), 128 + SIGKILL);
    cr_assert_eq(access("kept/.lock", F_OK), 0);
    const outcome run = RUN(TRAIN_IRIS, "--checkpoint", "kept");
    cr_expect_eq(run.status, 0, "%s", run.err);
    cr_expect_eq(count_names("kept", "unfinished") + count_names("kept", "lock"), 0);
}

Test(places, file_that_only_has_the_name_of_a_lock_is_left_alone) {
    write_text("c.safetensors.lock", "diary\n");
    const outcome run = RUN(TRAIN_IRIS, "--checkpoint", "c.safetensors");
    cr_expect_eq(run.status, 1);
    cr_expect_str_eq(run.err,
                     "tanda: ./c.safetensors.lock: holds something else than a lock; move it away\n");
    cr_expect_str_eq(file_text("c.safetensors.lock"), "diary\n");
}

/* ---- what is there already ----------------------------------------------------------------------------- */

static void expect_refused(const char *place, const char *reason) {
    char expected[400];
    struct stat before, now;
    cr_assert_eq(stat(place, &before), 0);
    const outcome run = RUN(TRAIN_IRIS, "--epochs", "1", "--checkpoint", place);
    snprintf(expected, sizeof expected, "tanda: checkpoint %s: %s\n", place, reason);
    cr_expect_str_eq(run.err, expected);
    cr_expect_eq(run.status, 2);
    cr_assert_eq(stat(place, &now), 0);
    cr_expect_eq(before.st_ino, now.st_ino);
    cr_expect_eq(before.st_size, now.st_size);
}

#define EARLIER "it holds a checkpoint of an earlier training; resume that, or name another file"
#define OTHER "it holds something else than a checkpoint, which would be replaced; name another file"

Test(places, file_that_holds_something_is_not_replaced) {
    cr_assert_eq(RUN(TRAIN_IRIS, "--checkpoint", "c.safetensors", "--output", "m.safetensors").status, 0);
    write_text("rows.safetensors", "1,2,3\n");
    cr_assert_eq(mkfifo("pipe.safetensors", 0666), 0);
    cr_assert_eq(symlink("c.safetensors", "link.safetensors"), 0);
    expect_refused("c.safetensors", EARLIER);
    expect_refused("link.safetensors", EARLIER);
    expect_refused("m.safetensors", OTHER);
    expect_refused("rows.safetensors", OTHER);
    expect_refused("pipe.safetensors", "it is there and no regular file; name another");
    write_text("empty.safetensors", "");
    cr_expect_eq(RUN(TRAIN_IRIS, "--checkpoint", "empty.safetensors").status, 0);
    cr_expect_eq(RUN("train", "--resume", "c.safetensors", "--epochs", "12", "--quiet").status, 0);
    cr_expect_eq(count_names(".", ".lock"), 0);
}

Test(places, folder_with_a_model_named_best_is_not_mixed_up) {
    cr_assert_eq(mkdir("models", 0777), 0);
    cr_assert_eq(RUN(TRAIN_IRIS, "--output", "models/best.safetensors").status, 0);
    expect_refused("models", "it holds a best.safetensors, which would be replaced; name another folder");
}

Test(places, training_that_does_not_begin_leaves_no_folder) {
    const outcome run = RUN("train", "--data", "nothing.csv", "--checkpoint", "kept");
    cr_expect_eq(run.status, 3);
    cr_expect_neq(access("kept", F_OK), 0);
    cr_expect_eq(RUN("train", "--resume", "nothing").status, 3);
    cr_expect_eq(RUN("train", "--resume", IRIS).status, 3);
    cr_expect_neq(access("nothing", F_OK), 0);
}
