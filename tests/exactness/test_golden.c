/* Golden files: a training is repeated to the bit, and what is not the same is named. */
#include <stdio.h>

#include "program.h"
#include "support_lockstep.h"
#include "verify/golden.h"

#define ROWS 300
#define BATCH 130

static const network network_here = {ROWS,
                                     17,
                                     2,
                                     {20, 4},
                                     {ACTIVATION_TANH, ACTIVATION_SOFTMAX},
                                     LOSS_CATEGORICAL_CROSSENTROPY,
                                     TANDA_TASK_CLASSES,
                                     CONTENT_REAL};

static const golden_options options_here = {
    .steps = 12, .batch_rows = BATCH, .shuffle = true, .seed = 9, .learning_rate = 0.25f};

/* Records on one backend, and repeats on another one or the same. */
static golden record(backend *backend, const golden_options *options) {
    golden made;
    golden_difference unused;
    problem problem = problem_create(&network_here);
    MUST(golden_run(backend, problem.model, &problem.dataset, options, NULL, &made, &unused, error));
    problem_free(&problem);
    return made;
}

static golden_difference repeat(backend *backend, const golden_options *options, const golden *expected) {
    golden made;
    golden_difference difference;
    problem problem = problem_create(&network_here);
    MUST(golden_run(backend, problem.model, &problem.dataset, options, expected, &made, &difference, error));
    golden_free(&made);
    problem_free(&problem);
    return difference;
}

/* ---- in memory ---------------------------------------------------------------------------------------- */

static void expect_repeated(backend *first, backend *second) {
    if (first == NULL || second == NULL) return;
    golden recorded = record(first, &options_here);
    cr_expect_eq(recorded.entry_count, 12);
    cr_expect_eq(repeat(second, &options_here, &recorded).verdict, GOLDEN_EQUAL);
    golden_free(&recorded);
    tanda_device_close(first);
    tanda_device_close(second);
}

Test(golden, another_instruction_set_repeats_it) {
    expect_repeated(open_best_openmp(2), open_openmp("generic", 1));
}

Test(golden, pocl_repeats_it, .fini = forget_opencl, .timeout = 200) {
    if (use_opencl("pocl")) expect_repeated(open_best_openmp(2), open_opencl(NULL));
}

Test(golden, the_last_hash_is_that_of_the_trained_weights) {
    backend *cpu = open_best_openmp(1);
    char digest[TANDA_DIGEST_SIZE];
    problem problem = problem_create(&network_here);
    const step_options same = {.batch_rows = BATCH, .shuffle = true, .seed = 9, .learning_rate = 0.25f};
    golden recorded = record(cpu, &options_here);
    digest_after(cpu, &problem, &same, 12, digest);
    cr_expect_str_eq(recorded.final, digest);
    cr_expect_eq(strncmp(recorded.entries[11].weights, digest, GOLDEN_WEIGHT_DIGITS), 0);
    golden_free(&recorded);
    problem_free(&problem);
    tanda_device_close(cpu);
}

Test(golden, the_first_step_that_differs_is_named_and_what_differs) {
    backend *cpu = open_best_openmp(1);
    golden recorded = record(cpu, &options_here);
    recorded.entries[8].loss ^= 1;
    golden_difference found = repeat(cpu, &options_here, &recorded);
    cr_expect_eq(found.verdict, GOLDEN_LOSS);
    cr_expect_eq(found.step, 9);
    recorded.entries[4].weights[0] ^= 1;
    found = repeat(cpu, &options_here, &recorded);
    cr_expect_eq(found.verdict, GOLDEN_WEIGHTS);
    cr_expect_eq(found.step, 5);
    cr_expect_eq(found.after, 4);
    golden_free(&recorded);
    tanda_device_close(cpu);
}

/* The fault of test_faults.c: one weight, one ULP, in every batch of 40 rows, which the third is. */
Test(golden, a_device_that_is_one_ulp_off_is_found_without_another_device, .fini = forget_opencl,
     .timeout = 200) {
    static const edit fault = {"cpu/network_wide.h", "store_16(w, 0, target->parameters + at);",
                               "store_16(w, 0, target->parameters + at);\n"
                               "        if (at == 0 && target->inverse_rows == 0.025f) ((global uint "
                               "*)target->parameters)[0] ^= 1;"};
    if (!use_opencl("pocl")) return;
    backend *cpu = open_best_openmp(1), *damaged = open_opencl(damaged_kernels("golden", &fault, 1));
    golden recorded = record(cpu, &options_here);
    golden_difference found = repeat(damaged, &options_here, &recorded);
    cr_expect_eq(found.verdict, GOLDEN_WEIGHTS);
    cr_expect_eq(found.step, 3);
    golden_free(&recorded);
    tanda_device_close(cpu);
    tanda_device_close(damaged);
}

