/* Optimizers' constants and checks, and the rates of every step against libm. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "train/optimizer.h"
#include "train/schedule.h"

/* ---- constants ------------------------------------------------------------------------------------------ */

Test(optimizers, names_and_kinds_go_both_ways) {
    for (size_t i = 0; i < optimizer_words.count; i++) {
        tanda_optimizer kind = TANDA_OPTIMIZER_SGD;
        cr_expect(tanda_optimizer_from_name(optimizer_name((tanda_optimizer)i), &kind) && kind == i);
    }
    for (size_t i = 0; i < schedule_words.count; i++) {
        tanda_schedule kind = TANDA_SCHEDULE_CONSTANT;
        cr_expect(tanda_schedule_from_name(schedule_name((tanda_schedule)i), &kind) && kind == i);
    }
    cr_expect_null(optimizer_name((tanda_optimizer)optimizer_words.count));
    cr_expect_null(schedule_name((tanda_schedule)schedule_words.count));
}

Test(optimizers, defaults_pass_their_own_checks) {
    for (int i = TANDA_OPTIMIZER_SGD; i <= TANDA_OPTIMIZER_ADAMW; i++) {
        const tanda_optimizer_options options = tanda_optimizer_defaults((tanda_optimizer)i);
        tanda_error error = {0};
        cr_expect_eq(optimizer_check(&options, &error), TANDA_OK, "%s", error.message);
        cr_expect(tanda_optimizer_learning_rate((tanda_optimizer)i) > 0.0);
    }
    for (int i = TANDA_SCHEDULE_CONSTANT; i <= TANDA_SCHEDULE_PLATEAU; i++) {
        const tanda_schedule_options options = tanda_schedule_defaults((tanda_schedule)i);
        tanda_error error = {0};
        cr_expect_eq(schedule_check(&options, &error), TANDA_OK, "%s", error.message);
    }
}

static void expect_refused(tanda_optimizer_options options, const char *start) {
    tanda_error error = {0};
    cr_expect_eq(optimizer_check(&options, &error), TANDA_USAGE, "%s", start);
    cr_expect_eq(strncmp(error.message, start, strlen(start)), 0, "%s", error.message);
}

Test(optimizers, refuse_what_does_not_belong_to_them_or_is_out_of_range) {
    tanda_optimizer_options options = tanda_optimizer_defaults(TANDA_OPTIMIZER_ADAM);
    expect_refused((tanda_optimizer_options){.rho = 0.9}, "rho: sgd has no such constant");
    expect_refused((tanda_optimizer_options){.kind = TANDA_OPTIMIZER_ADAM}, "epsilon: 0 is not");
    expect_refused((tanda_optimizer_options){.clip_norm = 1.0, .clip_value = 1.0}, "clip-norm");
    expect_refused((tanda_optimizer_options){.amsgrad = true}, "amsgrad");
    expect_refused((tanda_optimizer_options){.centered = true}, "centered");
    expect_refused((tanda_optimizer_options){.l1 = (double)NAN}, "l1");
    options.beta1 = 1.0;
    expect_refused(options, "beta1: 1 is not");
}

Test(optimizers, centered_and_momentum_choose_the_rule_of_rmsprop) {
    tanda_optimizer_options options = tanda_optimizer_defaults(TANDA_OPTIMIZER_RMSPROP);
    cr_expect_eq(optimizer_settings(&options).rule, UPDATE_rmsprop);
    options.momentum = 0.5;
    cr_expect_eq(optimizer_settings(&options).rule, UPDATE_rmsprop_momentum);
    options.centered = true;
    cr_expect_eq(optimizer_settings(&options).rule, UPDATE_rmsprop_centered_momentum);
    options.momentum = 0.0;
    cr_expect_eq(optimizer_settings(&options).rule, UPDATE_rmsprop_centered);
}

/* ---- schedules ------------------------------------------------------------------------------------------ */

#define PER_EPOCH 7
#define EPOCHS 40
#define TOTAL (PER_EPOCH * EPOCHS)
#define RATE 0.3
#define PI 3.14159265358979323846

static const plateau none;

static double half_cosine(double start, double end, double part) {
    return end + (start - end) / 2.0 * (1.0 + cos(PI * part));
}

/* Step `step` of a schedule without warm-up, as its documentation has it. */
static double expected_rate(tanda_schedule kind, double step, double total) {
    const double epoch = floor(step / PER_EPOCH), peak = 0.3 * total - 1.0;
    switch (kind) {
    case TANDA_SCHEDULE_STEP:
        return RATE * pow(0.1, floor(epoch / 10.0));
    case TANDA_SCHEDULE_EXPONENTIAL:
        return RATE * pow(0.95, epoch);
    case TANDA_SCHEDULE_COSINE:
        return half_cosine(RATE, 0.0, step / total);
    case TANDA_SCHEDULE_ONE_CYCLE:
        return step <= peak ? half_cosine(RATE / 25.0, RATE, step / peak)
                            : half_cosine(RATE, RATE / 25.0 / 10000.0, (step - peak) / (total - 1.0 - peak));
    default:
        return RATE;
    }
}

