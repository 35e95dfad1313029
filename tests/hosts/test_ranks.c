/* Several processes train together by MPI, evaluate and predict, to the bits of one; and what becomes of all when one has a fault. */
#include <math.h>

#include "background.h"

static void begin(void) {
    enter_folder();
    setenv("OMPI_MCA_orte_tmpdir_base", test_folder, 1); /* two that begin at a time quarrel about /tmp */
    setenv("OMPI_ALLOW_RUN_AS_ROOT", "1", 1);
    setenv("OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", "1", 1);
    setenv("OMPI_MCA_mpi_yield_when_idle", "1", 1);
    setenv("OMPI_MCA_rmaps_base_oversubscribe", "1", 1);
    setenv("OMPI_MCA_hwloc_base_binding_policy", "none", 1);
}

TestSuite(ranks, .init = begin, .fini = leave_folder, .timeout = 390);

/* ---- launching ------------------------------------------------------------------------------------------- */

typedef enum mpi { OPENMPI, MPICH, MPIS } mpi;
static const char *const launchers[] = {"mpirun.openmpi", "mpirun.mpich"};
static const char *const plugins[] = {"tanda_openmpi.so", "tanda_mpich.so"};

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define HAS_SANITIZER true
#elif defined(__has_feature)
#define HAS_SANITIZER (__has_feature(address_sanitizer) || __has_feature(thread_sanitizer))
#else
#define HAS_SANITIZER false
#endif

static bool is_there(mpi mpi) {
    char command[1200];
    if (HAS_SANITIZER) {
        printf("SKIPPED: sanitizers tell of MPI's own memory and threads\n");
        return false;
    }
    snprintf(command, sizeof command, "command -v %s >/dev/null && test -f \"$(dirname %s)/%s\"",
             launchers[mpi], TANDA_PROGRAM, plugins[mpi]);
    const bool is_there = system(command) == 0;
    if (!is_there) printf("SKIPPED: there is no %s, or it had no plug-in built\n", launchers[mpi]);
    return is_there;
}

#define MOST_ARGUMENTS 64

/* Each rank writes its process number to pid.RANK; what stands before a "/" is for rank 0, behind it for the others. */
static pid_t launch(mpi mpi, size_t ranks, const char *const *arguments) {
    static const char leave_pid[] = "echo $$ >pid.${OMPI_COMM_WORLD_RANK:-$PMI_RANK}; exec \"$0\" \"$@\"";
    static char counts[2][24];
    const char *words[2 * MOST_ARGUMENTS] = {launchers[mpi]};
    size_t used = 1, split = 0;
    while (arguments[split] != NULL && strcmp(arguments[split], "/") != 0)
        split++;
    const bool differs = arguments[split] != NULL;
    for (size_t part = 0; part < (differs ? 2 : 1); part++) {
        const char *const *own = part == 0 ? arguments : arguments + split + 1;
        snprintf(counts[part], sizeof counts[part], "%zu", !differs ? ranks : part == 0 ? 1 : ranks - 1);
        if (part > 0) words[used++] = ":";
        const char *const begin[] = {"-np", counts[part], "sh", "-c", leave_pid, TANDA_PROGRAM};
        for (size_t i = 0; i < sizeof begin / sizeof *begin; i++)
            words[used++] = begin[i];
        for (size_t i = 0; own[i] != NULL && strcmp(own[i], "/") != 0; i++)
            words[used++] = own[i];
        cr_assert_lt(used, MOST_ARGUMENTS * 2 - 10);
    }
    return start(words);
}

static outcome run_on(mpi mpi, size_t ranks, const char *const *arguments) {
    const int status = wait_for(launch(mpi, ranks, arguments));
    return (outcome){.status = status, .out = file_text("out.txt"), .err = file_text("err.txt")};
}

#define LIST(...) ((const char *const[]){__VA_ARGS__, NULL})
#define RUN_ON(mpi, ranks, ...) run_on(mpi, ranks, LIST(__VA_ARGS__))

