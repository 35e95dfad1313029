#include "cli/train_options.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "cli/command.h"
#include "cli/option_table.h"
#include "tanda_lab.h"

#define EPOCHS_MAX 1000000000 /* more is taken for a slip */

enum {
    FLAG_VALIDATION = FLAG_OWN,
    FLAG_BATCH,
    FLAG_SHUFFLE,
    FLAG_STRATIFY,
    FLAG_CLASS_WEIGHT,
    FLAG_SCALE_TARGET,
};

#define TEXT(member) TEXT_AT(train_options, member)
#define VALUE(member) VALUE_AT(train_options, member)
#define TEXT_OF(number) #number
#define NUMBER(number) TEXT_OF(number)

static const struct argp_option table[] = {
    {"learning-rate", VALUE(training.learning_rate), "RATE", 0,
     "step of gradient descent; default: sgd 0.1, which suits standardised features, else Keras's: momentum "
     "and nesterov 0.01, the others 0.001",
     SECTION_TRAINING},
    ALSO("lr"),
    ELSEWHERE("learning-rate-init"),
    ELSEWHERE("eta0"),
    {"epochs", VALUE(training.epochs), "N", 0,
     "times that all rows are seen; default " NUMBER(FIT_EPOCHS) ", for lbfgs " NUMBER(
         FIT_ITERATIONS) " at most",
     SECTION_TRAINING},
    ALSO("n-epochs"),
    ELSEWHERE("num-epochs"),
    ELSEWHERE("max-epochs"),
    ELSEWHERE("max-iter"),
    {"batch", FLAG_BATCH, "N|full", 0, "rows of a step; default " NUMBER(FIT_BATCH) ", for lbfgs full",
     SECTION_TRAINING},
    ALSO("batch-size"),
    {"shuffle", FLAG_SHUFFLE, "MODE", 0,
     "full (default: a new order every epoch), window (blocks of rows in a new order, and rows mixed within "
     "a window "
     "of blocks) or none",
     SECTION_TRAINING},
    {"shuffle-block", VALUE(training.shuffle_block), "ROWS", 0,
     "rows of a block, that lie and are read together; default: by the rows' number and width, 2 MiB at most",
     SECTION_TRAINING},
    {"shuffle-window", VALUE(training.shuffle_window), "ROWS", 0,
     "rows that are mixed with one another, whole blocks; default: a hundredth of the rows, or more of few",
     SECTION_TRAINING},
    {"scale", VALUE(fit.scale), "MODE", 0,
     "of the features: standard (default), minmax (default for byte images) or none", SECTION_TRAINING},
    {"task", VALUE(data.read.task), "TASK", 0,
     "auto (default: told from the target, or by a loss that is for one alone), classes, regression, or "
     "labels (several targets, each 0 or 1)",
     SECTION_TRAINING},
    {"validation", FLAG_VALIDATION, "FRACTION|FILE", 0,
     "hold out this part of the rows, or take the rows of a file; default: none", SECTION_TRAINING},
    ALSO("validation-split"),
    ELSEWHERE("validation-fraction"),
    ELSEWHERE("val-split"),
    ELSEWHERE("validation-data"),
    {"validation-labels", TEXT(fit.validation_labels), "FILE", 0,
     "the labels that go with the --validation file", SECTION_TRAINING},
    {"stratify", FLAG_STRATIFY, "MODE", 0,
     "hold out each class in proportion to its rows: yes (default for classes) or no", SECTION_TRAINING},
    {"class-weight", FLAG_CLASS_WEIGHT, "balanced|NAME=W,...", 0,
     "multiply the loss of a class's rows: by rows / (classes * rows of the class), or as given, others by "
     "1; default: by 1",
     SECTION_TRAINING},
    ELSEWHERE("class-weights"),
    {"scale-target", FLAG_SCALE_TARGET, "MODE", 0,
     "of quantities: none (default), or standard: the loss is of targets of mean 0 and deviation 1, "
     "predictions and metrics stay in the units of the data",
     SECTION_TRAINING},

    {"output", LETTER_OUTPUT, "MODEL", 0,
     "write the trained model here (tanda record: the golden file; tanda trace, surface: the page); default: "
     "it is not kept",
     SECTION_OUTPUT},
    {"report-every", VALUE(training.report_every), "N", 0,
     "epochs between progress lines; default 1, or a twentieth of the epochs for full batches",
     SECTION_OUTPUT},
    {"config", TEXT(config), "FILE", 0,
     "take options from a JSON file, or those of a model's training from the model; flags win",
     SECTION_COMMON},
    {0},
};

