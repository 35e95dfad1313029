/* Checkpoints from outside: what an interrupted training leaves behind, and that it goes on to the same bits. */
#include <sys/resource.h>

#include "background.h"

TestSuite(checkpoints, .init = enter_folder, .fini = leave_folder);

#define MOST 40

/* ---- running ------------------------------------------------------------------------------------------- */

/* tanda train with the arguments of a list that ends in NULL and those of `more`. */
static const char *const *train_arguments(const char *const *list, const char *const *more) {
    static const char *all[MOST];
    size_t count = 0;
    all[count++] = TANDA_PROGRAM;
    all[count++] = "train";
    for (; *list != NULL; list++)
        all[count++] = *list;
    for (; more != NULL && *more != NULL; more++)
        all[count++] = *more;
    cr_assert_lt(count, MOST);
    all[count] = NULL;
    return all;
}
#define LIST(...) ((const char *const[]){__VA_ARGS__, NULL})
#define TRAIN(...) run_to(-1, train_arguments(LIST(__VA_ARGS__), NULL))

static const char *hash_of(const outcome *run) {
    const char *line = strstr(run->out, "weights_sha256: ");
    cr_assert_not_null(line, "%s", run->err);
    char *hash = strndup(line + strlen("weights_sha256: "), 64);
    return kept_texts[kept_count++] = hash;
}

/* ---- the same bits ------------------------------------------------------------------------------------- */

#define INTERRUPTIONS 10

/* Epochs of some 0.2 seconds, so that most points lie inside of one. */
static const char *const slow[] = {"--data",       DIGITS, "--hidden",       "512,128", "--batch", "2",
                                   "--validation", "0.5",  "--restore-best", "yes",     "--quiet", NULL};
#define SLOW_STEPS 449 /* of an epoch: 898 of 1797 rows, 2 a step */

static const char *const machines[][5] = {
    {"--device", "cpu", "--threads", "1"},   {"--device", "cpu", "--threads", "2"}, {"--device", "opencl"},
    {"--device", "cpu", "--isa", "generic"}, {"--device", "cpu", "--threads", "3"},
};
#define MACHINES (sizeof machines / sizeof *machines)

/* Goes on until a signal; where is "--checkpoint" or "--resume". Every machine but the first has all its options. */
static pid_t start_endless(size_t machine, const char *where, const char *place) {
    static const char *more[20];
    size_t count = 0;
    const char *const fixed[] = {"--epochs", "1000000", "--checkpoint-every", "0.05s", where, place};
    for (size_t i = 0; i < sizeof fixed / sizeof *fixed; i++)
        more[count++] = fixed[i];
    for (size_t i = 0; machines[machine % MACHINES][i] != NULL; i++)
        more[count++] = machines[machine % MACHINES][i];
    more[count] = NULL;
    return start(train_arguments(slow, more));
}

/* Ends what is in `place`, and does the same in one go. */
static void expect_same_end(const char *place, unsigned long step) {
    char epochs[32];
    snprintf(epochs, sizeof epochs, "%lu", step / SLOW_STEPS + 2);
    const outcome resumed =
        run_to(-1, train_arguments(slow, LIST("--epochs", epochs, "--resume", place, "--device", "cpu")));
    cr_assert_eq(resumed.status, 0, "%s", resumed.err);
    const outcome whole = run_to(-1, train_arguments(slow, LIST("--epochs", epochs, "--device", "cpu")));
    cr_expect_str_eq(hash_of(&resumed), hash_of(&whole), "after %lu steps", step);
}