static pid_t pid_of_rank(size_t rank) {
    char path[32];
    int pid = 0;
    snprintf(path, sizeof path, "pid.%zu", rank);
    wait_for_text(path);
    FILE *file = fopen(path, "r");
    cr_assert(file != NULL && fscanf(file, "%d", &pid) == 1);
    fclose(file);
    return pid;
}

static const char *hash_of(const outcome *run) {
    static const char word[] = "weights_sha256: ";
    const char *at = strstr(run->out, word);
    cr_assert_eq(run->status, 0, "exit %d: %s", run->status, run->err);
    cr_assert_not_null(at, "%s", run->out);
    cr_assert_null(strstr(at + 1, word), "more than one rank tells: %s", run->out);
    return at + sizeof word - 1;
}

static void expect_equal(const outcome *one, const outcome *several, const char *what, mpi mpi,
                         size_t ranks) {
    cr_expect_eq(strncmp(hash_of(one), hash_of(several), 64), 0, "%s, %zu ranks of %s: %.64s, alone %.64s",
                 what, ranks, launchers[mpi], hash_of(several), hash_of(one));
}

/* ---- equal bits ------------------------------------------------------------------------------------------- */

#define ON_CPU "--device", "cpu,threads=1", "--quiet"
#define DIGITS_OF(...) "train", DIGITS, ON_CPU, __VA_ARGS__, NULL

/* A batch of 1024 rows is 4 tiles, the last one of an epoch 773 rows; all rows are 8 tiles. */
static const struct training {
    const char *what;
    const char *arguments[32];
} trainings[] = {
    {"Adam", {DIGITS_OF("--hidden", "24", "--batch", "1024", "--epochs", "3", "--optimizer", "adam")}},
    {"dropout", {DIGITS_OF("--hidden", "24", "--batch", "1024", "--epochs", "3", "--dropout", "0.4")}},
    {"clip-norm",
     {DIGITS_OF("--hidden", "20,30", "--batch", "600", "--epochs", "3", "--clip-norm", "0.1", "--optimizer",
                "nesterov")}},
    {"L-BFGS", {DIGITS_OF("--hidden", "8", "--optimizer", "lbfgs", "--epochs", "6", "--l2", "0.01")}},
    {"sample weights",
     {DIGITS_OF("--batch", "900", "--epochs", "3", "--sample-weight", "p2", "--class-weight", "balanced")}},
    {"early stopping",
     {DIGITS_OF("--hidden", "24", "--batch", "700", "--epochs", "40", "--validation", "0.3", "--patience",
                "1", "--learning-rate", "4", "--schedule", "plateau")}},
    {"windows",
     {DIGITS_OF("--hidden", "24", "--batch", "1000", "--epochs", "3", "--shuffle", "window",
                "--shuffle-block", "64", "--shuffle-window", "256")}},
    {"full batch", {DIGITS_OF("--batch", "full", "--epochs", "25", "--report-every", "9")}},
    {"5,000 classes",
     {"train", "synthetic:blobs,rows=6000,features=3,classes=5000", ON_CPU, "--batch", "1024", "--epochs",
      "1", "--optimizer", "rmsprop", NULL}},
    {"a network whose slices travel",
     {DIGITS_OF("--hidden", "150,120", "--batch", "1300", "--epochs", "2", "--optimizer", "adamw")}},
};
#define TRAININGS (sizeof trainings / sizeof *trainings)

static void compare(const struct training *training, mpi mpi, const size_t *ranks, size_t count) {
    const char *alone[MOST_ARGUMENTS] = {TANDA_PROGRAM};
    if (!is_there(mpi)) return;
    memcpy(alone + 1, training->arguments, sizeof training->arguments);
    const outcome one = run_to(-1, alone);
    for (size_t i = 0; i < count; i++) {
        const outcome several = run_on(mpi, ranks[i], training->arguments);
        expect_equal(&one, &several, training->what, mpi, ranks[i]);
    }
}

