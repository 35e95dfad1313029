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

/* The same where one product is rounded before it is judged. */
static inline double without_subnormal_result(double y) {
    return fabs((double)(float)y) < 0x1p-126 ? 0.0 : y;
}

static double reference_leaky_relu(double x) {
    return x > 0.0 ? x : without_subnormal_result((double)0.2f * x);
}
static double reference_elu(double x) {
    return x > 0.0 ? x : expm1(x);
}
/* At the ends with the constants as binary32 has them: they decide what is subnormal and what infinite. */
static double reference_selu(double x) {
    bool end = fabs(x) < 0x1p-100 || fabs(x) > 0x1p+100;
    double scale = 1.0507009873554805, negative = 1.0507009873554805 * 1.6732632423543772;
    if (end) scale = (double)(float)scale, negative = (double)(float)negative;
    return without_subnormal_result(x > 0.0 ? scale * x : negative * expm1(x));
}
static double reference_gelu(double x) {
    if (isinf(x)) return x > 0.0 ? x : 0.0;
    return x < (double)-13.14f ? 0.0 : without_subnormal_result(x * 0.5 * erfc(-x / sqrt(2.0)));
}
static double reference_swish(double x) {
    if (isinf(x)) return x > 0.0 ? x : 0.0;
    return x < (double)EXP_LOWEST ? 0.0 : without_subnormal_result(x / (1.0 + exp(-x)));
}
static double reference_softsign(double x) {
    return isinf(x) ? copysign(1.0, x) : without_subnormal_result(x / (1.0 + fabs(x)));
}
static double reference_hard_sigmoid(double x) {
    double y = (x + 3.0) / 6.0;
    return isnan(x) ? x : y < 0.0 ? 0.0 : y > 1.0 ? 1.0 : y;
}
static double reference_gauss(double x) {
    return without_subnormal(exp(-0.5 * x * x));
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
      0xe67eb19a5d198fbau) \
    X(gauss, exact_gauss, reference_gauss, 1.23, \
      "63246863a2a3b47dc3d59b64fd0f6852c5e09dd47f38dec145ff1c93f44429db", 0x1ab66f3d56735d99u) \
    X(leaky_relu, activation_leaky_relu, reference_leaky_relu, 0.48, \
      "6ee7609a5168bf86358287c506bb8d6e1625297a4843c1b05978c4329a7f3fd1", 0x4f2500d10d303423u) \
    X(elu, activation_elu, reference_elu, 1.02, \
      "9360fb12d28527af35dd824700653e9096db9c0b30e1a39a19d4c0d2326f4219", 0x31d50f5738a13e3cu) \
    X(selu, activation_selu, reference_selu, 1.84, \
      "80d4875c7f6d70a1c1b91f68d4b4c94e3f7fea9a2b82fefa30af25ebe8c978c5", 0x7e606b63c5ec3be8u) \
    X(gelu, activation_gelu, reference_gelu, 5.70, \
      "a3002bd213b3ac7883207b600cd445bb625a0d0f3328cb360881f163fc353778", 0x5fa7bebcfa20e0a6u) \
    X(swish, activation_swish, reference_swish, 2.50, \
      "e803fcb3a3eddd4995294b7dbd977f4ab3688fc167f5a8ad49b74961962761f5", 0xae265b3d68eb25a7u) \
    X(softsign, activation_softsign, reference_softsign, 2.17, \
      "234492d7fd3573ee20e50ac63623c9c632edb470b26f0cc334b7e8e4211ea1bf", 0x88878417cd82e176u) \
    X(hard_sigmoid, activation_hard_sigmoid, reference_hard_sigmoid, 1.34, \
      "694338f81f2589ceb21e736f3124b24ee8addb707c5ecb204c339873133ce398", 0x23b0072f6aa6df13u)

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
