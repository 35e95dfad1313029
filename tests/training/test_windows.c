/* Trainings whose rows come by windows of blocks: the same bits everywhere, kept in the model, and told of what is odd. */
#include "program.h"

TestSuite(windows, .init = enter_folder, .fini = leave_folder, .timeout = 300);

#define ROWS "--data", DIGITS, "--hidden", "16", "--batch", "50", "--quiet"
#define WINDOWS ROWS, "--shuffle", "window", "--shuffle-block", "16", "--shuffle-window", "240"

static const char *hash_of(const outcome *run) {
    cr_assert_eq(run->status, 0, "%s", run->err);
    const char *line = strstr(run->out, "weights_sha256: ");
    cr_assert_not_null(line, "%s", run->out);
    char *hash = strndup(line + strlen("weights_sha256: "), 64);
    return kept_texts[kept_count++] = hash;
}

/* From a word on up to the end of its line. */
static const char *line_of(const char *text, const char *word) {
    const char *line = strstr(text, word);
    cr_assert_not_null(line, "%s", text);
    return kept_texts[kept_count++] = strndup(line, strcspn(line, "\n"));
}

Test(windows, of_every_device_give_the_same_bits) {
    const outcome one = RUN("train", WINDOWS, "--epochs", "3", "--device", "cpu,threads=1");
    const outcome two = RUN("train", WINDOWS, "--epochs", "3", "--device", "cpu,threads=2,isa=generic");
    const outcome cl = RUN("train", WINDOWS, "--epochs", "3", "--device", "opencl");
    const outcome full = RUN("train", ROWS, "--epochs", "3", "--device", "cpu");
    cr_expect_str_eq(hash_of(&two), hash_of(&one));
    cr_expect_str_eq(hash_of(&cl), hash_of(&one));
    cr_expect_str_neq(hash_of(&full), hash_of(&one));
}

/* The order is a part of the bits, whoever computes them. */
Test(windows, end_in_the_recorded_weights) {
    const outcome run = RUN("train", WINDOWS, "--epochs", "2", "--device", "cpu");
    cr_expect_str_eq(hash_of(&run), "88d9fe78c0f30409409cc9bc2326dc5aeea045c391c7e458828c9d2a0ad82321");
}

Test(windows, are_checked_step_by_step) {
    const outcome run =
        RUN("verify", WINDOWS, "--steps", "80", "--device", "cpu", "--against", "cpu,isa=generic");
    cr_expect_eq(run.status, 0, "%s%s", run.out, run.err);
    const outcome trace = RUN("trace", "--data", IRIS, "--shuffle", "window", "--shuffle-block", "4",
                              "--shuffle-window", "20", "--step", "6", "--row", "7", "--device", "cpu");
    cr_expect_eq(trace.status, 0, "%s", trace.err);
}

Test(windows, go_on_in_the_middle_of_one_and_refuse_another_order_by_name) {
    static const struct {
        const char *flag, *value, *told;
    } cases[] = {
        {"--shuffle-window", "256", "--shuffle-window: 256 here, but 240 in the checkpoint c.safetensors"},
        {"--shuffle-block", "8", "--shuffle-block: 8 here, but 16 in the checkpoint c.safetensors"},
    };
    const outcome whole = RUN("train", WINDOWS, "--epochs", "5", "--device", "cpu");
    cr_assert_eq(RUN("train", WINDOWS, "--epochs", "2", "--checkpoint", "c.safetensors").status, 0);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const outcome run = RUN("train", WINDOWS, cases[i].flag, cases[i].value, "--epochs", "5", "--resume",
                                "c.safetensors");
        cr_expect_eq(run.status, 2);
        cr_expect_not_null(strstr(run.err, cases[i].told), "%s", run.err);
    }
    const outcome full =
        RUN("train", ROWS, "--shuffle", "full", "--epochs", "5", "--resume", "c.safetensors");
    cr_expect_eq(full.status, 2);
    cr_expect_not_null(strstr(full.err, "--shuffle: full here, but window in the checkpoint"), "%s",
                       full.err);
    const outcome rest = RUN("train", WINDOWS, "--epochs", "5", "--resume", "c.safetensors");
    cr_expect_str_eq(hash_of(&rest), hash_of(&whole));
}