Test(ranks, of_any_number_give_one_hash_on_open_mpi) {
    static const size_t ranks[] = {1, 2, 3, 4, 5, 7, 8};
    compare(&trainings[0], OPENMPI, ranks, sizeof ranks / sizeof *ranks);
}

Test(ranks, of_any_number_give_one_hash_on_mpich) {
    static const size_t ranks[] = {1, 2, 3, 4, 5, 7, 8};
    compare(&trainings[0], MPICH, ranks, sizeof ranks / sizeof *ranks);
}

Test(ranks, give_one_hash_for_every_kind_of_training_on_open_mpi) {
    static const size_t ranks[] = {2, 5};
    for (size_t i = 1; i < TRAININGS; i++)
        compare(&trainings[i], OPENMPI, ranks, 2);
}

Test(ranks, give_one_hash_for_every_kind_of_training_on_mpich) {
    static const size_t ranks[] = {3, 4};
    for (size_t i = 1; i < TRAININGS; i++)
        compare(&trainings[i], MPICH, ranks, 2);
}

#define NETWORK \
    "--hidden", "24", "--batch", "1024", "--epochs", "3", "--dropout", "0.2", "--optimizer", "adam"

Test(ranks, may_have_devices_of_several_kinds) {
    const outcome one = RUN("train", DIGITS, ON_CPU, NETWORK);
    if (RUN("train", IRIS, "--device", "opencl", "--require-device", "--epochs", "1").status != 0) {
        printf("SKIPPED: there is no OpenCL device\n");
        return;
    }
    for (mpi mpi = OPENMPI; mpi < MPIS; mpi++) {
        if (!is_there(mpi)) continue;
        const outcome pocl = RUN_ON(mpi, 2, "train", DIGITS, NETWORK, "--device", "opencl", "--quiet");
        expect_equal(&one, &pocl, "on PoCL", mpi, 2);
        const outcome mixed = RUN_ON(mpi, 3, "train", DIGITS, NETWORK, "--device", "cpu", "/", "train",
                                     DIGITS, NETWORK, "--device", "opencl");
        expect_equal(&one, &mixed, "on OpenMP and PoCL", mpi, 3);
        cr_expect_not_null(strstr(mixed.err, "1 of cpu, 2 of opencl:"), "%s", mixed.err);
    }
}

Test(ranks, make_folds_that_one_process_makes) {
    const outcome one = RUN("train", DIGITS, ON_CPU, "--batch", "600", "--epochs", "2", "--folds", "3");
    for (mpi mpi = OPENMPI; mpi < MPIS; mpi++) {
        if (!is_there(mpi)) continue;
        const outcome several =
            RUN_ON(mpi, 2, "train", DIGITS, ON_CPU, "--batch", "600", "--epochs", "2", "--folds", "3");
        cr_expect_eq(several.status, 0, "%s", several.err);
        cr_expect_str_eq(several.out, one.out);
    }
}

/* Each rank reads its own rows, in sections of several batches or of parts of one; a third has none of two tiles. */
Test(ranks, of_rows_beyond_memory_give_the_hash_of_one_that_has_them) {
#define STREAMED "train", "b.npy", "--labels", "l.npy", ON_CPU, "--hidden", "8", "--epochs", "2"
#define WINDOWS "--shuffle", "window", "--shuffle-block", "64", "--shuffle-window", "2048"
    const outcome made = RUN("generate", "blobs", "--rows", "20005", "--features", "12", "--output", "b.npy",
                             "--labels", "l.npy");
    cr_assert_eq(made.status, 0, "%s", made.err);
    const outcome small = RUN(STREAMED, WINDOWS, "--batch", "300"), all = RUN(STREAMED, "--batch", "full");
    for (mpi mpi = OPENMPI; mpi < MPIS; mpi++) {
        if (!is_there(mpi)) continue;
        const outcome three = RUN_ON(mpi, 3, STREAMED, WINDOWS, "--batch", "300", "--memory", "600K");
        expect_equal(&small, &three, "streamed", mpi, 3);
        const outcome five = RUN_ON(mpi, 5, STREAMED, "--batch", "full", "--memory", "200K");
        expect_equal(&all, &five, "streamed, a full batch", mpi, 5);
    }
}

