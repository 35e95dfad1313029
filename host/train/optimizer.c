#include "train/optimizer.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

#define SGD (1u << TANDA_OPTIMIZER_SGD)
#define MOMENTUM (1u << TANDA_OPTIMIZER_MOMENTUM | 1u << TANDA_OPTIMIZER_NESTEROV)
#define ADAGRAD (1u << TANDA_OPTIMIZER_ADAGRAD)
#define RMSPROP (1u << TANDA_OPTIMIZER_RMSPROP)
#define ADAMW (1u << TANDA_OPTIMIZER_ADAMW)
#define ADAM (1u << TANDA_OPTIMIZER_ADAM | ADAMW)
#define LBFGS (1u << TANDA_OPTIMIZER_LBFGS)
#define ALL (SGD | MOMENTUM | ADAGRAD | RMSPROP | ADAM)

/* What binary32 holds without loss of precision, far from its ends: sums and roots of it are then safe. */
#define LEAST_EPSILON 1e-30
#define LARGEST 1e30

#define CONSTANT(name, field, kinds, is_positive, most) \
    { name, offsetof(tanda_optimizer_options, field), kinds, is_positive, most }

const optimizer_constant optimizer_constants[] = {
    CONSTANT("momentum", momentum, MOMENTUM | RMSPROP, false, 1.0),
    CONSTANT("rho", rho, RMSPROP, false, 1.0),
    CONSTANT("beta1", beta1, ADAM, false, 1.0),
    CONSTANT("beta2", beta2, ADAM, false, 1.0),
    CONSTANT("epsilon", epsilon, ADAGRAD | RMSPROP | ADAM, true, LARGEST),
    CONSTANT("initial-accumulator", initial_accumulator, ADAGRAD, false, LARGEST),
    CONSTANT("weight-decay", weight_decay, ADAMW, false, LARGEST),
    CONSTANT("history", history, LBFGS, true, MOST_HISTORY + 1.0),
    CONSTANT("tolerance", tolerance, LBFGS, false, LARGEST),
    CONSTANT("l1", l1, ALL, false, LARGEST),
    CONSTANT("l2", l2, ALL | LBFGS, false, LARGEST),
    CONSTANT("clip-value", clip_value, ALL, false, LARGEST),
    CONSTANT("clip-norm", clip_norm, ALL, false, LARGEST),
};
const size_t optimizer_constant_count = sizeof optimizer_constants / sizeof *optimizer_constants;

/* ---- defaults ------------------------------------------------------------------------------------------- */

tanda_optimizer_options tanda_optimizer_defaults(tanda_optimizer kind) {
    tanda_optimizer_options made = {.kind = kind};
    const unsigned bit = 1u << kind;
    if (bit & MOMENTUM) made.momentum = 0.9;
    if (bit & RMSPROP) made.rho = 0.9;
    if (bit & ADAM) {
        made.beta1 = 0.9;
        made.beta2 = 0.999;
    }
    if (bit & (ADAGRAD | RMSPROP | ADAM)) made.epsilon = 1e-7;
    if (bit & ADAGRAD) made.initial_accumulator = 0.1;
    if (bit & ADAMW) made.weight_decay = 0.004;
    if (bit & LBFGS) {
        made.history = 10.0;
        made.tolerance = 1e-5;
    }
    return made;
}

double tanda_optimizer_learning_rate(tanda_optimizer kind) {
    const unsigned bit = 1u << kind;
    if (bit & LBFGS) return 1.0;
    return bit & SGD ? 0.1 : bit & MOMENTUM ? 0.01 : 0.001;
}

/* ---- checks --------------------------------------------------------------------------------------------- */

