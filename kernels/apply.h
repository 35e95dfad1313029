/* What kernels that update parameters share; OpenCL C only. */
#ifndef TANDA_KERNELS_APPLY_H
#define TANDA_KERNELS_APPLY_H

#include "kernels/arguments/update.h"
#include "kernels/tile.h"
#include "kernels/update.h"

/* What an update works on. state: vectors of so many floats. */
typedef struct update_target {
    global float *parameters, *state;
    ulong floats;
    float inverse_rows;
    rule_arguments rule;
    update_rates rates;
} update_target;

/* Plain descent, without anything that changes the gradient. */
static inline int is_plain(rule_arguments rule) {
    update_constants c = rule.constants;
    return rule.rule == UPDATE_descent && c.l1 == 0.0f && c.l2 == 0.0f && c.clip_value == 0.0f &&
           c.clip_norm == 0.0f;
}

/* Whether a parameter is none of the biases that are listed. */
static inline int lies_in_weights(global const bias_range *biases, uint count, uint index) {
    int found = 0;
    for (uint i = 0; i < count; i++)
        found |= index >= biases[i].first && index < biases[i].end;
    return !found;
}

/* New weights from w and the tree's sum, which becomes the derivative. */
static inline real apply_rule(update_target t, real w, real *sum, real norm_scale, int is_weight,
                              real *state) {
    real g = update_gradient(*sum, (real)(t.inverse_rows));
    *sum = g;
    if (!update_is_plain(t.rule.constants))
        *sum = update_derivative(w, g, norm_scale, t.rule.constants, is_weight);
    return update_by_rule(t.rule.rule, w, *sum, t.rule.constants, t.rates, state);
}

/* Whether something came out that ends the training; of UPDATE_nothing it can only be the gradient. */
static inline integer is_bad(update_target t, real w, real g) {
    return update_is_not_finite(t.rule.rule == UPDATE_nothing ? g : w);
}

/* The update of the VECTOR parameters from `at` on; true where one is not finite. */
static inline int apply_update(update_target t, ulong at, real *sum, real norm_scale, int is_weight) {
    real state[MOST_UPDATE_STATES], w = load_real(t.parameters + at);
    UNROLL_FOR (uint i = 0; i < MOST_UPDATE_STATES; i++)
        state[i] = i < t.rule.states ? load_real(t.state + i * t.floats + at) : (real)(0.0f);
    w = apply_rule(t, w, sum, norm_scale, is_weight, state);
    store_real(w, t.parameters + at);
    UNROLL_FOR (uint i = 0; i < MOST_UPDATE_STATES; i++)
        if (i < t.rule.states) store_real(state[i], t.state + i * t.floats + at);
    return is_any(is_bad(t, w, *sum));
}

#endif
