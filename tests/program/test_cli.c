/* The program from outside: exit codes, messages, and what goes to which stream. */
#include <signal.h>

#include "program.h"

TestSuite(cli, .init = enter_folder, .fini = leave_folder);

#define LIMIT 10

/* A command line that is refused, and the one line that says why. */
typedef struct refusal {
    int status;
    const char *message; /* after "tanda: " */
    const char *arguments[LIMIT];
} refusal;

static void expect_plain_refusal(const refusal *expected) {
    const char *arguments[LIMIT + 2] = {TANDA_PROGRAM};
    char line[1024];
    memcpy(arguments + 1, expected->arguments, sizeof expected->arguments);
    snprintf(line, sizeof line, "tanda: %s\n", expected->message);
    const outcome outcome = run_to(-1, arguments);
    cr_expect_str_eq(outcome.err, line);
    cr_expect_str_eq(outcome.out, "");
    cr_expect_eq(outcome.status, expected->status, "exit %d for: %s", outcome.status, line);
}

static void expect_json_refusal(const refusal *expected) {
    const char *arguments[LIMIT + 3] = {TANDA_PROGRAM, expected->arguments[0], "--json"};
    memcpy(arguments + 3, expected->arguments + 1,
           sizeof expected->arguments - sizeof expected->arguments[0]);
    const outcome outcome = run_to(-1, arguments);
    cr_expect_eq(outcome.status, expected->status);
    cr_expect_eq(count_lines(outcome.err), 1);
    json_t *object = only_object(&outcome);
    cr_expect_eq(json_object_size(object), 3);
    cr_expect_str_eq(json_words(object, "command"), expected->arguments[0]);
    cr_expect_str_eq(json_words(object, "error"), expected->message);
    cr_expect_eq(json_figure(object, "status"), expected->status);
    json_decref(object);
}

static void expect_refusals(const refusal *refusals, size_t count) {
    for (size_t i = 0; i < count; i++) {
        expect_plain_refusal(&refusals[i]);
        expect_json_refusal(&refusals[i]);
    }
}
#define EXPECT_REFUSALS(table) expect_refusals(table, sizeof(table) / sizeof((table)[0]))

Test(cli, unknown_names_come_with_the_closest_one_and_exit_2) {
    static const refusal refusals[] = {
        {2, "'trian' is no command; the closest is train (tanda --help lists them)", {"trian"}},
        {2,
         "--epocs is no option of train; the closest is --epochs (tanda train --help lists them)",
         {"train", "--epocs=3"}},
        {2,
         "--lerning-rate is no option of train; the closest is --learning-rate (tanda train --help lists "
         "them)",
         {"train", "--data", IRIS, "--lerning-rate", "0.1"}},
        {2,
         "--topp is no option of predict; the closest is --top (tanda predict --help lists them)",
         {"predict", "m", "--topp", "3"}},
        {2, "--val could be several options of train; write it in full", {"train", "--val", "0.2"}},
        {2, "--quiet takes no value", {"train", "--quiet=3"}},
        {2, "--epochs needs a value: --epochs N", {"train", "--data", IRIS, "--epochs"}},
        {2, "--output needs a value: --output MODEL", {"train", "--data", IRIS, "--output"}},
        {2,
         "--validation needs a value: --validation FRACTION|FILE",
         {"train", "--data", IRIS, "--validation"}},
        {2, "'extra' is one argument too many; see tanda train --help", {"train", IRIS, "extra"}},
        {2, "'b' is one argument too many; see tanda inspect --help", {"inspect", "a", "b"}},
    };
    EXPECT_REFUSALS(refusals);
}

Test(cli, what_is_like_nothing_comes_without_a_suggestion) {
    static const refusal refusals[] = {
        {2,
         "--tensorboard is no option of train (tanda train --help lists them)",
         {"train", "--tensorboard", "1"}},
        {2, "-x is no option of train (tanda train --help lists them)", {"train", "-x"}},
        {2, "'xyzzy' is no command (tanda --help lists them)", {"xyzzy"}},
    };
    EXPECT_REFUSALS(refusals);
}

#define ADAM "train", "--data", IRIS, "--optimizer", "adam"

