/* --config, and the settings in a model that repeat its training. */
#include "program.h"
#include "support_model_file.h"

TestSuite(config, .init = enter_folder, .fini = leave_folder);

#define LIMIT 24

/* Trains with arguments, NULL at the end of them, and more; the weights' sum. The model goes to output. */
static const char *train_digest(const char *const *arguments, const char *output) {
    static char digests[4][80];
    static size_t used = 0;
    const char *all[LIMIT + 8] = {TANDA_PROGRAM, "train"};
    size_t count = 2;
    for (; *arguments != NULL; arguments++)
        all[count++] = *arguments;
    const char *const last[] = {"--output", output, "--json", "--quiet"};
    memcpy(all + count, last, sizeof last);
    const outcome outcome = run_to(-1, all);
    cr_assert_eq(outcome.status, 0, "%s", outcome.err);
    json_t *object = only_object(&outcome);
    char *digest = digests[used++ % 4];
    snprintf(digest, sizeof digests[0], "%s", json_words(object, "weights_sha256"));
    json_decref(object);
    return digest;
}

/* Files that the trainings below read. */
static void make_files(void) {
    const char *rows = "price,size,age,note,kind\n"
                       "1.5,1,2,9,a\n2.5,2,1,8,b\n3.5,3,4,9,a\n4.25,4,3,8,b\n5.5,5,5,9,a\n6.5,6,1,8,b\n";
    write_text("rows.csv", rows);
    write_text("more.csv", "price,size,age,note,kind\n1.25,1,2,9,b\n2.75,2,1,8,a\n");
    write_text("mixed.csv", "size,colour,kind\n1,red,a\n?,green,b\n3,red,a\n4,blue,b\n5,green,a\n6,red,b\n");
    write_text("semi.txt", "by hand\n% kept\nsize;age;kind\n1,5;1;a\n2,5;-9;b\n3,5;3;a\n4;1;b\n");
    write_text("commas.csv", "\"area, m2\",b,\"y, \"\"z\"\"\"\n1,2,\"u, v\"\n2,3,w\n3,1,\"u, v\"\n4,4,w\n");
    write_text("gaps.csv", "size,l,m\n1,0,1\n2,1,\n3,1,1\n4,0,0\n");
    write_text("bare.csv", "0.5,1,0\n1.5,2,1\n0.25,3,0\n2.5,1,1\n");
    cr_assert_eq(RUN("generate", "moons", "--rows", "64", "--test-rows", "16", "--output", "x.npy",
                     "--labels", "y.npy", "--quiet")
                     .status,
                 0);
    json_decref(RUN_JSON("train", "--data", "rows.csv", "--target", "kind", "--ignore", "note", "--output",
                         "first.safetensors"));
}

