/* Trainings whose rows come in sections end with the bits of those whose rows lie on the device. */
#include "background.h"

TestSuite(streaming, .init = enter_folder, .fini = leave_folder, .timeout = 300);

#define MOST_ARGUMENTS 32

/* The weights' digest, and all else that the report tells of the model, of a training; memory: NULL for all. */
static json_t *train(const char *const *options, const char *device, const char *memory) {
    const char *arguments[MOST_ARGUMENTS] = {TANDA_PROGRAM, "train"};
    size_t count = 2;
    for (; *options != NULL; options++)
        arguments[count++] = *options;
    const char *const rest[] = {
        "--device", device, "--json", "--quiet", memory == NULL ? NULL : "--device-memory", memory};
    for (size_t i = 0; i < 6 && rest[i] != NULL; i++)
        arguments[count++] = rest[i];
    cr_assert_lt(count, MOST_ARGUMENTS);
    return run_json(arguments);
}

static void check_same(json_t *whole, json_t *streamed, const char *what) {
    static const char *const figures[] = {"loss", "accuracy", "validation_loss", "validation_accuracy"};
    cr_assert_str_eq(json_words(whole, "weights_sha256"), json_words(streamed, "weights_sha256"), "%s", what);
    for (size_t i = 0; i < 4; i++)
        if (json_object_get(whole, figures[i]) != NULL)
            cr_assert(json_equal(json_object_get(whole, figures[i]), json_object_get(streamed, figures[i])),
                      "%s of %s", figures[i], what);
}

/* Sections of one batch or less, and of several. */
static void check_training(const char *device, const char *const *options) {
    json_t *whole = train(options, device, NULL);
    static const char *const memories[] = {"4K", "140K", "400K"};
    for (size_t i = 0; i < 3; i++) {
        json_t *streamed = train(options, device, memories[i]);
        check_same(whole, streamed, options[0]);
        json_decref(streamed);
    }
    json_decref(whole);
}

#define CHECK(device, ...) check_training(device, (const char *const[]){__VA_ARGS__, NULL})

Test(streaming, gives_the_same_in_any_order) {
    CHECK("cpu", IRIS, "--batch", "7", "--epochs", "4", "--shuffle", "none");
    CHECK("cpu", IRIS, "--batch", "7", "--epochs", "4", "--shuffle", "full", "--hidden", "5");
    CHECK("cpu", DIGITS, "--batch", "50", "--epochs", "3", "--shuffle", "window", "--shuffle-block", "10",
          "--shuffle-window", "200");
}

Test(streaming, gives_the_same_for_batches_larger_than_a_section) {
    CHECK("cpu", DIGITS, "--batch", "700", "--epochs", "3", "--hidden", "20", "--dropout", "0.3",
          "--input-dropout", "0.1", "--clip-norm", "0.5");
    CHECK("cpu", DIGITS, "--batch", "full", "--epochs", "3", "--hidden", "20", "--optimizer", "adam");
    CHECK("cpu", BREAST_CANCER, "--batch", "full", "--epochs", "9");
}

Test(streaming, gives_the_same_for_lbfgs) {
    CHECK("cpu", BREAST_CANCER, "--optimizer", "lbfgs", "--epochs", "12");
    CHECK("cpu,threads=1", DIGITS, "--optimizer", "lbfgs", "--epochs", "4", "--hidden", "8", "--l2", "0.001");
}

Test(streaming, gives_the_same_with_all_that_watches_a_training) {
    CHECK("cpu", DIGITS, "--batch", "64", "--epochs", "6", "--validation", "0.3", "--patience", "1",
          "--restore-best", "yes", "--class-weight", "balanced", "--schedule", "plateau");
    CHECK("cpu", DIGITS, "--batch", "300", "--epochs", "2", "--validation", "0.3", "--task", "regression",
          "--scale-target", "standard");
}

