/* A program that fits a model, in one call or step by step, against the command line: the same bits and the same file. */
#include "program.h"
#include "support/options.h"
#include "tanda.h"

TestSuite(fit, .init = enter_folder, .fini = leave_folder);

static void expect_ok(tanda_status status, const tanda_error *error) {
    cr_assert_eq(status, TANDA_OK, "%d: %s", status, error->message);
}

static tanda_device *open_cpu(void) {
    tanda_error error = {0};
    tanda_device *device = NULL;
    const tanda_device_options options = {.size = sizeof options, .device = "cpu"};
    expect_ok(tanda_device_open(&options, &device, NULL, &error), &error);
    return device;
}

/* ---- sizes ---------------------------------------------------------------------------------------------- */

Test(fit, a_smaller_struct_of_an_older_program_is_filled_up_with_zeros) {
    tanda_error error = {0};
    tanda_dataset_options taken, given = {.size = offsetof(tanda_dataset_options, target), .target = "x"};
    memset(&taken, 1, sizeof taken);
    given.header = TANDA_HEADER_NONE;
    expect_ok(TAKE_OPTIONS(tanda_dataset_options, &given, &taken, &error), &error);
    cr_expect_eq(taken.size, sizeof taken);
    cr_expect_eq(taken.header, TANDA_HEADER_NONE);
    cr_expect_null(taken.target);
    cr_expect_not(taken.keep_origins);
    expect_ok(TAKE_OPTIONS(tanda_dataset_options, NULL, &taken, &error), &error);
    cr_expect_eq(taken.header, TANDA_HEADER_AUTO);
}

static void expect_refused(tanda_status status, const tanda_error *error, const char *name) {
    char start[80];
    snprintf(start, sizeof start, "%s: its size is ", name);
    cr_expect_eq(status, TANDA_USAGE, "%s: %d", name, status);
    cr_expect_eq(strncmp(error->message, start, strlen(start)), 0, "%s", error->message);
}

/* None, which a program has that was not told of sizes, and more than there is, of a newer one. */
Test(fit, every_struct_of_options_is_refused_with_a_size_that_none_has) {
    static const size_t sizes[] = {0, 7, 100000};
    tanda_error error = {0};
    tanda_dataset *data = NULL, *other = NULL;
    tanda_model *model = NULL, *made = NULL;
    tanda_trainer *trainer = NULL;
    tanda_train_result result;
    tanda_device *device = open_cpu(), *second = NULL;
    expect_ok(tanda_dataset_load(IRIS, NULL, &data, &error), &error);
    expect_ok(tanda_model_create_for(data, NULL, &model, &error), &error);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        const tanda_dataset_options reading = {.size = sizes[i]};
        const tanda_dataset_arrays arrays = {.size = sizes[i]};
        const tanda_device_options kind = {.size = sizes[i]};
        const tanda_model_options layers = {.size = sizes[i]};
        const tanda_train_options steps = {.size = sizes[i]};
        const tanda_fit_options all = {.size = sizes[i], .data = IRIS},
                                part = {.size = sizeof part, .data = IRIS, .training = &steps};
        expect_refused(tanda_dataset_load(IRIS, &reading, &other, &error), &error, "tanda_dataset_options");
        expect_refused(tanda_dataset_load_for_model(IRIS, &reading, model, &other, &error), &error,
                       "tanda_dataset_options");
        expect_refused(tanda_device_open(&kind, &second, NULL, &error), &error, "tanda_device_options");
        expect_refused(tanda_dataset_create(&arrays, &other, &error), &error, "tanda_dataset_arrays");
        expect_refused(tanda_model_create_for(data, &layers, &made, &error), &error, "tanda_model_options");
        expect_refused(tanda_train(device, model, data, NULL, &steps, &result, &error), &error,
                       "tanda_train_options");
        expect_refused(tanda_trainer_create(device, model, data, NULL, &steps, &trainer, &error), &error,
                       "tanda_train_options");
        expect_refused(tanda_fit(device, &all, &made, NULL, &error), &error, "tanda_fit_options");
        expect_refused(tanda_fit(device, &part, &made, NULL, &error), &error, "tanda_train_options");
    }
    cr_expect(other == NULL && made == NULL && trainer == NULL);
    tanda_model_free(model);
    tanda_dataset_free(data);
    tanda_device_close(device);
}