static tanda_status check_constant(const tanda_optimizer_options *options, const optimizer_constant *constant,
                                   tanda_error *error) {
    const double value = *(const double *)(const void *)((const char *)options + constant->offset);
    if (!optimizer_has(options->kind, constant)) {
        if (value == 0.0) return TANDA_OK;
        return fail(error, TANDA_USAGE, "%s: %s has no such constant", constant->name,
                    optimizer_name(options->kind));
    }
    if (constant->is_positive && !(value >= LEAST_EPSILON && value < constant->most))
        return fail(error, TANDA_USAGE, "%s: %g is not a number from %g to %g, such as 1e-7", constant->name,
                    value, LEAST_EPSILON, constant->most);
    if (!(value >= 0.0 && value < constant->most))
        return fail(error, TANDA_USAGE, "%s: %g is not a number of at least 0 and below %g", constant->name,
                    value, constant->most);
    return TANDA_OK;
}

tanda_status optimizer_check(const tanda_optimizer_options *options, tanda_error *error) {
    char list[VOCABULARY_LIST_SIZE];
    if (optimizer_name(options->kind) == NULL)
        return fail(error, TANDA_USAGE, "optimizer: %d is none; there are %s", (int)options->kind,
                    vocabulary_list(&optimizer_words, list));
    for (size_t i = 0; i < optimizer_constant_count; i++) {
        const tanda_status status = check_constant(options, &optimizer_constants[i], error);
        if (status != TANDA_OK) return status;
    }
    if (options->amsgrad && (1u << options->kind & ADAM) == 0)
        return fail(error, TANDA_USAGE, "amsgrad: only adam and adamw have it, not %s",
                    optimizer_name(options->kind));
    if (options->centered && (1u << options->kind & RMSPROP) == 0)
        return fail(error, TANDA_USAGE, "centered: only rmsprop has it, not %s",
                    optimizer_name(options->kind));
    if (options->kind == TANDA_OPTIMIZER_LBFGS && options->history != (double)(size_t)options->history)
        return fail(error, TANDA_USAGE, "history: %g is not a whole number from 1 to 100", options->history);
    if (options->clip_value > 0.0 && options->clip_norm > 0.0)
        return fail(error, TANDA_USAGE, "clip-norm: clip-value is given too; one of them will do");
    return TANDA_OK;
}

/* ---- what the backend is told --------------------------------------------------------------------------- */

static update_rule rule_of(const tanda_optimizer_options *options) {
    switch (options->kind) {
    case TANDA_OPTIMIZER_SGD:
        return UPDATE_descent;
    case TANDA_OPTIMIZER_MOMENTUM:
        return UPDATE_momentum;
    case TANDA_OPTIMIZER_NESTEROV:
        return UPDATE_nesterov;
    case TANDA_OPTIMIZER_ADAGRAD:
        return UPDATE_adagrad;
    case TANDA_OPTIMIZER_RMSPROP:
        if (options->centered)
            return options->momentum > 0.0 ? UPDATE_rmsprop_centered_momentum : UPDATE_rmsprop_centered;
        return options->momentum > 0.0 ? UPDATE_rmsprop_momentum : UPDATE_rmsprop;
    case TANDA_OPTIMIZER_ADAM:
    case TANDA_OPTIMIZER_ADAMW:
        return options->amsgrad ? UPDATE_adam_amsgrad : UPDATE_adam;
    case TANDA_OPTIMIZER_LBFGS:
        break;
    }
    return UPDATE_nothing;
}

update_settings optimizer_settings(const tanda_optimizer_options *options) {
    const bool is_adam = (1u << options->kind & ADAM) != 0;
    const double second = is_adam ? options->beta2 : options->rho;
    return (update_settings){.rule = rule_of(options),
                             .constants = {.l1 = (float)options->l1,
                                           .l2 = (float)options->l2,
                                           .clip_value = (float)options->clip_value,
                                           .clip_norm = (float)options->clip_norm,
                                           .momentum = (float)options->momentum,
                                           .first_share = (float)(1.0 - options->beta1),
                                           .second_decay = (float)second,
                                           .second_share = (float)(1.0 - second),
                                           .epsilon = (float)options->epsilon},
                             .initial_state = (float)options->initial_accumulator};
}