Test(cli, constants_of_another_optimizer_or_schedule_exit_2) {
    static const refusal refusals[] = {
        {2,
         "--optimizer: 'adamm' is unknown; use sgd, momentum, nesterov, adagrad, rmsprop, adam, adamw or "
         "lbfgs",
         {"train", "--optimizer", "adamm"}},
        {2, "--rho is for --optimizer rmsprop, and this is adam", {ADAM, "--rho", "0.5"}},
        {2,
         "--beta2 is for --optimizer adam or adamw, and this is sgd",
         {"train", "--data", IRIS, "--beta2", "0"}},
        {2, "--beta1: 1 is not a number of at least 0 and below 1", {ADAM, "--beta1", "1"}},
        {2, "--epsilon: 0 is not a number from 1e-30 to 1e+30, such as 1e-7", {ADAM, "--epsilon", "0"}},
        {2, "--l2: '-1' is not a number of at least 0", {"train", "--l2", "-1"}},
        {2, "--amsgrad: only adam and adamw have it, not sgd", {"train", "--data", IRIS, "--amsgrad"}},
        {2,
         "--clip-norm: clip-value is given too; one of them will do",
         {ADAM, "--clip-norm", "1", "--clip-value", "1"}},
        {2,
         "--cycle-rise is for --schedule one-cycle, and this is cosine",
         {ADAM, "--schedule", "cosine", "--cycle-rise", "0.5"}},
        {2,
         "--warmup-steps: 'x' is not a whole number from 0 to 1000000000000",
         {"train", "--warmup-steps", "x"}},
        {2,
         "--schedule plateau follows the loss of each epoch, and tanda verify counts only steps; use another",
         {"verify", "--data", IRIS, "--schedule", "plateau"}},
    };
    EXPECT_REFUSALS(refusals);
}

Test(cli, values_are_read_strictly_and_exit_2) {
    static const refusal refusals[] = {
        {2, "--epochs: '1.5' is not a whole number from 1 to 1000000000", {"train", "--epochs", "1.5"}},
        {2, "--class-weight: 'a' is neither balanced nor like NAME=2.5", {"train", "--class-weight", "a"}},
        {2, "--class-weight: class 'a' has two weights", {"train", "--class-weight", "a=1,a=2"}},
        {2,
         "--class-weight: '-1' is not a number of at least 0 that binary32 can hold",
         {"train", "--class-weight", "a=1,b=-1"}},
        {2,
         "--class-weight: the data has no class 'rose'; the first of 3 is 'setosa'",
         {"train", "--data", IRIS, "--class-weight", "rose=2"}},
        {2,
         "--class-weight: the target is a quantity; only classes have such weights",
         {"train", "--data", IRIS, "--target", "0", "--ignore", "species", "--class-weight", "balanced"}},
        {2, "--dropout: '1' is not a number from 0 to below 1, such as 0.5", {"train", "--dropout", "0.5,1"}},
        {2,
         "--input-dropout: '-1' is not a number from 0 to below 1, such as 0.5",
         {"train", "--input-dropout", "-1"}},
        {2,
         "--dropout: 2 rates for 1 hidden layers; give one, or one per layer",
         {"train", "--data", IRIS, "--hidden", "3", "--dropout", "0.5,0.1"}},
        {2, "--epochs: '0' is not a whole number from 1 to 1000000000", {"train", "--epochs", "0"}},
        {2, "--epochs: '3 ' is not a whole number from 1 to 1000000000", {"train", "--epochs", "3 "}},
        {2, "--epochs: '' is not a whole number from 1 to 1000000000", {"train", "--epochs="}},
        {2, "--seed: '-1' is not a whole number from 0 to 9223372036854775807", {"train", "--seed", "-1"}},
        {2,
         "--seed: '18446744073709551616' is not a whole number from 0 to 9223372036854775807",
         {"train", "--seed", "18446744073709551616"}},
        {2, "--threads: '0' is not a whole number from 1 to 4096", {"devices", "--threads", "0"}},
        {2, "--batch: 'all' is neither full nor a whole number of at least 1", {"train", "--batch", "all"}},
        {2, "--hidden: '0' is not a whole number from 1 to 16777216", {"train", "--hidden", "8,0"}},
        {2, "--hidden: an empty name; separate names by single commas", {"train", "--hidden", "8,,8"}},
        {2,
         "--learning-rate: '0,1' is not a number above 0 within single precision, such as 0.1",
         {"train", "--learning-rate", "0,1"}},
        {2,
         "--learning-rate: 'nan' is not a number above 0 within single precision, such as 0.1",
         {"train", "--learning-rate", "nan"}},
        {2,
         "--learning-rate: '1e39' is not a number above 0 within single precision, such as 0.1",
         {"train", "--learning-rate", "1e39"}},
        {2,
         "--validation: 1.5 is no fraction between 0 and 1, such as 0.2",
         {"train", "--validation", "1.5"}},
        {2, "--header: 'yes' is unknown; use auto, none or first-row", {"train", "--header", "yes"}},
        {2, "--scale: 'robust' is unknown; use none, standard or minmax", {"train", "--scale", "robust"}},
        {2, "--math: 'sloppy' is unknown; use exact or fast", {"train", "--math", "sloppy"}},
        {2,
         "--device: 'fpga' is unknown; use auto, cpu, gpu, opencl, opencl:NAME or opencl:P.D (tanda devices "
         "lists them)",
         {"train", "--device", "fpga"}},
        {2,
         "--loss: 'l2' is unknown; use binary_crossentropy, categorical_crossentropy, mse, mae, huber, "
         "log_cosh, "
         "poisson, hinge, squared_hinge or kl_divergence",
         {"train", "--loss", "l2"}},
    };
    EXPECT_REFUSALS(refusals);
}

