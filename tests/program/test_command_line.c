/* How a command line may be written: other names and letters of options, arguments in their place, and what help tells. */
#include "program.h"

TestSuite(command_line, .init = enter_folder, .fini = leave_folder);

#define TRAIN "train", "--device", "cpu"
#define WORDS 16

/* The sum of the weights that a training ends with. */
static const char *digest_of(const char *const *words) {
    static char digests[8][80];
    static size_t used = 0;
    const char *all[WORDS + 4] = {TANDA_PROGRAM, TRAIN};
    size_t count = 4;
    for (; *words != NULL; words++)
        all[count++] = *words;
    const outcome outcome = run_to(-1, all);
    cr_assert_eq(outcome.status, 0, "%s", outcome.err);
    const char *found = strstr(outcome.out, "weights_sha256: ");
    cr_assert_not_null(found, "%s", outcome.out);
    char *digest = digests[used++ % 8];
    snprintf(digest, sizeof digests[0], "%.64s", found + strlen("weights_sha256: "));
    return digest;
}
#define DIGEST(...) digest_of((const char *const[]){__VA_ARGS__, NULL})

static void expect_refused(const outcome *outcome, int status, const char *message) {
    char line[600];
    snprintf(line, sizeof line, "tanda: %s\n", message);
    cr_expect_str_eq(outcome->err, line);
    cr_expect_eq(outcome->status, status, "exit %d: %s", outcome->status, outcome->err);
    cr_expect_str_eq(outcome->out, "");
}

/* ---- names ---------------------------------------------------------------------------------------------- */

Test(command_line, an_option_is_the_same_by_each_of_its_names) {
    const char *plain = DIGEST("--data", DIGITS, "--learning-rate", "0.05", "--batch", "64", "--epochs", "2",
                               "--hidden", "8", "--output", "a");
    cr_expect_str_eq(DIGEST(DIGITS, "--lr=0.05", "--batch-size", "64", "--n-epochs=2", "--hidden-layers", "8",
                            "-q", "-o", "b"),
                     plain);
    cr_expect_str_eq(DIGEST("--learning-rate-init", "0.05", "--batc", "64", "--max-iter", "2", "-qob",
                            "--hidden-layer-sizes=8", DIGITS, "--random-state=0"),
                     plain);
    cr_expect_str_eq(
        DIGEST("--lr", "0.05", "--batch", "64", "--epochs", "2", "--hidden", "8", "-qo", "c", "--", DIGITS),
        plain);
    for (int i = 0; i < 3; i++)
        cr_expect_eq(access((const char *[]){"a", "b", "c"}[i], F_OK), 0);
}

Test(command_line, every_further_name_of_an_option_is_taken) {
    static const char *const pairs[][2] = {
        {"--eta0", "0.1"},
        {"--num-epochs", "2"},
        {"--max-epochs", "2"},
        {"--hidden-units", "3"},
        {"--validation-split", "0.2"},
        {"--validation-fraction", "0.2"},
        {"--val-split", "0.2"},
        {"--validation-data", IRIS},
        {"--random-seed", "3"},
        {"--n-jobs", "1"},
        {"--num-threads", "1"},
        {"--workers", "1"},
        {"--optim", "adam"},
        {"--clipvalue", "1"},
        {"--global-clipnorm", "1"},
        {"--scheduler", "cosine"},
        {"--lr-scheduler", "step"},
        {"--cv", "2"},
        {"--n-splits", "2"},
        {"--sep", ","},
        {"--separator", "comma"},
        {"--skiprows", "0"},
        {"--skip-rows", "0"},
        {"--na-values", "x"},
        {"--target-column", "species"},
        {"--restore-best-weights", "yes"},
        {"--class-weights", "balanced"},
    };
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        const outcome outcome = RUN(TRAIN, IRIS, "-q", pairs[i][0], pairs[i][1]);
        cr_expect_eq(outcome.status, 0, "%s: %s", pairs[i][0], outcome.err);
    }
    const outcome adam = RUN(TRAIN, IRIS, "-q", "--optimizer", "adam", "--beta-1", "0.8", "--beta-2", "0.9");
    cr_expect_eq(adam.status, 0, "%s", adam.err);
    const outcome step = RUN(TRAIN, IRIS, "-q", "--schedule", "step", "--gamma", "0.5", "--step-size", "3");
    cr_expect_eq(step.status, 0, "%s", step.err);
    const outcome cycle = RUN(TRAIN, IRIS, "-q", "--schedule", "one-cycle", "--pct-start", "0.5",
                              "--div-factor", "3", "--final-div-factor", "9");
    cr_expect_eq(cycle.status, 0, "%s", cycle.err);
}