Test(golden, long_trainings_keep_every_kth_step_after_a_thousand) {
    cr_expect_eq(golden_entries(1), 1);
    cr_expect_eq(golden_entries(1000), 1000);
    cr_expect_eq(golden_entries(1001), 1001);
    cr_expect_eq(golden_entries(2000), 2000);
    cr_expect_eq(golden_entries(2001), 1000 + 501);
    static const uint64_t lengths[] = {1, 999, 1000, 1001, 2000, 2001, 12345, 1000000007};
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        size_t count = 0;
        for (uint64_t step = 0; step < lengths[i]; step = golden_next_entry(step, lengths[i]))
            count++;
        cr_expect_eq(count, golden_entries(lengths[i]), "%zu entries for %zu steps", count,
                     (size_t)lengths[i]);
        cr_expect_leq(count, 2001);
    }
}

Test(golden, a_difference_between_two_entries_is_told_as_such) {
    backend *cpu = open_best_openmp(1);
    golden_options options = options_here;
    options.steps = 2500;
    golden recorded = record(cpu, &options);
    cr_expect_eq(recorded.entry_count, 1750);
    recorded.entries[1100].weights[3] ^= 1;
    golden_difference found = repeat(cpu, &options, &recorded);
    cr_expect_eq(found.after, 1200);
    cr_expect_eq(found.step, 1202);
    golden_free(&recorded);
    tanda_device_close(cpu);
}

/* ---- files -------------------------------------------------------------------------------------------- */

TestSuite(golden_file, .init = enter_folder, .fini = leave_folder);

#define RECORD(...) RUN_JSON("record", "--data", IRIS, "--hidden", "8", "--output", "g.json", __VA_ARGS__)

Test(golden_file, record_and_verify_agree_on_cpu) {
    json_t *recorded = RECORD("--epochs", "4", "--seed", "3", "--device", "cpu", "--threads", "1");
    cr_expect_eq(json_figure(recorded, "steps"), 20);
    json_t *verified = RUN_JSON("verify", "--golden", "g.json", "--device", "cpu,isa=generic");
    cr_expect(json_is_true(json_object_get(verified, "equal")));
    cr_expect_str_eq(json_words(verified, "weights_sha256"), json_words(recorded, "weights_sha256"));
    json_t *trained =
        RUN_JSON("train", "--data", IRIS, "--hidden", "8", "--epochs", "4", "--seed", "3", "--device", "cpu");
    cr_expect_str_eq(json_words(trained, "weights_sha256"), json_words(recorded, "weights_sha256"));
    json_decref(recorded);
    json_decref(verified);
    json_decref(trained);
}

Test(golden_file, it_keeps_the_arguments_that_decide_and_no_others) {
    json_error_t problem;
    json_decref(RECORD("--epochs=4", "--device", "cpu", "--thr=1", "--isa", "generic", "--steps", "3",
                       "--batch", "7"));
    json_t *file = json_load_file("g.json", 0, &problem), *arguments = json_object_get(file, "arguments");
    static const char *const expected[] = {"--data", IRIS, "--hidden", "8", "--epochs=4", "--batch", "7"};
    cr_assert_eq(json_array_size(arguments), sizeof expected / sizeof *expected);
    for (size_t i = 0; i < json_array_size(arguments); i++)
        cr_expect_str_eq(json_string_value(json_array_get(arguments, i)), expected[i]);
    json_decref(file);
}

/* Puts another text in place of the first of its kind. */
static void change_file(const char *path, const char *from, const char *to) {
    const char *text = file_text(path), *found = strstr(text, from);
    cr_assert_not_null(found, "no %s in %s", from, path);
    FILE *file = fopen(path, "wb");
    fwrite(text, 1, (size_t)(found - text), file);
    fputs(to, file);
    fputs(found + strlen(from), file);
    cr_assert_eq(fclose(file), 0);
}

