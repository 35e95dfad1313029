#include "train/schedule.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

tanda_schedule_options tanda_schedule_defaults(tanda_schedule kind) {
    switch (kind) {
    case TANDA_SCHEDULE_STEP:
        return (tanda_schedule_options){.kind = kind, .decay_factor = 0.1, .decay_epochs = 10};
    case TANDA_SCHEDULE_EXPONENTIAL:
        return (tanda_schedule_options){.kind = kind, .decay_factor = 0.95};
    case TANDA_SCHEDULE_ONE_CYCLE:
        return (tanda_schedule_options){
            .kind = kind, .rise = 0.3, .start_divisor = 25.0, .end_divisor = 10000.0};
    case TANDA_SCHEDULE_PLATEAU:
        return (tanda_schedule_options){
            .kind = kind, .decay_factor = 0.1, .patience = 10, .min_delta = 0.0001};
    case TANDA_SCHEDULE_CONSTANT:
    case TANDA_SCHEDULE_COSINE:
        break;
    }
    return (tanda_schedule_options){.kind = kind};
}

bool schedule_is_constant(const tanda_schedule_options *options) {
    return options->kind == TANDA_SCHEDULE_CONSTANT && options->warmup_steps == 0;
}

static bool is_adam(tanda_optimizer kind) {
    return kind == TANDA_OPTIMIZER_ADAM || kind == TANDA_OPTIMIZER_ADAMW;
}

bool rates_are_constant(const tanda_optimizer_options *optimizer, const tanda_schedule_options *schedule) {
    return schedule_is_constant(schedule) && !is_adam(optimizer->kind);
}

/* ---- members and their checks --------------------------------------------------------------------------- */

#define CONSTANT (1u << TANDA_SCHEDULE_CONSTANT)
#define STEP (1u << TANDA_SCHEDULE_STEP)
#define EXPONENTIAL (1u << TANDA_SCHEDULE_EXPONENTIAL)
#define COSINE (1u << TANDA_SCHEDULE_COSINE)
#define ONE_CYCLE (1u << TANDA_SCHEDULE_ONE_CYCLE)
#define PLATEAU (1u << TANDA_SCHEDULE_PLATEAU)
#define ALL (CONSTANT | STEP | EXPONENTIAL | COSINE | ONE_CYCLE | PLATEAU)

#define REAL(name, field, kinds, least, most) \
    { name, offsetof(tanda_schedule_options, field), false, kinds, least, most }
#define COUNT(name, field, kinds, least) \
    { name, offsetof(tanda_schedule_options, field), true, kinds, least, 1e12 }

const schedule_member schedule_members[] = {
    COUNT("warmup-steps", warmup_steps, ALL, 0.0),
    REAL("decay-factor", decay_factor, STEP | EXPONENTIAL | PLATEAU, 1e-6, 1.0),
    COUNT("decay-epochs", decay_epochs, STEP, 1.0),
    REAL("final-share", final_share, COSINE, 0.0, 1.0),
    REAL("cycle-rise", rise, ONE_CYCLE, 0.0, 1.0),
    REAL("cycle-start-divisor", start_divisor, ONE_CYCLE, 1.0, 1e9),
    REAL("cycle-end-divisor", end_divisor, ONE_CYCLE, 1.0, 1e9),
    COUNT("plateau-patience", patience, PLATEAU, 1.0),
    REAL("plateau-min-delta", min_delta, PLATEAU, 0.0, 1e30),
    COUNT("plateau-cooldown", cooldown, PLATEAU, 0.0),
    REAL("plateau-min-rate", min_rate, PLATEAU, 0.0, 1e30),
};
const size_t schedule_member_count = sizeof schedule_members / sizeof *schedule_members;

double schedule_value(const tanda_schedule_options *options, const schedule_member *member) {
    const void *place = (const char *)options + member->offset;
    return member->is_count ? (double)*(const size_t *)place : *(const double *)place;
}

void schedule_set(tanda_schedule_options *options, const schedule_member *member, double value) {
    void *place = (char *)options + member->offset;
    if (member->is_count)
        *(size_t *)place = (size_t)value;
    else
        *(double *)place = value;
}

static tanda_status check(const tanda_schedule_options *options, const schedule_member *member,
                          tanda_error *error) {
    const double value = schedule_value(options, member);
    const bool has = schedule_has(options->kind, member);
    if (!has && value == 0.0) return TANDA_OK;
    if (!has)
        return fail(error, TANDA_USAGE, "%s: the schedule %s has no such thing", member->name,
                    schedule_name(options->kind));
    if (value >= member->least && value <= member->most) return TANDA_OK;
    return fail(error, TANDA_USAGE, "%s: %g is not a number from %g to %g", member->name, value,
                member->least, member->most);
}

tanda_status schedule_check(const tanda_schedule_options *options, tanda_error *error) {
    char list[VOCABULARY_LIST_SIZE];
    if (schedule_name(options->kind) == NULL)
        return fail(error, TANDA_USAGE, "schedule: %d is none; there are %s", (int)options->kind,
                    vocabulary_list(&schedule_words, list));
    tanda_status status = TANDA_OK;
    for (size_t i = 0; status == TANDA_OK && i < schedule_member_count; i++)
        status = check(options, &schedule_members[i], error);
    return status;
}

/* ---- plateaus ------------------------------------------------------------------------------------------- */