Test(command_line, a_message_names_an_option_by_its_own_name) {
    const outcome value = RUN("train", "--lr", "0,1");
    expect_refused(&value, 2,
                   "--learning-rate: '0,1' is not a number above 0 within single precision, such as 0.1");
    const outcome lacking = RUN("train", IRIS, "-o");
    expect_refused(&lacking, 2, "--output needs a value: --output MODEL");
}

Test(command_line, what_means_something_else_elsewhere_is_told_with_what_to_write) {
    const outcome alpha = RUN("train", IRIS, "--alpha", "0.1");
    expect_refused(
        &alpha, 2,
        "--alpha is no option of train; scikit-learn's alpha is --l2 X: alpha / batch for its MLPs, "
        "alpha for its SGDs (RMSprop's in PyTorch is --rho)");
    const outcome decay = RUN("train", IRIS, "--weight-decay", "0.1");
    expect_refused(
        &decay, 2,
        "--weight-decay is for --optimizer adamw, and this is sgd; PyTorch's weight_decay of SGD and "
        "Adam is --l2 X, which leaves out the biases");
    const outcome none = RUN("predict", "--alpha", "m"); /* which has no --l2 */
    expect_refused(&none, 2, "--alpha is no option of predict (tanda predict --help lists them)");
}

Test(command_line, one_dash_before_a_long_name_is_no_letter_with_a_value) {
    const outcome written = RUN("train", "-output", "m", IRIS);
    expect_refused(&written, 2, "-output has one dash, and a long option has two: --output");
    cr_expect_neq(access("utput", F_OK), 0);
    const outcome alias = RUN("train", "-lr=0.1", IRIS);
    expect_refused(&alias, 2, "-lr has one dash, and a long option has two: --learning-rate");
    const outcome letter = RUN("train", "-x");
    expect_refused(&letter, 2, "-x is no option of train (tanda train --help lists them)");
}

Test(command_line, letters_answer_for_help_and_version_everywhere) {
    cr_expect_str_eq(RUN("-h").out, RUN("--help").out);
    cr_expect_str_eq(RUN("-v").out, RUN("--version").out);
    cr_expect_str_eq(RUN("train", "-h").out, RUN("help", "train").out);
    cr_expect_str_eq(RUN("devices", "-v").out, RUN("--version").out);
}

Test(command_line, a_key_of_a_configuration_may_be_any_name_of_its_option) {
    write_text("a.json", "{\"data\": \"" IRIS "\", \"lr\": 0.05, \"batch_size\": 16, \"n-epochs\": 3}");
    cr_expect_str_eq(DIGEST("--config", "a.json", "-q"),
                     DIGEST(IRIS, "--learning-rate", "0.05", "--batch", "16", "--epochs", "3", "-q"));
    cr_expect_str_eq(DIGEST("--config", "a.json", "-q", "--max-iter", "5", DIGITS), /* which win */
                     DIGEST(DIGITS, "--learning-rate", "0.05", "--batch", "16", "--epochs", "5", "-q"));
}

/* ---- arguments ------------------------------------------------------------------------------------------ */

