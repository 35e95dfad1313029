/*
 * The scalar functions under test, their references in double precision, the bounds that their headers
 * state and the hashes of their results. Shared by sweep.c (all inputs) and test_scalars.c (a sample).
 */
#ifndef TANDA_TESTS_SCALARS_H
#define TANDA_TESTS_SCALARS_H

#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernels/activation.h"

typedef struct scalar_function {
    const char *name;
    void (*apply)(float *restrict results, const float *restrict inputs, size_t count);
    double (*reference)(double x);
    double bound;       /* in ulp of the exact value */
    const char *digest; /* of all 2^32 results, as sweep.c forms it */
    uint64_t sample;    /* hash of the results over test_scalars.c's sample */
} scalar_function;

static inline uint32_t bits_of(float x) {
    return as_natural(x);
}

static inline float float_of(uint32_t bits) {
    return as_real(bits);
}

static inline void make_nan_canonical(float *values, size_t count) {
    for (size_t i = 0; i < count; i++)
        if (values[i] != values[i]) values[i] = float_of(0x7fc00000u);
}

/*
 * |result - exact| in units of the last place of a binary32 that holds `exact`; infinity when one is NaN
 * and the other is not, or when infinities differ (an exact value beyond the largest binary32 counts as
 * infinity).
 */
static inline double ulp_error(float result, double exact) {
    if (isnan(exact) || isnan(result)) return isnan(exact) && isnan(result) ? 0.0 : INFINITY;
    if (isinf(result) || isinf((float)exact)) return result == (float)exact ? 0.0 : INFINITY;
    int exponent = exact == 0.0 ? -126 : ilogb(exact);
    return ldexp(fabs((double)result - exact), 23 - (exponent < -126 ? -126 : exponent));
}

/* Where the functions are specified to give 0 rather than a subnormal result. */
static inline double without_subnormal(double y) {
    return fabs(y) < 0x1p-126 ? copysign(0.0, y) : y;
}

static double reference_exp(double x) {
    return without_subnormal(exp(x));
}
static double reference_sigmoid(double x) {
    return without_subnormal(1.0 / (1.0 + exp(-x)));
}
static double reference_softplus(double x) {
    return without_subnormal((x > 0.0 ? x : 0.0) + log1p(exp(-fabs(x))));
}
static double reference_reciprocal(double x) {
    return fabs(x) < 0x1p-126 ? copysign(INFINITY, x) : without_subnormal(1.0 / x);
}

static double reference_sqrt(double x) {
    return fabs(x) < 0x1p-126 ? 0.0 : sqrt(x);
}
static double reference_rsqrt(double x) {
    return fabs(x) < 0x1p-126 ? INFINITY : 1.0 / sqrt(x);
}

/* name, function, reference, bound in ulp, SHA-256 of all results, FNV of the sample. */
#define SCALAR_LIST(X) \
    X(reciprocal, exact_reciprocal, reference_reciprocal, 0.68, \
      "741fe870b32d04979b535362db6c6c41065d66fbc7366a7a343cf54281896cf5", 0xdaab8afc081ec866u) \
    X(sqrt, exact_sqrt, reference_sqrt, 0.50, \
      "efe09bfa6ba543c13b4934ea05184265b61e6ad0840e4fcb8079737147b4c676", 0x151e4962d2bb4d8cu) \
    X(rsqrt, exact_rsqrt, reference_rsqrt, 1.00, \
      "f934b588249276963bda6b98a3131dee0c67bff63f859b4202a95e8ac3c17f75", 0xae489cbb0b437ed6u) \
    X(exp, exact_exp, reference_exp, 0.95, \
      "abbe98cefe267205eec59a800927c65361f03a2a75e0d0da632f3fcbdf148281", 0xce776e3b18e05f39u) \
    X(log, exact_log, log, 0.89, "a5883098f62d06edaafe8f96eb41fa767214e0176310aa23304586c1f0375eb8", \
      0xc3aaf346f589aaffu) \
    X(log1p, exact_log1p, log1p, 1.60, "1c232860780a87abcae212e97647746d0b87183309e2bf8d34a65005cd92db96", \
      0xa043e57684b46141u) \
    X(sigmoid, exact_sigmoid, reference_sigmoid, 1.92, \
      "d32f614fdd733aad2a7b54f8c5f66aa27c14c10ff9df146555be312f79d1bf24", 0x5fefbad6d34a65b8u) \
    X(softplus, exact_softplus, reference_softplus, 1.88, \
      "d6cfca41c0bfe442377db7b5a12136363b20266f990e9fcbc4739ded81ab078f", 0x5acf83f813df06f2u) \
    X(tanh, exact_tanh, tanh, 1.97, "0ac5d0873e588fb0241223b940e1ddeb6f6ff3281044f85bd5b319299184597c", \
      0xe67eb19a5d198fbau)

#define SCALAR_APPLY(name, function, reference, bound, digest, sample) \
    static void apply_##name(float *restrict results, const float *restrict inputs, size_t count) { \
        for (size_t i = 0; i < count; i++) \
            results[i] = function(inputs[i]); \
    }
SCALAR_LIST(SCALAR_APPLY)
#undef SCALAR_APPLY

static const scalar_function scalar_functions[] = {
#define SCALAR_ROW(name, function, reference, bound, digest, sample) \
    {#name, apply_##name, reference, bound, digest, sample},
    SCALAR_LIST(SCALAR_ROW)
#undef SCALAR_ROW
};
#define SCALAR_FUNCTION_COUNT (sizeof scalar_functions / sizeof scalar_functions[0])

#endif
