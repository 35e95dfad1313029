#include "verify/bounds.h"

#include <math.h>
#include <stdlib.h>

#include "backend/plan.h"

const arithmetic exact_arithmetic = {.fast = false,
                                     .exp = 1.0,
                                     .log = 1.0,
                                     .reciprocal = 1.0,
                                     .sigmoid = 2.0,
                                     .softplus = 2.0,
                                     .tanh = 2.0,
                                     .underflow = 0x1p-149};

/* sigmoid: exp's 3, the sum's half, the division's 2.5; softplus: exp's 3, log1p's 2, the sum's half. */
const arithmetic fast_arithmetic = {.fast = true,
                                    .exp = 3.0,
                                    .log = 3.0,
                                    .reciprocal = 2.5,
                                    .sigmoid = 6.0,
                                    .softplus = 6.0,
                                    .tanh = 5.0,
                                    .underflow = 0x1p-126};

double gamma_of(double roundings) {
    return roundings * UNIT_ROUNDOFF / (1.0 - roundings * UNIT_ROUNDOFF);
}

static size_t ceiling(size_t value, size_t divisor) {
    return (value + divisor - 1) / divisor;
}

static size_t smaller(size_t a, size_t b) {
    return a < b ? a : b;
}

double dense_roundings(const arithmetic *arithmetic, size_t K) {
    if (arithmetic->fast) return (double)K + 1.0;
    return (double)(smaller(K, TILE_ROWS) + ceiling(K, TILE_ROWS));
}

/* Levels of the tree over the tiles of a batch. */
static size_t tree_levels(size_t rows) {
    size_t levels = 0;
    for (size_t tiles = ceiling(rows, TILE_ROWS); tiles > 1; tiles = ceiling(tiles, 2))
        levels++;
    return levels;
}

double lane_roundings(const arithmetic *arithmetic, size_t rows) {
    if (arithmetic->fast) return (double)rows + 1.0;
    return (double)(ceiling(smaller(rows, TILE_ROWS), TILE_LANES) + 4 + tree_levels(rows));
}

double gradient_roundings(const arithmetic *arithmetic, size_t rows, size_t outputs) {
    if (arithmetic->fast || outputs < WIDE_OUTPUTS) return lane_roundings(arithmetic, rows);
    return (double)(smaller(rows, TILE_ROWS) + 1 + tree_levels(rows));
}

double spacing_at(double x) {
    int exponent = 0;
    frexp(x, &exponent); /* |x| < 2^exponent */
    return ldexp(1.0, (exponent > -125 ? exponent : -125) - 24);
}

double activation_bound(const arithmetic *arithmetic, activation function, double output, double d) {
    switch (function) {
    case ACTIVATION_SIGMOID:
        return d / 4.0 + arithmetic->sigmoid * spacing_at(fabs(output) + d / 4.0) + arithmetic->underflow;
    case ACTIVATION_TANH:
        return d + arithmetic->tanh * spacing_at(fabs(output) + d) + arithmetic->underflow;
    case ACTIVATION_IDENTITY:
    case ACTIVATION_RELU:
        return d + arithmetic->underflow;
    case ACTIVATION_SOFTMAX:
        break;
    }
    return NAN; /* softmax is no function of one logit; whoever asks gets what no check lets pass */
}

double slope_of(activation function, double output) {
    switch (function) {
    case ACTIVATION_SIGMOID:
        return output * (1.0 - output);
    case ACTIVATION_TANH:
        return 1.0 - output * output;
    case ACTIVATION_IDENTITY:
        return 1.0;
    case ACTIVATION_RELU:
        return output > 0.0;
    case ACTIVATION_SOFTMAX:
        break;
    }
    return NAN; /* softmax is no function of one logit; whoever asks gets what no check lets pass */
}

double slope_bound(activation function, double output, double d, bool decided) {
    switch (function) {
    case ACTIVATION_SIGMOID: /* 1 - o and the product round once each */
        return fabs(1.0 - 2.0 * output) * d + d * d + 3.0 * UNIT_ROUNDOFF * (slope_of(function, output) + d);
    case ACTIVATION_TANH: /* o o, unless it is fused, and the difference */
        return 2.0 * fabs(output) * d + d * d + 3.0 * UNIT_ROUNDOFF;
    case ACTIVATION_IDENTITY:
        return 0.0;
    case ACTIVATION_RELU:
        return decided ? 0.0 : 1.0;
    case ACTIVATION_SOFTMAX:
        break;
    }
    return NAN; /* softmax is no function of one logit; whoever asks gets what no check lets pass */
}