/* ---- what rank 0 does for all ----------------------------------------------------------------------------- */

Test(ranks, write_one_model_and_one_log) {
    for (mpi mpi = OPENMPI; mpi < MPIS; mpi++) {
        if (!is_there(mpi)) continue;
        const outcome run =
            RUN_ON(mpi, 3, "train", DIGITS, "--device", "cpu,threads=1", "--batch", "512", "--epochs", "2",
                   "--output", "model.safetensors", "--log", "log.jsonl", "--json");
        cr_assert_eq(run.status, 0, "%s", run.err);
        json_t *object = only_object(&run);
        cr_expect_eq(json_figure(object, "ranks"), 3);
        json_decref(object);
        cr_expect_eq(count_lines(file_text("log.jsonl")), 3);
        cr_expect_not_null(
            strstr(run.err, "a batch of 512 rows is 2 tiles of 256 rows: only 2 of 3 ranks have work"), "%s",
            run.err);
        const outcome judged = RUN("evaluate", "model.safetensors", "--data", DIGITS);
        const outcome by_ranks = RUN_ON(mpi, 2, "evaluate", "model.safetensors", "--data", DIGITS);
        cr_expect_eq(by_ranks.status, 0, "%s", by_ranks.err);
        cr_expect_str_eq(by_ranks.out, judged.out);
    }
}

/* ---- evaluate and predict -------------------------------------------------------------------------------- */

/* Of several ranks, to the byte what it is of one process; `path`, if not NULL, is what they write. */
static void expect_same(const char *const *arguments, const char *path) {
    const char *alone[MOST_ARGUMENTS] = {TANDA_PROGRAM};
    for (size_t i = 0; arguments[i] != NULL; i++)
        alone[i + 1] = arguments[i];
    const outcome one = run_to(-1, alone);
    cr_assert_eq(one.status, 0, "%s", one.err);
    if (path != NULL) cr_assert_eq(rename(path, "alone"), 0);
    for (mpi mpi = OPENMPI; mpi < MPIS; mpi++) {
        if (!is_there(mpi)) continue;
        const outcome several = run_on(mpi, mpi == OPENMPI ? 2 : 3, arguments);
        cr_expect_eq(several.status, 0, "%s", several.err);
        cr_expect_str_eq(several.out, one.out);
        if (path == NULL) continue;
        cr_expect_eq(system("cmp -s alone written.*"), 0);
        cr_assert_eq(remove(path), 0);
    }
}

#define BLOBS "synthetic:blobs,rows=9000,features=5,classes=2,seed=3"
#define DIGITS_USED "d.safetensors", "--data", DIGITS, ON_CPU
#define USED_BLOBS "m.safetensors", "--data", BLOBS, ON_CPU

Test(ranks, evaluate_as_one_process_does) {
    cr_assert_eq(RUN("train", BLOBS, ON_CPU, "--epochs", "2", "--output", "m.safetensors").status, 0);
    cr_assert_eq(RUN("train", DIGITS, ON_CPU, "--epochs", "2", "--output", "d.safetensors").status, 0);
    expect_same(LIST("evaluate", DIGITS_USED, "--top-k", "3"), NULL);
    expect_same(LIST("evaluate", DIGITS_USED, "--memory", "300K", "--data-cache", "kept"), NULL);
    expect_same(LIST("evaluate", USED_BLOBS), NULL);
    expect_same(LIST("evaluate", USED_BLOBS, "--memory", "40K"), NULL);
}