Test(golden_file, a_mismatch_names_the_first_step_and_ends_with_1) {
    char from[64], to[64];
    json_decref(RECORD("--steps", "9", "--device", "cpu"));
    const char *entry = strstr(file_text("g.json"), "\"7 ");
    cr_assert_not_null(entry);
    snprintf(from, sizeof from, "%.12s", entry);
    snprintf(to, sizeof to, "\"7 00000001 ");
    change_file("g.json", from, to);
    const outcome outcome = RUN("verify", "--golden", "g.json", "--device", "cpu");
    cr_expect_eq(outcome.status, 1, "%s", outcome.err);
    cr_expect_eq(strncmp(outcome.out, "first difference: step 7, loss sum: ", 36), 0, "%s", outcome.out);
}

Test(golden_file, other_data_is_told_from_a_difference_and_ends_with_3) {
    json_decref(RECORD("--steps", "9", "--device", "cpu"));
    const outcome other = RUN("verify", "--golden", "g.json", "--device", "cpu", "--data", DIGITS);
    cr_expect_eq(other.status, 3);
    cr_expect_not_null(strstr(other.err, "other data"), "%s", other.err);
    write_text("iris.csv", file_text(IRIS)); /* the same rows elsewhere are the same data */
    cr_expect_eq(RUN("verify", "--golden", "g.json", "--device", "cpu", "--data", "iris.csv").status, 0);
    cr_expect_eq(RUN("verify", "--golden=g.json", "--device", "cpu", "--data=iris.csv").status, 0);
    change_file("iris.csv", "5.1,", "5.2,");
    const outcome changed = RUN("verify", "--golden", "g.json", "--device", "cpu", "--data", "iris.csv");
    cr_expect_eq(changed.status, 3);
    cr_expect_not_null(strstr(changed.err, "other data: the SHA-256"), "%s", changed.err);
}

Test(golden_file, other_options_are_refused) {
    json_decref(RECORD("--steps", "9", "--device", "cpu"));
    static const char *const options[][2] = {
        {"--learning-rate", "0.2"}, {"--seed", "2"},     {"--activation", "tanh"}, {"--shuffle", "none"},
        {"--batch", "31"},          {"--scale", "none"}, {"--against", "cpu"},     {"--steps", "9"}};
    for (size_t i = 0; i < sizeof options / sizeof *options; i++) {
        const outcome outcome =
            RUN("verify", "--golden", "g.json", "--device", "cpu", options[i][0], options[i][1]);
        cr_expect(outcome.status == 2 || outcome.status == 3, "%s: %d", options[i][0], outcome.status);
    }
    const outcome fast = RUN("record", "--data", IRIS, "--output", "f.json", "--math", "fast");
    cr_expect_eq(fast.status, 2);
    cr_expect_neq(access("f.json", F_OK), 0);
}

Test(golden_file, damage_is_named) {
    static const struct {
        const char *from, *to, *told;
    } damage[] = {
        {"\"tanda_golden\": 1", "\"tanda_golden\": 2", "tanda_golden"},
        {"\"rows\": 150", "\"rows\": -1", "rows"},
        {"\"data_sha256\": \"", "\"data_sha256\": \"x", "data_sha256"},
        {"\"1 ", "\"2 ", "trace"},
        {"\"steps\": 9", "\"steps\": 8", "trace"},
        {"\"trace\"", "\"track\"", "trace"},
        {"\"8\",", "8,", "argument"},
        {"{", "", "not a golden file"},
    };
    json_decref(RECORD("--steps", "9", "--device", "cpu", "--epochs", "8"));
    const char *whole = file_text("g.json");
    for (size_t i = 0; i < sizeof damage / sizeof *damage; i++) {
        write_text("damaged.json", whole);
        change_file("damaged.json", damage[i].from, damage[i].to);
        const outcome outcome = RUN("verify", "--golden", "damaged.json", "--device", "cpu");
        cr_expect_eq(outcome.status, 3, "%s: %d: %s", damage[i].to, outcome.status, outcome.err);
        cr_expect_not_null(strstr(outcome.err, damage[i].told), "%s: %s", damage[i].to, outcome.err);
    }
}

/* ---- files of others ----------------------------------------------------------------------------------- */

/* other.json: g.json with more arguments, before or behind its own. */
static void add_arguments(const char *const *words, bool before) {
    json_error_t problem;
    json_t *file = json_load_file("g.json", 0, &problem), *arguments = json_object_get(file, "arguments");
    for (size_t i = 0; words[i] != NULL; i++) {
        json_t *word = json_string(words[i]);
        cr_assert_eq(
            before ? json_array_insert_new(arguments, i, word) : json_array_append_new(arguments, word), 0);
    }
    cr_assert_eq(json_dump_file(file, "other.json", 0), 0);
    json_decref(file);
}