Test(cli, options_that_contradict_each_other_exit_2) {
    static const refusal refusals[] = {
        {2,
         "--activation is for hidden layers and there is none; give --hidden UNITS",
         {"train", "--data", IRIS, "--activation", "relu"}},
        {2,
         "--activation: 2 names for 3 hidden layers; give one, or one per layer",
         {"train", "--data", IRIS, "--hidden", "3,4,5", "--activation", "relu,tanh"}},
        {2,
         "--activation: 'mish' is unknown; use identity, sigmoid, tanh, relu, leaky_relu, elu, selu, gelu, "
         "swish, "
         "softplus, softsign, hard_sigmoid or exponential",
         {"train", "--data", IRIS, "--hidden", "3", "--activation", "mish"}},
        {2,
         "--target and --labels both say where the labels are; give one of them",
         {"train", "--data", IRIS, "--target", "0", "--labels", IRIS}},
        {2,
         "--validation-labels goes with --validation FILE",
         {"train", "--data", IRIS, "--validation-labels", IRIS}},
        {2,
         "--validation v.npy needs --validation-labels FILE, as --data needs --labels",
         {"train", "--data", "x.npy", "--labels", "y.npy", "--validation", "v.npy"}},
        {2,
         "loss mse needs 1 sigmoid output for classes, not 3 softmax",
         {"train", "--data", IRIS, "--loss", "mse"}},
    };
    EXPECT_REFUSALS(refusals);
}

Test(cli, bad_data_and_models_exit_3_and_name_the_place) {
    write_text("ragged.csv", "a,b,kind\n1,2,x\n3,4,y\n5,6\n");
    write_text("words.csv", "a,b,kind\n1,2,x\n3,four,y\n");
    write_text("short.safetensors", "tanda");
    static const refusal refusals[] = {
        {3, "ragged.csv:4: 2 fields, the first row has 3", {"train", "--data", "ragged.csv"}},
        {3,
         "words.csv:3:2: 'four' is not a number; --categorical takes text (column b)",
         {"train", "--data", "words.csv"}},
        {3, "nowhere.csv: No such file or directory", {"train", "--data", "nowhere.csv"}},
        {3, "nowhere: No such file or directory", {"evaluate", "nowhere", "--data", IRIS}},
    };
    EXPECT_REFUSALS(refusals);
    cr_expect_eq(RUN("predict", "short.safetensors", "--data", IRIS).status, 3);
}