static const option_place places[] = {
    {VALUE(data.read.task), .kind = PLACE_WORD, .flag = "--task", .words = &task_words},
    {VALUE(fit.scale), PLACE_WORD, .flag = "--scale", .words = &scaling_words},
    {VALUE(training.learning_rate), .kind = PLACE_POSITIVE, .flag = "--learning-rate"},
    {VALUE(training.epochs), .kind = PLACE_SIZE, .flag = "--epochs", .least = 1, .most = EPOCHS_MAX},
    {VALUE(training.report_every), .kind = PLACE_SIZE, .flag = "--report-every", .least = 1,
     .most = EPOCHS_MAX},
    {VALUE(training.shuffle_block), .kind = PLACE_SIZE, .flag = "--shuffle-block", .least = 1,
     .most = SIZE_MAX / 4},
    {VALUE(training.shuffle_window), .kind = PLACE_SIZE, .flag = "--shuffle-window", .least = 1,
     .most = SIZE_MAX / 4},
    {0},
};

/* A number is a fraction, so a file that is called like one needs a ./ before it. */
static tanda_status set_validation(train_options *options, const char *argument, tanda_error *error) {
    double fraction = 0.0;
    options->fit.validation = NULL;
    options->fit.validation_fraction = 0.0;
    if (number_to_double(argument, strlen(argument), &fraction) != NUMBER_OK) {
        options->fit.validation = argument;
        return TANDA_OK;
    }
    if (!(fraction > 0.0 && fraction < 1.0))
        return fail(error, TANDA_USAGE, "--validation: %s is no fraction between 0 and 1, such as 0.2",
                    argument);
    options->fit.validation_fraction = fraction;
    return TANDA_OK;
}

static tanda_status set_batch(train_options *options, const char *argument, tanda_error *error) {
    char buffer[SHOWN_SIZE];
    const bool full = strcasecmp(argument, "full") == 0;
    options->has_batch = true;
    if (full) options->training.batch_rows = 0;
    if (full || value_size("--batch", argument, 1, SIZE_MAX, &options->training.batch_rows, NULL) == TANDA_OK)
        return TANDA_OK;
    return fail(error, TANDA_USAGE, "--batch: '%s' is neither full nor a whole number of at least 1",
                shown(argument, strlen(argument), buffer));
}

/* NAME=W; the name may have a = in it. */
static tanda_status add_weight(text_list *names, const char *text, double *weight, tanda_error *error) {
    char buffer[SHOWN_SIZE];
    const char *sign = strrchr(text, '=');
    if (sign == NULL || sign == text)
        return fail(error, TANDA_USAGE, "--class-weight: '%s' is neither balanced nor like NAME=2.5",
                    shown(text, strlen(text), buffer));
    const size_t length = (size_t)(sign - text);
    for (size_t i = 0; i < names->count; i++)
        if (strlen(names->texts[i]) == length && memcmp(names->texts[i], text, length) == 0)
            return fail(error, TANDA_USAGE, "--class-weight: class '%s' has two weights",
                        shown(text, length, buffer));
    if (number_to_double(sign + 1, strlen(sign + 1), weight) != NUMBER_OK || !(*weight >= 0.0) ||
        !isfinite((float)*weight))
        return fail(error, TANDA_USAGE,
                    "--class-weight: '%s' is not a number of at least 0 that binary32 can hold",
                    shown(sign + 1, strlen(sign + 1), buffer));
    return value_append("--class-weight", text, length, names, error);
}

