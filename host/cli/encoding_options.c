#include "cli/encoding_options.h"

#include <string.h>

#include "cli/option_table.h"
#include "data/missing.h"
#include "data/place.h"
#include "support/text.h"

#define COLUMNS_SHOWN 8

enum { FLAG_CATEGORICAL = FLAG_OWN + 0x900, FLAG_MISSING, FLAG_MISSING_VALUES, FLAG_UNKNOWN };

static const struct argp_option unknown_table[] = {
    {"missing-values", FLAG_MISSING_VALUES, "LIST", 0,
     "CSV: further words or numbers that stand for a missing value, e.g. -,unknown,-999", 0},
    ELSEWHERE("na-values"),
    {"unknown-category", FLAG_UNKNOWN, "MODE", 0,
     "a category that no training row had: refuse (default) or zero: the row is of none; a model keeps what "
     "its "
     "training was told",
     0},
    {0},
};

static error_t parse_unknown(int key, char *argument, struct argp_state *state) {
    static const char *const names[] = {"refuse", "zero"};
    static const synonym synonyms[] = {{"error", "refuse", NULL}, {"ignore", "zero", NULL}};
    static const vocabulary words = WORDS_OF(names, synonyms);
    data_options *options = state->input;
    size_t index = 0;
    if (key == FLAG_MISSING_VALUES) {
        text_list_free(&options->missing_values);
        return parsed(value_list("--missing-values", argument, &options->missing_values, options->error));
    }
    if (key != FLAG_UNKNOWN) return ARGP_ERR_UNKNOWN;
    const tanda_status status =
        vocabulary_read(&words, "--unknown-category", argument, &index, NULL, options->error);
    if (status == TANDA_OK) options->read.unknown = index == 0 ? TANDA_UNKNOWN_REFUSE : TANDA_UNKNOWN_ZERO;
    return parsed(status);
}

const struct argp unknown_argp = {.options = unknown_table, .parser = parse_unknown};

static const struct argp_option encoding_table[] = {
    {"categorical", FLAG_CATEGORICAL, "LIST", 0,
     "columns whose values become a feature each, 1 or 0, e.g. colour,size; or auto: those of text, where "
     "fewer than nine of ten values are numbers",
     0},
    {"missing", FLAG_MISSING, "MODE", 0,
     "of features, empty fields, ? and the words that pandas takes for a missing value, such as NA, N/A, "
     "NULL "
     "and None: refuse (default) or mean of the training rows",
     0},
    {0},
};

static tanda_status set_categorical(data_options *options, const char *argument) {
    text_list_free(&options->categorical);
    options->read.categorical_auto = strcmp(argument, "auto") == 0;
    return options->read.categorical_auto
               ? TANDA_OK
               : value_list("--categorical", argument, &options->categorical, options->error);
}

static tanda_status set_missing(data_options *options, const char *argument) {
    size_t index = 0;
    const tanda_status status = value_choice("--missing", argument, missing_names, 2, &index, options->error);
    if (status == TANDA_OK) options->read.missing = (tanda_missing)index;
    return status;
}

static error_t parse_encoding(int key, char *argument, struct argp_state *state) {
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = state->input;
        return 0;
    case FLAG_CATEGORICAL:
        return parsed(set_categorical(state->input, argument));
    case FLAG_MISSING:
        return parsed(set_missing(state->input, argument));
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp_child children[] = {{&unknown_argp, 0, NULL, 0}, {0}};

const struct argp encoding_argp = {.options = encoding_table, .parser = parse_encoding, .children = children};

void print_encoding_line(FILE *stream, const preparation *preparation, const tanda_dataset *dataset) {
    size_t columns = 0;
    char name[SHOWN_SIZE];
    if (preparation->columns == 0) return;
    fprintf(stream, "columns: %zu", preparation->columns);
    for (size_t i = 0; i < preparation->columns; i++) {
        const size_t count = preparation->of[i].category_count;
        if (count == 0 || ++columns > COLUMNS_SHOWN) continue;
        const char *title = name;
        if (preparation->names != NULL)
            shown(preparation->names[i], strlen(preparation->names[i]), name);
        else
            text_put(name, sizeof name, "%zu", i);
        fprintf(stream, "%s %s %zu", columns == 1 ? "; categories:" : ",", title, count);
    }
    if (columns > COLUMNS_SHOWN) fprintf(stream, ", ... (%zu such columns)", columns);
    if (preparation->fills_missing) fprintf(stream, "; missing values: %zu, become means", dataset->missing);
    fputc('\n', stream);
}
