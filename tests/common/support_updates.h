/* The rules of the parameter update as the tests try them, and each rule's formula in double precision. */
#ifndef TANDA_TESTS_SUPPORT_UPDATES_H
#define TANDA_TESTS_SUPPORT_UPDATES_H

#include "support_network.h"

#define UPDATE_STEPS 12 /* that the rates of a case reach */

typedef struct update_case {
    const char *name;
    update_settings settings;
    double rate;         /* the rate of step s is rate / (s + 1) */
    double weight_decay; /* of AdamW; the rates' decay is rate times it */
} update_case;

/* Every rule at least once; with L1 and L2, clipping by value and by norm. */
extern const update_case update_cases[];
extern const size_t update_case_count;

/* A test fails when there is none. */
const update_case *update_case_named(const char *name);

/* The rates of steps 0 to UPDATE_STEPS - 1; Adam's are not corrected for the beginning: that is the host's. */
void fill_rates(const update_case *row, update_rates rates[UPDATE_STEPS]);

/*
 * What a rule should make of weight, derivative and state, which change in place: Keras 3's formulas, written
 * once more and in double.
 */
double update_oracle(const update_case *row, const update_rates *rates, double w, double g,
                     double state[MOST_UPDATE_STATES]);

#endif