static void forget_weights(train_options *options) {
    text_list_free(&options->weighted_classes);
    free(options->class_weights);
    options->class_weights = NULL;
}

static tanda_status set_class_weight(train_options *options, const char *argument, tanda_error *error) {
    text_list parts = {0}, *names = &options->weighted_classes;
    forget_weights(options);
    options->fit.balance_classes = strcasecmp(argument, "balanced") == 0;
    if (options->fit.balance_classes) return TANDA_OK;
    tanda_status status = value_list("--class-weight", argument, &parts, error);
    if (status == TANDA_OK)
        status =
            allocate(&options->class_weights, parts.count, sizeof *options->class_weights, "weights", error);
    for (size_t i = 0; status == TANDA_OK && i < parts.count; i++)
        status = add_weight(names, parts.texts[i], &options->class_weights[i], error);
    text_list_free(&parts);
    return status;
}

/* Another order has no windows: those that a --config may have said before are gone. */
static void set_shuffle(tanda_train_options *training, tanda_shuffle shuffle) {
    training->shuffle = shuffle;
    if (shuffle != TANDA_SHUFFLE_WINDOW) training->shuffle_block = training->shuffle_window = 0;
}

static error_t parse(int key, char *argument, struct argp_state *state) {
    static const char *const shuffle_names[] = {"full", "window", "none"}; /* as tanda_shuffle */
    static const synonym synonyms[] = {{"true", "full", NULL}, {"false", "none", NULL}};
    static const vocabulary shuffle_words = WORDS_OF(shuffle_names, synonyms);
    static const char *const target_scales[] = {"none", "standard"};
    train_options *options = state->input;
    tanda_error *error = options->common.error;
    tanda_status status = TANDA_OK;
    size_t index = 0;
    bool yes = false;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &options->data;
        state->child_inputs[1] = &options->common;
        state->child_inputs[2] = &options->optimizing;
        state->child_inputs[3] = &options->data;
        state->child_inputs[4] = options;
        return 0;
    case VALUE(fit.scale):
        options->fit.has_scale = true;
        return option_put(places, key, argument, options, error);
    case FLAG_SCALE_TARGET:
        options->fit.has_scale_target = true;
        status = value_choice("--scale-target", argument, target_scales, 2, &index, error);
        options->fit.scale_target = index == 0 ? TANDA_SCALE_NONE : TANDA_SCALE_STANDARD;
        return parsed(status);
    case LETTER_OUTPUT:
        options->output = argument;
        return 0;
    case FLAG_VALIDATION:
        return parsed(set_validation(options, argument, error));
    case FLAG_STRATIFY:
        status = value_yes_no("--stratify", argument, &yes, error);
        options->fit.stratify = yes ? TANDA_STRATIFY_YES : TANDA_STRATIFY_NO;
        return parsed(status);
    case FLAG_CLASS_WEIGHT:
        return parsed(set_class_weight(options, argument, error));
    case FLAG_BATCH:
        return parsed(set_batch(options, argument, error));
    case FLAG_SHUFFLE:
        status = vocabulary_read(&shuffle_words, "--shuffle", argument, &index, NULL, error);
        set_shuffle(&options->training, (tanda_shuffle)index);
        return parsed(status);
    default:
        return option_put(places, key, argument, options, error);
    }
}

static const struct argp_child group_children[] = {
    {&data_argp, 0, NULL, SECTION_DATA},           {&common_argp, 0, NULL, SECTION_COMMON},
    {&optimizer_argp, 0, NULL, SECTION_OPTIMIZER}, {&encoding_argp, 0, NULL, SECTION_DATA},
    {&network_argp, 0, NULL, SECTION_NETWORK},     {0},
};

const struct argp train_options_argp = {.options = table, .parser = parse, .children = group_children};

static error_t hand_on(int key, char *argument, struct argp_state *state) {
    (void)argument;
    if (key != ARGP_KEY_INIT) return ARGP_ERR_UNKNOWN;
    train_options *options = state->input;
    state->child_inputs[0] = options;
    state->child_inputs[1] = options;
    return 0;
}

