/*
 * The scalar functions of kernels/exact.h and kernels/activation.h, over a sample of inputs.
 * tests/exactness/sweep.c runs all 2^32; here a hash of the sample catches a compiler or a flag that changes a bit.
 */
#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "scalars.h"

#define SPREAD (1u << 18) /* inputs over all bit patterns, 2^14 apart */
#define DENSE 4096u       /* inputs next to each other around each of `centers` */

static const float centers[] = {0x1p-126f, 0x1p-100f, 0x1p-25f,    0x1p-12f,    1.0f / 3.0f, 0.5f,
                                0.55f,     1.0f,      4.0f / 3.0f, 9.02f,       87.33654f,   88.72283f,
                                0x1p+100f, 0x1p+126f, 0x1p+127f,   0.34657359f, 0.69314718f, 2.0f / 3.0f};
#define CENTER_COUNT (sizeof centers / sizeof centers[0])

static const uint32_t specials[] = {
    0x00000000u, 0x80000000u, /* zeros */
    0x7f800000u, 0xff800000u, /* infinities */
    0x7fffffffu, 0xffc00000u, 0x7fc00001u, 0x7fc00000u, 0xffffffffu, 0x7f800001u, 0xff800001u, /* NaN */
    0x00000001u, 0x80000001u, 0x007fffffu, 0x807fffffu, 0x00400000u, /* subnormals */
    0x00800000u, 0x80800000u, 0x7f7fffffu, 0xff7fffffu,              /* ends of the normal numbers */
    0x3f800000u, 0xbf800000u,
};
#define SPECIAL_COUNT (sizeof specials / sizeof specials[0])
#define SAMPLE_SIZE (SPREAD + 2 * CENTER_COUNT * DENSE + SPECIAL_COUNT)

static float sample[SAMPLE_SIZE], results[SAMPLE_SIZE];

static void make_sample(void) {
    size_t used = 0;
    for (uint32_t i = 0; i < SPREAD; i++)
        sample[used++] = float_of((i << 14) + (i * 2654435761u >> 18));
    for (size_t c = 0; c < CENTER_COUNT; c++)
        for (uint32_t i = 0; i < DENSE; i++) {
            uint32_t bits = bits_of(centers[c]) - DENSE / 2 + i;
            sample[used++] = float_of(bits);
            sample[used++] = float_of(bits | 0x80000000u);
        }
    for (size_t i = 0; i < SPECIAL_COUNT; i++)
        sample[used++] = float_of(specials[i]);
}

/* FNV-1a over 32-bit words. */
static uint64_t hash_of(float *values, size_t count) {
    uint64_t hash = 0xcbf29ce484222325u;
    make_nan_canonical(values, count);
    for (size_t i = 0; i < count; i++)
        hash = (hash ^ bits_of(values[i])) * 0x100000001b3u;
    return hash;
}

TestSuite(scalars, .init = make_sample);

Test(scalars, errors_stay_within_the_stated_ulp) {
    for (size_t f = 0; f < SCALAR_FUNCTION_COUNT; f++) {
        const scalar_function *function = &scalar_functions[f];
        function->apply(results, sample, SAMPLE_SIZE);
        for (size_t i = 0; i < SAMPLE_SIZE; i++) {
            double error = ulp_error(results[i], function->reference((double)sample[i]));
            cr_assert(error <= function->bound, "%s(%a) = %a: %g ulp", function->name, (double)sample[i],
                      (double)results[i], error);
        }
    }
}

Test(scalars, bits_are_the_recorded_ones) {
    for (size_t f = 0; f < SCALAR_FUNCTION_COUNT; f++) {
        const scalar_function *function = &scalar_functions[f];
        function->apply(results, sample, SAMPLE_SIZE);
        uint64_t hash = hash_of(results, SAMPLE_SIZE);
        cr_expect_eq(hash, function->sample, "%s: 0x%016" PRIx64 "u", function->name, hash);
    }
}

Test(scalars, results_are_never_subnormal_where_the_header_says_so) {
    static const char *const names[] = {"reciprocal", "exp",   "sigmoid", "softplus", "gauss",
                                        "gelu",       "swish", "selu",    "softsign", "hard_sigmoid"};
    for (size_t f = 0; f < SCALAR_FUNCTION_COUNT; f++) {
        bool promised = false;
        for (size_t n = 0; n < sizeof names / sizeof *names; n++)
            promised |= strcmp(names[n], scalar_functions[f].name) == 0;
        if (!promised) continue;
        scalar_functions[f].apply(results, sample, SAMPLE_SIZE);
        for (size_t i = 0; i < SAMPLE_SIZE; i++)
            cr_assert_neq(fpclassify(results[i]), FP_SUBNORMAL, "%s(%a)", scalar_functions[f].name,
                          (double)sample[i]);
    }
}

