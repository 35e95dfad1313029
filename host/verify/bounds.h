/*
 * Rounding in binary32, bounded: what a side's computed value may differ by from the exact one.
 * Higham, Accuracy and Stability of Numerical Algorithms (2002), sections 2.2 and 3.1.
 */
#ifndef TANDA_VERIFY_BOUNDS_H
#define TANDA_VERIFY_BOUNDS_H

#include <stdbool.h>
#include <stddef.h>

#include "model/names.h"

#define UNIT_ROUNDOFF 0x1p-24
#define FLUSHED 0x1p-100 /* deltas and gradients below it are stored as 0 (contract 6) */

/*
 * A side's arithmetic. Exact sums have the order of contract 2 to 4, fast ones any order; errors of functions
 * are in ulp of the result: exact ones as kernels/exact.h states them, rounded up, fast ones OpenCL C 1.2, 7.4.
 */
typedef struct arithmetic {
    bool fast;
    double exp, expm1, log, reciprocal, sigmoid, softplus, tanh;
    double underflow; /* what an operation may lose near zero: devices of fast mode may flush subnormals */
} arithmetic;

extern const arithmetic exact_arithmetic, fast_arithmetic;

/* n u / (1 - n u): the relative error of a product of n factors 1 + e, |e| <= u. */
double gamma_of(double roundings);

/* Roundings that a product passes on its way through a dense sum of K terms and a bias. */
double dense_roundings(const arithmetic *arithmetic, size_t K);

/* The same for sums over the rows of a batch: weight gradients of `outputs` outputs, and lanes alone. */
double gradient_roundings(const arithmetic *arithmetic, size_t rows, size_t outputs);
double lane_roundings(const arithmetic *arithmetic, size_t rows);

/* The distance of neighbouring binary32 numbers at |x|; 2^-149 below the normal ones. */
double spacing_at(double x);

/* f(z) in double; NaN for softmax, which is no function of one logit. */
double activation_value(activation function, double z);

/* Error of an activation whose argument is known within d: L d + e ulp(|y| + L d) (docs/exactness.md, Bounds). */
double activation_bound(const arithmetic *arithmetic, activation function, double output, double d);

/*
 * f' from the output or, where activation_needs_logits(), the logit, and its error when that is known within d. decided:
 * it is known on which side of a kink the argument lies.
 */
double slope_of(activation function, double from);
double slope_bound(activation function, double from, double d, bool decided);

/* Whether values within d of `from`, the output, lie on both sides of a place where f' jumps. */
bool is_kink(activation function, double from, double d);

#endif
