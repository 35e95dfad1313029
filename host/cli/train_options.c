#include "cli/train_options.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "cli/command.h"
#include "cli/encoding_options.h"
#include "cli/option_table.h"
#include "data/number.h"
#include "data/place.h"
#include "model/names.h"
#include "support/memory.h"
#include "train/schedule.h"

#define DEFAULT_EPOCHS 10
#define DEFAULT_ITERATIONS 100 /* of L-BFGS, as scikit-learn's max_iter */
#define DEFAULT_BATCH 32
#define EPOCHS_MAX 1000000000 /* more is taken for a slip */
#define UNITS_MAX 16777216    /* of a layer: indices stay exact in binary32 */

enum {
    FLAG_TASK = FLAG_OWN,
    FLAG_SCALE,
    FLAG_VALIDATION,
    FLAG_VALIDATION_LABELS,
    FLAG_HIDDEN,
    FLAG_ACTIVATION,
    FLAG_OUTPUT_ACTIVATION,
    FLAG_LOSS,
    FLAG_LEARNING_RATE,
    FLAG_EPOCHS,
    FLAG_BATCH,
    FLAG_SHUFFLE,
    FLAG_INIT,
    FLAG_REPORT_EVERY,
    FLAG_CONFIG,
};

#define TEXT_OF(number) #number
#define TEXT(number) TEXT_OF(number)

static const struct argp_option table[] = {
    {"hidden", FLAG_HIDDEN, "UNITS", 0,
     "units of the hidden layers, e.g. 256,128; default: none, which is logistic, softmax or linear "
     "regression",
     SECTION_NETWORK},
    ALSO("hidden-layers"),
    ELSEWHERE("hidden-layer-sizes"),
    ELSEWHERE("hidden-units"),
    {"activation", FLAG_ACTIVATION, "NAME", 0,
     "of the hidden layers, one name or one per layer; default relu. There are" HIDDEN_ACTIVATIONS,
     SECTION_NETWORK},
    {"output-activation", FLAG_OUTPUT_ACTIVATION, "NAME", 0,
     "default: sigmoid for 2 classes, softmax for more, identity for regression and hinge, exponential for "
     "poisson; softmax or one that hidden layers can have",
     SECTION_NETWORK},
    {"loss", FLAG_LOSS, "NAME", 0,
     "default: what goes with the output. For several labels binary_crossentropy, for classes "
     "binary_crossentropy, categorical_crossentropy, "
     "kl_divergence, hinge, squared_hinge or mse, for regression mse, mae, huber, log_cosh or poisson",
     SECTION_NETWORK},
    {"init", FLAG_INIT, "MODEL", 0,
     "start from the weights of a model of the same layers, columns and classes by name, or of a PyTorch "
     "state_dict (safetensors); in its scaling (a state_dict has none) unless --scale is given",
     SECTION_NETWORK},

    {"learning-rate", FLAG_LEARNING_RATE, "RATE", 0,
     "step of gradient descent; default: sgd 0.1, which suits standardised features, else Keras's: momentum "
     "and "
     "nesterov 0.01, the others 0.001",
     SECTION_TRAINING},
    ALSO("lr"),
    ELSEWHERE("learning-rate-init"),
    ELSEWHERE("eta0"),
    {"epochs", FLAG_EPOCHS, "N", 0,
     "times that all rows are seen; default " TEXT(DEFAULT_EPOCHS) ", for lbfgs " TEXT(
         DEFAULT_ITERATIONS) " at most",
     SECTION_TRAINING},
    ALSO("n-epochs"),
    ELSEWHERE("num-epochs"),
    ELSEWHERE("max-epochs"),
    ELSEWHERE("max-iter"),
    {"batch", FLAG_BATCH, "N|full", 0, "rows of a step; default " TEXT(DEFAULT_BATCH) ", for lbfgs full",
     SECTION_TRAINING},
    ALSO("batch-size"),
    {"shuffle", FLAG_SHUFFLE, "MODE", 0, "full (default: a new order every epoch) or none", SECTION_TRAINING},
    {"scale", FLAG_SCALE, "MODE", 0,
     "of the features: standard (default), minmax (default for byte images) or none", SECTION_TRAINING},
    {"task", FLAG_TASK, "TASK", 0,
     "auto (default: told from the target, or by a loss that is for one alone), classes, regression, or "
     "labels (several targets, each 0 or 1)",
     SECTION_TRAINING},
    {"validation", FLAG_VALIDATION, "FRACTION|FILE", 0,
     "hold out this part of the rows, or take the rows of a file; default: none", SECTION_TRAINING},
    ALSO("validation-split"),
    ELSEWHERE("validation-fraction"),
    ELSEWHERE("val-split"),
    ELSEWHERE("validation-data"),
    {"validation-labels", FLAG_VALIDATION_LABELS, "FILE", 0, "the labels that go with the --validation file",
     SECTION_TRAINING},

    {"output", LETTER_OUTPUT, "MODEL", 0,
     "write the trained model here (tanda record: the golden file); default: it is not kept", SECTION_OUTPUT},
    {"report-every", FLAG_REPORT_EVERY, "N", 0,
     "epochs between progress lines; default 1, or a twentieth of the epochs for full batches",
     SECTION_OUTPUT},
    {"config", FLAG_CONFIG, "FILE", 0,
     "take options from a JSON file, or those of a model's training from the model; flags win",
     SECTION_COMMON},
    {0},
};