Test(streaming, gives_the_same_by_every_executor) {
    static const char *const executors[] = {"cpu,executor=columns",      "cpu,executor=shared",
                                            "opencl,executor=ops",       "opencl,executor=network",
                                            "opencl,executor=tiles",     "opencl,executor=steps",
                                            "opencl,executor=gpu_small", "opencl,executor=gpu_dense"};
    need_kernels();
    json_t *whole = train((const char *const[]){DIGITS, "--batch", "600", "--epochs", "1", "--hidden", "20",
                                                "--dropout", "0.2", NULL},
                          "cpu", NULL);
    json_t *small = train((const char *const[]){DIGITS, "--batch", "40", "--epochs", "1", "--hidden", "20",
                                                "--dropout", "0.2", NULL},
                          "cpu", NULL);
    for (size_t i = 0; i < sizeof executors / sizeof *executors; i++) {
        json_t *parts = train((const char *const[]){DIGITS, "--batch", "600", "--epochs", "1", "--hidden",
                                                    "20", "--dropout", "0.2", NULL},
                              executors[i], "150K");
        check_same(whole, parts, executors[i]);
        json_t *batches = train((const char *const[]){DIGITS, "--batch", "40", "--epochs", "1", "--hidden",
                                                      "20", "--dropout", "0.2", NULL},
                                executors[i], "150K");
        check_same(small, batches, executors[i]);
        json_decref(parts);
        json_decref(batches);
    }
    json_decref(whole);
    json_decref(small);
}

Test(streaming, gives_the_same_by_executors_of_one_layer) {
    static const char *const executors[] = {"cpu,executor=perceptron", "opencl,executor=perceptron",
                                            "opencl,executor=gpu_perceptron"};
    need_kernels();
    for (size_t i = 0; i < sizeof executors / sizeof *executors; i++) {
        CHECK(executors[i], BREAST_CANCER, "--batch", "300", "--epochs", "2");
        CHECK(executors[i], BREAST_CANCER, "--batch", "20", "--epochs", "2", "--shuffle", "none");
    }
}

/* Predictions and figures of a model over rows that do not fit. */
Test(streaming, evaluates_and_predicts_the_same) {
    json_decref(RUN_JSON("train", DIGITS, "--epochs", "2", "--output", "model.safetensors"));
    json_t *whole = RUN_JSON("evaluate", "model.safetensors", DIGITS, "--device", "cpu");
    json_t *streamed =
        RUN_JSON("evaluate", "model.safetensors", DIGITS, "--device", "cpu", "--device-memory", "2M");
    cr_assert(json_equal(json_object_get(whole, "loss"), json_object_get(streamed, "loss")));
    cr_assert(json_equal(json_object_get(whole, "accuracy"), json_object_get(streamed, "accuracy")));
    json_decref(whole);
    json_decref(streamed);
}

/* A training that is killed goes on with other sections, elsewhere. */
Test(streaming, goes_on_with_another_memory_and_device) {
    static const char *const options[] = {DIGITS,   "--batch",
                                          "64",     "--epochs",
                                          "40",     "--hidden",
                                          "16",     "--optimizer",
                                          "adam",   "--shuffle",
                                          "window", "--shuffle-block",
                                          "20",     "--shuffle-window",
                                          "300",    "--checkpoint",
                                          "saved",  "--checkpoint-every",
                                          "1",      NULL};
    const char *arguments[MOST_ARGUMENTS] = {TANDA_PROGRAM, "train"};
    size_t count = 2;
    for (size_t i = 0; options[i] != NULL; i++)
        arguments[count++] = options[i];
    arguments[count++] = "--quiet";
    arguments[count++] = "--device-memory";
    arguments[count++] = "100K";
    const pid_t child = start(arguments);
    wait_for_checkpoint("saved", 0);
    kill(child, SIGKILL);
    (void)wait_for(child);
    json_t *resumed =
        RUN_JSON("train", DIGITS, "--resume", "saved", "--device-memory", "30K", "--epochs", "40");
    json_t *whole =
        RUN_JSON("train", DIGITS, "--batch", "64", "--epochs", "40", "--hidden", "16", "--optimizer", "adam",
                 "--shuffle", "window", "--shuffle-block", "20", "--shuffle-window", "300");
    cr_assert_str_eq(json_words(whole, "weights_sha256"), json_words(resumed, "weights_sha256"));
    json_decref(whole);
    json_decref(resumed);
}

/* ---- rows in files that are more than --memory ------------------------------------------------------------------- */

static void generate_rows(void) {
    const outcome made = RUN("generate", "classification", "--rows", "3001", "--features", "20", "--classes",
                             "4", "--seed", "3", "--output", "x.npy", "--labels", "y.npy");
    cr_assert_eq(made.status, 0, "%s", made.err);
}

static void check_in_place(const char *const *options) {
    static const char *const memories[] = {"140K", "200K"};
    const char *arguments[MOST_ARGUMENTS] = {TANDA_PROGRAM, "train", "x.npy", "--labels", "y.npy"};
    size_t count = 5;
    for (; *options != NULL; options++)
        arguments[count++] = *options;
    arguments[count] = "--json";
    arguments[count + 1] = "--quiet";
    json_t *whole = run_json(arguments);
    for (size_t i = 0; i < 2; i++) {
        arguments[count + 2] = "--memory";
        arguments[count + 3] = memories[i];
        json_t *streamed = run_json(arguments);
        check_same(whole, streamed, memories[i]);
        json_decref(streamed);
    }
    json_decref(whole);
}