Test(command_line, model_and_data_are_arguments_or_options) {
    DIGEST(IRIS, "-qo", "m");
    const char *expected = RUN("predict", "m", "--data", IRIS, "-q").out;
    cr_expect_eq(strncmp(expected, "class,", 6), 0);
    cr_expect_str_eq(RUN("predict", "m", IRIS, "-q").out, expected);
    cr_expect_str_eq(RUN("predict", "-q", "--data", IRIS, "--", "m").out, expected);
    cr_expect_str_eq(RUN("predict", IRIS, "--model=m", "-q").out, expected);
    cr_expect_str_eq(RUN("predict", "--model", "m", "--data", IRIS, "-q").out, expected);
    cr_expect_str_eq(RUN("evaluate", "m", IRIS, "-q").out, RUN("evaluate", "m", "--data", IRIS, "-q").out);
    cr_expect_eq(RUN("record", IRIS, "--epochs", "2", "-qo", "g.json").status, 0);
    cr_expect_eq(RUN("verify", IRIS, "--steps", "2", "--device", "cpu", "-q").status, 0);
    cr_expect_eq(RUN("verify", "--golden", "g.json", "--device", "cpu", "-q").status, 0);
    cr_expect_eq(RUN("verify", "--golden", "g.json", "--device", "cpu", "-q", IRIS).status, 0);
}

Test(command_line, an_argument_too_many_or_given_twice_is_refused) {
    const outcome many = RUN("train", "a", "b");
    expect_refused(&many, 2, "'b' is one argument too many; see tanda train --help");
    const outcome twice = RUN("train", "a", "--data", "b");
    expect_refused(&twice, 2, "'a' is one argument too many, as --data is given; see tanda train --help");
    const outcome third = RUN("predict", "m", "a", "b");
    expect_refused(&third, 2, "'b' is one argument too many; see tanda predict --help");
    const outcome both = RUN("evaluate", "m", "a", "--data", "b");
    expect_refused(&both, 2, "'a' is one argument too many, as --data is given; see tanda evaluate --help");
    const outcome model = RUN("evaluate", "m", "a", "--model", "n");
    expect_refused(&model, 2, "'a' is one argument too many, as --model is given; see tanda evaluate --help");
}

Test(command_line, a_file_in_the_place_of_another_is_told_what_it_is) {
    DIGEST(IRIS, "-qo", "m");
    write_text("f.csv", "a,b\n1,2\n");
    write_text("f.json", "{\"a\": 1}");
    const outcome plain = RUN("evaluate", "f.csv", IRIS);
    expect_refused(&plain, 3, "f.csv: is CSV text, not a model");
    const outcome swapped = RUN("predict", "f.csv", "m");
    expect_refused(&swapped, 3, "f.csv: is CSV text, not a model; the arguments are MODEL DATA");
    const outcome model = RUN("evaluate", "m", "m");
    expect_refused(&model, 3, "m: is a model (a safetensors file), not data; the arguments are MODEL DATA");
    const outcome trained = RUN("train", "m");
    expect_refused(&trained, 3, "m: is a model (a safetensors file), not data");
    const outcome first = RUN("train", IRIS, "--init", "f.csv");
    expect_refused(&first, 3, "f.csv: is CSV text, not a model");
    const outcome json = RUN("inspect", "m", "--config", "f.json");
    cr_expect_eq(json.status, 2);
    const outcome golden = RUN("evaluate", "f.json", IRIS);
    expect_refused(
        &golden, 3,
        "f.json: is JSON; a model is a safetensors file, as tanda train --output writes it, and --init "
        "takes a state_dict saved as one");
}

/* ---- help ----------------------------------------------------------------------------------------------- */

static const char *const commands[] = {"train", "evaluate", "predict", "verify",  "record",
                                       "trace", "generate", "shuffle", "inspect", "devices",
                                       "bench", "report",   "lab",     "surface"};