/* 1,797 rows: a block of one, a window of all. */
Test(windows, by_default_are_a_function_of_rows_and_width_and_kept_in_the_model) {
    const outcome run =
        RUN("train", ROWS, "--epochs", "1", "--shuffle", "window", "--output", "m.safetensors");
    cr_assert_eq(run.status, 0, "%s", run.err);
    const outcome settings = RUN("inspect", "m.safetensors", "--settings");
    cr_expect_not_null(strstr(settings.out, "\"shuffle\": \"window\""), "%s", settings.out);
    cr_expect_not_null(strstr(settings.out, "\"shuffle_block\": 1,"), "%s", settings.out);
    cr_expect_not_null(strstr(settings.out, "\"shuffle_window\": 1797,"), "%s", settings.out);
    const outcome again = RUN("train", "--config", "m.safetensors", "--quiet");
    cr_expect_str_eq(hash_of(&again), hash_of(&run));
}

/* In memory, in a file and in shards whose ends are no block's. */
Test(windows, of_millions_of_rows_beyond_memory_are_those_in_memory) {
    static const char *const paths[] = {"m.npy", "m.npy", "rows"}, *const memory[] = {"2G", "20M", "20M"};
    const char *hash = NULL;
    cr_assert_eq(RUN("generate", "moons", "--rows", "3000001", "--output", "m.npy").status, 0);
    cr_assert_eq(RUN("generate", "moons", "--rows", "3000001", "--shards", "7", "--output", "rows").status,
                 0);
    for (size_t i = 0; i < 3; i++) {
        const outcome run = RUN("train", "--data", paths[i], "--shuffle", "window", "--batch", "4096",
                                "--epochs", "2", "--memory", memory[i], "--device", "cpu");
        cr_expect_eq(strstr(run.err, "mixed in windows, in sections of") != NULL, i > 0, "%s", run.err);
        if (i == 0) hash = hash_of(&run);
        cr_expect_str_eq(hash_of(&run), hash, "%s", paths[i]);
    }
}

/* Iris is sorted by class. */
Test(windows, over_sorted_classes_are_told) {
    static const char told[] = "the rows look sorted by class, and a window mixes only 3 blocks of 10 rows";
#define FEW \
    "--shuffle", "window", "--shuffle-block", "10", "--shuffle-window", "30", "--epochs", "1", "--device", \
        "cpu"
    const outcome sorted = RUN("train", "--data", IRIS, FEW);
    cr_expect_not_null(strstr(sorted.err, told), "%s", sorted.err);
    cr_assert_eq(RUN("shuffle", IRIS, "mixed.csv").status, 0);
    const outcome mixed = RUN("train", "--data", "mixed.csv", FEW);
    cr_expect_null(strstr(mixed.err, "sorted"), "%s", mixed.err);
    const outcome all =
        RUN("train", "--data", IRIS, "--shuffle", "window", "--epochs", "1", "--device", "cpu");
    cr_expect_null(strstr(all.err, "sorted"), "%s", all.err);
}

Test(windows, that_make_no_sense_are_refused) {
    const outcome odd =
        RUN("train", ROWS, "--shuffle", "window", "--shuffle-block", "16", "--shuffle-window", "100");
    cr_expect_eq(odd.status, 2);
    cr_expect_not_null(strstr(odd.err, "--shuffle-window: 100 rows are no multiple of a block's 16"), "%s",
                       odd.err);
    const outcome full = RUN("train", ROWS, "--shuffle-block", "16");
    cr_expect_eq(full.status, 2);
    cr_expect_not_null(strstr(full.err, "--shuffle-block goes with --shuffle window"), "%s", full.err);
    cr_expect_eq(RUN("train", ROWS, "--shuffle", "window", "--shuffle-block", "0").status, 2);
}

/* Neither what is held out nor a batch of all rows has anything to do with the order. */
Test(windows, leave_full_batches_and_rows_held_out_as_they_are) {
    const outcome none =
        RUN("train", ROWS, "--batch", "full", "--epochs", "4", "--shuffle", "none", "--validation", "0.3");
    const outcome windows = RUN("train", WINDOWS, "--batch", "full", "--epochs", "4", "--validation", "0.3");
    cr_expect_str_eq(hash_of(&windows), hash_of(&none));
    cr_expect_not_null(strstr(windows.out, line_of(none.out, "val_loss")), "%s", windows.out);
    const outcome folds = RUN("train", WINDOWS, "--folds", "3", "--epochs", "1");
    cr_expect_eq(folds.status, 0, "%s", folds.err);
}