Test(checkpoints, signals_and_kills_at_random_points_lose_nothing_and_change_no_bit) {
    unsigned long step = 0, inside = 0;
    for (size_t i = 0; i < INTERRUPTIONS; i++) {
        const int number = (const int[]){SIGKILL, SIGINT, SIGKILL, SIGTERM}[i % 4];
        const pid_t child = start_endless(i, i == 0 ? "--checkpoint" : "--resume", "kept");
        wait_for_checkpoint("kept", step);
        pause_for(0.3 * rand() / RAND_MAX);
        cr_assert_eq(kill(child, number), 0);
        const int status = wait_for(child);
        cr_assert_eq(status, number == SIGKILL ? 128 + SIGKILL : 130, "exit %d: %s", status,
                     file_text("err.txt"));
        const unsigned long now = newest_step("kept", NULL);
        cr_assert_gt(now, step, "a checkpoint was lost");
        step = now;
        inside += step % SLOW_STEPS != 0;
    }
    cr_expect_gt(inside, 0, "no point lay inside of an epoch");
    expect_same_end("kept", step);
}

Test(checkpoints, one_file_is_whole_whenever_the_process_is_killed) {
    static const char *const place = "one.safetensors";
    unsigned long step = 0;
    for (size_t i = 0; i < INTERRUPTIONS; i++) {
        const pid_t child = start_endless(0, i == 0 ? "--checkpoint" : "--resume", place);
        struct stat before = {0}, now = {0};
        stat(place, &before);
        while (stat(place, &now) != 0 || now.st_ino == before.st_ino)
            pause_for(0.002);
        pause_for(0.2 * rand() / RAND_MAX);
        kill(child, SIGKILL);
        wait_for(child);
        json_t *whole = RUN_JSON("evaluate", place, "--data", DIGITS); /* checks all sums */
        json_decref(whole);
    }
    const pid_t child = start_endless(1, "--resume", place);
    pause_for(0.5);
    kill(child, SIGINT);
    cr_assert_eq(wait_for(child), 130);
    const char *told = file_text("err.txt");
    unsigned long epoch = 0;
    cr_assert_eq(sscanf(told, "tanda: interrupted after epoch %lu, step %lu of", &epoch, &step), 2, "%s",
                 told);
    expect_same_end(place, epoch * SLOW_STEPS);
    DIR *folder = opendir(".");
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;)
        cr_expect_null(strstr(entry->d_name, "unfinished"), "%s is left", entry->d_name);
    closedir(folder);
}

/* ---- damage and differences ---------------------------------------------------------------------------- */

static void damage(const char *path, long place, int bit) {
    FILE *file = fopen(path, "r+b");
    cr_assert_not_null(file);
    fseek(file, place, place < 0 ? SEEK_END : SEEK_SET);
    const int byte = fgetc(file);
    fseek(file, place, place < 0 ? SEEK_END : SEEK_SET);
    fputc(byte ^ 1 << bit, file);
    fclose(file);
}

#define BRIEF "--hidden", "8", "--restore-best", "yes", "--quiet", "--device", "cpu"
#define QUICK "--data", IRIS, BRIEF

Test(checkpoints, damaged_one_is_named_and_the_one_before_is_taken) {
    char path[300] = "", begin[400], resumed[400];
    cr_assert_eq(TRAIN(QUICK, "--epochs", "6", "--checkpoint", "kept", "--checkpoint-every", "2").status, 0);
    cr_assert_eq(newest_step("kept", path), 30);
    damage(path, -1, 3); /* the last byte belongs to the best weights */
    const outcome run = run_to(-1, (const char *const[]){TANDA_PROGRAM, "train", "--data", IRIS, "--hidden",
                                                         "8", "--restore-best", "yes", "--epochs", "6",
                                                         "--resume", "kept", "--device", "cpu", NULL});
    snprintf(begin, sizeof begin, "note: %s: damaged: checkpoint_sha256 is ", path);
    cr_expect_eq(strncmp(run.err, begin, strlen(begin)), 0, "%s", run.err);
    cr_expect_not_null(strstr(run.err, "; the checkpoint before it is taken\n"), "%s", run.err);
    snprintf(resumed, sizeof resumed,
             "note: resumed from kept/step-000000000020.safetensors, after epoch 4, step 5 of 5\n");
    cr_expect_not_null(strstr(run.err, resumed), "%s", run.err);
    cr_expect_eq(run.status, 0);
    const outcome whole = TRAIN(QUICK, "--epochs", "6");
    cr_expect_str_eq(hash_of(&run), hash_of(&whole));
}

