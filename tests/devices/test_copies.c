/*
 * Rows on their way to a device with a memory of its own: PoCL is made to say that it has one, and copies or steps are made late
 * (campaigns/shim), so that whoever does not wait has other bits.
 */
#include "program.h"

TestSuite(copies, .init = enter_folder, .fini = leave_folder, .timeout = 300);

#ifdef TANDA_FAULTS
#define MOST_ARGUMENTS 40

/* A training's report on a device whose memory is its own; late: see TANDA_FAULT_APART. */
static json_t *train_apart(const char *device, const char *late, const char *const *options,
                           const char *memory) {
    const char *arguments[MOST_ARGUMENTS] = {TANDA_PROGRAM,      "train",     "--json", "--quiet",
                                             "--require-device", "--profile", NULL};
    size_t count = 6;
    while (*options != NULL)
        arguments[count++] = *options++;
    arguments[count++] = "--device";
    arguments[count++] = device;
    arguments[count++] = "--device-memory";
    arguments[count++] = memory;
    cr_assert_lt(count, MOST_ARGUMENTS);
    setenv("LD_PRELOAD", TANDA_FAULTS, 1);
    setenv("TANDA_FAULT_APART", late, 1);
    const outcome made = run_to(-1, arguments);
    unsetenv("LD_PRELOAD");
    cr_assert_eq(made.status, 0, "%s", made.err);
    return only_object(&made);
}

static char *hash_on_cpu(const char *const *options) {
    const char *arguments[MOST_ARGUMENTS] = {TANDA_PROGRAM, "train", "--json", "--quiet"};
    size_t count = 4;
    while (*options != NULL)
        arguments[count++] = *options++;
    arguments[count++] = "--device=cpu";
    json_t *report = run_json(arguments);
    char *hash = strdup(json_words(report, "weights_sha256"));
    json_decref(report);
    return hash;
}

/* Bytes of a kind of command, by the report's profile. */
static double bytes_of(const json_t *report, const char *name) {
    const json_t *commands = json_object_get(json_object_get(report, "profile"), "commands");
    for (size_t i = 0; i < json_array_size(commands); i++)
        if (strcmp(json_words(json_array_get(commands, i), "name"), name) == 0)
            return json_figure(json_array_get(commands, i), "bytes");
    return 0.0;
}

/* Returns the bytes of rows that were sent or, below 0, made there. */
static double check(const char *device, const char *late, const char *memory, const char *const *options) {
    char *expected = hash_on_cpu(options);
    json_t *report = train_apart(device, late, options, memory);
    cr_assert_str_eq(json_words(report, "weights_sha256"), expected, "late %s", late);
    const double sent = bytes_of(report, "rows"), made = bytes_of(report, "synthetic_section");
    cr_assert(sent == 0.0 || made == 0.0);
    json_decref(report);
    free(expected);
    return sent - made;
}

#define CHECK(device, late, memory, ...) check(device, late, memory, (const char *const[]){__VA_ARGS__, NULL})
#define ROWS "synthetic:classification,rows=3000,features=20,classes=4"
#define PARTS ROWS, "--batch", "full", "--epochs", "2", "--hidden", "20"
#define BATCHES ROWS, "--batch", "50", "--epochs", "2", "--hidden", "20"

Test(copies, steps_wait_for_the_rows) {
    CHECK("opencl,executor=ops", "copies", "70K", PARTS);
    CHECK("opencl,executor=ops", "copies", "70K", BATCHES);
    CHECK("opencl,executor=steps", "copies", "70K", BATCHES);
}

Test(copies, rows_wait_for_the_steps_over_those_before) {
    CHECK("opencl,executor=ops", "steps", "70K", PARTS);
    CHECK("opencl,executor=ops", "steps", "70K", BATCHES);
    CHECK("opencl,executor=gpu_perceptron", "steps", "70K", ROWS, "--batch", "full", "--epochs", "2",
          "--class-weight", "balanced");
}

/* Sums of parts wait on the device, above those of their waves, of which small buffers make several. */
Test(copies, parts_of_a_step_become_the_step) {
    setenv("TANDA_FAULT_LARGEST", "300000", 1);
    CHECK("opencl,executor=ops", "", "400K", DIGITS, "--batch", "1500", "--epochs", "2", "--hidden", "20",
          "--optimizer", "adam", "--clip-norm", "0.5");
    unsetenv("TANDA_FAULT_LARGEST");
    CHECK("opencl,executor=gpu_dense", "", "200K", DIGITS, "--optimizer", "lbfgs", "--epochs", "3",
          "--hidden", "20");
}

