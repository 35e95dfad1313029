/* Optimizers and their constants: names, defaults, what goes together, and what a backend is told of them. */
#ifndef TANDA_TRAIN_OPTIMIZER_H
#define TANDA_TRAIN_OPTIMIZER_H

#include "backend/backend.h"
#include "data/vocabulary.h"

#define MOST_HISTORY 100 /* pairs of L-BFGS */

/* What options and programs may say. */
extern const vocabulary optimizer_words;

/* "sgd", "momentum", ... Static storage; NULL for no optimizer. */
const char *optimizer_name(tanda_optimizer kind);

/*
 * A constant of tanda_optimizer_options that some optimizers have: as an option's name without --. `most` is open, and
 * so is 0 where is_positive is set.
 */
typedef struct optimizer_constant {
    const char *name;
    size_t offset;  /* of the double in tanda_optimizer_options */
    unsigned kinds; /* a bit for each optimizer that has it */
    bool is_positive;
    double most;
} optimizer_constant;

extern const optimizer_constant optimizer_constants[];
extern const size_t optimizer_constant_count;

static inline double *constant_of(tanda_optimizer_options *options, const optimizer_constant *constant) {
    return (double *)(void *)((char *)options + constant->offset);
}

static inline bool optimizer_has(tanda_optimizer kind, const optimizer_constant *constant) {
    return (constant->kinds >> kind & 1) != 0;
}

/* TANDA_USAGE with the constant's name for a value out of range, or of another optimizer. */
tanda_status optimizer_check(const tanda_optimizer_options *options, tanda_error *error);

/* What a program is told; the options are checked. */
update_settings optimizer_settings(const tanda_optimizer_options *options);

#endif