Test(checkpoints, every_damaged_byte_is_noticed) {
    cr_assert_eq(TRAIN(QUICK, "--epochs", "2", "--checkpoint", "c.safetensors").status, 0);
    struct stat file;
    cr_assert_eq(stat("c.safetensors", &file), 0);
    for (long place = 0; place < file.st_size; place += 37) {
        damage("c.safetensors", place, (int)(place % 8));
        const outcome run = TRAIN(QUICK, "--epochs", "2", "--resume", "c.safetensors");
        cr_expect_eq(run.status, 3, "byte %ld: exit %d: %s", place, run.status, run.err);
        damage("c.safetensors", place, (int)(place % 8));
        free(kept_texts[--kept_count]);
        free(kept_texts[--kept_count]);
    }
    cr_assert_eq(TRAIN(QUICK, "--epochs", "2", "--resume", "c.safetensors").status, 0);
}

Test(checkpoints, flag_that_differs_is_named) {
    static const struct {
        const char *flag, *value, *told;
    } cases[] = {
        {"--learning-rate", "0.2", "--learning-rate: 0.2 here, but 0.1 in the checkpoint kept/"},
        {"--seed", "3", "--seed: 3 here, but 0 in the checkpoint kept/"},
        {"--batch", "16", "--batch: 16 here, but 32 in the checkpoint kept/"},
        {"--batch", "full", "--batch: full here, but 32 in the checkpoint kept/"},
        {"--shuffle", "none", "--shuffle: none here, but full in the checkpoint kept/"},
        {"--shuffle", "window", "--shuffle: window here, but full in the checkpoint kept/"},
        {"--patience", "4", "--patience: 4 here, but 0 in the checkpoint kept/"},
        {"--min-delta", "0.5", "--min-delta: 0.5 here, but 0.0 in the checkpoint kept/"},
        {"--validation", "0.2", "--validation: 0.2 here, but not given in the checkpoint kept/"},
    };
    cr_assert_eq(TRAIN(QUICK, "--epochs", "2", "--checkpoint", "kept").status, 0);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const outcome run = TRAIN(QUICK, "--epochs", "2", "--resume", "kept", cases[i].flag, cases[i].value);
        cr_expect_eq(run.status, 2);
        cr_expect_eq(strncmp(run.err + strlen("tanda: "), cases[i].told, strlen(cases[i].told)), 0, "%s",
                     run.err);
        cr_expect_eq(count_lines(run.err), 1);
    }
}

Test(checkpoints, other_data_is_refused_and_moved_data_is_not) {
    cr_assert_eq(TRAIN(QUICK, "--epochs", "2", "--checkpoint", "c.safetensors").status, 0);
    char *text = file_text(IRIS);
    write_text("moved.csv", text);
    *strstr(text, "5.1") = '6';
    write_text("other.csv", text);
    cr_expect_eq(TRAIN(BRIEF, "--epochs", "3", "--resume", "c.safetensors", "--data", "moved.csv").status, 0);
    const outcome run = TRAIN(BRIEF, "--epochs", "3", "--resume", "c.safetensors", "--data", "other.csv");
    cr_expect_eq(run.status, 2);
    cr_expect_str_eq(run.err,
                     "tanda: c.safetensors: its training set has as many rows and features as this one, but "
                     "other values, scaling or labels\n");
    const outcome fewer = TRAIN(QUICK, "--epochs", "1", "--resume", "c.safetensors");
    cr_expect_eq(fewer.status, 2, "%s", fewer.err);
    const outcome model = TRAIN(QUICK, "--epochs", "1", "--output", "m.safetensors");
    cr_assert_eq(model.status, 0);
    cr_expect_eq(TRAIN(QUICK, "--resume", "m.safetensors").status, 3);
    cr_expect_eq(TRAIN(QUICK, "--resume", "nothing").status, 3);
}