static const char *const trainings[][LIMIT] = {
    {"--data", IRIS},
    {"--data", DIGITS, "--hidden", "16", "--validation", "0.2", "--stratify", "no", "--patience", "1",
     "--min-delta", "0.05", "--epochs", "9"},
    {"--data", DIGITS, "--hidden", "24,16", "--activation", "tanh,relu", "--validation", "0.2", "--epochs",
     "4", "--learning-rate", "0.1234567890123"},
    {"--data", "rows.csv", "--target", "price", "--ignore", "kind", "--ignore", "note", "--task",
     "regression", "--learning-rate", "0.01", "--batch", "4"},
    {"--data", "rows.csv", "--target", "price", "--features", "age,size", "--scale", "minmax", "--shuffle",
     "none"},
    {"--data", DIGITS, "--shuffle", "window", "--shuffle-window", "512", "--shuffle-block", "32", "--epochs",
     "2"},
    {"--data", "rows.csv", "--ignore", "note", "--validation", "more.csv", "--loss", "mse",
     "--output-activation", "sigmoid", "--seed", "7", "--hidden", "8"},
    {"--data", "rows.csv", "--target", "price", "--ignore", "kind", "--sample-weight", "age"},
    {"--data", "rows.csv", "--target", "price", "--ignore", "kind", "--scale-target", "standard"},
    {"--data", "rows.csv", "--target", "kind", "--ignore", "note", "--sample-weight", "age", "--class-weight",
     "b=0.1,a=2.5"},
    {"--data", IRIS, "--class-weight", "balanced", "--epochs", "2"},
    {"--data", "mixed.csv", "--categorical", "colour,size", "--missing", "mean", "--validation", "0.3",
     "--unknown-category", "zero", "--stratify", "no"},
    {"--data", "mixed.csv", "--categorical", "auto", "--missing", "mean"},
    {"--data", DIGITS, "--hidden", "24,16", "--dropout", "0.5,0.1", "--input-dropout", "0.3", "--epochs",
     "2"},
    {"--data", DIGITS, "--hidden", "12", "--label-smoothing", "0.1", "--epochs", "2"},
    {"--data", DIGITS, "--loss", "squared_hinge", "--epochs", "2", "--learning-rate", "0.01"},
    {"--data", "rows.csv", "--target", "price", "--ignore", "kind", "--ignore", "note", "--loss", "huber",
     "--huber-delta", "0.3", "--output-activation", "softplus"},
    {"--data", "rows.csv", "--target", "price", "--ignore", "kind", "--ignore", "note", "--loss", "poisson",
     "--learning-rate", "0.001"},
    {"--data", "rows.csv", "--loss", "categorical_crossentropy", "--batch", "full", "--ignore", "3"},
    {"--data", "semi.txt", "--delimiter", "semicolon", "--decimal", "comma", "--comment", "%", "--skip-lines",
     "1", "--missing", "mean", "--missing-values", "\"-\",-9"},
    {"--data", "commas.csv", "--features", "b,\"area, m2\"", "--target", "\"y, \"\"z\"\"\"", "--class-weight",
     "\"u, v\"=2.5,w=1"},
    {"--data", "gaps.csv", "--drop-missing-targets", "--target", "l,m", "--loss", "binary_crossentropy"},
    {"--data", "bare.csv", "--header", "none", "--format", "csv", "--hidden", "300", "--activation",
     "sigmoid"},
    {"--data", "x.npy", "--labels", "y.npy", "--validation", "x-test.npy", "--validation-labels",
     "y-test.npy", "--hidden", "8"},
    {"--data", "rows.csv", "--target", "kind", "--ignore", "note", "--init", "first.safetensors"},
    {"--data", "more.csv", "--target", "kind", "--ignore", "note", "--init", "first.safetensors"},
    {"--data", "more.csv", "--target", "kind", "--ignore", "note", "--init", "first.safetensors", "--scale",
     "standard", "--math", "fast", "--gemm", "tanda"},
    {"--data", IRIS, "--optimizer", "nesterov", "--momentum", "0.7", "--l2", "0.01", "--schedule", "step",
     "--decay-epochs", "3"},
    {"--data", IRIS, "--optimizer", "adagrad", "--initial-accumulator", "0.2", "--schedule", "exponential"},
    {"--data", IRIS, "--optimizer", "rmsprop", "--centered", "--rho", "0.8", "--clip-value", "0.1",
     "--schedule", "cosine", "--final-share", "0.1"},
    {"--data", IRIS, "--optimizer", "adam", "--amsgrad", "--beta1", "0.8", "--clip-norm", "0.5", "--schedule",
     "one-cycle", "--cycle-rise", "0.4"},
    {"--data", IRIS, "--optimizer", "lbfgs", "--l2", "0.01", "--history", "5", "--tolerance", "1e-3"},
    {"--data", IRIS, "--optimizer", "adamw", "--weight-decay", "0.1", "--l1", "0.001", "--schedule",
     "plateau", "--plateau-patience", "1", "--warmup-steps", "7"},
    {"--data", "synthetic:spirals,rows=200,test-rows=50,classes=3", "--hidden", "16", "--epochs", "3"},
};
#define TRAININGS (sizeof trainings / sizeof trainings[0])