Test(ranks, evaluate_rows_that_only_some_have_in_memory) {
    cr_assert_eq(RUN("train", DIGITS, ON_CPU, "--epochs", "2", "--output", "d.safetensors").status, 0);
    const outcome one = RUN("evaluate", DIGITS_USED);
    for (mpi mpi = OPENMPI; mpi < MPIS; mpi++) {
        if (!is_there(mpi)) continue;
        const outcome mixed = RUN_ON(mpi, 3, "evaluate", DIGITS_USED, "/", "evaluate", DIGITS_USED,
                                     "--memory", "300K", "--data-cache", "kept");
        cr_expect_eq(mixed.status, 0, "%s", mixed.err);
        cr_expect_str_eq(mixed.out, one.out);
    }
}

Test(ranks, predict_as_one_process_does) {
    cr_assert_eq(RUN("train", BLOBS, ON_CPU, "--epochs", "2", "--output", "m.safetensors").status, 0);
    expect_same(LIST("predict", USED_BLOBS), NULL);
    expect_same(LIST("predict", USED_BLOBS, "--memory", "40K", "--output", "written.csv"), "written.csv");
    expect_same(LIST("predict", "m.safetensors", "--data",
                     "synthetic:blobs,rows=1700000,features=5,classes=2,seed=3", ON_CPU, "--output",
                     "written.npy"),
                "written.npy"); /* in several rounds */
    expect_same(LIST("predict", USED_BLOBS, "--json"), NULL);
}

Test(ranks, verify_and_record_as_one_process_does) {
    cr_assert_eq(RUN("record", IRIS, ON_CPU, "--epochs", "3", "--output", "alone.golden").status, 0);
    for (mpi mpi = OPENMPI; mpi < MPIS; mpi++) {
        if (!is_there(mpi)) continue;
        cr_expect_eq(
            RUN_ON(mpi, 2, "record", IRIS, ON_CPU, "--epochs", "3", "--output", "ranks.golden").status, 0);
        cr_expect_str_eq(file_text("ranks.golden"), file_text("alone.golden"));
        const outcome verified = RUN_ON(mpi, 2, "verify", "--golden", "alone.golden", "--device", "cpu");
        cr_expect_eq(verified.status, 0, "%s", verified.err);
    }
}

Test(ranks, of_no_mpi_are_programs_of_their_own) {
    if (!is_there(OPENMPI)) return;
    const outcome run = RUN_ON(OPENMPI, 2, "train", IRIS, ON_CPU, "--epochs", "2", "--mpi", "no");
    const char *first = strstr(run.out, "weights_sha256: ");
    cr_assert_not_null(first);
    cr_expect_not_null(strstr(first + 1, "weights_sha256: "), "%s", run.out);
}

/* ---- faults ------------------------------------------------------------------------------------------------ */

/* One line of tanda's, whatever the launcher adds. */
static void expect_told(const outcome *run, int status, const char *words) {
    static const char name[] = "tanda: ";
    const char *at = strstr(run->err, name);
    cr_expect_eq(run->status, status, "exit %d: %s", run->status, run->err);
    cr_expect_not_null(strstr(run->err, words), "'%s' is not in: %s", words, run->err);
    cr_expect(at != NULL && strstr(at + 1, name) == NULL, "not one line: %s", run->err);
}

Test(ranks, that_differ_are_named) {
    char *other = file_text(IRIS);
    *strrchr(strstr(other, "5.1"), '1') = '2';
    write_text("other.csv", other);
    for (mpi mpi = OPENMPI; mpi < MPIS; mpi++) {
        if (!is_there(mpi)) continue;
        outcome run = RUN_ON(mpi, 3, "train", IRIS, ON_CPU, "/", "train", "other.csv", ON_CPU);
        expect_told(&run, 2, "rank 1 (");
        cr_expect_not_null(strstr(run.err, "its training data: "), "%s", run.err);
        run = RUN_ON(mpi, 2, "train", IRIS, ON_CPU, "/", "train", IRIS, ON_CPU, "--learning-rate", "0.3");
        expect_told(&run, 2, "its learning_rate: 0.3; rank 0 has 0.1");
        run = RUN_ON(mpi, 2, "train", IRIS, ON_CPU, "/", "train", IRIS, ON_CPU, "--hidden", "3");
        expect_told(&run, 2, "its model: \"4 -> relu 3 -> softmax 3\"");
    }
}