Test(checkpoints, folder_of_another_training_is_not_mixed_up) {
    cr_assert_eq(TRAIN(QUICK, "--epochs", "2", "--checkpoint", "kept").status, 0);
    const outcome run = TRAIN(QUICK, "--epochs", "2", "--checkpoint", "kept");
    cr_expect_str_eq(run.err,
                     "tanda: checkpoint kept: it holds checkpoints of an earlier training; resume that, or "
                     "name another folder\n");
    cr_expect_eq(run.status, 2);
}

Test(checkpoints, finished_training_can_be_given_more_epochs) {
    cr_assert_eq(TRAIN(QUICK, "--epochs", "3", "--checkpoint", "kept", "--output", "three").status, 0);
    const outcome again = TRAIN(QUICK, "--epochs", "3", "--resume", "kept", "--output", "again");
    cr_expect_eq(again.status, 0, "%s", again.err);
    const outcome more = TRAIN(QUICK, "--epochs", "7", "--resume", "kept", "--output", "resumed");
    const outcome whole = TRAIN(QUICK, "--epochs", "7", "--output", "whole");
    cr_expect_str_eq(hash_of(&more), hash_of(&whole));
    cr_expect_eq(system("cmp three again && cmp resumed whole"), 0, "the files differ");
}

Test(checkpoints, folder_keeps_the_last_ones_and_the_best_and_all_are_models) {
    cr_assert_eq(TRAIN(QUICK, "--epochs", "9", "--checkpoint", "kept", "--checkpoint-every", "1", "--keep",
                       "4", "--output", "best")
                     .status,
                 0);
    static const char *const names[] = {"step-000000000030.safetensors", "step-000000000035.safetensors",
                                        "step-000000000040.safetensors", "step-000000000045.safetensors",
                                        "best.safetensors"};
    size_t count = 0;
    DIR *folder = opendir("kept");
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;)
        count += entry->d_name[0] != '.';
    closedir(folder);
    cr_expect_eq(count, sizeof names / sizeof *names);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char path[64];
        snprintf(path, sizeof path, "kept/%s", names[i]);
        cr_expect_eq(RUN("evaluate", path, "--data", IRIS, "--quiet").status, 0, "%s", path);
        cr_expect_eq(RUN("predict", path, "--data", IRIS, "--quiet").status, 0, "%s", path);
    }
    cr_expect_eq(system("cmp best kept/best.safetensors"), 0);
}

Test(checkpoints, folder_of_checkpoints_does_not_change_the_weights) {
    static const char *const restore[] = {"no", "yes"}, *hashes[2];
    for (size_t i = 0; i < 2; i++) {
        char place[32];
        snprintf(place, sizeof place, "kept-%s", restore[i]);
        const char *const training[] = {
            "--data", DIGITS,           "--hidden", "32",       "--validation", "0.3",     "--epochs",
            "120",    "--restore-best", restore[i], "--device", "cpu",          "--quiet", NULL};
        const outcome without = run_to(-1, train_arguments(training, NULL));
        const outcome with = run_to(-1, train_arguments(training, LIST("--checkpoint", place)));
        cr_expect_str_eq(hash_of(&with), hash_of(&without), "--restore-best %s", restore[i]);
        hashes[i] = hash_of(&without);
    }
    cr_expect_str_neq(hashes[0], hashes[1], "the last epoch is the best: nothing is tested");
}

Test(checkpoints, inspect_tells_how_far_one_is) {
    cr_assert_eq(TRAIN(QUICK, "--epochs", "3", "--checkpoint", "c.safetensors").status, 0);
    const outcome lines = RUN("inspect", "c.safetensors");
    cr_expect_not_null(
        strstr(lines.out, "\nCheckpoint: 15 steps done, 3 epochs and 0 of 5 steps; best epoch 3, "), "%s",
        lines.out);
    json_t *object = RUN_JSON("inspect", "c.safetensors");
    cr_expect_eq(json_figure(json_object_get(object, "checkpoint"), "step"), 15);
    json_decref(object);
}