/* Settings as tanda inspect gives them, in settings.json. */
static const char *save_settings(const char *model) {
    const outcome outcome = RUN("inspect", model, "--settings");
    cr_assert_eq(outcome.status, 0, "%s", outcome.err);
    write_text("settings.json", outcome.out);
    return outcome.out;
}

Test(config, a_training_repeats_from_its_settings_to_the_bit) {
    make_files();
    for (size_t i = 0; i < TRAININGS; i++) {
        const char *digest = train_digest(trainings[i], "a.safetensors");
        const char *settings = save_settings("a.safetensors");
        const char *again =
            train_digest((const char *const[]){"--config", "settings.json", NULL}, "b.safetensors");
        cr_expect_str_eq(again, digest, "training %zu: %s", i, settings);
        cr_expect_str_eq(save_settings("b.safetensors"), settings, "training %zu", i);
        again = train_digest((const char *const[]){"--config", "a.safetensors", NULL}, "b.safetensors");
        cr_expect_str_eq(again, digest, "training %zu from the model itself", i);
    }
}

/* ---- what the settings hold --------------------------------------------------------------------------- */

/* Options of a training that its weights do not depend on: the machine, and what is told and written. */
static const char *const decide_nothing[] = {"accept-flush",
                                             "config",
                                             "folds",
                                             /* which keep no model */ "csv-log",
                                             "device",
                                             "help",
                                             "isa",
                                             "json",
                                             "kernels",
                                             "log",
                                             "output",
                                             "quiet",
                                             "executor",
                                             "require-device",
                                             "threads",
                                             "version",
                                             "mpi",
                                             "resume",
                                             "report-every",
                                             "keep",
                                             "test-rows" /* which stands in data */,
                                             "profile",
                                             "profile-trace",
                                             "plot",
                                             "memory",
                                             "data-cache",
                                             "device-memory"};

static bool decides(const char *name) {
    for (size_t i = 0; i < sizeof decide_nothing / sizeof decide_nothing[0]; i++)
        if (strcmp(decide_nothing[i], name) == 0) return false;
    return strncmp(name, "checkpoint", strlen("checkpoint")) != 0;
}

/* Calls visit with the name of every option in a command's help. */
static size_t each_option(const char *help, void (*visit)(const char *name, const json_t *all),
                          const json_t *all) {
    size_t count = 0;
    for (const char *line = help; line != NULL; line = strchr(line, '\n')) {
        line += *line == '\n';
        const char *name = line + strspn(line, " ");
        if (*name == '-' && strncmp(name + 2, ", ", 2) == 0) name += 4; /* a letter before it */
        if (strncmp(name, "--", 2) != 0 || name == line || name - line > 6) continue;
        const size_t length = strspn(name + 2, "abcdefghijklmnopqrstuvwxyz0123456789-");
        if (strchr("= \n", name[2 + length]) == NULL) continue; /* a text that mentions an option */
        char text[64];
        snprintf(text, sizeof text, "%.*s", (int)length, name + 2);
        visit(text, all);
        count++;
    }
    return count;
}

static void check_option(const char *name, const json_t *all) {
    char key[64];
    strcpy(key, name);
    for (char *at = key; *at != '\0'; at++)
        if (*at == '-') *at = '_';
    if (decides(name))
        cr_expect_not_null(json_object_get(all, key),
                           "--%s is in no training's settings: add it to write_settings in "
                           "host/fit/settings.c, or say here that the weights do not depend on it",
                           name);
}