static tanda_status add_hidden(train_options *options, const char *argument, tanda_error *error) {
    char buffer[SHOWN_SIZE];
    text_list_free(&options->hidden);
    free(options->hidden_units);
    options->hidden_units = NULL;
    if (strpbrk(argument, "()[]x ") != NULL)
        return fail(error, TANDA_USAGE, "--hidden: '%s' is no list of units such as 256,128",
                    shown(argument, strlen(argument), buffer));
    tanda_status status = value_list("--hidden", argument, &options->hidden, error);
    if (status == TANDA_OK)
        status = allocate(&options->hidden_units, options->hidden.count, sizeof *options->hidden_units,
                          "hidden layers", error);
    for (size_t i = 0; i < options->hidden.count && status == TANDA_OK; i++) {
        uint64_t units = 0;
        status = value_count("--hidden", options->hidden.texts[i], 1, UNITS_MAX, &units, error);
        if (status == TANDA_OK) options->hidden_units[i] = (size_t)units;
    }
    return status;
}

/* A number is a fraction, so a file that is called like one needs a ./ before it. */
static tanda_status set_validation(train_options *options, const char *argument, tanda_error *error) {
    double fraction = 0.0;
    options->validation_path = NULL;
    options->validation_fraction = 0.0;
    if (number_to_double(argument, strlen(argument), &fraction) != NUMBER_OK) {
        options->validation_path = argument;
        return TANDA_OK;
    }
    if (!(fraction > 0.0 && fraction < 1.0))
        return fail(error, TANDA_USAGE, "--validation: %s is no fraction between 0 and 1, such as 0.2",
                    argument);
    options->validation_fraction = fraction;
    return TANDA_OK;
}

static tanda_status set_scale(train_options *options, const char *argument, tanda_error *error) {
    size_t index = 0;
    const tanda_status status = vocabulary_read(&scaling_words, "--scale", argument, &index, NULL, error);
    if (status != TANDA_OK) return status;
    options->has_scale = true;
    options->scale = (tanda_scale)index;
    return TANDA_OK;
}

static tanda_status set_activations(train_options *options, const char *argument, tanda_error *error) {
    text_list_free(&options->activations);
    tanda_status status = value_list("--activation", argument, &options->activations, error);
    for (size_t i = 0; i < options->activations.count && status == TANDA_OK; i++) {
        const char *name = options->activations.texts[i];
        size_t index = 0;
        if (strcasecmp(name, activation_name(ACTIVATION_SOFTMAX)) == 0)
            return fail(error, TANDA_USAGE,
                        "--activation: softmax is for the output alone (--output-activation softmax)");
        status = vocabulary_read(&hidden_activation_words, "--activation", name, &index, NULL, error);
    }
    return status;
}

static tanda_status set_output_activation(train_options *options, const char *argument, tanda_error *error) {
    size_t index = 0;
    const tanda_status status =
        vocabulary_read(&activation_words, "--output-activation", argument, &index, NULL, error);
    if (status != TANDA_OK) return status;
    options->has_output_activation = true;
    options->output_activation = (activation)index;
    return TANDA_OK;
}

static tanda_status set_loss(train_options *options, const char *argument, tanda_error *error) {
    size_t index = 0;
    const tanda_status status = vocabulary_read(&loss_words, "--loss", argument, &index, NULL, error);
    if (status != TANDA_OK) return status;
    options->has_loss = true;
    options->loss = (loss)index;
    return TANDA_OK;
}

static tanda_status set_epochs(const char *flag, const char *argument, size_t *epochs, tanda_error *error) {
    uint64_t number = 0;
    const tanda_status status = value_count(flag, argument, 1, EPOCHS_MAX, &number, error);
    if (status == TANDA_OK) *epochs = (size_t)number;
    return status;
}

