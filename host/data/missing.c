#include "data/missing.h"

#include <string.h>

#include "data/number.h"

const char *const missing_names[2] = {"refuse", "mean"};

/* What pandas.read_csv takes (its documentation of na_values), and ?. */
static const char *const words[] = {"#N/A",   "#N/A N/A", "#NA",  "-1.#IND", "-1.#QNAN", "-NaN", "-nan",
                                    "1.#IND", "1.#QNAN",  "<NA>", "N/A",     "NA",       "NULL", "NaN",
                                    "None",   "n/a",      "nan",  "null",    "?"};
#define LONGEST 8

static bool is_same(const char *word, const char *text, size_t length) {
    return strlen(word) == length && memcmp(word, text, length) == 0;
}

static bool is_equal_number(const char *word, const char *text, size_t length) {
    double left, right;
    return number_to_double(word, strlen(word), &left) == NUMBER_OK &&
           number_to_double(text, length, &right) == NUMBER_OK && left == right;
}

bool missing_is_word(const tanda_dataset_options *options, const char *text, size_t length) {
    if (length == 0) return true;
    for (size_t i = 0; length <= LONGEST && i < sizeof words / sizeof *words; i++)
        if (text[0] == words[i][0] && is_same(words[i], text, length)) return true;
    for (size_t i = 0; i < options->missing_value_count; i++) {
        const char *word = options->missing_values[i];
        if (is_same(word, text, length) || is_equal_number(word, text, length)) return true;
    }
    return false;
}

bool missing_has_number(const tanda_dataset_options *options) {
    double value;
    for (size_t i = 0; i < options->missing_value_count; i++)
        if (number_to_double(options->missing_values[i], strlen(options->missing_values[i]), &value) ==
            NUMBER_OK)
            return true;
    return false;
}