/* A new option fails here until it is noted. Those without a default are looked for where they are given. */
Test(config, the_settings_hold_every_option_that_decides_the_weights) {
    make_files();
    json_t *all = json_object();
    for (size_t i = 0; i < TRAININGS; i++) {
        train_digest(trainings[i], "a.safetensors");
        json_t *settings = json_loads(save_settings("a.safetensors"), JSON_REJECT_DUPLICATES, NULL);
        cr_assert_not_null(settings);
        json_object_update(all, settings);
        json_decref(settings);
    }
    cr_expect_gt(each_option(RUN("train", "--help").out, check_option, all), 25);
    json_decref(all);
}

Test(config, the_settings_hold_the_defaults) {
    train_digest(trainings[0], "a.safetensors");
    json_t *settings = json_loads(save_settings("a.safetensors"), 0, NULL);
    cr_expect_str_eq(json_words(settings, "target"), "species");
    cr_expect_str_eq(json_words(settings, "task"), "classes");
    cr_expect_str_eq(json_words(settings, "scale"), "standard");
    cr_expect_str_eq(json_words(settings, "loss"), "categorical_crossentropy");
    cr_expect_str_eq(json_words(settings, "output_activation"), "softmax");
    cr_expect_eq(json_figure(settings, "learning_rate"), 0.1);
    cr_expect_eq(json_figure(settings, "epochs"), 10);
    json_decref(settings);
}

/* ---- models of others ---------------------------------------------------------------------------------- */

/* other.safetensors: a.safetensors with other settings, sealed anew as anybody can. */
static void make_other_model(const json_t *settings) {
    struct stat information;
    cr_assert_eq(stat("a.safetensors", &information), 0);
    const char *file = file_text("a.safetensors");
    const size_t begin = 8 + (size_t)header_length((const unsigned char *)file);
    parts parts = {.header = json_loadb(file + 8, begin - 8, 0, NULL)};
    parts.metadata = json_object_get(parts.header, "__metadata__");
    char *text = json_dumps(settings, 0);
    set_text(&parts, "settings", text);
    reseal(&parts);
    char *header = json_dumps(parts.header, JSON_COMPACT);
    const bytes made =
        joined_file(header, (const unsigned char *)file + begin, (size_t)information.st_size - begin);
    FILE *other = fopen("other.safetensors", "wb");
    cr_assert_eq(fwrite(made.data, 1, made.size, other), made.size);
    cr_assert_eq(fclose(other), 0);
    json_decref(parts.header);
    free(made.data);
    free(header);
    free(text);
    free(kept_texts[--kept_count]); /* there are more models than texts are kept */
}

/* A training with the settings of a.safetensors and one more, which names a file that is there. */
static outcome train_with_key(const json_t *settings, const char *key) {
    json_t *more = json_deep_copy(settings);
    json_object_set_new(more, key, json_string("victim.safetensors"));
    make_other_model(more);
    json_decref(more);
    return RUN("train", "--config", "other.safetensors");
}

static void expect_refused(const outcome *outcome, const char *key) {
    char told[200];
    snprintf(told, sizeof told, "tanda: other.safetensors: its settings hold '%s', which no training writes",
             key);
    cr_expect_eq(outcome->status, 3, "%s: exit %d, %s", key, outcome->status, outcome->err);
    cr_expect_eq(strncmp(outcome->err, told, strlen(told)), 0, "%s: %s", key, outcome->err);
    cr_expect_str_empty(outcome->out, "%s", key);
    cr_expect_eq(count_lines(outcome->err), 1);
    cr_expect_str_eq(file_text("victim.safetensors"), "precious", "%s", key);
}

/* A training's own keys are not refused as such; what they say is for the option to judge. */
static void try_option(const char *name, const json_t *settings) {
    char key[64];
    strcpy(key, name);
    for (char *at = key; *at != '\0'; at++)
        if (*at == '-') *at = '_';
    const outcome outcome = train_with_key(settings, key);
    if (decides(name))
        cr_expect_null(strstr(outcome.err, "no training writes"), "%s: %s", key, outcome.err);
    else
        expect_refused(&outcome, key);
    free(kept_texts[--kept_count]); /* nor the outputs */
    free(kept_texts[--kept_count]);
    if (!decides(name)) free(kept_texts[--kept_count]);
}