Test(ranks, that_fail_before_the_training_are_named_once) {
    for (mpi mpi = OPENMPI; mpi < MPIS; mpi++) {
        if (!is_there(mpi)) continue;
        outcome run = RUN_ON(mpi, 3, "train", "none.csv", ON_CPU);
        expect_told(&run, 3, "tanda: none.csv: No such file");
        run = RUN_ON(mpi, 3, "train", IRIS, ON_CPU, "/", "train", "none.csv", ON_CPU);
        expect_told(&run, 3, "none.csv: No such file");
        cr_expect_not_null(strstr(run.err, "tanda: rank 1 ("), "%s", run.err);
        run = RUN_ON(mpi, 2, "train", IRIS, ON_CPU, "/", "train", IRIS, "--nonsense");
        expect_told(&run, 2, "--nonsense is no option");
        run = RUN_ON(mpi, 2, "train", DIGITS, ON_CPU, "--hidden", "8", "--learning-rate", "1e30");
        expect_told(&run, 1, "diverged: a loss is not finite in epoch 1");
        run = RUN_ON(mpi, 2, "train", IRIS, "--math", "fast", "--quiet", "--device", "cpu");
        expect_told(&run, 2, "--math fast");
    }
}

/* Four bytes of a file, counted from its end. */
static void put_word(const char *path, const void *word, long before_end) {
    FILE *file = fopen(path, "r+");
    cr_assert(file != NULL && fseek(file, -before_end, SEEK_END) == 0);
    cr_assert_eq(fwrite(word, 4, 1, file), 1);
    fclose(file);
}

/* The 19,001st of 20,005 rows is the third rank's alone to read. */
Test(ranks, of_which_one_reads_a_bad_row_end_with_its_line) {
#define USED_ROWS "m.safetensors", "--data", "b.npy", ON_CPU
    const float wrong = NAN;
    const int32_t unknown = 9, fine = 1;
    const outcome made = RUN("generate", "blobs", "--rows", "20005", "--features", "12", "--output", "b.npy",
                             "--labels", "l.npy");
    cr_assert_eq(made.status, 0, "%s", made.err);
    const outcome trained =
        RUN("train", "b.npy", "--labels", "l.npy", ON_CPU, "--epochs", "1", "--output", "m.safetensors");
    cr_assert_eq(trained.status, 0, "%s", trained.err);
    for (mpi mpi = OPENMPI; mpi < MPIS; mpi++) {
        if (!is_there(mpi)) continue;
        put_word("l.npy", &unknown, (20005 - 19000) * 4);
        outcome run = RUN_ON(mpi, 3, "evaluate", USED_ROWS, "--labels", "l.npy");
        expect_told(&run, 3,
                    "l.npy: row 19000, column 0 (from 0): '9' is none of the model's 3 classes, the first of "
                    "which is '0'");
        put_word("l.npy", &fine, (20005 - 19000) * 4);
        put_word("b.npy", &wrong, (20005 - 19000) * 12 * 4);
        run = RUN_ON(mpi, 3, "evaluate", USED_ROWS, "--labels", "l.npy");
        expect_told(&run, 3, "b.npy: row 19000, column 0");
        cr_expect_not_null(strstr(run.err, "tanda: rank 2 ("), "%s", run.err);
        run = RUN_ON(mpi, 3, "predict", USED_ROWS, "--output", "p.csv");
        expect_told(&run, 3, "b.npy: row 19000, column 0");
        cr_expect_neq(access("p.csv", F_OK), 0);
        put_word("b.npy", &(float){0.5f}, (20005 - 19000) * 12 * 4);
    }
}