Test(cli, a_truncated_model_exits_3_in_one_line) {
    RUN("train", "--data", IRIS, "--epochs", "1", "--output", "m.safetensors", "--quiet");
    struct stat information;
    cr_assert_eq(stat("m.safetensors", &information), 0);
    cr_assert_eq(truncate("m.safetensors", information.st_size - 1), 0);
    static const char *const commands[][4] = {
        {"evaluate", "m.safetensors", "--data", IRIS},
        {"predict", "m.safetensors", "--data", IRIS},
    };
    for (size_t i = 0; i < 2; i++) {
        const outcome outcome = RUN(commands[i][0], commands[i][1], commands[i][2], commands[i][3]);
        cr_expect_eq(outcome.status, 3);
        cr_expect_eq(count_lines(outcome.err), 1);
        cr_expect_eq(strncmp(outcome.err, "tanda: m.safetensors: ", 22), 0, "%s", outcome.err);
        cr_expect_str_eq(outcome.out, "");
    }
    cr_expect_eq(RUN("inspect", "m.safetensors").status, 3);
}

Test(cli, a_training_that_diverges_exits_1_and_writes_no_model) {
    const outcome outcome = RUN("train", "--data", IRIS, "--hidden", "8", "--learning-rate", "1e30",
                                "--output", "m.safetensors", "--quiet", "--json");
    cr_expect_eq(outcome.status, 1);
    cr_expect_eq(count_lines(outcome.err), 1, "%s", outcome.err);
    cr_expect_neq(access("m.safetensors", F_OK), 0, "a model was written");
    json_t *object = only_object(&outcome);
    cr_expect_eq(json_figure(object, "status"), 1);
    json_decref(object);
}

Test(cli, an_output_that_cannot_be_written_is_refused_before_training) {
    const outcome outcome = RUN("train", "--data", IRIS, "--output", "nowhere/m.safetensors");
    cr_expect_eq(outcome.status, 1);
    cr_expect_str_eq(outcome.err,
                     "tanda: --output nowhere/m.safetensors: cannot be written: No such file or directory\n");
    cr_expect_eq(RUN("train", "--data", IRIS, "--output", ".").status, 1);
}

Test(cli, a_result_that_cannot_be_written_exits_1) {
    cr_assert_eq(RUN("train", "--data", IRIS, "--quiet", "--output", "m.safetensors").status, 0);
    const int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
    cr_assert_geq(full, 0);
    const outcome outcomes[] = {
        RUN_TO(full, "predict", "m.safetensors", "--data", IRIS, "--quiet"),
        RUN_TO(full, "evaluate", "m.safetensors", "--data", IRIS, "--quiet", "--json"),
        RUN_TO(full, "predict", "m.safetensors", "--data", IRIS, "--quiet", "--json"),
    };
    for (size_t i = 0; i < 3; i++) {
        cr_expect_eq(outcomes[i].status, 1);
        cr_expect_str_eq(outcomes[i].err,
                         "tanda: cannot write to standard output: No space left on device\n");
    }
}

Test(cli, a_command_whose_reader_has_gone_ends_in_silence_as_by_sigpipe) {
    cr_assert_eq(RUN("train", "--data", IRIS, "--quiet", "--output", "m.safetensors").status, 0);
    int ends[2];
    cr_assert_eq(pipe2(ends, O_CLOEXEC), 0);
    close(ends[0]);
    const outcome outcomes[] = {
        RUN_TO(ends[1], "predict", "m.safetensors", "--data", IRIS, "--quiet"),
        RUN_TO(ends[1], "predict", "m.safetensors", "--data", IRIS, "--quiet", "--json"),
        RUN_TO(ends[1], "predict", "m.safetensors", "--data", IRIS, "--quiet", "--output", "/dev/stdout"),
        RUN_TO(ends[1], "evaluate", "m.safetensors", "--data", IRIS, "--quiet"),
        RUN_TO(ends[1], "inspect", "m.safetensors"),
        RUN_TO(ends[1], "help"),
    };
    for (size_t i = 0; i < sizeof outcomes / sizeof *outcomes; i++) {
        cr_expect_eq(outcomes[i].status, 128 + SIGPIPE, "%zu: %d", i, outcomes[i].status);
        cr_expect_str_eq(outcomes[i].err, "");
    }
    /* What else is wrong is told all the same. */
    cr_expect_eq(RUN_TO(ends[1], "predict", "m.safetensors", "--data", "nowhere.csv").status, 3);
}