/* The settings of a.safetensors, trained from iris with few epochs. */
static json_t *settings_of_iris(void) {
    write_text("victim.safetensors", "precious");
    train_digest((const char *const[]){"--data", IRIS, "--epochs", "1", "--device", "cpu", NULL},
                 "a.safetensors");
    return json_loads(save_settings("a.safetensors"), 0, NULL);
}

Test(config, of_the_settings_of_a_model_only_those_that_a_training_writes_have_an_effect) {
    json_t *settings = settings_of_iris();
    cr_expect_gt(each_option(RUN("train", "--help").out, try_option, settings), 80);
    json_decref(settings);
}

Test(config, no_spelling_gets_past_the_list_of_settings) {
    static const char *const keys[] = {
        "OUTPUT", "Log",   "csv-log",  "learning-rate", "--output",    "out",
        "",       "data ", "output=x", "nodata",        "data,output", "l",
        "epoch",  "steps", "golden",   "against",       "test_rows",   "checkpoint_every"};
    json_t *settings = settings_of_iris();
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        const outcome outcome = train_with_key(settings, keys[i]);
        expect_refused(&outcome, keys[i]);
    }
    json_decref(settings);
}

/* A value stays the value of its option, whatever it holds. */
Test(config, no_value_of_a_setting_becomes_another_option) {
    static const char *const values[] = {"\"x --output victim.safetensors\"",
                                         "\"--output=victim.safetensors\"",
                                         "[\"--output\", \"victim.safetensors\"]",
                                         "{\"output\": \"victim.safetensors\"}",
                                         "\"x\\n--output\\nvictim.safetensors\"",
                                         "null",
                                         "true"};
    json_t *settings = settings_of_iris();
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        json_object_set_new(settings, "data", json_loads(values[i], JSON_DECODE_ANY, NULL));
        make_other_model(settings);
        const outcome outcome = RUN("train", "--config", "other.safetensors");
        cr_expect(outcome.status == 2 || outcome.status == 3, "%s: %d", values[i], outcome.status);
        cr_expect_str_eq(file_text("victim.safetensors"), "precious", "%s", values[i]);
    }
    json_decref(settings);
}

/* Such a file would hand on what the model may not say. */
Test(config, inspect_gives_no_settings_that_no_training_writes) {
    json_t *settings = settings_of_iris();
    json_object_set_new(settings, "log", json_string("victim.safetensors"));
    make_other_model(settings);
    json_decref(settings);
    const outcome outcome = RUN("inspect", "other.safetensors", "--settings");
    expect_refused(&outcome, "log");
    cr_expect_eq(RUN("inspect", "other.safetensors").status, 0);
}

Test(config, what_is_called_a_model_is_no_configuration) {
    write_text("victim.safetensors", "precious");
    write_text("other.safetensors", "{\"data\": \"" IRIS "\", \"output\": \"victim.safetensors\"}");
    cr_expect_eq(RUN("train", "--config", "other.safetensors", "--device", "cpu").status, 3);
    cr_expect_str_eq(file_text("victim.safetensors"), "precious");
}

Test(config, a_checkpoint_names_no_file_to_write_either) {
    write_text("victim.safetensors", "precious");
    RUN("train", "--data", IRIS, "--epochs", "1", "--device", "cpu", "--checkpoint", "a.safetensors",
        "--quiet");
    json_t *settings = json_loads(save_settings("a.safetensors"), 0, NULL);
    json_object_set_new(settings, "csv_log", json_string("victim.safetensors"));
    make_other_model(settings);
    json_decref(settings);
    const outcome outcome = RUN("train", "--resume", "other.safetensors", "--epochs", "2");
    expect_refused(&outcome, "csv_log");
}