Test(ranks, that_use_different_models_are_named) {
    cr_assert_eq(RUN("train", IRIS, ON_CPU, "--epochs", "1", "--output", "m.safetensors").status, 0);
    cr_assert_eq(RUN("train", IRIS, ON_CPU, "--epochs", "2", "--output", "n.safetensors").status, 0);
    for (mpi mpi = OPENMPI; mpi < MPIS; mpi++) {
        if (!is_there(mpi)) continue;
        const outcome run = RUN_ON(mpi, 2, "evaluate", "m.safetensors", "--data", IRIS, ON_CPU, "/",
                                   "evaluate", "n.safetensors", "--data", IRIS, ON_CPU);
        expect_told(&run, 2, "rank 1 (");
        cr_expect_not_null(strstr(run.err, "its weights: "), "%s", run.err);
    }
}

Test(ranks, without_their_plugin_are_refused) {
    if (!is_there(OPENMPI)) return;
    cr_assert_eq(system("mkdir alone && cp " TANDA_PROGRAM " alone/tanda"), 0);
    const int status =
        wait_for(start(LIST("mpirun.openmpi", "-np", "3", "alone/tanda", "train", IRIS, ON_CPU)));
    const outcome run = {.status = status, .out = file_text("out.txt"), .err = file_text("err.txt")};
    expect_told(&run, 2,
                "3 ranks were started, and tanda_openmpi.so, which speaks Open MPI, is not beside tanda");
}

Test(ranks, that_another_mpi_started_are_refused) {
    if (!is_there(OPENMPI) || !is_there(MPICH)) return;
    const outcome run = RUN_ON(OPENMPI, 2, "train", IRIS, ON_CPU, "--mpi", "mpich");
    expect_told(&run, 2, "2 ranks were started, and MPICH");
}

/* ---- losing one, and going on ------------------------------------------------------------------------------ */

#define ENDLESS \
    "train", DIGITS, ON_CPU, "--hidden", "16", "--batch", "512", "--epochs", "1000000", "--optimizer", "adam"

static pid_t start_saving(mpi mpi, size_t ranks) {
    cr_assert_eq(system("rm -rf kept pid.*"), 0);
    const pid_t child =
        launch(mpi, ranks, LIST(ENDLESS, "--checkpoint", "kept", "--checkpoint-every", "0.1s"));
    wait_for_checkpoint("kept", 0);
    return child;
}

static size_t ranks_left(size_t ranks) {
    size_t left = 0;
    for (size_t rank = 0; rank < ranks; rank++)
        left += kill(pid_of_rank(rank), 0) == 0;
    return left;
}

static void expect_whole(void) {
    char path[300] = "";
    cr_assert_gt(newest_step("kept", path), 0);
    const outcome run = RUN("evaluate", path, "--data", DIGITS, "--quiet"); /* checks all sums */
    cr_expect_eq(run.status, 0, "%s", run.err);
}

/* Waits for the launcher, and has none of the ranks left; the seconds it took. */
static double wait_for_end(pid_t child, size_t ranks, int *status) {
    const double begun = seconds_now();
    *status = wait_for(child);
    while (ranks_left(ranks) > 0 && seconds_now() - begun < 20.0)
        pause_for(0.05);
    cr_expect_eq(ranks_left(ranks), 0);
    return seconds_now() - begun;
}

Test(ranks, are_all_gone_within_ten_seconds_when_one_is_killed) {
    for (mpi mpi = OPENMPI; mpi < MPIS; mpi++) {
        if (!is_there(mpi)) continue;
        int status = 0;
        const pid_t child = start_saving(mpi, 3);
        kill(pid_of_rank(2), SIGKILL);
        cr_expect_lt(wait_for_end(child, 3, &status), 10.0);
        cr_expect_neq(status, 0);
        expect_whole();
    }
}

Test(ranks, save_and_end_together_when_one_hears_a_signal) {
    for (mpi mpi = OPENMPI; mpi < MPIS; mpi++) {
        if (!is_there(mpi)) continue;
        int status = 0;
        const pid_t child = start_saving(mpi, 3);
        kill(pid_of_rank(1), SIGTERM);
        cr_expect_lt(wait_for_end(child, 3, &status), 10.0);
        const outcome run = {.status = status, .out = file_text("out.txt"), .err = file_text("err.txt")};
        expect_told(&run, 130, "saved in kept/step-");
        expect_whole();
    }
}