/* ---- logs ---------------------------------------------------------------------------------------------- */

Test(checkpoints, csv_log_of_a_resumed_training_is_that_of_one_in_one_go) {
    cr_assert_eq(TRAIN(QUICK, "--epochs", "9", "--csv-log", "whole.csv").status, 0);
    cr_assert_eq(
        TRAIN(QUICK, "--epochs", "4", "--checkpoint", "c.safetensors", "--csv-log", "log.csv").status, 0);
    cr_assert_eq(rename("c.safetensors", "four.safetensors"), 0);
    cr_assert_eq(TRAIN(QUICK, "--epochs", "7", "--resume", "four.safetensors", "--checkpoint",
                       "c.safetensors", "--csv-log", "log.csv")
                     .status,
                 0);
    /* Epochs 5 to 7 are logged and lost; a killed process leaves half a line, too. */
    FILE *log = fopen("log.csv", "a");
    fputs("7,0.9", log);
    fclose(log);
    cr_assert_eq(TRAIN(QUICK, "--epochs", "9", "--resume", "four.safetensors", "--csv-log", "log.csv").status,
                 0);
    cr_expect_eq(system("cmp whole.csv log.csv"), 0);
}

/* ---- disks that fail ----------------------------------------------------------------------------------- */

#define NOT_SAVED "tanda: checkpoint not saved after epoch "

static void expect_unsaved(const outcome *run, const char *reason) {
    cr_expect_eq(strncmp(run->err, NOT_SAVED, strlen(NOT_SAVED)), 0, "%s", run->err);
    cr_expect_not_null(strstr(run->err, reason), "%s", run->err);
    cr_expect_null(strstr(run->err, "saved in"), "%s", run->err);
    cr_expect_null(strstr(run->err, "\nsaved "), "%s", run->err);
    cr_expect_eq(count_lines(run->err), 2, "%s", run->err); /* once, and at the end */
    cr_expect_not_null(strstr(run->out, "weights_sha256: "));
    cr_expect_eq(run->status, 1);
}

Test(checkpoints, full_disk_is_told_once_and_the_training_ends_with_exit_1) {
    const struct rlimit limit = {.rlim_cur = 2000, .rlim_max = RLIM_INFINITY};
    cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
    const outcome run =
        TRAIN(QUICK, "--epochs", "9", "--checkpoint", "c.safetensors", "--checkpoint-every", "1");
    expect_unsaved(&run, "c.safetensors: cannot be written: File too large; the training goes on\n");
    DIR *folder = opendir(".");
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;)
        cr_expect_null(strstr(entry->d_name, "safetensors"), "%s is left", entry->d_name);
    closedir(folder);
}

/* In a mount of its own, where that is allowed: a shell line that runs before tanda in folder `disk`. */
static bool can_mount(void) {
    if (system("unshare -rm sh -c 'mkdir -p probe && mount -t tmpfs none probe' 2>/dev/null") == 0)
        return true;
    fprintf(stderr, "SKIPPED: no mounts in a user namespace here\n");
    return false;
}

static outcome run_mounted(const char *options, const char *rest) {
    char line[1200];
    snprintf(line, sizeof line,
             "unshare -rm sh -c 'mkdir -p disk && mount -t tmpfs -o %s none disk && exec %s train --data %s "
             "--hidden 8 "
             "--quiet --device cpu --epochs 9 --checkpoint-every 1 %s' > out.txt 2> err.txt",
             options, TANDA_PROGRAM, IRIS, rest);
    const int status = system(line);
    return (outcome){.status = WEXITSTATUS(status), .out = file_text("out.txt"), .err = file_text("err.txt")};
}