/* ---- configurations written by hand ------------------------------------------------------------------- */

Test(config, everything_that_a_flag_says_can_stand_in_the_file) {
    make_files();
    write_text("run.json",
               "{\"data\": \"rows.csv\", \"ignore\": [\"note\", 0], \"hidden\": [8, 4],\n"
               " \"activation\": \"tanh\", \"learning-rate\": 2e-2, \"batch\": 3, \"quiet\": true,\n"
               " \"require_device\": false, \"json\": true, \"epochs\": \"7\", \"features\": []}");
    const outcome outcome = RUN("train", "--config", "run.json");
    cr_assert_eq(outcome.status, 0, "%s", outcome.err);
    cr_expect_str_eq(outcome.err, "");
    json_t *object = only_object(&outcome);
    static const char *const same[] = {"--data",       "rows.csv", "--ignore",        "note", "--ignore", "0",
                                       "--hidden",     "8,4",      "--batch",         "3",    "--epochs", "7",
                                       "--activation", "tanh",     "--learning-rate", "0.02", NULL};
    cr_expect_str_eq(json_words(object, "weights_sha256"), train_digest(same, "m.safetensors"));
    json_decref(object);
}

Test(config, flags_win_wherever_they_stand) {
    make_files();
    write_text("run.json",
               "{\"data\": \"rows.csv\", \"epochs\": 3, \"features\": [\"age\"], \"ignore\": [\"kind\"]}");
    static const char *const mixed[] = {"--epochs", "5",        "--config", "run.json", "--features",
                                        "size,age", "--target", "price",    NULL};
    static const char *const plain[] = {"--epochs", "5",     "--features", "size,age", "--data", "rows.csv",
                                        "--target", "price", "--ignore",   "kind",     NULL};
    cr_expect_str_eq(train_digest(mixed, "m"), train_digest(plain, "m"));
}

Test(config, record_and_verify_take_it_too) {
    write_text("run.json", "{\"data\": \"" IRIS "\", \"hidden\": [8], \"steps\": 4, \"quiet\": true}");
    outcome outcome = RUN("record", "--config", "run.json", "--output", "golden.json");
    cr_assert_eq(outcome.status, 0, "%s", outcome.err);
    cr_expect_not_null(strstr(outcome.out, "recorded: 4 steps"));
    outcome = RUN("verify", "--config=run.json", "--device", "cpu");
    cr_expect_eq(outcome.status, 0, "%s", outcome.err);
    write_text("again.json", "{\"golden\": \"golden.json\", \"device\": \"cpu,threads=2\"}");
    outcome = RUN("verify", "--config", "again.json");
    cr_expect_eq(outcome.status, 0, "%s", outcome.err);
    cr_expect_not_null(strstr(outcome.out, "equal: 4 steps"), "%s", outcome.out);
}

/* What only train knows is passed over, so that the settings of a training do. */
Test(config, record_and_verify_take_the_settings_of_a_model) {
    json_decref(
        RUN_JSON("train", "--data", IRIS, "--hidden", "8", "--patience", "3", "--output", "m.safetensors"));
    outcome outcome =
        RUN("record", "--config", "m.safetensors", "--steps", "4", "--output", "golden.json", "--quiet");
    cr_expect_eq(outcome.status, 0, "%s", outcome.err);
    outcome = RUN("verify", "--config", "m.safetensors", "--steps", "4", "--device", "cpu", "--quiet");
    cr_expect_eq(outcome.status, 0, "%s", outcome.err);
    write_text("run.json", "{\"patience\": true}");
    outcome = RUN("verify", "--config", "run.json", "--data", IRIS);
    cr_expect_eq(outcome.status, 2);
}