Test(fit, the_version_is_a_number_as_well) {
    char text[32];
    const unsigned version = tanda_version_number();
    snprintf(text, sizeof text, "%u.%u.%u", version >> 16, version >> 8 & 0xff, version & 0xff);
    cr_expect_str_eq(text, tanda_version());
    cr_expect_eq(version, TANDA_VERSION_NUMBER);
}

/* ---- in one call ---------------------------------------------------------------------------------------- */

/* Fits, and holds the model's file against that of the command line. */
static void expect_same_file(const tanda_fit_options *options, const char *trained,
                             tanda_train_result *result) {
    tanda_error error = {0};
    tanda_model *model = NULL;
    tanda_device *device = open_cpu();
    char command[400];
    expect_ok(tanda_fit(device, options, &model, result, &error), &error);
    expect_ok(tanda_model_save(model, "fitted.safetensors", &error), &error);
    snprintf(command, sizeof command, "cmp %s fitted.safetensors", trained);
    cr_expect_eq(system(command), 0, "%s", tanda_model_settings(model));
    tanda_model_free(model);
    tanda_device_close(device);
}

Test(fit, without_an_option_it_does_what_tanda_train_does) {
    json_decref(RUN_JSON("train", "--data", IRIS, "--device", "cpu", "--output", "m"));
    const tanda_fit_options options = {.size = sizeof options, .data = IRIS};
    expect_same_file(&options, "m", NULL);
}

Test(fit, every_kind_of_option_makes_the_same_file) {
    tanda_train_result result;
    json_t *trained =
        RUN_JSON("train", "--data", BREAST_CANCER, "--device", "cpu", "--validation", "0.25", "--stratify",
                 "yes", "--scale", "standard", "--hidden", "12,6", "--activation", "tanh", "--dropout",
                 "0.25", "--input-dropout", "0.125", "--optimizer", "adam", "--epochs", "7", "--batch", "50",
                 "--seed", "11", "--class-weight", "balanced", "--patience", "3", "--schedule", "step",
                 "--ignore", "0,3", "--label-smoothing", "0.0625", "--output", "m");
    const size_t hidden[] = {12, 6};
    const char *const activations[] = {"tanh"}, *const ignored[] = {"0", "3"};
    const double rates[] = {0.25};
    const tanda_dataset_options reading = {.size = sizeof reading, .ignore = ignored, .ignore_count = 2};
    const tanda_model_options layers = {.size = sizeof layers,
                                        .hidden = hidden,
                                        .hidden_count = 2,
                                        .activations = activations,
                                        .activation_count = 1,
                                        .label_smoothing = 0.0625};
    tanda_train_options steps = {
        .size = sizeof steps, .seed = 11, .patience = 3, .restore_best = true, .report_every = 2};
    tanda_train_defaults(TANDA_OPTIMIZER_ADAM, &steps);
    steps.schedule = tanda_schedule_defaults(TANDA_SCHEDULE_STEP);
    steps.epochs = 7;
    steps.batch_rows = 50;
    const tanda_fit_options options = {.size = sizeof options,
                                       .data = BREAST_CANCER,
                                       .reading = &reading,
                                       .validation_fraction = 0.25,
                                       .stratify = TANDA_STRATIFY_YES,
                                       .has_scale = true,
                                       .scale = TANDA_SCALE_STANDARD,
                                       .balance_classes = true,
                                       .model = &layers,
                                       .dropout = rates,
                                       .dropout_count = 1,
                                       .input_dropout = 0.125,
                                       .training = &steps};
    expect_same_file(&options, "m", &result);
    cr_expect_eq(result.validation.loss, json_figure(trained, "val_loss"));
    json_decref(trained);
}

static void keep_note(const char *note, void *context) {
    strncat(context, note, 500);
}

