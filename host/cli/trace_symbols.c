#include "cli/trace_symbols.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static bool has_layers(const tanda_model *model) {
    return model->layer_count > 1;
}

/* A perceptron has one of everything. */
static bool is_single(const tanda_model *model) {
    return !has_layers(model) && model->layers[0].outputs == 1;
}

const char *unit_symbol(const tanda_model *model, const char *letter, size_t layer, size_t unit,
                        char made[SYMBOL_SIZE]) {
    return symbol(made, letter, has_layers(model) ? (long)layer : -1, is_single(model) ? -1 : (long)unit, -1);
}

const char *weight_symbol(const tanda_model *model, size_t layer, size_t unit, size_t input,
                          char made[SYMBOL_SIZE]) {
    return symbol(made, "w", has_layers(model) ? (long)layer : -1, is_single(model) ? -1 : (long)unit,
                  (long)input);
}

const char *input_symbol(const tanda_model *model, size_t layer, size_t input, char made[SYMBOL_SIZE]) {
    return layer == 0 ? symbol(made, "x", -1, (long)input, -1)
                      : unit_symbol(model, "a", layer - 1, input, made);
}

size_t weight_place(const tanda_model *model, size_t layer, size_t unit, size_t input) {
    const struct layer *of = &model->layers[layer];
    return input == 0 ? of->bias + unit : of->weight + unit * of->fan_in + input - 1;
}

const char *number_of(float value, char made[TEXT_NUMBER_SIZE]) {
    return text_shortest_float(value, made);
}

const char *factor_of(float value, char made[TEXT_NUMBER_SIZE + 2]) {
    char number[TEXT_NUMBER_SIZE];
    text_put(made, TEXT_NUMBER_SIZE + 2, value < 0.0f ? "(%s)" : "%s", text_shortest_float(value, number));
    return made;
}

/* Whether a letter stands by itself: not in a word such as tanh. */
static bool is_alone(const char *formula, size_t at) {
    return (at == 0 || !isalpha((unsigned char)formula[at - 1])) && !isalpha((unsigned char)formula[at + 1]);
}

const char *written_out(const char *formula, float a, float y, float z, char made[WRITTEN_OUT_SIZE]) {
    size_t used = 0;
    made[0] = '\0';
    for (size_t i = 0; formula[i] != '\0' && used + TEXT_NUMBER_SIZE < WRITTEN_OUT_SIZE; i++) {
        const char letter = formula[i];
        const bool is_value = (letter == 'a' || letter == 'y' || letter == 'z') && is_alone(formula, i);
        const double value = (double)(letter == 'a' ? a : letter == 'y' ? y : z);
        if (is_value)
            used += text_put(made + used, WRITTEN_OUT_SIZE - used, value < 0.0 ? "(%.6g)" : "%.6g", value);
        else
            used += text_put(made + used, WRITTEN_OUT_SIZE - used, "%c", letter);
    }
    return made;
}

void line_add(line *line, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line->text + line->used, sizeof line->text - line->used, format, arguments);
    va_end(arguments);
    line->used = strlen(line->text);
}
