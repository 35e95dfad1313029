/* What the files of the lockstep share. */
#ifndef TANDA_VERIFY_LOCKSTEP_STATE_H
#define TANDA_VERIFY_LOCKSTEP_STATE_H

#include "train/evaluator.h"
#include "verify/lockstep_types.h"
#include "verify/reference.h"

/* A side at work. Arrays are packed parameters of the latest step. */
typedef struct runner {
    backend *backend;
    bool fast;
    resident resident;
    session session;
    float *packed, *gradient, *state[MOST_UPDATE_STATES];
    step_result result;
    float *values; /* scratch: one tensor, or the parameters in the model's order */
} runner;

typedef struct lockstep {
    const tanda_model *model;
    const tanda_dataset *dataset;
    const lockstep_options *options;
    const lockstep_side *sides;
    lockstep_result *result;
    size_t batch_rows;
    const plan *plan; /* of both sides */
    runner runners[SIDE_COUNT];
    bool share_cores; /* OpenMP and an OpenCL CPU: one after the other is quicker than both at once */
    int leader;       /* the side whose weights every step starts from */
    float *start;     /* the first weights, packed */
    float *before;    /* with bounds: the weights before the step, in the model's order */
    size_t *row;      /* with bounds: rows of the step */
    double *expected, *bound[SIDE_COUNT]; /* with bounds: of updated parameters */
    step_reference reference;
    rates rates; /* makes them */
    uint64_t step;
    size_t rows; /* of the step */
} lockstep;

/* Fills result->tensors with all that a step makes, in the order of the data's way. */
tanda_status lockstep_list_tensors(const lockstep *lockstep, tanda_error *error);

/* Where a tensor of parameters lies in the model's order, and its rows: the layer's outputs. */
size_t lockstep_offset(const lockstep *lockstep, const compared_tensor *tensor);
size_t lockstep_outputs(const lockstep *lockstep, const compared_tensor *tensor);

/* What the update of a step is told. */
static inline update_rates lockstep_rates(lockstep *lockstep, uint64_t step) {
    const plateau none = {0};
    update_rates made = {.rate = lockstep->options->learning_rate};
    if (lockstep->options->has_rates) rates_make(&lockstep->rates, &none, step, 1, &made);
    return made;
}

/* Weights and biases. */
bool lockstep_is_parameter(quantity quantity);

/* lockstep_compare.c: compares everything of the step that both sides have just done. */
tanda_status lockstep_compare(lockstep *lockstep, tanda_error *error);

#endif
