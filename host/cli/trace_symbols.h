/* What stands for the parts of a trace: w₀ and w₁ of a perceptron, w⁽²⁾₁,₃ where there are layers. */
#ifndef TANDA_CLI_TRACE_SYMBOLS_H
#define TANDA_CLI_TRACE_SYMBOLS_H

#include "cli/formulas.h"

/* A letter of a unit of a layer: "z", "z₂" or "z⁽¹⁾₂". */
const char *unit_symbol(const tanda_model *model, const char *letter, size_t layer, size_t unit,
                        char made[SYMBOL_SIZE]);

/* A weight; input 0 is the bias. */
const char *weight_symbol(const tanda_model *model, size_t layer, size_t unit, size_t input,
                          char made[SYMBOL_SIZE]);

/* What a layer is given, from 0: "x₁", or an output of the layer before. */
const char *input_symbol(const tanda_model *model, size_t layer, size_t input, char made[SYMBOL_SIZE]);

/* Where a weight lies in the parameters. */
size_t weight_place(const tanda_model *model, size_t layer, size_t unit, size_t input);

/* A number in all its digits; as a factor, in parentheses where it is negative; and in six digits, for what is written out. */
const char *number_of(float value, char made[TEXT_NUMBER_SIZE]);
const char *factor_of(float value, char made[TEXT_NUMBER_SIZE + 2]);

/* A formula with numbers in the place of a, y and z. */
#define WRITTEN_OUT_SIZE 256
const char *written_out(const char *formula, float a, float y, float z, char made[WRITTEN_OUT_SIZE]);

/* A line that grows; what it has no room for is cut. */
typedef struct line {
    char text[1024];
    size_t used;
} line;
void line_add(line *line, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
