#include "cli/formulas.h"

#include <string.h>

/* [z > 0] is 1 where that holds and 0 elsewhere (Iverson's bracket). */
static const char *const activations[][2] = {
    [ACTIVATION_IDENTITY] = {"z", "1"},
    [ACTIVATION_SIGMOID] = {"1 / (1 + e⁻ᶻ)", "a·(1 - a)"},
    [ACTIVATION_TANH] = {"tanh z", "1 - a²"},
    [ACTIVATION_RELU] = {"max(0, z)", "[z > 0]"},
    [ACTIVATION_LEAKY_RELU] = {"max(0.2·z, z)", "0.2 + 0.8·[z > 0]"},
    [ACTIVATION_ELU] = {"z·[z > 0] + (eᶻ - 1)·[z ≤ 0]", "[z > 0] + (a + 1)·[z ≤ 0]"},
    [ACTIVATION_SELU] = {"1.0507·z·[z > 0] + 1.7581·(eᶻ - 1)·[z ≤ 0]",
                         "1.0507·[z > 0] + (a + 1.7581)·[z ≤ 0]"},
    [ACTIVATION_GELU] = {"z·Φ(z)", "Φ(z) + z·φ(z)"},
    [ACTIVATION_SWISH] = {"z·σ(z)", "σ(z) + z·σ(z)·(1 - σ(z))"},
    [ACTIVATION_SOFTPLUS] = {"ln(1 + eᶻ)", "1 - e⁻ᵃ"},
    [ACTIVATION_SOFTSIGN] = {"z / (1 + |z|)", "(1 - |a|)²"},
    [ACTIVATION_HARD_SIGMOID] = {"max(0, min(1, z/6 + 1/2))", "[-3 < z < 3] / 6"},
    [ACTIVATION_EXPONENTIAL] = {"eᶻ", "a"},
    [ACTIVATION_SOFTMAX] = {"eᶻ / Σ eᶻ", ""},
};

static const char *const losses[][2] = {
    [LOSS_BINARY_CROSSENTROPY] = {"-y·ln a - (1 - y)·ln(1 - a)", "a - y"},
    [LOSS_CATEGORICAL_CROSSENTROPY] = {"-Σ y·ln a", "a - y"},
    [LOSS_KL_DIVERGENCE] = {"Σ y·ln(y / a)", "a - y"},
    [LOSS_MSE] = {"(a - y)²", "2·(a - y)"},
    [LOSS_MAE] = {"|a - y|", "sign(a - y)"},
    [LOSS_HUBER] = {"½·(a - y)²·[|a - y| ≤ d] + d·(|a - y| - d/2)·[|a - y| > d]", "max(-d, min(d, a - y))"},
    [LOSS_LOG_COSH] = {"ln cosh(a - y)", "tanh(a - y)"},
    [LOSS_POISSON] = {"a - y·ln a", "1 - y/a"},
    [LOSS_HINGE] = {"max(0, 1 - y·a)", "-y·[y·a < 1]"},
    [LOSS_SQUARED_HINGE] = {"max(0, 1 - y·a)²", "-2·y·max(0, 1 - y·a)"},
};

static const struct {
    const char *formula, *letters[MOST_UPDATE_STATES];
} updates[UPDATE_RULE_COUNT] = {
    [UPDATE_descent] = {"w ← w - η·g", {""}},
    [UPDATE_momentum] = {"v ← μ·v - η·g;  w ← w + v", {"v"}},
    [UPDATE_nesterov] = {"v ← μ·v - η·g;  w ← w + μ·v - η·g", {"v"}},
    [UPDATE_adagrad] = {"s ← s + g²;  w ← w - η·g / √(s + ε)", {"s"}},
    [UPDATE_rmsprop] = {"s ← ρ·s + (1 - ρ)·g²;  w ← w - η·g / √(s + ε)", {"s"}},
    [UPDATE_rmsprop_momentum] = {"s ← ρ·s + (1 - ρ)·g²;  v ← μ·v + η·g / √(s + ε);  w ← w - v", {"s", "v"}},
    [UPDATE_rmsprop_centered] = {"s ← ρ·s + (1 - ρ)·g²;  m ← ρ·m + (1 - ρ)·g;  w ← w - η·g / √(s - m² + ε)",
                                 {"s", "m"}},
    [UPDATE_rmsprop_centered_momentum] =
        {"s ← ρ·s + (1 - ρ)·g²;  m ← ρ·m + (1 - ρ)·g;  v ← μ·v + η·g / √(s - m² + ε);  w ← w - v",
         {"s", "m", "v"}},
    [UPDATE_adam] = {"m ← m + (1 - β₁)·(g - m);  v ← v + (1 - β₂)·(g² - v);  w ← w - η′·m / (√v + ε)",
                     {"m", "v"}},
    [UPDATE_adam_amsgrad] = {"m ← m + (1 - β₁)·(g - m);  v ← v + (1 - β₂)·(g² - v);  u ← max(u, v);  "
                             "w ← w - η′·m / (√u + ε)",
                             {"m", "v", "u"}},
};

#define AT(table, index, member) \
    ((size_t)(index) < sizeof(table) / sizeof *(table) ? table[index] member : NULL)

static const char *or_nothing(const char *text) {
    return text != NULL ? text : "";
}

const char *activation_formula(activation function) {
    return or_nothing(AT(activations, function, [0]));
}

const char *activation_slope_formula(activation function) {
    return or_nothing(AT(activations, function, [1]));
}

const char *loss_formula(loss loss) {
    return or_nothing(AT(losses, loss, [0]));
}

const char *loss_slope_formula(loss loss) {
    return or_nothing(AT(losses, loss, [1]));
}

const char *update_formula(update_rule rule) {
    return or_nothing(AT(updates, rule, .formula));
}

const char *update_state_letter(update_rule rule, size_t index) {
    return index < MOST_UPDATE_STATES ? or_nothing(AT(updates, rule, .letters[index])) : "";
}

/* ---- symbols --------------------------------------------------------------------------------------------- */

static const char *const above[] = {"⁰", "¹", "²", "³", "⁴", "⁵", "⁶", "⁷", "⁸", "⁹"};
static const char *const below[] = {"₀", "₁", "₂", "₃", "₄", "₅", "₆", "₇", "₈", "₉"};

static void add(char made[SYMBOL_SIZE], const char *text) {
    const size_t used = strlen(made);
    text_put(made + used, SYMBOL_SIZE - used, "%s", text);
}

static void add_digits(char made[SYMBOL_SIZE], const char *const *digits, long number) {
    char plain[24];
    text_put(plain, sizeof plain, "%ld", number);
    for (const char *at = plain; *at != '\0'; at++)
        add(made, digits[*at - '0']);
}

const char *symbol(char made[SYMBOL_SIZE], const char *letter, long layer, long unit, long input) {
    text_put(made, SYMBOL_SIZE, "%s", letter);
    if (layer >= 0) {
        add(made, "⁽");
        add_digits(made, above, layer + 1);
        add(made, "⁾");
    }
    if (unit >= 0) add_digits(made, below, unit + 1);
    if (unit >= 0 && input >= 0) add(made, ",");
    if (input >= 0) add_digits(made, below, input);
    return made;
}
