/*
 * L-BFGS: minimises a smooth function of many variables from its values and gradients.
 *
 * The two-loop recursion and the scaling of the first matrix: Nocedal and Wright, Numerical Optimization (2006),
 * algorithms 7.4 and 7.5. The line search accepts a step by derivatives alone where values are too coarse to tell: the
 * approximate Wolfe conditions of Hager and Zhang, SIAM J. Optim. 16 (2005), 170-192.
 *
 * Points and gradients are binary32, as a device has them; what is done with them is double, with + - * / and sqrt
 * only, every inner product in one order. So equal gradients give equal points, on every machine.
 */
#ifndef TANDA_TRAIN_LBFGS_H
#define TANDA_TRAIN_LBFGS_H

#include "support/status.h"

/* The function: its value and gradient (size) at x (size). Either may come out not finite: a shorter step is tried. */
typedef struct objective {
    tanda_status (*evaluate)(void *context, const float *x, double *value, float *gradient,
                             tanda_error *error);
    void *context;
    size_t size;
} objective;

typedef enum lbfgs_outcome {
    LBFGS_MOVED,     /* to a lower point */
    LBFGS_CONVERGED, /* nothing done: no component of the gradient exceeds the tolerance */
    LBFGS_STUCK      /* nothing done: no step along the gradient lowers the value, as far as binary32 shows */
} lbfgs_outcome;

/*
 * A minimisation. What continues it elsewhere with the same bits is point, pairs and their number: value and gradient
 * come out of lbfgs_start again.
 */
typedef struct lbfgs {
    size_t size, history; /* variables; pairs that are kept at most */
    size_t pairs;         /* that there are, the oldest first */
    float *point, *gradient;
    float *steps;   /* (history, size): differences of successive points */
    float *changes; /* (history, size): differences of their gradients */
    double value;
    uint64_t evaluations;
    float *trial, *trial_gradient;
    double *direction, *weights; /* (size), (history) */
} lbfgs;

/* All to be freed by lbfgs_free, also after a failure. TANDA_FAILED for want of memory. */
tanda_status lbfgs_create(size_t size, size_t history, lbfgs *result, tanda_error *error);
void lbfgs_free(lbfgs *state);

/* Evaluates the objective at state->point, which the caller has filled. */
tanda_status lbfgs_start(lbfgs *state, const objective *objective, tanda_error *error);

/* One iteration: one step along one direction, for one evaluation as a rule. tolerance: of the largest |gradient|. */
tanda_status lbfgs_iterate(lbfgs *state, const objective *objective, double tolerance, lbfgs_outcome *outcome,
                           tanda_error *error);

/* Their inner product, whose order depends on count alone. */
double lbfgs_product(const float *a, const float *b, size_t count);

/* The largest magnitude of a component of the gradient. */
double lbfgs_gradient_norm(const lbfgs *state);

#endif