static const struct argp_child children[] = {
    {&train_options_argp, 0, NULL, 0},
    {&run_argp, 0, NULL, SECTION_TRAINING},
    {0},
};

const struct argp train_argp = {
    .parser = hand_on,
    .args_doc = "DATA",
    .doc = "Fits a model to data by gradient descent, and writes it. What Keras 3, scikit-learn and PyTorch "
           "call the same is understood, in any case; a name as it stands here is always tanda's.\v"
           "Example: tanda train datasets/iris.csv --epochs 50 --output iris.safetensors",
    .children = children,
};

/* What lbfgs has no use for, before anything is read. */
static tanda_status check_lbfgs(const train_options *options, tanda_error *error) {
    double most = options->fit.input_dropout;
    for (size_t i = 0; i < options->fit.dropout_count; i++)
        if (options->dropout[i] > most) most = options->dropout[i];
    if (options->training.batch_rows != 0)
        return fail(error, TANDA_USAGE,
                    "--batch: lbfgs sees all rows in each iteration; leave it away, or give full");
    if (!schedule_is_constant(&options->training.schedule))
        return fail(error, TANDA_USAGE, "--schedule: lbfgs has no learning rate to change; leave it away");
    if (most > 0.0)
        return fail(error, TANDA_USAGE,
                    "--dropout: lbfgs needs the same function in every pass; use another optimizer, or --l2");
    return TANDA_OK;
}

tanda_status train_options_check(train_options *options, tanda_error *error) {
    const bool has_fraction = options->fit.validation_fraction > 0.0;
    const tanda_optimizer kind = options->optimizing.kind;
    tanda_train_options *training = &options->training, defaults = TANDA_OPTIONS(tanda_train_options, );
    tanda_status status = optimizer_options_finish(&options->optimizing, training, error);
    if (status == TANDA_OK && kind == TANDA_OPTIMIZER_LBFGS) status = check_lbfgs(options, error);
    if (status != TANDA_OK) return status;
    tanda_train_defaults(kind, &defaults); /* of what was not given */
    if (training->epochs == 0) training->epochs = defaults.epochs;
    if (!options->has_batch) training->batch_rows = defaults.batch_rows;
    options->reading = options_reading(&options->data, options->common.quiet);
    training->seed = options->common.seed;
    training->math = options->common.device.math;
    training->gemm = options->common.gemm;
    options->fit.data = options->data.path;
    options->fit.reading = &options->reading;
    options->fit.model = &options->model;
    options->fit.training = training;
    options->fit.fall_back = &options->common.device;
    options->fit.weighted_classes = (const char *const *)options->weighted_classes.texts;
    options->fit.class_weights = options->class_weights;
    options->fit.weighted_class_count = options->weighted_classes.count;
    status = fit_options_check(&options->fit, error);
    if (status != TANDA_OK) return status;
    if (options->folds > 0 && (has_fraction || options->fit.validation != NULL))
        return fail(error, TANDA_USAGE,
                    "--folds holds out every row once, which leaves none for --validation; give one of them");
    if (options->fit.stratify != TANDA_STRATIFY_AUTO && options->folds == 0 && !has_fraction)
        return fail(error, TANDA_USAGE, "--stratify goes with --validation FRACTION or --folds K");
    return TANDA_OK;
}

void train_options_begin(train_options *options, tanda_error *error) {
    *options = (train_options){.fit.size = sizeof options->fit,
                               .model.size = sizeof options->model,
                               .training.size = sizeof options->training};
    options->common.error = options->data.error = options->optimizing.error = error;
}

tanda_status train_options_parse(int argc, char **argv, train_options *options, tanda_error *error) {
    train_options_begin(options, error);
    tanda_status status = options_parse(&train_argp, argc, argv, options, &options->common, error);
    if (status != TANDA_OK || options->common.finished) return status;
    status = train_options_check(options, error);
    return status == TANDA_OK ? run_options_check(options, error) : status;
}

void train_options_free(train_options *options) {
    data_options_free(&options->data);
    text_list_free(&options->activations);
    free(options->hidden);
    free(options->dropout);
    forget_weights(options);
}
