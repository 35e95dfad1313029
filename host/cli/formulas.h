/* Activations, losses and updates as lectures write them, in Unicode; the same in every language. */
#ifndef TANDA_CLI_FORMULAS_H
#define TANDA_CLI_FORMULAS_H

#include "tanda_lab.h"

/* Of a logit z: "1 / (1 + e⁻ᶻ)"; and its derivative by it, of z or the output a: "a·(1 − a)". "" for one that has none here. */
const char *activation_formula(activation function);
const char *activation_slope_formula(activation function);

/* Of an output a and what it is to be, y; and its derivative by the logit, or where it is of the output, by that. */
const char *loss_formula(loss loss);
const char *loss_slope_formula(loss loss);

/* Lines of a rule with w, g, its state, and constants: "w ← w − η·g". */
const char *update_formula(update_rule rule);

/* The letters of a rule's state, "v"; "" for one that it does not have. */
const char *update_state_letter(update_rule rule, size_t index);

/* "w⁽²⁾₁,₃": a letter with a layer and units, from 0, each -1 where it is not said. */
#define SYMBOL_SIZE 64
const char *symbol(char made[SYMBOL_SIZE], const char *letter, long layer, long unit, long input);

#endif