/* Rows of a generator that do not fit into memory are made on the device, in any order. */
#define MADE(memory, ...) \
    cr_assert_lt(CHECK("opencl,executor=gpu_perceptron", "steps", memory, __VA_ARGS__, "--epochs", "2"), 0.0)
Test(copies, the_device_makes_rows_of_a_generator) {
    MADE("2M", "synthetic:logistic,rows=20000,features=28,skip=9", "--memory", "1M", "--batch", "300",
         "--shuffle", "window", "--shuffle-block", "100", "--shuffle-window", "2000");
    MADE("2M", "synthetic:teacher,rows=60000,features=4", "--memory", "400K", "--batch", "full", "--scale",
         "none");
    MADE("40K", "synthetic:blobs,rows=20000", "--memory", "100K", "--task", "regression", "--batch", "full");
}

/* The device makes rows of each kind to the bits of the host, in memory and piece by piece. */
Test(copies, rows_of_each_kind_are_those_of_the_host) {
    static const char *const kinds[] = {
        "linear,rows=6000,features=9,distribution=uniform",
        "logistic,rows=6000,features=9",
        "blobs,rows=6000,features=9,classes=5,balance=0.4",
        "classification,rows=6000,features=9,classes=3,informative=3,redundant=2,noise=0.1",
        "regression,rows=6000,features=9,informative=4",
        "moons,rows=6000",
        "circles,rows=6000,classes=3",
        "spirals,rows=6000,classes=3,turns=2",
        "xor,rows=6000,features=5",
        "teacher,rows=6000,features=7,classes=4,hidden=20,layers=3",
        "images,rows=1500,classes=7,noise=0.2",
        "images,rows=1500,classes=3,skip=17"};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        char source[120];
        snprintf(source, sizeof source, "synthetic:%s", kinds[i]);
        const bool large = strncmp(kinds[i], "images", 6) == 0;
        const char *const memory = large ? "4M" : "40K", *const own = large ? "2M" : "40K";
        const char *const lying[] = {source, "--batch", "full", "--epochs", "1", NULL};
        const char *const options[] = {source, "--batch", "full", "--epochs", "1", "--memory", memory, NULL};
        char *in_memory = hash_on_cpu(lying), *streamed = hash_on_cpu(options);
        json_t *report = train_apart("opencl,executor=ops", "", options, own);
        cr_expect_str_eq(json_words(report, "weights_sha256"), in_memory, "%s", kinds[i]);
        cr_expect_str_eq(streamed, in_memory, "%s", kinds[i]);
        cr_expect_gt(bytes_of(report, "synthetic_section"), 0.0, "%s", kinds[i]);
        json_decref(report);
        free(streamed);
        free(in_memory);
    }
}

/* Weights of classes and targets that are scaled need binary64: rows are made on the host. */
Test(copies, what_takes_binary64_is_made_on_the_host) {
    cr_assert_gt(CHECK("opencl,executor=gpu_perceptron", "", "1M",
                       "synthetic:logistic,rows=20000,features=10", "--memory", "500K", "--batch", "full",
                       "--epochs", "1", "--class-weight", "balanced"),
                 0.0);
}

#define EPOCH_BYTES (50000.0 * 29 * sizeof(float)) /* of these, with their labels: sections of 1 MiB */
#define MANY "synthetic:logistic,rows=50000,features=28", "--epochs", "3"

/* Each epoch was sent, and once more for the evaluation; and what was on its way when that ended. */
static void check_epochs(double sent) {
    cr_assert(sent >= 4 * EPOCH_BYTES && sent < 4.5 * EPOCH_BYTES, "%g epochs", sent / EPOCH_BYTES);
}

Test(copies, the_profile_counts_what_was_sent) {
    const double sent =
        CHECK("opencl,executor=gpu_perceptron", "", "2M", MANY, "--batch", "500", "--shuffle", "none");
    check_epochs(sent);
}

/* Three of six sections lie on the device beside the two that are exchanged. */
Test(copies, what_fits_is_sent_once) {
    const double whole = CHECK("opencl,executor=gpu_perceptron", "", "2M", MANY, "--batch", "full");
    const double parts = CHECK("opencl,executor=gpu_perceptron", "steps", "5M", MANY, "--batch", "full");
    check_epochs(whole);
    cr_assert_lt(parts, 3.7 * EPOCH_BYTES);
    const double batches =
        CHECK("opencl,executor=gpu_perceptron", "copies", "5M", MANY, "--batch", "500", "--shuffle", "none");
    cr_assert_lt(batches, 3.7 * EPOCH_BYTES);
    const double mixed = CHECK("opencl,executor=gpu_perceptron", "", "5M", MANY, "--batch", "500");
    check_epochs(mixed);
}
#endif
