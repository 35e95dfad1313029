#include "verify/bounds.h"

#include <math.h>
#include <stdlib.h>

#include "backend/plan.h"
#include "support/arithmetic.h"

const arithmetic exact_arithmetic = {.fast = false,
                                     .exp = 1.0,
                                     .expm1 = 2.0,
                                     .log = 1.0,
                                     .reciprocal = 1.0,
                                     .sigmoid = 2.0,
                                     .softplus = 2.0,
                                     .tanh = 2.0,
                                     .underflow = 0x1p-149};

/* sigmoid: exp's 3, the sum's half, the division's 2.5; softplus: exp's 3, log1p's 2, the sum's half. */
const arithmetic fast_arithmetic = {.fast = true,
                                    .exp = 3.0,
                                    .expm1 = 3.0,
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

double dense_roundings(const arithmetic *arithmetic, size_t K) {
    if (arithmetic->fast) return (double)K + 1.0;
    return (double)(least(K, TILE_ROWS) + ceiling(K, TILE_ROWS));
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
    return (double)(ceiling(least(rows, TILE_ROWS), TILE_LANES) + 4 + tree_levels(rows));
}

double gradient_roundings(const arithmetic *arithmetic, size_t rows, size_t outputs) {
    if (arithmetic->fast || outputs < WIDE_OUTPUTS) return lane_roundings(arithmetic, rows);
    return (double)(least(rows, TILE_ROWS) + 1 + tree_levels(rows));
}

double spacing_at(double x) {
    int exponent = 0;
    frexp(x, &exponent); /* |x| < 2^exponent */
    return ldexp(1.0, (exponent > -125 ? exponent : -125) - 24);
}

#define NO_FUNCTION_OF_ONE_LOGIT NAN /* softmax: whoever asks gets what no check lets pass */
#define LEAKY 0.2
#define SELU 1.0507009873554805
#define SELU_ALPHA (1.0507009873554805 * 1.6732632423543772)
#define INVERSE_ROOT_2_PI 0.3989422804014327

double activation_value(activation function, double z) {
    switch (function) {
    case ACTIVATION_IDENTITY:
        return z;
    case ACTIVATION_SIGMOID:
        return 1.0 / (1.0 + exp(-z));
    case ACTIVATION_TANH:
        return tanh(z);
    case ACTIVATION_RELU:
        return z > 0.0 ? z : 0.0;
    case ACTIVATION_LEAKY_RELU:
        return z > 0.0 ? z : LEAKY * z;
    case ACTIVATION_ELU:
        return z > 0.0 ? z : expm1(z);
    case ACTIVATION_SELU:
        return z > 0.0 ? SELU * z : SELU_ALPHA * expm1(z);
    case ACTIVATION_GELU:
        return 0.5 * z * erfc(-z / sqrt(2.0));
    case ACTIVATION_SWISH:
        return z / (1.0 + exp(-z));
    case ACTIVATION_SOFTPLUS:
        return (z > 0.0 ? z : 0.0) + log1p(exp(-fabs(z)));
    case ACTIVATION_SOFTSIGN:
        return z / (1.0 + fabs(z));
    case ACTIVATION_HARD_SIGMOID:
        return fmin(fmax((z + 3.0) / 6.0, 0.0), 1.0);
    case ACTIVATION_EXPONENTIAL:
        return exp(z);
    case ACTIVATION_SOFTMAX:
        break;
    }
    return NO_FUNCTION_OF_ONE_LOGIT;
}

/* e ulp at the result and what else the argument's error d adds to it, `moved`. */
static double rounded_bound(const arithmetic *arithmetic, double ulp, double output, double moved) {
    return moved + ulp * spacing_at(fabs(output) + moved) + arithmetic->underflow;
}

double activation_bound(const arithmetic *arithmetic, activation function, double output, double d) {
    switch (function) {
    case ACTIVATION_SIGMOID:
        return rounded_bound(arithmetic, arithmetic->sigmoid, output, d / 4.0);
    case ACTIVATION_TANH:
        return rounded_bound(arithmetic, arithmetic->tanh, output, d);
    case ACTIVATION_IDENTITY:
    case ACTIVATION_RELU:
        return d + arithmetic->underflow;
    case ACTIVATION_LEAKY_RELU: /* the slope's rounding and the product's; less than 2^-126 becomes 0 */
        return rounded_bound(arithmetic, 1.0, output, d) + 0x1p-126;
    case ACTIVATION_ELU:
        return rounded_bound(arithmetic, arithmetic->expm1, output, d);
    case ACTIVATION_SELU:
        return rounded_bound(arithmetic, 2.0 * arithmetic->expm1 + 1.0, output, SELU_ALPHA * d) + 0x1p-126;
    case ACTIVATION_GELU: /* |f'| < 1.13 */
        return rounded_bound(arithmetic, 6.0, output, 1.13 * d) + 0x1p-126;
    case ACTIVATION_SWISH: /* |f'| < 1.1 */
        return rounded_bound(arithmetic, 2.0 * arithmetic->sigmoid + 1.0, output, 1.1 * d) + 0x1p-118;
    case ACTIVATION_SOFTPLUS:
        return rounded_bound(arithmetic, arithmetic->softplus, output, d) + 0x1p-126;
    case ACTIVATION_SOFTSIGN:
        return rounded_bound(arithmetic, 2.0 * arithmetic->reciprocal + 2.0, output, d) + 0x1p-126;
    case ACTIVATION_HARD_SIGMOID:
        return rounded_bound(arithmetic, 2.0, output, d / 6.0);
    case ACTIVATION_EXPONENTIAL:
        return rounded_bound(arithmetic, arithmetic->exp, output, output * expm1(d)) + 0x1p-126;
    case ACTIVATION_SOFTMAX:
        break;
    }
    return NO_FUNCTION_OF_ONE_LOGIT;
}

double slope_of(activation function, double from) {
    const double rest = 1.0 - fabs(from);
    switch (function) {
    case ACTIVATION_SIGMOID:
        return from * (1.0 - from);
    case ACTIVATION_TANH:
        return 1.0 - from * from;
    case ACTIVATION_IDENTITY:
        return 1.0;
    case ACTIVATION_RELU:
        return from > 0.0;
    case ACTIVATION_LEAKY_RELU:
        return from > 0.0 ? 1.0 : LEAKY;
    case ACTIVATION_ELU:
        return from > 0.0 ? 1.0 : from + 1.0;
    case ACTIVATION_SELU:
        return from > 0.0 ? SELU : from + SELU_ALPHA;
    case ACTIVATION_GELU:
        return 0.5 * erfc(-from / sqrt(2.0)) + from * INVERSE_ROOT_2_PI * exp(-0.5 * from * from);
    case ACTIVATION_SWISH: {
        const double s = 1.0 / (1.0 + exp(-from));
        return s + from * s / (1.0 + exp(from));
    }
    case ACTIVATION_SOFTPLUS:
        return -expm1(-from);
    case ACTIVATION_SOFTSIGN:
        return rest * rest;
    case ACTIVATION_HARD_SIGMOID:
        return from > 0.0 && from < 1.0 ? 1.0 / 6.0 : 0.0;
    case ACTIVATION_EXPONENTIAL:
        return from;
    case ACTIVATION_SOFTMAX:
        break;
    }
    return NO_FUNCTION_OF_ONE_LOGIT;
}

double slope_bound(activation function, double from, double d, bool decided) {
    const double u = UNIT_ROUNDOFF;
    switch (function) {
    case ACTIVATION_SIGMOID: /* 1 - o and the product round once each */
        return fabs(1.0 - 2.0 * from) * d + d * d + 3.0 * u * (slope_of(function, from) + d);
    case ACTIVATION_TANH: /* o o, unless it is fused, and the difference */
        return 2.0 * fabs(from) * d + d * d + 3.0 * u;
    case ACTIVATION_IDENTITY:
        return 0.0;
    case ACTIVATION_RELU:
        return decided ? 0.0 : 1.0;
    case ACTIVATION_LEAKY_RELU: /* 0.2 is rounded */
        return decided ? u : 1.0 - LEAKY + u;
    case ACTIVATION_ELU:
        return d + u;
    case ACTIVATION_SELU:
        return d + 4.0 * u + (decided ? 0.0 : SELU_ALPHA - SELU);
    case ACTIVATION_GELU: /* |f''| < 0.8; Phi errs by 6 ulp, the other term is at most 0.25 and errs by as many */
        return 0.8 * d + 12.0 * u;
    case ACTIVATION_SWISH: /* |f''| <= 0.5 */
        return 0.5 * d + 12.0 * u;
    case ACTIVATION_SOFTPLUS: /* e^-o - 1 errs by 1.5 ulp */
        return d + 4.0 * u;
    case ACTIVATION_SOFTSIGN:
        return 2.0 * fabs(1.0 - fabs(from)) * d + d * d + 4.0 * u;
    case ACTIVATION_HARD_SIGMOID:
        return decided ? u : 1.0 / 6.0 + u;
    case ACTIVATION_EXPONENTIAL:
        return d;
    case ACTIVATION_SOFTMAX:
        break;
    }
    return NO_FUNCTION_OF_ONE_LOGIT;
}

/* Whether `from` is not above `edge` where a value within d of it is, or the reverse. */
static bool crosses(double from, double d, double edge) {
    return from <= edge ? from + d > edge : from - d <= edge;
}

bool is_kink(activation function, double from, double d) {
    switch (function) {
    case ACTIVATION_RELU:
    case ACTIVATION_LEAKY_RELU:
    case ACTIVATION_SELU:
        return crosses(from, d, 0.0);
    case ACTIVATION_HARD_SIGMOID:
        return crosses(from, d, 0.0) || crosses(-from, d, -1.0);
    default:
        return false;
    }
}
