#include "train/optimizer.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

#include "train/optimizer_list.h"

/* Optimizers as bits. */
#define OF(NAME) (1u << TANDA_OPTIMIZER_##NAME)
#define OR_IT(name, NAME, ...) | OF(NAME)
#define EVERY (0u OPTIMIZER_LIST(OR_IT))

/* What binary32 holds without loss of precision, far from its ends: sums and roots of it are then safe. */
#define LEAST_EPSILON 1e-30
#define LARGEST 1e30

const optimizer_constant optimizer_constants[] = {
#define CONSTANT(option, field, kinds, is_positive, most, ...) \
    {option, offsetof(tanda_optimizer_options, field), kinds, is_positive, most},
#define NO_CONSTANT(name)
    OPTIMIZER_CONSTANT_LIST(CONSTANT, NO_CONSTANT) STEP_CONSTANT_LIST(CONSTANT, NO_CONSTANT)
#undef CONSTANT
#undef NO_CONSTANT
};
const size_t optimizer_constant_count = sizeof optimizer_constants / sizeof *optimizer_constants;

/* ---- defaults ------------------------------------------------------------------------------------------- */

static const struct optimizer {
    update_rule rule;
    double learning_rate;
    tanda_optimizer_options defaults;
} optimizers[] = {
#define OPTIMIZER(name, NAME, rule, rate, ...) \
    [TANDA_OPTIMIZER_##NAME] = {UPDATE_##rule, rate, {.kind = TANDA_OPTIMIZER_##NAME, __VA_ARGS__}},
    OPTIMIZER_LIST(OPTIMIZER)
#undef OPTIMIZER
};

tanda_optimizer_options tanda_optimizer_defaults(tanda_optimizer kind) {
    return optimizer_name(kind) == NULL ? (tanda_optimizer_options){.kind = kind} : optimizers[kind].defaults;
}

double tanda_optimizer_learning_rate(tanda_optimizer kind) {
    return optimizer_name(kind) == NULL ? 0.0 : optimizers[kind].learning_rate;
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
    if (options->amsgrad && optimizers[options->kind].rule != UPDATE_adam)
        return fail(error, TANDA_USAGE, "amsgrad: only adam and adamw have it, not %s",
                    optimizer_name(options->kind));
    if (options->centered && options->kind != TANDA_OPTIMIZER_RMSPROP)
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
    const update_rule rule = optimizers[options->kind].rule;
    if (options->amsgrad) return UPDATE_adam_amsgrad;
    if (options->centered)
        return options->momentum > 0.0 ? UPDATE_rmsprop_centered_momentum : UPDATE_rmsprop_centered;
    return rule == UPDATE_rmsprop && options->momentum > 0.0 ? UPDATE_rmsprop_momentum : rule;
}

update_settings optimizer_settings(const tanda_optimizer_options *options) {
    const double second = options->beta2 + options->rho; /* none has both */
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