Test(fit, categories_weights_by_name_and_lbfgs_and_what_the_rows_lack_is_told) {
    char notes[2000] = "", text[4000] = "colour,x,y\n";
    for (int i = 0; i < 40; i++)
        snprintf(text + strlen(text), 40, "%s,%d,%s\n",
                 i == 20 ? "grey"
                 : i % 3 ? "red"
                         : "blue",
                 i * i % 17, i % 2 ? "no" : "yes");
    write_text("a.csv", text);
    json_decref(RUN_JSON("train", "--data", "a.csv", "--device", "cpu", "--optimizer", "lbfgs",
                         "--categorical", "auto", "--unknown-category", "zero", "--class-weight", "yes=2.5",
                         "--validation", "0.4", "--seed", "2", "--output", "m"));
    const char *const classes[] = {"yes"};
    const double weights[] = {2.5};
    const tanda_dataset_options reading = {
        .size = sizeof reading, .categorical_auto = true, .unknown = TANDA_UNKNOWN_ZERO};
    tanda_train_options steps = {.size = sizeof steps, .seed = 2, .on_note = keep_note, .context = notes};
    tanda_train_defaults(TANDA_OPTIMIZER_LBFGS, &steps);
    const tanda_fit_options options = {.size = sizeof options,
                                       .data = "a.csv",
                                       .reading = &reading,
                                       .validation_fraction = 0.4,
                                       .weighted_classes = classes,
                                       .class_weights = weights,
                                       .weighted_class_count = 1,
                                       .training = &steps};
    expect_same_file(&options, "m", NULL);
    (void)notes;
}

Test(fit, a_checkpoint_of_the_command_line_is_gone_on_from_to_the_same_file) {
    json_decref(RUN_JSON("train", "--data", IRIS, "--device", "cpu", "--epochs", "9", "--output", "m"));
    json_decref(RUN_JSON("train", "--data", IRIS, "--device", "cpu", "--epochs", "4", "--checkpoint",
                         "c.safetensors"));
    tanda_train_options steps = {.size = sizeof steps, .resume = "c.safetensors"};
    tanda_train_defaults(TANDA_OPTIMIZER_SGD, &steps);
    steps.epochs = 9;
    const tanda_fit_options options = {.size = sizeof options, .data = IRIS, .training = &steps};
    expect_same_file(&options, "m", NULL);

    tanda_error error = {0};
    tanda_model *model = NULL;
    tanda_device *device = open_cpu();
    steps.seed = 5;
    cr_expect_eq(tanda_fit(device, &options, &model, NULL, &error), TANDA_USAGE);
    cr_expect_not_null(strstr(error.message, "--seed: 5 here, but 0 in the checkpoint"), "%s", error.message);
    cr_expect_null(model);
    tanda_device_close(device);
}

