#include "support_updates.h"

#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

#define MOMENTS .first_share = 0.1f, .second_decay = 0.999f, .second_share = 0.001f, .epsilon = 1e-7f
#define SQUARES .second_decay = 0.9f, .second_share = 0.1f, .epsilon = 1e-7f

const update_case update_cases[] = {
    {"descent with L1 and L2", {UPDATE_descent, {.l1 = 0.003f, .l2 = 0.02f}, 0.0f}, 0.125, 0.0},
    {"descent, clipped by value", {UPDATE_descent, {.clip_value = 0.01f}, 0.0f}, 0.125, 0.0},
    {"descent, clipped by norm, with L2",
     {UPDATE_descent, {.clip_norm = 0.05f, .l2 = 0.02f}, 0.0f},
     0.125,
     0.0},
    {"momentum", {UPDATE_momentum, {.momentum = 0.9f}, 0.0f}, 0.05, 0.0},
    {"Nesterov's momentum", {UPDATE_nesterov, {.momentum = 0.9f, .l2 = 0.01f}, 0.0f}, 0.05, 0.0},
    {"AdaGrad", {UPDATE_adagrad, {.epsilon = 1e-7f}, 0.1f}, 0.05, 0.0},
    {"RMSprop", {UPDATE_rmsprop, {SQUARES}, 0.0f}, 0.01, 0.0},
    {"RMSprop with momentum", {UPDATE_rmsprop_momentum, {SQUARES, .momentum = 0.5f}, 0.0f}, 0.01, 0.0},
    {"RMSprop, centered", {UPDATE_rmsprop_centered, {SQUARES}, 0.0f}, 0.01, 0.0},
    {"RMSprop, centered, with momentum",
     {UPDATE_rmsprop_centered_momentum, {SQUARES, .momentum = 0.5f}, 0.0f},
     0.01,
     0.0},
    {"Adam", {UPDATE_adam, {MOMENTS}, 0.0f}, 0.01, 0.0},
    {"Adam, clipped by norm, with L1",
     {UPDATE_adam, {MOMENTS, .clip_norm = 0.03f, .l1 = 0.001f}, 0.0f},
     0.01,
     0.0},
    {"AMSGrad", {UPDATE_adam_amsgrad, {MOMENTS}, 0.0f}, 0.01, 0.0},
    {"AdamW", {UPDATE_adam, {MOMENTS}, 0.0f}, 0.01, 0.2},
    {"AdamW with AMSGrad", {UPDATE_adam_amsgrad, {MOMENTS}, 0.0f}, 0.01, 0.2},
};
const size_t update_case_count = sizeof update_cases / sizeof *update_cases;

const update_case *update_case_named(const char *name) {
    const update_case *found = NULL;
    for (size_t i = 0; i < update_case_count; i++)
        if (strcmp(update_cases[i].name, name) == 0) found = &update_cases[i];
    cr_assert_not_null(found, "no update case is called '%s'", name);
    return found;
}

void fill_rates(const update_case *row, update_rates rates[UPDATE_STEPS]) {
    for (int s = 0; s < UPDATE_STEPS; s++) {
        rates[s].rate = (float)(row->rate / (s + 1));
        rates[s].decay = (float)(row->rate / (s + 1) * row->weight_decay);
    }
}

/* ---- the formulas, as keras/src/optimizers has them ----------------------------------------------------- */

static double rmsprop(const update_constants *c, double rate, bool centered, bool with_momentum, double w,
                      double g, double *state) {
    double rho = (double)c->second_decay, denominator = (double)c->epsilon;
    state[0] = rho * state[0] + (double)c->second_share * g * g;
    denominator += state[0];
    if (centered) {
        state[1] = rho * state[1] + (double)c->second_share * g;
        denominator -= state[1] * state[1];
    }
    double increment = rate * g / sqrt(denominator), *momentum = &state[centered ? 2 : 1];
    if (!with_momentum) return w - increment;
    *momentum = (double)c->momentum * *momentum + increment;
    return w - *momentum;
}

static double adam(const update_constants *c, const update_rates *rates, bool amsgrad, double w, double g,
                   double *state) {
    w = w - w * (double)rates->decay;
    state[0] = state[0] + (g - state[0]) * (double)c->first_share;
    state[1] = state[1] + (g * g - state[1]) * (double)c->second_share;
    double v = state[1];
    if (amsgrad) v = state[2] = fmax(state[2], v);
    return w - state[0] * (double)rates->rate / (sqrt(v) + (double)c->epsilon);
}

double update_oracle(const update_case *row, const update_rates *rates, double w, double g,
                     double state[MOST_UPDATE_STATES]) {
    const update_constants *c = &row->settings.constants;
    double rate = (double)rates->rate, momentum = (double)c->momentum;
    switch (row->settings.rule) {
    case UPDATE_descent:
        return w - rate * g;
    case UPDATE_momentum:
        state[0] = momentum * state[0] - rate * g;
        return w + state[0];
    case UPDATE_nesterov:
        state[0] = momentum * state[0] - rate * g;
        return w + momentum * state[0] - rate * g;
    case UPDATE_adagrad:
        state[0] += g * g;
        return w - rate * g / sqrt(state[0] + (double)c->epsilon);
    case UPDATE_rmsprop:
    case UPDATE_rmsprop_momentum:
    case UPDATE_rmsprop_centered:
    case UPDATE_rmsprop_centered_momentum:
        return rmsprop(c, rate, row->settings.rule >= UPDATE_rmsprop_centered,
                       row->settings.rule == UPDATE_rmsprop_momentum ||
                           row->settings.rule == UPDATE_rmsprop_centered_momentum,
                       w, g, state);
    case UPDATE_adam:
    case UPDATE_adam_amsgrad:
        return adam(c, rates, row->settings.rule == UPDATE_adam_amsgrad, w, g, state);
    default:
        return w;
    }
}