Test(scalars, one_element_gives_the_bits_of_a_vector) {
    for (size_t f = 0; f < SCALAR_FUNCTION_COUNT; f++) {
        scalar_functions[f].apply(results, sample, SAMPLE_SIZE);
        make_nan_canonical(results, SAMPLE_SIZE);
        for (size_t i = 0; i < SAMPLE_SIZE; i++) {
            float single;
            scalar_functions[f].apply(&single, &sample[i], 1);
            make_nan_canonical(&single, 1);
            cr_assert_eq(bits_of(single), bits_of(results[i]), "%s(%a)", scalar_functions[f].name,
                         (double)sample[i]);
        }
    }
}

#ifdef __x86_64__
/*
 * The same loops for wider vectors and with the processor's fused multiply-add instead of the C
 * library's.
 */
#define APPLY_FOR(isa, name, function) \
    __attribute__((target("arch=x86-64-" #isa))) static void apply_##isa##_##name( \
        float *restrict outputs, const float *restrict inputs, size_t count) { \
        for (size_t i = 0; i < count; i++) \
            outputs[i] = function(inputs[i]); \
    }
#define APPLY_FOR_BOTH(name, function, reference, bound, digest, hash) \
    APPLY_FOR(v3, name, function) APPLY_FOR(v4, name, function)
SCALAR_LIST(APPLY_FOR_BOTH)

static void (*const apply_v3[])(float *restrict, const float *restrict, size_t) = {
#define V3_ENTRY(name, function, reference, bound, digest, hash) apply_v3_##name,
    SCALAR_LIST(V3_ENTRY)};
static void (*const apply_v4[])(float *restrict, const float *restrict, size_t) = {
#define V4_ENTRY(name, function, reference, bound, digest, hash) apply_v4_##name,
    SCALAR_LIST(V4_ENTRY)};

Test(scalars, bits_do_not_depend_on_the_instruction_set) {
    bool v3 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    bool v4 = v3 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
              __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw");
    for (size_t f = 0; f < SCALAR_FUNCTION_COUNT; f++) {
        if (v3) {
            apply_v3[f](results, sample, SAMPLE_SIZE);
            cr_expect_eq(hash_of(results, SAMPLE_SIZE), scalar_functions[f].sample, "v3 %s",
                         scalar_functions[f].name);
        }
        if (v4) {
            apply_v4[f](results, sample, SAMPLE_SIZE);
            cr_expect_eq(hash_of(results, SAMPLE_SIZE), scalar_functions[f].sample, "v4 %s",
                         scalar_functions[f].name);
        }
    }
}
#endif

Test(scalars, exp_of_a_nonpositive_number_is_exp) {
    for (size_t i = 0; i < SAMPLE_SIZE; i++) {
        if (sample[i] > 0.0f) continue;
        float short_way = exact_exp_nonpositive(sample[i]), long_way = exact_exp(sample[i]);
        cr_assert(bits_of(short_way) == bits_of(long_way) || (isnan(short_way) && isnan(long_way)), "%a",
                  (double)sample[i]);
    }
}

Test(scalars, special_values_come_out_right) {
    float inf = INFINITY;
    cr_expect_eq(exact_exp(-inf), 0.0f);
    cr_expect_eq(exact_exp(inf), inf);
    cr_expect_eq(exact_exp(0.0f), 1.0f);
    cr_expect_eq(exact_exp(-0.0f), 1.0f);
    cr_expect_eq(exact_log(0.0f), -inf);
    cr_expect_eq(exact_log(-0.0f), -inf);
    cr_expect_eq(bits_of(exact_log(1.0f)), 0u);
    cr_expect(isnan(exact_log(-1.0f)) && isnan(exact_log(-inf)) && isnan(exact_log(float_of(0x80000001u))));
    cr_expect_eq(exact_log1p(-1.0f), -inf);
    cr_expect_eq(bits_of(exact_log1p(-0.0f)), 0x80000000u);
    cr_expect_eq(exact_sigmoid(0.0f), 0.5f);
    cr_expect_eq(bits_of(exact_sigmoid(-inf)), 0u);
    cr_expect_eq(exact_sigmoid(inf), 1.0f);
    cr_expect_eq(bits_of(exact_tanh(-0.0f)), 0x80000000u);
    cr_expect_eq(exact_tanh(-inf), -1.0f);
    cr_expect_eq(exact_softplus(inf), inf);
    cr_expect_eq(bits_of(exact_softplus(-inf)), 0u);
    cr_expect_eq(exact_reciprocal(-inf), 0.0f);
    cr_expect(signbit(exact_reciprocal(-inf)));
    cr_expect_eq(exact_reciprocal(-0.0f), -inf);
    cr_expect_eq(exact_reciprocal(4.0f), 0.25f);
}

Test(scalars, canonical_changes_minus_zero_alone) {
    for (size_t i = 0; i < SAMPLE_SIZE; i++) {
        uint32_t bits = bits_of(sample[i]), result = bits_of(canonical(sample[i]));
        cr_assert_eq(result, bits == 0x80000000u ? 0u : bits, "%08x", bits);
    }
}

Test(scalars, flush_tiny_keeps_what_is_at_least_2_to_the_minus_100) {
    for (size_t i = 0; i < SAMPLE_SIZE; i++) {
        uint32_t bits = bits_of(sample[i]), result = bits_of(flush_tiny(sample[i]));
        bool tiny = (bits & 0x7fffffffu) < bits_of(0x1p-100f);
        cr_assert_eq(result, tiny ? 0u : bits, "%08x", bits);
    }
}

/* Nothing of the code under test: a new activation needs a line here. */
static double reference_activation_identity(double z) {
    return z;
}
static double reference_activation_sigmoid(double z) {
    return 1.0 / (1.0 + exp(-z));
}
static double reference_activation_tanh(double z) {
    return tanh(z);
}
static double reference_activation_relu(double z) {
    return z > 0.0 ? z : 0.0;
}
#define reference_activation_leaky_relu reference_leaky_relu
#define reference_activation_elu reference_elu
#define reference_activation_selu reference_selu
#define reference_activation_gelu reference_gelu
#define reference_activation_swish reference_swish
#define reference_activation_softplus reference_softplus
#define reference_activation_softsign reference_softsign
#define reference_activation_hard_sigmoid reference_hard_sigmoid
#define reference_activation_exponential reference_exp

typedef struct activation_row {
    const char *name;
    float (*forward)(float);
    float (*backward)(float, float);
    double (*reference)(double);
    bool from_logits;
} activation_row;

enum { FROM_OUTPUT = false, FROM_LOGITS = true };

static const activation_row activations[] = {
#define ACTIVATION_ROW(name, NAME, FROM) \
    {#name, activation_##name, activation_##name##_backward, reference_activation_##name, FROM_##FROM},
    ACTIVATION_LIST(ACTIVATION_ROW)
#undef ACTIVATION_ROW
};
#define ACTIVATION_COUNT (sizeof activations / sizeof activations[0])

/* As stated for the sweep, else that of the functions of exact.h. */
static double bound_of_activation(const char *name) {
    for (size_t f = 0; f < SCALAR_FUNCTION_COUNT; f++)
        if (strcmp(name, scalar_functions[f].name) == 0) return scalar_functions[f].bound;
    return 2.0;
}

Test(scalars, activations_agree_with_double) {
    for (size_t a = 0; a < ACTIVATION_COUNT; a++)
        for (float z = -60.0f; z <= 60.0f; z += 0.0371f) {
            double error = ulp_error(activations[a].forward(z), activations[a].reference((double)z));
            cr_assert(error <= bound_of_activation(activations[a].name), "%s(%g): %g ulp",
                      activations[a].name, (double)z, error);
        }
}

/* Differences of step h err by h^2 f'''/6 < 4e-11 of f', the output's rounding by some 2^-24 of 1 and of f'. */
Test(scalars, backward_is_the_slope_by_central_differences) {
    const double h = 1e-5;
    const float delta = -1.5f;
    for (size_t a = 0; a < ACTIVATION_COUNT; a++)
        for (float z = -12.0f; z <= 12.0f; z += 0.0113f) {
            double (*f)(double) = activations[a].reference;
            double slope = (f((double)z + h) - f((double)z - h)) / (2.0 * h);
            float from = activations[a].from_logits ? z : activations[a].forward(z);
            double result = (double)activations[a].backward(delta, from);
            cr_assert(fabs(result - (double)delta * slope) <= 5e-7 * (1.0 + fabs(slope)),
                      "%s'(%g) = %g, not %g", activations[a].name, (double)z, result / (double)delta, slope);
        }
}

Test(scalars, activations_and_their_slopes_pass_nan_on) {
    float nan = float_of(0x7fffffffu);
    for (size_t a = 0; a < ACTIVATION_COUNT; a++) {
        cr_expect(isnan(activations[a].forward(nan)), "%s", activations[a].name);
        cr_expect(isnan(activations[a].backward(nan, 0.5f)), "%s", activations[a].name);
    }
}

Test(scalars, relu_is_zero_and_flat_at_zero) {
    cr_expect_eq(bits_of(activation_relu(-0.0f)), 0u);
    cr_expect_eq(bits_of(activation_relu(-3.0f)), 0u);
    cr_expect_eq(activation_relu(3.0f), 3.0f);
    cr_expect_eq(bits_of(activation_relu_backward(2.0f, 0.0f)), 0u);
}
