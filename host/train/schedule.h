/*
 * The rates of each step: the learning rate that a schedule gives, and what Adam's correction for the beginning makes
 * of it. Made on the host in double, with + - * / and sqrt alone and powers by repeated multiplication, and then
 * rounded to binary32 (contract 9). They depend on the options, the number of the step and the plateaus so far, and on
 * nothing else: a training that goes on elsewhere needs no more.
 */
#ifndef TANDA_TRAIN_SCHEDULE_H
#define TANDA_TRAIN_SCHEDULE_H

#include "backend/backend.h"
#include "data/vocabulary.h"

/* What options and programs may say. */
extern const vocabulary schedule_words;

/* "constant", "step", ... Static storage; NULL for no schedule. */
const char *schedule_name(tanda_schedule kind);

/* A member of tanda_schedule_options that some schedules have, as an option's name without --. */
typedef struct schedule_member {
    const char *name;
    size_t offset; /* of the double or size_t */
    bool is_count;
    unsigned kinds;     /* a bit for each schedule that has it */
    double least, most; /* that it may be */
} schedule_member;

extern const schedule_member schedule_members[];
extern const size_t schedule_member_count;

static inline bool schedule_has(tanda_schedule kind, const schedule_member *member) {
    return (member->kinds >> kind & 1) != 0;
}

double schedule_value(const tanda_schedule_options *options, const schedule_member *member);
void schedule_set(tanda_schedule_options *options, const schedule_member *member, double value);

/* TANDA_USAGE with the name of the member that is out of range, or of another schedule. */
tanda_status schedule_check(const tanda_schedule_options *options, tanda_error *error);

/* Whether all steps have the same learning rate. */
bool schedule_is_constant(const tanda_schedule_options *options);

/* Whether a backend needs no more than it: no schedule, correction or decay. */
bool rates_are_constant(const tanda_optimizer_options *optimizer, const tanda_schedule_options *schedule);

/* base^exponent of the latest call; each is a product of `exponent` factors, in order. */
typedef struct power {
    double base, value;
    uint64_t exponent;
} power;

/* What reduces the rate on a plateau has seen so far; all zero is the beginning. */
typedef struct plateau {
    size_t waited;  /* epochs in a row that were not better */
    size_t cooling; /* epochs that will not count */
    bool has_best;
    double best;
    double rate; /* 0: not changed yet; else the learning rate */
} plateau;

/* The loss of an epoch that has just ended, which may lower the rate of the next; does nothing for other schedules. */
void plateau_hear(plateau *state, const tanda_schedule_options *options, double learning_rate, double loss);

/* Makes rates; begun by rates_begin. */
typedef struct rates {
    double learning_rate;
    tanda_optimizer_options optimizer;
    tanda_schedule_options schedule;
    uint64_t steps_per_epoch, total_steps;
    power first, second, decay;
} rates;

rates rates_begin(const tanda_optimizer_options *optimizer, const tanda_schedule_options *schedule,
                  double learning_rate, uint64_t steps_per_epoch, uint64_t total_steps);

/* The learning rate of a step, counted from 0. */
double rates_learning_rate(rates *rates, const plateau *plateau, uint64_t step);

/* made[i] = what step first_step + i is told. */
void rates_make(rates *rates, const plateau *plateau, uint64_t first_step, size_t count, update_rates *made);

#endif
