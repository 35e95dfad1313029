/*
 * A dense network in double precision, written from the textbook and from nothing in kernels/: the judge of the
 * code under test. Goodfellow, Bengio and Courville, Deep Learning (2016), sections 6.2.2, 6.3 and 6.5.
 *
 * Matrices are row-major: a is (rows, K), w is (H, K) as in the model, z is (rows, H).
 */
#ifndef TANDA_TESTS_REFERENCE_H
#define TANDA_TESTS_REFERENCE_H

#include "model/model.h"

/* z = a w^T + b. With the magnitudes of a, w and b it gives the |A||B| of the bounds (docs/exactness.md, Bounds). */
void reference_dense(size_t rows, size_t K, size_t H, const double *a, const double *w, const double *b,
                     double *z);

/* d loss / d a (rows, K) = delta w; delta is (rows, H). */
void reference_dense_backward(size_t rows, size_t K, size_t H, const double *delta, const double *w,
                              double *result);

/* dw (H, K) = delta^T a and db (H), sums over the rows. */
void reference_dense_gradient(size_t rows, size_t K, size_t H, const double *a, const double *delta,
                              double *dw, double *db);

/* f(z) and f'(z); not for softmax. */
double reference_activate(activation function, double z);
double reference_slope(activation function, double z);

/* How far z is from where f' or f'' jumps, INFINITY if it never does; whether such a place lies between two z's. */
double reference_kink_distance(activation function, double z);
bool reference_crosses_kink(activation function, double from, double to);

/* p (H) = softmax of z (H). */
void reference_softmax(size_t H, const double *z, double *p);

/*
 * The loss of one row of logits z (H) with label y, a class, a target or, of several labels, a bit for each, and delta (H) = d loss / d z (NULL:
 * not wanted). The output function is the one that goes with the loss; mse takes it from `function`.
 */
double reference_loss(loss loss, activation function, size_t H, const double *z, double y, double *delta);

/* The same of any model: its loss, that loss' settings and its output function. delta is wanted. */
double reference_model_loss(const tanda_model *model, size_t H, const double *z, double y, double *delta);

/* An element loss (kernels/loss.h) of one output and its target, -1 or 1 for hinges, and its derivative. */
double reference_element(loss loss, double o, double y, double parameter, double *slope);

/* Everything one step computes. Arrays per layer are (rows, outputs of the layer). */
typedef struct reference {
    size_t layer_count;
    double **logits;
    double **outputs;       /* of hidden layers; the last entry is NULL */
    double **output_deltas; /* d loss / d output of hidden layers; the last entry is NULL */
    double **deltas;        /* d loss / d logits */
    double *losses;         /* (rows) */
    double loss;            /* their sum */
    double *gradient;       /* sums over the rows, in the order of the model's parameters */
} reference;

/*
 * Shapes, activations and loss come from the model, parameters (model order) from `parameters`; values is (rows,
 * features), labels has one class or target per row. Aborts without memory. Released by reference_free.
 */
reference reference_run(const tanda_model *model, const double *parameters, size_t rows, const double *values,
                        const double *labels);
void reference_free(reference *reference);

/* count zeros, or the end of the program. */
double *reference_array(size_t count);
/* The same numbers, or their magnitudes, in double. */
double *reference_widen(const float *values, size_t count);
double *reference_magnitudes(const double *values, size_t count);

#endif