Test(config, what_the_file_gets_wrong_is_told_with_its_place) {
    static const struct {
        const char *text, *message;
        int status;
    } cases[] = {
        {"{\"epocs\": 3}",
         "'epocs' is no option of train; the closest is epochs (tanda train --help lists them)", 2},
        {"{\"epoch\": 3}", /* keys are not abbreviated */
         "'epoch' is no option of train; the closest is epochs (tanda train --help lists them)", 2},
        {"{\"epochs\": true}",
         "epochs: true will not do; N is a number or text, or an array of such for a list", 2},
        {"{\"hidden\": [[8]]}",
         "hidden: [[8]] will not do; UNITS is a number or text, or an array of such for a list", 2},
        {"{\"ignore\": [null]}",
         "ignore: [null] will not do; LIST is a number or text, or an array of such for a list", 2},
        {"{\"quiet\": \"yes\"}", "quiet: \"yes\" will not do; it is a switch: true or false", 2},
        {"{\"epochs\": 1.5}", "--epochs: '1.5' is not a whole number from 1 to 1000000000", 2},
        {"{\"shuffle\": \"all\"}", "--shuffle: 'all' is unknown; use full, window or none", 2},
        {"{\"activation\": \"relu\"}",
         "--activation is for hidden layers and there is none; give --hidden UNITS", 2},
        {"{\"seed\": 1, \"config\": \"x\"}", "'config' belongs on the command line, not in a file", 2},
        {"{\"learning-rate\": 1, \"learning_rate\": 1}",
         "'learning_rate' is --learning-rate, which another key there gives, too", 2},
        {"{\"lr\": 1, \"learning_rate\": 1}",
         "'learning_rate' is --learning-rate, which another key there gives, too", 2},
        {"{\"alpha\": 1}",
         "'alpha' is no option of train; scikit-learn's alpha is --l2 X: alpha / batch for its MLPs, alpha "
         "for "
         "its SGDs (RMSprop's in PyTorch is --rho)",
         2},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char line[400];
        write_text("run.json", cases[i].text);
        snprintf(line, sizeof line, "tanda: run.json: %s\n", cases[i].message);
        const outcome outcome = RUN("train", "--data", IRIS, "--config", "run.json");
        cr_expect_str_eq(outcome.err, line);
        cr_expect_eq(outcome.status, cases[i].status);
    }
}

Test(config, a_file_that_is_no_configuration_is_refused) {
    static const struct {
        const char *text, *begin;
        int status;
    } cases[] = {
        {"{\"epochs\": 3,\n \"seed\" 4}", "tanda: run.json:2:9: ':' expected near '4'", 3},
        {"{\"epochs\": 3,\n \"epochs\": 4}", "tanda: run.json:2:9: duplicate object key", 3},
        {"", "tanda: run.json:1:1: ", 3},
        {"[1]", "tanda: run.json:1:1: a configuration is a JSON object", 2},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        write_text("run.json", cases[i].text);
        const outcome outcome = RUN("train", "--data", IRIS, "--config", "run.json");
        cr_expect_eq(strncmp(outcome.err, cases[i].begin, strlen(cases[i].begin)), 0, "%s", outcome.err);
        cr_expect_eq(count_lines(outcome.err), 1);
        cr_expect_eq(outcome.status, cases[i].status);
    }
    const outcome missing = RUN("train", "--config", "none.json");
    cr_expect_str_eq(missing.err, "tanda: none.json: No such file or directory\n");
    cr_expect_eq(missing.status, 3);
    cr_expect_eq(RUN("train", "--config", "run.json", "--config", "run.json").status, 2);
    cr_expect_eq(RUN("inspect", IRIS, "--settings").status, 2);
}

/* A mistake of the command line is not blamed on the file. */
Test(config, a_flag_that_wins_answers_for_itself) {
    write_text("run.json", "{\"epochs\": 3}");
    const outcome outcome = RUN("train", "--data", IRIS, "--config", "run.json", "--epochs", "x");
    cr_expect_str_eq(outcome.err, "tanda: --epochs: 'x' is not a whole number from 1 to 1000000000\n");
}
