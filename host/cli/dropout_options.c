#include "cli/dropout_options.h"

#include <stdlib.h>
#include <string.h>

#include "cli/option_table.h"
#include "cli/options.h"
#include "data/number.h"
#include "data/place.h"
#include "support/memory.h"

enum { FLAG_DROPOUT = FLAG_OWN + 0x900, FLAG_INPUT_DROPOUT };

static const struct argp_option table[] = {
    {"dropout", FLAG_DROPOUT, "RATE", 0,
     "part of the outputs of hidden layers that each step drops, one rate or one per layer, e.g. 0.5,0.2; "
     "default 0",
     0},
    ELSEWHERE("dropout-rate"),
    {"input-dropout", FLAG_INPUT_DROPOUT, "RATE", 0, "part of the features that each step drops; default 0",
     0},
    {0},
};

static tanda_status read_rate(const char *flag, const char *text, double *rate, tanda_error *error) {
    char buffer[SHOWN_SIZE];
    double number = 0.0;
    if (number_to_double(text, strlen(text), &number) != NUMBER_OK || !(number >= 0.0 && number < 1.0))
        return fail(error, TANDA_USAGE, "%s: '%s' is not a number from 0 to below 1, such as 0.5", flag,
                    shown(text, strlen(text), buffer));
    *rate = number;
    return TANDA_OK;
}

static tanda_status set_dropout(dropout_options *options, const char *argument) {
    dropout_options_free(options);
    tanda_status status = value_list("--dropout", argument, &options->texts, options->error);
    if (status == TANDA_OK)
        status =
            allocate(&options->rates, options->texts.count, sizeof *options->rates, "rates", options->error);
    for (size_t i = 0; status == TANDA_OK && i < options->texts.count; i++)
        status = read_rate("--dropout", options->texts.texts[i], &options->rates[i], options->error);
    return status;
}

static error_t parse(int key, char *argument, struct argp_state *state) {
    dropout_options *options = state->input;
    switch (key) {
    case FLAG_DROPOUT:
        return parsed(set_dropout(options, argument));
    case FLAG_INPUT_DROPOUT:
        return parsed(read_rate("--input-dropout", argument, &options->input, options->error));
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

const struct argp dropout_argp = {.options = table, .parser = parse};

tanda_status dropout_options_check(const dropout_options *options, size_t hidden, tanda_error *error) {
    const size_t count = options->texts.count;
    if (count > 0 && hidden == 0)
        return fail(error, TANDA_USAGE,
                    "--dropout is for hidden layers and there is none; give --hidden UNITS, or "
                    "--input-dropout for the features");
    if (count > 1 && count != hidden)
        return fail(error, TANDA_USAGE,
                    "--dropout: %zu rates for %zu hidden layers; give one, or one per layer", count, hidden);
    return TANDA_OK;
}

static double rate_of(const dropout_options *options, size_t layer) {
    if (layer == 0) return options->input;
    const size_t count = options->texts.count;
    return count == 0 ? 0.0 : options->rates[count == 1 ? 0 : layer - 1];
}

tanda_status dropout_options_rates(const dropout_options *options, size_t hidden, double **rates,
                                   tanda_error *error) {
    double *made = NULL;
    bool any = false;
    const tanda_status status = allocate(&made, hidden + 1, sizeof *made, "rates", error);
    if (status != TANDA_OK) return status;
    for (size_t layer = 0; layer <= hidden; layer++) {
        made[layer] = rate_of(options, layer);
        any |= made[layer] > 0.0;
    }
    if (!any) {
        free(made);
        made = NULL;
    }
    *rates = made;
    return TANDA_OK;
}

void dropout_write_settings(const dropout_options *options, size_t hidden, report *settings) {
    if (hidden > 0) {
        json_builder rates = json_array_begin();
        for (size_t layer = 1; layer <= hidden; layer++)
            json_push(&rates, json_real(rate_of(options, layer)));
        report_value(settings, "dropout", json_end(&rates));
    }
    report_real(settings, "input_dropout", options->input);
}

void dropout_options_free(dropout_options *options) {
    text_list_free(&options->texts);
    free(options->rates);
    options->rates = NULL;
}