/* on_epoch_end of Keras 3's ReduceLROnPlateau, mode "min". */
void plateau_hear(plateau *state, const tanda_schedule_options *options, double learning_rate, double loss) {
    if (options->kind != TANDA_SCHEDULE_PLATEAU) return;
    if (state->cooling > 0) {
        state->cooling--;
        state->waited = 0;
    }
    if (!state->has_best || loss < state->best - options->min_delta) {
        state->has_best = true;
        state->best = loss;
        state->waited = 0;
        return;
    }
    if (state->cooling > 0) return;
    state->waited++;
    if (state->waited < options->patience) return;
    const double rate = state->rate > 0.0 ? state->rate : learning_rate;
    if (rate <= options->min_rate) return;
    const double lower = rate * options->decay_factor;
    state->rate = lower > options->min_rate ? lower : options->min_rate;
    state->cooling = options->cooldown;
    state->waited = 0;
}

/* ---- rates ---------------------------------------------------------------------------------------------- */

/* A power is soon 0 or, of 1, stays as it is. */
static double power_of(power *power, double base, uint64_t exponent) {
    if (power->base != base || exponent < power->exponent)
        *power = (struct power){.base = base, .value = 1.0};
    while (power->exponent < exponent) {
        const double next = power->value * base;
        if (next == power->value) break;
        power->value = next;
        power->exponent++;
    }
    return power->value;
}

/* Taylor's series of the sine or cosine of |x| <= pi / 4, from x^n / n! on: the first term left out is below 1e-17. */
static double small_series(double x, int n) {
    double term = n == 0 ? 1.0 : x, sum = 0.0, square = x * x;
    for (; n < 20; n += 2) {
        sum += term;
        term *= -square / (double)((n + 1) * (n + 2));
    }
    return sum;
}

/* cos(pi x) for 0 <= x <= 1. */
static double cosine_of_half_turns(double x) {
    const double pi = 0x1.921fb54442d18p+1;
    if (x > 0.5) return -cosine_of_half_turns(1.0 - x);
    return x > 0.25 ? small_series(pi * (0.5 - x), 1) : small_series(pi * x, 0);
}

/* Half a cosine: from `start` at part 0 to `end` at 1. */
static double anneal(double start, double end, double part) {
    return end + (start - end) * 0.5 *
                     (1.0 + cosine_of_half_turns(part < 0.0   ? 0.0
                                                 : part > 1.0 ? 1.0
                                                              : part));
}

/* step and steps without those of the warm-up. PyTorch's OneCycleLR: the peak is the step rise * steps - 1. */
static double one_cycle(const rates *rates, double step, double steps) {
    const tanda_schedule_options *schedule = &rates->schedule;
    const double start = rates->learning_rate / schedule->start_divisor, peak = schedule->rise * steps - 1.0;
    if (step <= peak) return anneal(start, rates->learning_rate, peak > 0.0 ? step / peak : 1.0);
    const double rest = steps - 1.0 - peak;
    return anneal(rates->learning_rate, start / schedule->end_divisor,
                  rest > 0.0 ? (step - peak) / rest : 1.0);
}

rates rates_begin(const tanda_optimizer_options *optimizer, const tanda_schedule_options *schedule,
                  double learning_rate, uint64_t steps_per_epoch, uint64_t total_steps) {
    return (rates){.learning_rate = learning_rate,
                   .optimizer = *optimizer,
                   .schedule = *schedule,
                   .steps_per_epoch = steps_per_epoch,
                   .total_steps = total_steps};
}

double rates_learning_rate(rates *rates, const plateau *plateau, uint64_t step) {
    const tanda_schedule_options *schedule = &rates->schedule;
    const uint64_t warmup = schedule->warmup_steps, epoch = step / rates->steps_per_epoch;
    const double rate = rates->learning_rate, steps = (double)rates->total_steps - (double)warmup;
    if (step < warmup) {
        const double first = schedule->kind == TANDA_SCHEDULE_ONE_CYCLE ? one_cycle(rates, 0.0, steps) : rate;
        return first * ((double)(step + 1) / (double)warmup);
    }
    const double after = (double)(step - warmup);
    switch (schedule->kind) {
    case TANDA_SCHEDULE_STEP:
        return rate * power_of(&rates->decay, schedule->decay_factor, epoch / schedule->decay_epochs);
    case TANDA_SCHEDULE_EXPONENTIAL:
        return rate * power_of(&rates->decay, schedule->decay_factor, epoch);
    case TANDA_SCHEDULE_COSINE:
        return anneal(rate, rate * schedule->final_share, steps > 0.0 ? after / steps : 1.0);
    case TANDA_SCHEDULE_ONE_CYCLE:
        return one_cycle(rates, after, steps);
    case TANDA_SCHEDULE_PLATEAU:
        return plateau->rate > 0.0 ? plateau->rate : rate;
    case TANDA_SCHEDULE_CONSTANT:
        break;
    }
    return rate;
}

/* sqrt(1 - beta2^t) / (1 - beta1^t), t counted from 1: Kingma and Ba's correction of both moments at once. */
static double correction(rates *rates, uint64_t step) {
    const double first = power_of(&rates->first, rates->optimizer.beta1, step + 1);
    const double second = power_of(&rates->second, rates->optimizer.beta2, step + 1);
    return sqrt(1.0 - second) / (1.0 - first);
}

void rates_make(rates *rates, const plateau *plateau, uint64_t first_step, size_t count, update_rates *made) {
    const bool corrected = is_adam(rates->optimizer.kind);
    for (size_t i = 0; i < count; i++) {
        const double rate = rates_learning_rate(rates, plateau, first_step + i);
        made[i].decay = (float)(rate * rates->optimizer.weight_decay);
        made[i].rate = (float)(corrected ? rate * correction(rates, first_step + i) : rate);
    }
}
