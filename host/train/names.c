/*
 * Optimizers and schedules by their names. A kind is in its list or the compiler tells: the switches over the lists have
 * no default.
 */
#include "train/optimizer.h"
#include "train/optimizer_list.h"
#include "train/schedule.h"

/* ---- optimizers --------------------------------------------------------------------------------------- */

static const char *const optimizer_names[] = {
#define OPTIMIZER_NAME(name, NAME, ...) [TANDA_OPTIMIZER_##NAME] = #name,
    OPTIMIZER_LIST(OPTIMIZER_NAME)
#undef OPTIMIZER_NAME
};

static const synonym optimizer_synonyms[] = {
#define OPTIMIZER_SYNONYM(...) {__VA_ARGS__},
    OPTIMIZER_SYNONYM_LIST(OPTIMIZER_SYNONYM)
#undef OPTIMIZER_SYNONYM
};

const vocabulary optimizer_words = WORDS_OF(optimizer_names, optimizer_synonyms);

const char *optimizer_name(tanda_optimizer kind) {
    switch (kind) {
#define OPTIMIZER_CASE(name, NAME, ...) case TANDA_OPTIMIZER_##NAME:
        OPTIMIZER_LIST(OPTIMIZER_CASE)
#undef OPTIMIZER_CASE
        return optimizer_names[kind];
    }
    return NULL;
}

const char *tanda_optimizer_name(tanda_optimizer optimizer) {
    return optimizer_name(optimizer);
}

bool tanda_optimizer_from_name(const char *name, tanda_optimizer *optimizer) {
    size_t index = 0;
    if (!vocabulary_value(&optimizer_words, name, &index)) return false;
    *optimizer = (tanda_optimizer)index;
    return true;
}

/* ---- schedules ---------------------------------------------------------------------------------------- */

#define SCHEDULE_LIST(X) \
    X("constant", CONSTANT) \
    X("step", STEP) \
    X("exponential", EXPONENTIAL) \
    X("cosine", COSINE) \
    X("one-cycle", ONE_CYCLE) \
    X("plateau", PLATEAU)

static const char *const schedule_names[] = {
#define SCHEDULE_NAME(name, NAME) [TANDA_SCHEDULE_##NAME] = name,
    SCHEDULE_LIST(SCHEDULE_NAME)
#undef SCHEDULE_NAME
};

static const synonym schedule_synonyms[] = {
    {"none", "constant", NULL},
    {"step_lr", "step", NULL},
    {"exponential_lr", "exponential", NULL},
    {"cosine_decay", "cosine", NULL},
    {"constant_lr", NULL,
     "PyTorch's begins with a third of the rate for 5 epochs; --warmup-steps raises it evenly, and constant "
     "is "
     "none"},
    {"linear_lr", NULL, "a rate that rises evenly over the first steps is --warmup-steps N"},
    {"exponential_decay", NULL,
     "Keras's falls in every step, exponential once an epoch, as with staircase=True and an epoch's "
     "decay_steps"},
    {"cosine_annealing_lr", NULL,
     "PyTorch's mostly falls once an epoch, cosine in every step, to --final-share of the rate (eta_min / "
     "rate)"},
    {"one_cycle_lr", NULL,
     "PyTorch's changes momentum, too; one-cycle does not, as with cycle_momentum=False"},
    {"reduce_lr_on_plateau", NULL,
     "PyTorch and Keras differ: plateau is Keras's; PyTorch's waits longer (--plateau-patience 11), and "
     "wants "
     "a fall of a ten thousandth of the loss, not of --plateau-min-delta 0.0001"},
    {"adaptive", NULL,
     "scikit-learn's divides by 5 where the loss no longer falls: plateau with --decay-factor 0.2"},
};

const vocabulary schedule_words = WORDS_OF(schedule_names, schedule_synonyms);

const char *schedule_name(tanda_schedule kind) {
    switch (kind) {
#define SCHEDULE_CASE(name, NAME) case TANDA_SCHEDULE_##NAME:
        SCHEDULE_LIST(SCHEDULE_CASE)
#undef SCHEDULE_CASE
        return schedule_names[kind];
    }
    return NULL;
}

const char *tanda_schedule_name(tanda_schedule schedule) {
    return schedule_name(schedule);
}

bool tanda_schedule_from_name(const char *name, tanda_schedule *schedule) {
    size_t index = 0;
    if (!vocabulary_value(&schedule_words, name, &index)) return false;
    *schedule = (tanda_schedule)index;
    return true;
}