/* ---- devices ------------------------------------------------------------------------------------------ */

Test(cli, without_an_opencl_platform_training_says_that_it_uses_openmp_and_why) {
    cr_assert_eq(mkdir("vendors", 0700), 0);
    setenv("OCL_ICD_VENDORS", "vendors", 1);
    const outcome outcome = RUN("train", "--data", IRIS, "--epochs", "1");
    cr_expect_eq(outcome.status, 0);
    const char *line = strstr(outcome.err, "device: OpenMP, ");
    cr_assert_not_null(line, "%s", outcome.err);
    cr_expect_null(strstr(line + 1, "device: "), "more than one line about the device");
    const char *reason = strstr(line, "exact; ");
    cr_assert_not_null(reason, "%s", outcome.err);
    cr_expect_lt(reason, strchr(line, '\n'));
    cr_expect_not_null(strstr(reason, "OpenCL"));
}

Test(cli, a_required_device_that_is_missing_exits_4) {
    cr_assert_eq(mkdir("vendors", 0700), 0);
    setenv("OCL_ICD_VENDORS", "vendors", 1);
    const outcome outcome = RUN("train", "--data", IRIS, "--device", "opencl", "--require-device", "--output",
                                "m.safetensors", "--json");
    cr_expect_eq(outcome.status, 4);
    cr_expect_eq(count_lines(outcome.err), 1, "%s", outcome.err);
    cr_expect_neq(access("m.safetensors", F_OK), 0);
    json_t *object = only_object(&outcome);
    cr_expect_eq(json_figure(object, "status"), 4);
    json_decref(object);
}

Test(cli, devices_lists_the_cpu_as_exact) {
    json_t *object = RUN_JSON("devices");
    const json_t *first = json_array_get(json_object_get(object, "devices"), 0);
    cr_expect_str_eq(json_words(first, "id"), "cpu");
    cr_expect_str_eq(json_words(first, "backend"), "openmp");
    cr_expect_str_eq(json_words(first, "grade"), "exact");
    cr_expect_geq(json_figure(first, "compute_units"), 1);
    const outcome outcome = RUN("devices");
    cr_expect_geq(count_lines(outcome.out), json_array_size(json_object_get(object, "devices")));
    cr_expect_eq(strncmp(outcome.out, "cpu ", 4), 0);
    json_decref(object);
}

/* ---- help and quiet ----------------------------------------------------------------------------------- */

Test(cli, help_and_version_go_to_standard_output_and_exit_0) {
    static const char *const commands[] = {"train", "evaluate", "predict", "inspect", "devices"};
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        char begin[64];
        const outcome help = RUN(commands[i], "--help");
        snprintf(begin, sizeof begin, "Usage: tanda %s [OPTION...]", commands[i]);
        cr_expect_eq(strncmp(help.out, begin, strlen(begin)), 0, "%s", help.out);
        cr_expect_not_null(strstr(help.out, "--quiet"));
        cr_expect_str_eq(help.err, "");
        cr_expect_eq(help.status, 0);
        cr_expect_not_null(strstr(RUN("--help").out, commands[i]));
        cr_expect_eq(RUN(commands[i], "--version").status, 0);
    }
    cr_expect_eq(strncmp(RUN("--version").out, "tanda ", 6), 0);
}

Test(cli, no_command_at_all_exits_2) {
    const outcome outcome = run_to(-1, (const char *const[]){TANDA_PROGRAM, NULL});
    cr_expect_eq(outcome.status, 2);
    cr_expect_str_eq(outcome.err, "tanda: no command; tanda --help lists them\n");
}

Test(cli, quiet_leaves_standard_error_empty) {
    const outcome outcome = RUN("train", "--data", IRIS, "--epochs", "2", "--quiet");
    cr_expect_eq(outcome.status, 0);
    cr_expect_str_eq(outcome.err, "");
    cr_expect_eq(strncmp(outcome.out, "loss: ", 6), 0);
}