static rates begin(tanda_schedule_options schedule) {
    const tanda_optimizer_options sgd = {0};
    return rates_begin(&sgd, &schedule, RATE, PER_EPOCH, TOTAL);
}

Test(schedules, give_the_rates_of_their_formulas) {
    for (int kind = TANDA_SCHEDULE_CONSTANT; kind < TANDA_SCHEDULE_PLATEAU; kind++) {
        rates made = begin(tanda_schedule_defaults((tanda_schedule)kind));
        for (uint64_t step = 0; step < TOTAL; step++) {
            const double expected = expected_rate((tanda_schedule)kind, (double)step, TOTAL);
            cr_assert_float_eq(rates_learning_rate(&made, &none, step), expected, 1e-14 * RATE, "%s, step %d",
                               schedule_name((tanda_schedule)kind), (int)step);
        }
    }
}

Test(schedules, rise_evenly_while_warming_up_and_then_begin) {
    tanda_schedule_options schedule = tanda_schedule_defaults(TANDA_SCHEDULE_COSINE);
    schedule.warmup_steps = 20;
    rates made = begin(schedule);
    for (uint64_t step = 0; step < 20; step++)
        cr_expect_float_eq(rates_learning_rate(&made, &none, step), RATE * (double)(step + 1) / 20.0, 1e-15);
    for (uint64_t step = 20; step < TOTAL; step++)
        cr_expect_float_eq(rates_learning_rate(&made, &none, step),
                           expected_rate(TANDA_SCHEDULE_COSINE, (double)step - 20.0, TOTAL - 20.0), 1e-14);
}

/* Any step, in any order, has the same bits: a training that goes on elsewhere begins in the middle. */
Test(schedules, depend_on_the_number_of_the_step_alone) {
    const tanda_optimizer_options adam = tanda_optimizer_defaults(TANDA_OPTIMIZER_ADAMW);
    const tanda_schedule_options schedule = tanda_schedule_defaults(TANDA_SCHEDULE_EXPONENTIAL);
    rates whole = rates_begin(&adam, &schedule, RATE, PER_EPOCH, TOTAL);
    update_rates at_once[TOTAL], single;
    rates_make(&whole, &none, 0, TOTAL, at_once);
    for (size_t i = 0; i < TOTAL; i++) {
        const uint64_t step = (i * 101) % TOTAL;
        rates fresh = rates_begin(&adam, &schedule, RATE, PER_EPOCH, TOTAL);
        rates_make(i % 2 == 0 ? &fresh : &whole, &none, step, 1, &single);
        cr_assert_eq(memcmp(&single, &at_once[step], sizeof single), 0, "step %d", (int)step);
    }
}

Test(schedules, correct_the_beginning_of_adam) {
    const tanda_optimizer_options adam = tanda_optimizer_defaults(TANDA_OPTIMIZER_ADAM);
    const tanda_schedule_options constant = {0};
    rates made = rates_begin(&adam, &constant, 0.001, PER_EPOCH, TOTAL);
    for (uint64_t step = 0; step < 100000; step += step < 10 ? 1 : 9999) {
        update_rates rates;
        const double t = (double)step + 1.0,
                     expected = 0.001 * sqrt(1.0 - pow(0.999, t)) / (1.0 - pow(0.9, t));
        rates_make(&made, &none, step, 1, &rates);
        cr_expect_float_eq((double)rates.rate, expected, 1e-7 * expected, "step %d", (int)step);
        cr_expect_eq(rates.decay, 0.0f);
    }
}

/*
 * Losses and rates after each epoch of Keras 3.15's ReduceLROnPlateau(monitor="loss", factor=0.5, patience=2,
 * min_delta=0.01, cooldown=1, min_lr=0.05) from 0.4.
 */
Test(schedules, lower_the_rate_on_a_plateau_as_keras_does) {
    static const double losses[] = {1.0, 0.9, 0.895, 0.893, 0.892, 0.891, 0.89, 0.7,
                                    0.8, 0.8, 0.8,   0.8,   0.8,   0.8,   0.8,  0.8};
    static const double expected[] = {0.4, 0.4,  0.4,  0.2,  0.2,  0.1,  0.1,  0.1,
                                      0.1, 0.05, 0.05, 0.05, 0.05, 0.05, 0.05, 0.05};
    const tanda_schedule_options schedule = {.kind = TANDA_SCHEDULE_PLATEAU,
                                             .decay_factor = 0.5,
                                             .patience = 2,
                                             .min_delta = 0.01,
                                             .cooldown = 1,
                                             .min_rate = 0.05};
    plateau state = {0};
    rates made = begin(schedule);
    for (size_t i = 0; i < sizeof losses / sizeof *losses; i++) {
        plateau_hear(&state, &schedule, 0.4, losses[i]);
        const double rate = state.rate > 0.0 ? rates_learning_rate(&made, &state, 100) : 0.4;
        cr_expect_float_eq(rate, expected[i], 1e-15, "epoch %d: %g", (int)i + 1, rate);
    }
}