Test(checkpoints, full_file_system_is_told_once_and_the_training_ends_with_exit_1) {
    if (!can_mount()) return;
    const outcome run = run_mounted("size=4k", "--checkpoint disk/c.safetensors");
    expect_unsaved(&run, "No space left on device; the training goes on\n");
}

Test(checkpoints, read_only_folder_is_refused_before_the_training) {
    if (!can_mount()) return;
    const outcome run = run_mounted("ro", "--checkpoint disk/c.safetensors");
    cr_expect_str_eq(run.err,
                     "tanda: --checkpoint disk/c.safetensors: cannot be written: Read-only file system\n");
    cr_expect_eq(run.status, 1);
    const outcome folder = run_mounted("ro", "--checkpoint disk/kept");
    cr_expect_str_eq(folder.err,
                     "tanda: --checkpoint disk/kept: the folder cannot be made: Read-only file system\n");
    cr_expect_eq(folder.status, 1);
}

Test(checkpoints, vanished_folder_is_told_and_an_interruption_does_not_claim_to_have_saved) {
    const pid_t child = start_endless(0, "--checkpoint", "kept");
    wait_for_checkpoint("kept", 0);
    cr_assert_eq(rename("kept", "elsewhere"), 0);
    pause_for(1.0);
    kill(child, SIGINT);
    cr_expect_eq(wait_for(child), 1);
    const char *told = file_text("err.txt");
    cr_expect_eq(strncmp(told, NOT_SAVED, strlen(NOT_SAVED)), 0, "%s", told);
    cr_expect_not_null(strstr(told, "No such file or directory; the training goes on\n"), "%s", told);
    cr_expect_not_null(strstr(told, "; NOT saved, kept cannot be written\n"), "%s", told);
    cr_expect_gt(newest_step("elsewhere", NULL), 0);
}

/* ---- power failures ------------------------------------------------------------------------------------ */

/* The line of a system call that begins with `call` and has `part` in it, from `from` on; NULL for none. */
static const char *find_call(const char *from, const char *call, const char *part) {
    for (const char *line = from; line != NULL && *line != '\0'; line = strchr(line, '\n')) {
        line += *line == '\n';
        const char *name = line + strspn(line, "0123456789 "), *end = strchr(line, '\n');
        const char *found = strstr(line, part);
        if (strncmp(name, call, strlen(call)) == 0 && found != NULL && (end == NULL || found < end))
            return line;
    }
    return NULL;
}

/* Data first, then the name, then the folder that holds the name: whatever is lost, a whole file is there. */
Test(checkpoints, file_is_flushed_then_renamed_and_then_its_folder_is_flushed) {
    char line[600];
    snprintf(line, sizeof line,
             "strace -f -y -o trace.txt -e trace=fsync,rename,write %s train --data %s --epochs 2 --device "
             "cpu --quiet "
             "--threads 1 --checkpoint kept > out.txt 2>&1",
             TANDA_PROGRAM, IRIS);
    if (system("strace -o probe.txt true > probe.err 2>&1") != 0) {
        fprintf(stderr, "SKIPPED: strace cannot be used here\n");
        return;
    }
    cr_assert_eq(system(line), 0);
    const char *trace = file_text("trace.txt");
    const char *write = find_call(trace, "write(", "step-000000000010.safetensors.unfinished-");
    cr_assert_not_null(write, "%s", trace);
    const char *flush = find_call(write, "fsync(", "step-000000000010.safetensors.unfinished-");
    cr_assert_not_null(flush, "the file is not flushed");
    cr_expect_null(find_call(flush, "write(", ".unfinished-"), "written to after it was flushed");
    const char *name = find_call(flush, "rename(", "step-000000000010.safetensors\"");
    cr_assert_not_null(name, "not renamed after it was flushed");
    cr_expect_not_null(find_call(name, "fsync(", "/kept>"), "its folder is not flushed after that");
}