static tanda_status set_batch(train_options *options, const char *argument, tanda_error *error) {
    char buffer[SHOWN_SIZE];
    options->full_batch = strcasecmp(argument, "full") == 0;
    if (options->full_batch) options->batch = 0;
    if (options->full_batch || value_size("--batch", argument, 1, &options->batch, NULL) == TANDA_OK)
        return TANDA_OK;
    return fail(error, TANDA_USAGE, "--batch: '%s' is neither full nor a whole number of at least 1",
                shown(argument, strlen(argument), buffer));
}

static tanda_status set_shuffle(train_options *options, const char *argument, tanda_error *error) {
    static const char *const names[] = {"full", "none"};
    static const synonym synonyms[] = {{"true", "full", NULL}, {"false", "none", NULL}};
    static const vocabulary words = WORDS_OF(names, synonyms);
    size_t index = 0;
    const tanda_status status = vocabulary_read(&words, "--shuffle", argument, &index, NULL, error);
    if (status == TANDA_OK) options->no_shuffle = index == 1;
    return status;
}

static error_t parse_model(int key, char *argument, train_options *options, tanda_error *error) {
    switch (key) {
    case FLAG_HIDDEN:
        return parsed(add_hidden(options, argument, error));
    case FLAG_ACTIVATION:
        return parsed(set_activations(options, argument, error));
    case FLAG_OUTPUT_ACTIVATION:
        return parsed(set_output_activation(options, argument, error));
    case FLAG_LOSS:
        return parsed(set_loss(options, argument, error));
    case FLAG_INIT:
        options->init = argument;
        return 0;
    case LETTER_OUTPUT:
        options->output = argument;
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static error_t parse_training(int key, char *argument, train_options *options, tanda_error *error) {
    switch (key) {
    case FLAG_TASK:
        return parsed(options_task(argument, &options->task, error));
    case FLAG_SCALE:
        return parsed(set_scale(options, argument, error));
    case FLAG_VALIDATION:
        return parsed(set_validation(options, argument, error));
    case FLAG_VALIDATION_LABELS:
        options->validation_labels = argument;
        return 0;
    case FLAG_LEARNING_RATE:
        return parsed(value_positive("--learning-rate", argument, &options->learning_rate, error));
    case FLAG_EPOCHS:
        return parsed(set_epochs("--epochs", argument, &options->epochs, error));
    case FLAG_BATCH:
        return parsed(set_batch(options, argument, error));
    case FLAG_SHUFFLE:
        return parsed(set_shuffle(options, argument, error));
    case FLAG_REPORT_EVERY:
        return parsed(set_epochs("--report-every", argument, &options->report_every, error));
    case FLAG_CONFIG:
        options->config = argument;
        return 0;
    default:
        return parse_model(key, argument, options, error);
    }
}

static error_t parse(int key, char *argument, struct argp_state *state) {
    train_options *options = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &options->data;
        state->child_inputs[1] = &options->common;
        state->child_inputs[2] = &options->optimizing;
        state->child_inputs[3] = &options->holding_out;
        state->child_inputs[4] = &options->dropout;
        state->child_inputs[5] = &options->data;
        state->child_inputs[6] = &options->weight;
        state->child_inputs[7] = &options->loss_options;
        return 0;
    default:
        return parse_training(key, argument, options, options->common.error);
    }
}

static const struct argp_child group_children[] = {
    {&data_argp, 0, NULL, SECTION_DATA},
    {&common_argp, 0, NULL, SECTION_COMMON},
    {&optimizer_argp, 0, NULL, SECTION_OPTIMIZER},
    {&validation_argp, 0, NULL, SECTION_TRAINING},
    {&dropout_argp, 0, NULL, SECTION_NETWORK},
    {&encoding_argp, 0, NULL, SECTION_DATA},
    {&weight_argp, 0, NULL, SECTION_TRAINING},
    {&loss_argp, 0, NULL, SECTION_NETWORK},
    {0},
};

const struct argp train_options_argp = {.options = table, .parser = parse, .children = group_children};

static error_t hand_on(int key, char *argument, struct argp_state *state) {
    (void)argument;
    if (key != ARGP_KEY_INIT) return ARGP_ERR_UNKNOWN;
    train_options *options = state->input;
    state->child_inputs[0] = options;
    state->child_inputs[1] = &options->run;
    state->child_inputs[2] = &options->holding_out;
    return 0;
}

static const struct argp_child children[] = {
    {&train_options_argp, 0, NULL, 0},
    {&run_argp, 0, NULL, SECTION_TRAINING},
    {&folds_argp, 0, NULL, SECTION_TRAINING},
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
    double most = options->dropout.input;
    for (size_t i = 0; i < options->dropout.texts.count; i++)
        if (options->dropout.rates[i] > most) most = options->dropout.rates[i];
    if (options->batch != 0)
        return fail(error, TANDA_USAGE,
                    "--batch: lbfgs sees all rows in each iteration; leave it away, or give full");
    if (!schedule_is_constant(&options->optimizing.schedule))
        return fail(error, TANDA_USAGE, "--schedule: lbfgs has no learning rate to change; leave it away");
    if (most > 0.0)
        return fail(error, TANDA_USAGE,
                    "--dropout: lbfgs needs the same function in every pass; use another optimizer, or --l2");
    return TANDA_OK;
}

/* Defaults that depend on the optimizer, of what was not given. */
static tanda_status choose_steps(train_options *options, tanda_error *error) {
    const bool is_lbfgs = options->optimizing.kind == TANDA_OPTIMIZER_LBFGS;
    const tanda_status status = is_lbfgs ? check_lbfgs(options, error) : TANDA_OK;
    if (status != TANDA_OK) return status;
    options->full_batch |= is_lbfgs;
    if (options->epochs == 0) options->epochs = is_lbfgs ? DEFAULT_ITERATIONS : DEFAULT_EPOCHS;
    if (options->batch == 0) options->batch = DEFAULT_BATCH;
    return TANDA_OK;
}

tanda_status train_options_check(train_options *options, tanda_error *error) {
    const size_t layers = options->hidden.count, activations = options->activations.count;
    if (activations > 0 && layers == 0)
        return fail(error, TANDA_USAGE,
                    "--activation is for hidden layers and there is none; give --hidden UNITS");
    if (activations > 1 && activations != layers)
        return fail(error, TANDA_USAGE,
                    "--activation: %zu names for %zu hidden layers; give one, or one per layer", activations,
                    layers);
    if (options->validation_labels != NULL && options->validation_path == NULL)
        return fail(error, TANDA_USAGE, "--validation-labels goes with --validation FILE");
    if (options->data.read.labels != NULL && options->validation_path != NULL &&
        options->validation_labels == NULL && strcasestr(options->validation_path, ".npz") == NULL)
        return fail(error, TANDA_USAGE,
                    "--validation %s needs --validation-labels FILE, as --data needs --labels",
                    options->validation_path);
    tanda_status status = optimizer_options_finish(&options->optimizing, &options->learning_rate, error);
    if (status == TANDA_OK) status = dropout_options_check(&options->dropout, layers, error);
    if (status == TANDA_OK) status = choose_steps(options, error);
    if (status != TANDA_OK) return status;
    if (options->holding_out.folds > 0 && (options->run.checkpoint != NULL || options->run.resume != NULL))
        return fail(error, TANDA_USAGE,
                    "--folds makes several trainings, and %s is for one; leave one of them away",
                    options->run.checkpoint != NULL ? "--checkpoint" : "--resume");
    if (options->holding_out.folds > 0 && options->output == NULL &&
        (options->run.log != NULL || options->run.csv_log != NULL))
        return fail(error, TANDA_USAGE,
                    "--%s is of the training on all rows, which --folds makes with --output",
                    options->run.log != NULL ? "log" : "csv-log");
    return validation_options_check(&options->holding_out, options->validation_fraction > 0.0,
                                    options->validation_path != NULL, error);
}

void train_options_begin(train_options *options, tanda_error *error) {
    *options = (train_options){0};
    options->common.error = options->data.error = error;
    options->run.error = options->optimizing.error = options->holding_out.error = error;
    options->dropout.error = options->weight.error = error;
    options->loss_options.error = error;
}

tanda_status train_options_parse(int argc, char **argv, train_options *options, tanda_error *error) {
    train_options_begin(options, error);
    tanda_status status = options_parse(&train_argp, argc, argv, options, &options->common, error);
    if (status != TANDA_OK || options->common.finished) return status;
    status = train_options_check(options, error);
    if (status == TANDA_OK && options->run.resume != NULL && options->init != NULL)
        status = fail(error, TANDA_USAGE,
                      "--init and --resume both say where the weights come from; give one of them");
    return status == TANDA_OK ? run_options_check(&options->run, error) : status;
}

void train_options_free(train_options *options) {
    data_options_free(&options->data);
    text_list_free(&options->hidden);
    text_list_free(&options->activations);
    free(options->hidden_units);
    dropout_options_free(&options->dropout);
    weight_options_free(&options->weight);
}