static void expect_refused(const char *told) {
    const outcome outcome = RUN("verify", "--golden", "other.json", "--device", "cpu");
    cr_expect_eq(outcome.status, 3, "%s: exit %d, %s", told, outcome.status, outcome.err);
    cr_expect_eq(strncmp(outcome.err, "tanda: other.json: ", 19), 0, "%s: %s", told, outcome.err);
    cr_expect_not_null(strstr(outcome.err, told), "%s: %s", told, outcome.err);
    cr_expect_eq(count_lines(outcome.err), 1);
    cr_expect_str_empty(outcome.out, "%s: %s", told, outcome.out);
    cr_expect_neq(access("victim", F_OK), 0, "%s", told);
}

Test(golden_file, its_arguments_are_those_of_a_training_and_no_others) {
    static const char *const words[][3] = {
        {"--help"},
        {"--version"},
        {"--hel"},
        {"--vers"},
        {"--help=x"},
        {"-h"},
        {"-"},
        {"--"},
        {""},
        {"iris.csv"},
        {"--kernels", "."},
        {"--kernels=."},
        {"--kern", "."},
        {"--device", "cpu"},
        {"--thr=1"},
        {"--output", "victim"},
        {"--out=victim"},
        {"--log", "victim"},
        {"--csv-log=victim"},
        {"--checkpoint", "victim"},
        {"--config", "g.json"},
        {"--conf=g.json"},
        {"--golden", "g.json"},
        {"--against", "cpu"},
        {"--steps", "2"},
        {"--threads", "1"},
        {"--isa=generic"},
        {"--json"},
        {"--quiet"},
        {"--require-device"},
        {"--accept-flush"},
        {"--report-every", "1"},
        {"--math", "exact"},
        {"--gemm=auto"},
        {"--frobnicate"},
        {"--l"},
        {"--Data", "x"},
        {"--resume", "x"},
        {"--folds", "2"},
    };
    json_decref(RECORD("--steps", "2", "--device", "cpu"));
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        char told[64];
        snprintf(told, sizeof told, "its arguments hold '%s'", words[i][0]);
        for (int before = 0; before < 2; before++) {
            add_arguments(words[i], before == 1);
            expect_refused(told);
        }
    }
}

Test(golden_file, its_arguments_take_no_word_of_the_command_line_for_a_value) {
    json_decref(RECORD("--steps", "2", "--device", "cpu"));
    add_arguments((const char *const[]){"--target", NULL}, false);
    expect_refused("its arguments: --target needs a value");
    add_arguments((const char *const[]){"--epochs", "x", NULL}, false);
    expect_refused("its arguments: --epochs: 'x' is not a whole number");
    add_arguments((const char *const[]){"--labels", "x", "--target", "y", NULL}, false);
    expect_refused("its arguments: --target and --labels");
}

Test(golden_file, abbreviated_settings_are_repeated) {
    json_decref(RECORD("--epo=3", "--bat", "9", "--output-a", "softmax", "--device", "cpu"));
    const outcome outcome = RUN("verify", "--golden", "g.json", "--device", "cpu", "--quiet");
    cr_expect_eq(outcome.status, 0, "%s", outcome.err);
    cr_expect_eq(strncmp(outcome.out, "equal: ", 7), 0, "%s", outcome.out);
}

/* Of the last entry the trace has a quarter of the hash. */
Test(golden_file, the_weights_that_it_ends_in_are_compared_whole) {
    char zeros[TANDA_DIGEST_SIZE], last[TANDA_DIGEST_SIZE];
    json_t *recorded = RECORD("--steps", "2", "--device", "cpu");
    json_error_t problem;
    json_t *file = json_load_file("g.json", 0, &problem);
    memset(zeros, '0', sizeof zeros - 1);
    zeros[sizeof zeros - 1] = '\0';
    json_object_set_new(file, "final_sha256", json_string(zeros));
    json_dump_file(file, "other.json", 0);
    expect_refused("\"final_sha256\" is not that of the last entry");

    snprintf(last, sizeof last, "%s", json_words(recorded, "weights_sha256"));
    last[sizeof last - 2] ^= 1;
    json_object_set_new(file, "final_sha256", json_string(last));
    json_dump_file(file, "other.json", 0);
    const outcome outcome = RUN("verify", "--golden", "other.json", "--device", "cpu", "--quiet");
    cr_expect_eq(outcome.status, 1, "%s", outcome.out);
    json_decref(file);
    json_decref(recorded);
}