#define CHECK_IN_PLACE(...) check_in_place((const char *const[]){__VA_ARGS__, NULL})

Test(streaming, of_files_gives_the_same) {
    generate_rows();
    CHECK_IN_PLACE("--shuffle", "none", "--batch", "50", "--epochs", "2", "--device", "cpu");
    CHECK_IN_PLACE("--shuffle", "window", "--shuffle-block", "8", "--shuffle-window", "160", "--batch", "50",
                   "--epochs", "3", "--device", "cpu", "--hidden", "9", "--dropout", "0.2", "--validation",
                   "0.2", "--patience", "1");
    CHECK_IN_PLACE("--batch", "full", "--epochs", "3", "--device", "opencl", "--class-weight", "balanced");
    CHECK_IN_PLACE("--optimizer", "lbfgs", "--epochs", "5", "--device", "cpu", "--hidden", "5");
}

Test(streaming, of_files_evaluates_and_predicts_the_same) {
    generate_rows();
    const char *const model = "model.safetensors";
    json_decref(RUN_JSON("train", "x.npy", "--labels", "y.npy", "--epochs", "2", "--output", model));
    json_t *whole = RUN_JSON("evaluate", model, "x.npy", "--labels", "y.npy");
    json_t *streamed = RUN_JSON("evaluate", model, "x.npy", "--labels", "y.npy", "--memory", "100K");
    cr_assert(json_equal(json_object_get(whole, "loss"), json_object_get(streamed, "loss")));
    cr_assert(json_equal(json_object_get(whole, "accuracy"), json_object_get(streamed, "accuracy")));
    cr_assert_not_null(json_object_get(whole, "metrics"));
    cr_assert(json_equal(json_object_get(whole, "metrics"), json_object_get(streamed, "metrics")));
    json_decref(whole);
    json_decref(streamed);
    cr_assert_eq(RUN("predict", model, "x.npy", "--output", "a.csv", "--quiet").status, 0);
    const outcome predicted =
        RUN("predict", model, "x.npy", "--output", "b.csv", "--quiet", "--memory", "1M");
    cr_assert_eq(predicted.status, 0, "%s", predicted.err);
    cr_assert_str_eq(file_text("a.csv"), file_text("b.csv"));
}

/* What two runs of a command write, but for how long it took. */
static void expect_same_report(const char *const *one, const char *const *other) {
    json_t *whole = run_json(one), *streamed = run_json(other);
    json_object_del(whole, "seconds");
    json_object_del(streamed, "seconds");
    cr_expect(json_equal(whole, streamed), "%s", one[1]);
    json_decref(whole);
    json_decref(streamed);
}

#define SAME(...) \
    expect_same_report( \
        (const char *const[]){TANDA_PROGRAM, __VA_ARGS__, "--json", "--quiet", NULL}, \
        (const char *const[]){TANDA_PROGRAM, __VA_ARGS__, "--json", "--quiet", "--memory", "100K", NULL})

Test(streaming, of_a_folder_of_shards_evaluates_and_predicts_the_same) {
    static const char *const devices[] = {"cpu", "opencl"};
    const char *const model = "model.safetensors";
    cr_assert_eq(RUN("generate", "regression", "--rows", "5001", "--features", "9", "--shards", "3",
                     "--output", "rows", "--quiet")
                     .status,
                 0);
    json_decref(RUN_JSON("train", "rows", "--epochs", "2", "--hidden", "7", "--scale-target", "standard",
                         "--device", "cpu", "--output", model));
    for (size_t i = 0; i < 2; i++) {
        SAME("evaluate", model, "rows", "--device", devices[i]);
        SAME("predict", model, "rows", "--device", devices[i]);
        const outcome whole = RUN("predict", model, "rows", "--device", devices[i], "--quiet"),
                      streamed = RUN("predict", model, "rows", "--device", devices[i], "--quiet", "--memory",
                                     "100K");
        cr_expect_eq(streamed.status, 0, "%s", streamed.err);
        cr_expect_str_eq(streamed.out, whole.out, "%s", devices[i]);
    }
}

