/* Options on what is trained: the network, its loss, its first weights and dropout. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "cli/option_table.h"
#include "cli/train_options.h"
#include "tanda_lab.h"

#define UNITS_MAX 16777216 /* of a layer: indices stay exact in binary32 */

enum {
    FLAG_HIDDEN = FLAG_OWN + 0x900,
    FLAG_ACTIVATION,
    FLAG_OUTPUT_ACTIVATION,
    FLAG_LOSS,
    FLAG_INIT,
    FLAG_DROPOUT,
    FLAG_INPUT_DROPOUT,
    FLAG_HUBER_DELTA,
    FLAG_LABEL_SMOOTHING,
};

static const struct argp_option table[] = {
    {"hidden", FLAG_HIDDEN, "UNITS", 0,
     "units of the hidden layers, e.g. 256,128; default: none, which is logistic, softmax or linear "
     "regression",
     0},
    ALSO("hidden-layers"),
    ELSEWHERE("hidden-layer-sizes"),
    ELSEWHERE("hidden-units"),
    {"activation", FLAG_ACTIVATION, "NAME", 0,
     "of the hidden layers, one name or one per layer; default relu. There are" HIDDEN_ACTIVATIONS, 0},
    {"output-activation", FLAG_OUTPUT_ACTIVATION, "NAME", 0,
     "default: sigmoid for 2 classes, softmax for more, identity for regression and hinge, exponential for "
     "poisson; softmax or one that hidden layers can have",
     0},
    {"loss", FLAG_LOSS, "NAME", 0,
     "default: what goes with the output. For several labels binary_crossentropy, for classes "
     "binary_crossentropy, categorical_crossentropy" ROW_LOSSES ", mse" MARGIN_LOSSES
     ", for regression mse" QUANTITY_LOSSES,
     0},
    {"init", FLAG_INIT, "MODEL", 0,
     "start from the weights of a model of the same layers, columns and classes by name, or of a PyTorch "
     "state_dict (safetensors); in its scaling (a state_dict has none) unless --scale is given",
     0},
    {"dropout", FLAG_DROPOUT, "RATE", 0,
     "part of the outputs of hidden layers that each step drops, one rate or one per layer, e.g. 0.5,0.2; "
     "default 0",
     0},
    ELSEWHERE("dropout-rate"),
    {"input-dropout", FLAG_INPUT_DROPOUT, "RATE", 0, "part of the features that each step drops; default 0",
     0},
    {"huber-delta", FLAG_HUBER_DELTA, "D", 0,
     "distance from the target beyond which the loss huber grows linearly; default 1", 0},
    {"label-smoothing", FLAG_LABEL_SMOOTHING, "S", 0,
     "part of a label that is spread over all classes, for the cross-entropies and kl_divergence; default 0",
     0},
    {0},
};

static tanda_status set_hidden(train_options *options, const char *argument, tanda_error *error) {
    char buffer[SHOWN_SIZE];
    size_t *units = NULL;
    text_list list = {0};
    if (strpbrk(argument, "()[]x ") != NULL)
        return fail(error, TANDA_USAGE, "--hidden: '%s' is no list of units such as 256,128",
                    shown(argument, strlen(argument), buffer));
    tanda_status status = value_list("--hidden", argument, &list, error);
    if (status == TANDA_OK) status = allocate(&units, list.count, sizeof *units, "hidden layers", error);
    for (size_t i = 0; status == TANDA_OK && i < list.count; i++) {
        uint64_t count = 0;
        status = value_count("--hidden", list.texts[i], 1, UNITS_MAX, &count, error);
        units[i] = (size_t)count;
    }
    free(options->hidden);
    options->hidden = units;
    options->model.hidden = units;
    options->model.hidden_count = list.count;
    text_list_free(&list);
    return status;
}

static tanda_status set_activations(train_options *options, const char *argument, tanda_error *error) {
    text_list *list = &options->activations;
    text_list_free(list);
    tanda_status status = value_list("--activation", argument, list, error);
    for (size_t i = 0; i < list->count && status == TANDA_OK; i++) {
        size_t index = 0;
        if (strcasecmp(list->texts[i], activation_name(ACTIVATION_SOFTMAX)) == 0)
            return fail(error, TANDA_USAGE,
                        "--activation: softmax is for the output alone (--output-activation softmax)");
        status =
            vocabulary_read(&hidden_activation_words, "--activation", list->texts[i], &index, NULL, error);
    }
    options->model.activations = (const char *const *)list->texts;
    options->model.activation_count = list->count;
    return status;
}

/* As it is called here. */
static tanda_status set_word(const vocabulary *words, const char *flag, const char *argument,
                             const char **word, tanda_error *error) {
    size_t index = 0;
    const tanda_status status = vocabulary_read(words, flag, argument, &index, NULL, error);
    if (status == TANDA_OK) *word = words->names[index];
    return status;
}

static tanda_status read_rate(const char *flag, const char *text, const char *example, double *rate,
                              tanda_error *error) {
    char buffer[SHOWN_SIZE];
    double number = 0.0;
    if (number_to_double(text, strlen(text), &number) != NUMBER_OK || !(number >= 0.0 && number < 1.0))
        return fail(error, TANDA_USAGE, "%s: '%s' is not a number from 0 to below 1, such as %s", flag,
                    shown(text, strlen(text), buffer), example);
    *rate = number;
    return TANDA_OK;
}

static tanda_status set_dropout(train_options *options, const char *argument, tanda_error *error) {
    text_list list = {0};
    double *rates = NULL;
    tanda_status status = value_list("--dropout", argument, &list, error);
    if (status == TANDA_OK) status = allocate(&rates, list.count, sizeof *rates, "rates", error);
    for (size_t i = 0; status == TANDA_OK && i < list.count; i++)
        status = read_rate("--dropout", list.texts[i], "0.5", &rates[i], error);
    free(options->dropout);
    options->dropout = rates;
    options->fit.dropout = rates;
    options->fit.dropout_count = list.count;
    text_list_free(&list);
    return status;
}

static error_t parse(int key, char *argument, struct argp_state *state) {
    train_options *options = state->input;
    tanda_model_options *model = &options->model;
    tanda_error *error = options->common.error;
    switch (key) {
    case FLAG_HIDDEN:
        return parsed(set_hidden(options, argument, error));
    case FLAG_ACTIVATION:
        return parsed(set_activations(options, argument, error));
    case FLAG_OUTPUT_ACTIVATION:
        return parsed(
            set_word(&activation_words, "--output-activation", argument, &model->output_activation, error));
    case FLAG_LOSS:
        return parsed(set_word(&loss_words, "--loss", argument, &model->loss, error));
    case FLAG_INIT:
        options->fit.init = argument;
        return 0;
    case FLAG_DROPOUT:
        return parsed(set_dropout(options, argument, error));
    case FLAG_INPUT_DROPOUT:
        return parsed(read_rate("--input-dropout", argument, "0.5", &options->fit.input_dropout, error));
    case FLAG_HUBER_DELTA:
        return parsed(value_positive("--huber-delta", argument, &model->huber_delta, error));
    case FLAG_LABEL_SMOOTHING:
        return parsed(read_rate("--label-smoothing", argument, "0.1", &model->label_smoothing, error));
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

const struct argp network_argp = {.options = table, .parser = parse};