Test(ranks, end_a_prediction_together_when_one_hears_a_signal) {
    cr_assert_eq(
        RUN("train", BLOBS, ON_CPU, "--hidden", "256,256", "--epochs", "1", "--output", "m.safetensors")
            .status,
        0);
    for (mpi mpi = OPENMPI; mpi < MPIS; mpi++) {
        if (!is_there(mpi)) continue;
        cr_assert_eq(system("rm -f pid.*"), 0);
        const pid_t child = launch(mpi, 2,
                                   LIST("predict", "m.safetensors", "--data",
                                        "synthetic:blobs,rows=400000000,features=5,classes=2,seed=3", ON_CPU,
                                        "--memory", "8M", "--output", "p.npy"));
        for (size_t i = 0; i < 600 && system("ls -A | grep -q p.npy") != 0; i++)
            pause_for(0.1);
        pause_for(1.0);
        kill(pid_of_rank(1), SIGTERM);
        int status = 0;
        cr_expect_lt(wait_for_end(child, 2, &status), 20.0);
        const outcome run = {.status = status, .out = file_text("out.txt"), .err = file_text("err.txt")};
        expect_told(&run, 130, "interrupted before all rows were done");
        cr_expect_eq(system("! ls -A | grep p.npy"), 0);
    }
}

Test(ranks, end_at_once_by_a_signal_while_one_is_waited_for) {
    for (mpi mpi = OPENMPI; mpi < MPIS; mpi++) {
        if (!is_there(mpi)) continue;
        int status = 0;
        const pid_t child = start_saving(mpi, 2);
        kill(pid_of_rank(1), SIGSTOP);
        pause_for(0.3);
        kill(pid_of_rank(0), SIGTERM);
        cr_expect_lt(wait_for_end(child, 2, &status), 10.0);
        const outcome run = {.status = status, .out = file_text("out.txt"), .err = file_text("err.txt")};
        expect_told(&run, status, "interrupted while rank 0 (");
        expect_whole();
    }
}

#define RESUMED "train", DIGITS, ON_CPU, "--batch", "512", "--hidden", "20", "--optimizer", "adam", "--epochs"

Test(ranks, save_when_any_of_them_is_asked_and_go_on) {
    for (mpi mpi = OPENMPI; mpi < MPIS; mpi++) {
        if (!is_there(mpi)) continue;
        int status = 0;
        cr_assert_eq(system("rm -rf kept pid.*"), 0);
        const pid_t child = launch(mpi, 2, LIST(ENDLESS, "--checkpoint", "kept", "--checkpoint-every", "2h"));
        wait_for_text("pid.1");
        pause_for(2.0);
        kill(pid_of_rank(1), SIGUSR1);
        wait_for_checkpoint("kept", 0);
        const unsigned long first = newest_step("kept", NULL);
        kill(pid_of_rank(0), SIGTERM);
        wait_for_end(child, 2, &status);
        cr_expect_eq(status, 130);
        cr_expect_gt(newest_step("kept", NULL), first);
    }
}

Test(ranks, go_on_from_checkpoints_of_another_number) {
    const outcome one = RUN(RESUMED, "9");
    for (mpi mpi = OPENMPI; mpi < MPIS; mpi++) {
        if (!is_there(mpi)) continue;
        cr_assert_eq(system("rm -rf kept"), 0);
        cr_assert_eq(RUN_ON(mpi, 3, RESUMED, "3", "--checkpoint", "kept").status, 0);
        cr_assert_eq(RUN(RESUMED, "5", "--resume", "kept").status, 0);
        const outcome last = RUN_ON(mpi, 2, RESUMED, "9", "--resume", "kept");
        expect_equal(&one, &last, "resumed", mpi, 2);
    }
}