Test(streaming, never_takes_another_order_by_itself) {
    generate_rows();
    const outcome refused = RUN("train", "x.npy", "--labels", "y.npy", "--memory", "100K", "--epochs", "1");
    cr_assert_eq(refused.status, 2);
    cr_assert_not_null(strstr(refused.err, "--shuffle window"), "%s", refused.err);
    const outcome wide = RUN("train", "x.npy", "--labels", "y.npy", "--memory", "100K", "--epochs", "1",
                             "--shuffle", "window", "--shuffle-block", "100", "--shuffle-window", "2000");
    cr_assert_eq(wide.status, 2);
    cr_assert_not_null(strstr(wide.err, "smaller --shuffle-window"), "%s", wide.err);
}

/* The file becomes shorter while it is read. */
Test(streaming, tells_what_it_could_not_read) {
    generate_rows();
    const pid_t child =
        start((const char *const[]){TANDA_PROGRAM, "train", "x.npy", "--labels", "y.npy", "--memory", "100K",
                                    "--epochs", "1000000", "--shuffle", "none", "--log", "run.jsonl", NULL});
    wait_for_text("run.jsonl");
    cr_assert_eq(truncate("x.npy", 150000), 0);
    cr_assert_eq(wait_for(child), 3);
    cr_assert_not_null(strstr(file_text("err.txt"), "x.npy: changed while it was in use"), "%s",
                       file_text("err.txt"));
}

Test(streaming, wants_a_size_in_bytes) {
    static const char *const wrong[] = {"", "0", "-1", "12Q", "1.5.2", "G", "1e9", "3GG"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        const outcome outcome = RUN("train", IRIS, "--memory", wrong[i]);
        cr_assert_eq(outcome.status, 2, "%s", wrong[i]);
        cr_assert_not_null(strstr(outcome.err, "is not a number of bytes such as 512M or 1.5G"), "%s",
                           outcome.err);
    }
    cr_assert_eq(RUN("train", IRIS, "--epochs", "1", "--memory", "1.5GiB", "--device-memory", "64m").status,
                 0);
}

/* Split at blanks. */
static outcome run_words(const char *line) {
    const char *arguments[MOST_ARGUMENTS] = {TANDA_PROGRAM};
    size_t count = 1;
    char *copy = kept_texts[kept_count++] = strdup(line), *rest = copy;
    for (char *word; (word = strsep(&rest, " ")) != NULL;)
        arguments[count++] = word;
    return run_to(-1, arguments);
}

Test(streaming, refuses_in_one_line_with_what_would_do) {
    static const struct {
        const char *line;
        int status;
        const char *said;
    } cases[] = {
        {"verify rows --memory 20K", 3, "verify needs all 3001 rows in memory, "},
        {"trace rows --memory 20K", 3, "a trace needs all 3001 rows in memory, "},
        {"surface rows --memory 20K", 3, "a surface needs all 3001 rows in memory, "},
        {"record rows --memory 20K --output g", 3, "a record needs all 3001 rows in memory, "},
        {"train rows --memory 1K --shuffle none --quiet", 2, "--memory: 1 KiB for rows are too few"},
        {"train rows --labels y.npy", 2, "--labels: does not go with rows, a folder of shards"},
        {"train x.npy --labels y.csv --memory 20K --shuffle none", 3,
         "y.csv: beside rows that are more than --memory, labels are a .npy file, and it is none"},
        {"train t.csv --memory 1K --data-cache y.csv --quiet", 1,
         "--data-cache: y.csv: is there, and is no folder; name another one"},
        {"train t.csv --memory 1K --quiet --data-cache ", 2, "--data-cache: the name of a folder is empty"},
        {"shuffle rows out.npy", 3, "rows: is a folder of shards; name one of its files"},
        {"generate moons --shards 2 --output ", 2, "--output: the name is empty; name a folder"},
        {"generate moons --shards 2 --output y.csv", 1, "y.csv: is there, and is no folder"},
        {"generate moons --shards 2 --output rows", 2, "rows: holds a whole data set already"}};
    generate_rows();
    cr_assert_eq(RUN("generate", "blobs", "--rows", "3001", "--shards", "2", "--output", "rows").status, 0);
    cr_assert_eq(system("seq 3001 > y.csv && seq 3001 | sed 's/$/,1/' > t.csv"), 0);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const outcome run = run_words(cases[i].line);
        cr_expect_eq(run.status, cases[i].status, "%s: %s", cases[i].line, run.err);
        cr_expect_not_null(strstr(run.err, cases[i].said), "%s: %s", cases[i].line, run.err);
        cr_expect_str_eq(strchr(run.err, '\n'), "\n", "%s: %s", cases[i].line, run.err);
    }
}