Test(command_line, a_bare_command_tells_what_is_missing_and_shows_an_example) {
    static const char *const lacks[] = {"data", "data", "data", "data", "data",
                                        "data", "kind", "data", "file"};
    for (size_t i = 0; i < sizeof lacks / sizeof *lacks; i++) {
        char begin[40], example[40];
        const outcome outcome = RUN(commands[i]);
        snprintf(begin, sizeof begin, "tanda: no %s", lacks[i]);
        snprintf(example, sizeof example, "; for example: tanda %s ", commands[i]);
        cr_expect_eq(strncmp(outcome.err, begin, strlen(begin)), 0, "%s", outcome.err);
        cr_expect_not_null(strstr(outcome.err, example), "%s", outcome.err);
        cr_expect_eq(count_lines(outcome.err), 1);
        cr_expect_eq(outcome.status, 2);
    }
    const outcome model = RUN("evaluate", "--data", IRIS);
    expect_refused(&model, 2, "no model; for example: tanda evaluate iris.safetensors datasets/iris.csv");
}

Test(command_line, help_is_grouped_as_people_look_and_has_no_stray_blank_lines) {
    static const char *const titles[] = {
        "\n\n Data:\n  ",   "\n\n Network:\n  ", "\n\n Training:\n  ", "\n\n Optimizer and schedule:\n  ",
        "\n\n Output:\n  ", "\n\n Device:\n  ",  "\n\n Common:\n  "};
    const char *at = RUN("train", "--help").out;
    for (size_t i = 0; i < sizeof titles / sizeof *titles; i++) {
        at = strstr(at, titles[i]);
        cr_assert_not_null(at, "no %s in its place", titles[i]);
    }
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        const char *help = RUN(commands[i], "--help").out;
        cr_expect_null(strstr(help, "\n\n\n"), "%s", commands[i]);
        cr_expect_null(strstr(help, " \n"), "%s", commands[i]);
        cr_expect_neq(strncmp(help + strlen(help) - 2, "\n\n", 2), 0);
        for (const char *line = help; *line != '\0'; line += strcspn(line, "\n") + 1)
            cr_expect(strcspn(line, "\n") < 80 || strncmp(line, "Example: ", 9) == 0, "%s: %.90s",
                      commands[i], line);
    }
}

Test(command_line, no_command_lists_or_takes_what_it_cannot_use) {
    static const char *const useless[][4] = {
        {"inspect", "--device", "--seed", "--math"},
        {"generate", "--device", "--kernels", "--threads"},
        {"shuffle", "--device", "--kernels", "--threads"},
        {"devices", "--device", "--seed", "--gemm"},
        {"evaluate", "--seed", "--gemm", "--epochs"},
        {"predict", "--seed", "--drop-missing-targets", "--top-k"},
        {"verify", "--output", "--report-every", "--require-device"},
        {"record", "--report-every", "--gemm", "--patience"},
        {"trace", "--report-every", "--gemm", "--math"},
        {"surface", "--report-every", "--gemm", "--patience"},
        {"bench", "--seed", "--gemm", "--require-device"},
        {"lab", "--seed", "--gemm", "--require-device"},
    };
    for (size_t i = 0; i < sizeof useless / sizeof *useless; i++)
        for (size_t j = 1; j < 4; j++) {
            char entry[40], told[80];
            snprintf(entry, sizeof entry, " %s=", useless[i][j]);
            cr_expect_null(strstr(RUN(useless[i][0], "--help").out, entry), "%s %s", useless[i][0], entry);
            snprintf(told, sizeof told, "tanda: %s is no option of %s", useless[i][j], useless[i][0]);
            const outcome outcome = RUN(useless[i][0], useless[i][j], "1");
            cr_expect_eq(strncmp(outcome.err, told, strlen(told)), 0, "%s", outcome.err);
            cr_expect_eq(outcome.status, 2);
        }
}