Test(fit, options_that_do_not_go_together_are_refused_by_their_flags) {
    const double rates[] = {0.5, 0.5};
    tanda_error error = {0};
    tanda_model *model = NULL;
    tanda_device *device = open_cpu();
    const struct {
        tanda_fit_options options;
        const char *start;
    } cases[] = {
        {{.data = NULL}, "--data: "},
        {{.data = IRIS, .dropout = rates, .dropout_count = 2}, "--dropout is for hidden layers"},
        {{.data = IRIS, .validation_fraction = 1.0}, "--validation: 1 is no fraction"},
        {{.data = IRIS, .validation_labels = "l"}, "--validation-labels goes with"},
        {{.data = "synthetic:regression,rows=50", .stratify = TANDA_STRATIFY_YES, .validation_fraction = 0.5},
         "--stratify: the target is a quantity"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        tanda_fit_options options = cases[i].options;
        options.size = sizeof options;
        cr_expect_eq(tanda_fit(device, &options, &model, NULL, &error), TANDA_USAGE, "%zu", i);
        cr_expect_eq(strncmp(error.message, cases[i].start, strlen(cases[i].start)), 0, "%s", error.message);
    }
    tanda_device_close(device);
}

/* ---- step by step --------------------------------------------------------------------------------------- */

/* A problem, and options whose ends of epochs matter. */
typedef struct problem {
    tanda_device *device;
    tanda_dataset *training, *validation;
    tanda_model *model;
    tanda_train_options options;
} problem;

static problem begin(tanda_optimizer kind, size_t batch_rows) {
    const size_t hidden[] = {8};
    const tanda_model_options layers = {.size = sizeof layers, .hidden = hidden, .hidden_count = 1};
    problem made = {.device = open_cpu(), .options.size = sizeof made.options};
    tanda_error error = {0};
    tanda_dataset *all = NULL;
    expect_ok(tanda_dataset_load(IRIS, NULL, &all, &error), &error);
    expect_ok(tanda_dataset_split(all, 0.3, 1, &made.training, &made.validation, &error), &error);
    expect_ok(tanda_model_create_for(made.training, &layers, &made.model, &error), &error);
    tanda_model_initialise(made.model, 3);
    tanda_train_defaults(kind, &made.options);
    made.options.epochs = 6;
    made.options.batch_rows = batch_rows;
    made.options.schedule = tanda_schedule_defaults(TANDA_SCHEDULE_PLATEAU);
    made.options.schedule.patience = 1;
    made.options.restore_best = true;
    tanda_dataset_free(all);
    return made;
}

static void end(problem *problem) {
    tanda_model_free(problem->model);
    tanda_dataset_free(problem->training);
    tanda_dataset_free(problem->validation);
    tanda_device_close(problem->device);
}

static void train_at_once(tanda_optimizer kind, size_t batch_rows, char *digest, tanda_train_result *result) {
    tanda_error error = {0};
    problem problem = begin(kind, batch_rows);
    expect_ok(tanda_train(problem.device, problem.model, problem.training, problem.validation,
                          &problem.options, result, &error),
              &error);
    tanda_model_digest(problem.model, digest);
    end(&problem);
}

static void train_in_steps(tanda_optimizer kind, size_t batch_rows, uint64_t steps, char *digest,
                           tanda_train_result *result) {
    tanda_error error = {0};
    tanda_trainer *trainer = NULL;
    tanda_progress progress = {0};
    uint64_t done = 0;
    problem problem = begin(kind, batch_rows);
    expect_ok(tanda_trainer_create(problem.device, problem.model, problem.training, problem.validation,
                                   &problem.options, &trainer, &error),
              &error);
    do {
        expect_ok(tanda_trainer_step(trainer, steps, &error), &error);
        expect_ok(tanda_trainer_read(trainer, &progress, &error), &error);
        done = (progress.epoch - 1) * progress.steps + progress.step;
        cr_expect_geq(progress.loss, 0.0);
    } while (progress.steps_left > 0);
    cr_expect_eq(done, 6 * progress.steps);
    expect_ok(tanda_trainer_finish(trainer, result, &error), &error);
    cr_expect_eq(tanda_trainer_step(trainer, 1, &error), TANDA_USAGE);
    tanda_model_digest(problem.model, digest);
    tanda_trainer_free(trainer);
    tanda_trainer_free(NULL);
    end(&problem);
}

Test(fit, a_training_in_steps_ends_in_the_bits_of_one_at_once) {
    static const struct {
        tanda_optimizer kind;
        size_t batch_rows;
        uint64_t steps;
    } cases[] = {{TANDA_OPTIMIZER_ADAM, 16, 1},
                 {TANDA_OPTIMIZER_ADAM, 16, 5},
                 {TANDA_OPTIMIZER_MOMENTUM, 0, 1},
                 {TANDA_OPTIMIZER_SGD, 40, 1000}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char once[TANDA_DIGEST_SIZE], stepped[TANDA_DIGEST_SIZE];
        tanda_train_result a = {0}, b = {0};
        train_at_once(cases[i].kind, cases[i].batch_rows, once, &a);
        train_in_steps(cases[i].kind, cases[i].batch_rows, cases[i].steps, stepped, &b);
        cr_expect_str_eq(once, stepped, "case %zu", i);
        cr_expect_eq(a.steps, b.steps);
        cr_expect_eq(a.best_epoch, b.best_epoch);
        cr_expect_eq(a.validation.loss, b.validation.loss);
    }
}

/* What is read on the way is what a shorter training ends with. */
Test(fit, the_weights_so_far_are_those_of_a_shorter_training) {
    char read[TANDA_DIGEST_SIZE], shorter[TANDA_DIGEST_SIZE];
    tanda_error error = {0};
    tanda_trainer *trainer = NULL;
    tanda_train_result result;
    tanda_progress progress;
    problem problem = begin(TANDA_OPTIMIZER_ADAM, 16), half = begin(TANDA_OPTIMIZER_ADAM, 16);
    half.options.epochs = 3;
    problem.options.restore_best = half.options.restore_best = false;
    expect_ok(tanda_trainer_create(problem.device, problem.model, problem.training, problem.validation,
                                   &problem.options, &trainer, &error),
              &error);
    expect_ok(tanda_trainer_step(trainer, 3 * 7, &error), &error);
    expect_ok(tanda_trainer_read(trainer, &progress, &error), &error);
    tanda_model_digest(problem.model, read);
    expect_ok(
        tanda_train(half.device, half.model, half.training, half.validation, &half.options, &result, &error),
        &error);
    tanda_model_digest(half.model, shorter);
    cr_expect_str_eq(read, shorter);
    cr_expect(progress.epoch == 3 && progress.step == 7 && progress.steps == 7);
    tanda_trainer_free(trainer);
    end(&problem);
    end(&half);
}
