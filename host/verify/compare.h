/* The arithmetic of comparing: two arrays of binary32, bit by bit or against a reference with bounds. */
#ifndef TANDA_VERIFY_COMPARE_H
#define TANDA_VERIFY_COMPARE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SIDE_A, SIDE_B, SIDE_COUNT };

/* What is compared, in the order in which a step makes it. */
typedef enum quantity {
    QUANTITY_INPUT,
    QUANTITY_LOGITS,
    QUANTITY_OUTPUT,
    QUANTITY_LOSS,
    QUANTITY_DELTA_OUTPUT,
    QUANTITY_DELTA,
    QUANTITY_LOSS_SUM,
    QUANTITY_CORRECT,
    QUANTITY_WEIGHT_GRADIENT,
    QUANTITY_BIAS_GRADIENT,
    QUANTITY_WEIGHT_STATE_1, /* the optimizer's, as far as it has any */
    QUANTITY_BIAS_STATE_1,
    QUANTITY_WEIGHT_STATE_2,
    QUANTITY_BIAS_STATE_2,
    QUANTITY_WEIGHT_STATE_3,
    QUANTITY_BIAS_STATE_3,
    QUANTITY_WEIGHT,
    QUANTITY_BIAS,
} quantity;

/*
 * What an array should hold, in double, and how far each side may lie from it. Element (row, column) of the
 * array of floats is at [row * row_step + column * column_step].
 */
typedef struct expectation {
    const double *value;
    const double *bound[SIDE_COUNT];
    size_t row_step, column_step;
} expectation;

/* Figures over all elements compared so far. */
typedef struct figures {
    uint64_t compared, different; /* different: other bits, two NaNs excepted */
    double largest_absolute;      /* |a - b| */
    double largest_relative;      /* |a - b| / |b|, where b is not 0 */
    uint32_t largest_ulp;
    double squared_difference, squared_value; /* sums of (a - b)^2 and of b^2 */
    double observed, bound; /* |side - value| and its bound where bound / observed is smallest; 0, 0: none */
} figures;

/* One element that is not as it should be. */
typedef struct mismatch {
    size_t row, column;
    float value[SIDE_COUNT];
    double expected;          /* and bound: with an expectation, else 0 */
    double bound, difference; /* of the side at fault; difference from expected */
    int side;                 /* the one at fault; SIDE_B when bits are compared */
} mismatch;

/*
 * Compares count values, rows of `columns`, and adds to figures. Without an expectation (NULL) equal bits are
 * demanded, else both sides within their bounds. False, with the first element at fault, when they are not.
 */
bool compare_values(figures *figures, const expectation *expected, const float *a, const float *b,
                    size_t count, size_t columns, mismatch *first);

/* binary32 numbers between a and b, +0 and -0 being one; UINT32_MAX when one is NaN and the other is not. */
uint32_t ulp_distance(float a, float b);

uint32_t bits_of(float value);

/* squared_difference / squared_value; 0 when nothing differs. */
double normalised_error(const figures *figures);

/* The smallest bound / observed; infinity when nothing was observed. */
double smallest_margin(const figures *figures);

#endif
