/*
 * The scalar functions of exact training: the same bits in C and in OpenCL, on every device.
 *
 * They are built in one fixed order from operations that every device rounds alike: + - * and fused on
 * reals, integer operations on their bits, and choose. No branch, no table, no division. Infinities go in
 * and come out as in analysis; NaN comes out as NaN, which is why special cases are chosen last and
 * written so that a comparison with NaN, always false, keeps it.
 *
 * "ulp" is the largest error over all 2^32 inputs, in units in the last place of the exact result,
 * measured by tests/sweep.c. The coefficients are made by tests/fit_coefficients.sollya. Results and
 * intermediates of normal inputs are never subnormal where that could change the result, so devices that
 * flush subnormals agree too.
 */
#ifndef TANDA_KERNELS_EXACT_H
#define TANDA_KERNELS_EXACT_H

#include "kernels/portable.h"

#define SIGN_BIT 0x80000000u
#define EXPONENT_BITS 0x7f800000u
#define MANTISSA_BITS 0x007fffffu
#define ONE_BITS 0x3f800000u        /* of 1.0f */
#define TWO_THIRDS_BITS 0x3f2aaaabu /* of 2.0f / 3.0f */
#define SMALLEST_NORMAL 0x1p-126f

#define LOG2_OF_E 0x1.715476p+0f
#define LN2 0x1.62e43p-1f /* ln 2 = LN2 + LN2_REST */
#define LN2_REST -0x1.05c61p-29f
#define LN2_HIGH 0x1.62e4p-1f /* ln 2 = LN2_HIGH + LN2_LOW; LN2_HIGH has 16 bits */
#define LN2_LOW 0x1.7f7d1cp-20f

/* |x|. */
SHARED real magnitude(real x) {
    return as_real(as_natural(x) & ~SIGN_BIT);
}

/* -0 becomes +0; all else stays. */
SHARED real canonical(real x) {
    return choose(x == 0.0f, 0.0f, x);
}

/* |x| < 2^-100, and so -0, becomes +0; all else stays, NaN too. */
SHARED real flush_tiny(real x) {
    return choose(magnitude(x) < 0x1p-100f, 0.0f, x);
}

/* The same for subnormal numbers: second moments of gradients may be as small as binary32 goes. */
SHARED real flush_subnormal(real x) {
    return choose(magnitude(x) < SMALLEST_NORMAL, 0.0f, x);
}

/* ---- reciprocal ------------------------------------------------------------------------------------ */

/* 1 / m for 1 <= m <= 2 within 1.1e-4 of its value: a minimax quadratic and one Newton step. */
SHARED real reciprocal_estimate(real m) {
    real y = fused(fused(0x1.4afd76p-2f, m, -0x1.745d2p+0f), m, 0x1.0f83e4p+1f);
    return fused(y, fused(-m, y, 1.0f), y);
}

/* 1 / m for 1 <= m <= 2; 0.68 ulp, and 1 for m = 1. */
SHARED real reciprocal_of_mantissa(real m) {
    real y = reciprocal_estimate(m);
    return fused(y, fused(-m, y, 1.0f), y);
}

/*
 * 1 / d. 0.68 ulp. Results that would be subnormal (|d| > 2^126) are 0 with the sign of d, and a
 * subnormal d counts as 0, whose reciprocal is infinity with its sign.
 */
SHARED real exact_reciprocal(real d) {
    natural bits = as_natural(d);
    real y = reciprocal_of_mantissa(as_real((bits & MANTISSA_BITS) | ONE_BITS));
    y = as_real(as_natural(y) + ONE_BITS - (bits & EXPONENT_BITS));
    y = choose(magnitude(d) > 0x1p+126f, 0.0f, y);
    y = choose(magnitude(d) < SMALLEST_NORMAL, POSITIVE_INFINITY, y);
    return choose(d == d, as_real(as_natural(y) | (bits & SIGN_BIT)), d);
}

/* ---- square root ----------------------------------------------------------------------------------- */

/* m with x = m 2^2k and 1/2 <= m < 2, for a normal x > 0. */
SHARED real root_mantissa(real x) {
    return as_real((as_natural(x) & 0x00ffffffu) | 0x3f000000u);
}

/* k << 23. */
SHARED integer root_exponent(real x, real m) {
    return as_integer(as_natural(x) - as_natural(m)) >> 1;
}

/*
 * 1 / sqrt(m) for 1/2 <= m < 2 within 5e-6 of its value. Halving the exponent by a shift of the bits is a first
 * guess within 3.5 % (Lomont, "Fast inverse square root", 2003); two Newton steps square the error each.
 */
SHARED real rsqrt_estimate(real m) {
    real y = as_real(0x5f375a86u - (as_natural(m) >> 1));
    real h = m * -0.5f;
    y = y * fused(h * y, y, 1.5f);
    return y * fused(h * y, y, 1.5f);
}

/* What both roots give where x is not a positive normal number; a subnormal x counts as 0. */
SHARED real root_of_special(real x, real root, real of_zero, real of_infinity) {
    root = choose(x < SMALLEST_NORMAL, QUIET_NAN, root);
    root = choose(magnitude(x) < SMALLEST_NORMAL, of_zero, root);
    root = choose(x == POSITIVE_INFINITY, of_infinity, root);
    return choose(x == x, root, x);
}

/*
 * sqrt x, rounded to nearest: the bits that IEEE-754 asks for. NaN for x < 0. Markstein, "Computation of elementary
 * functions on the IBM RISC System/6000 processor", IBM J. Res. Dev. 34 (1990): the last step corrects by the
 * remainder x - s^2, which is exact.
 */
SHARED real exact_sqrt(real x) {
    real m = root_mantissa(x);
    real y = rsqrt_estimate(m);
    real s = m * y, h = y * 0.5f;
    real rest = fused(-s, h, 0.5f);
    s = fused(s, rest, s);
    h = fused(h, rest, h);
    s = fused(fused(-s, s, m), h, s);
    s = as_real(as_integer(as_natural(s)) + root_exponent(x, m));
    return root_of_special(x, s, splat(0.0f), splat(POSITIVE_INFINITY));
}

/* 1 / sqrt x. 1.00 ulp; infinity for +-0 and subnormal x, NaN for x < 0. */
SHARED real exact_rsqrt(real x) {
    real m = root_mantissa(x);
    real y = rsqrt_estimate(m);
    y = fused(y * 0.5f, fused(-m * y, y, 1.0f), y);
    y = as_real(as_integer(as_natural(y)) - root_exponent(x, m));
    return root_of_special(x, y, splat(POSITIVE_INFINITY), splat(0.0f));
}

/* ---- exponential ----------------------------------------------------------------------------------- */

/*
 * e^x = 2^n e^r, n the integer next to x / ln 2 and |r| <= ln 2 / 2. Adding 1.5 * 2^23 to x / ln 2 rounds
 * it to n; with 127 more the lowest bits of the sum are n + 127, and shifted left by 23 they are the
 * float 2^n.
 */
#define EXP_ROUNDER 0x1.8000fep+23f
#define EXP_LOWEST -0x1.5d589ep+6f /* the least x for which e^x >= 2^-126: -87.33654 */
#define EXP_HIGHEST 0x1.62e42ep+6f /* the greatest x for which e^x < 2^128: 88.72283 */

/* n, in the lowest bits. */
SHARED real exp_rounded(real x) {
    return fused(x, LOG2_OF_E, EXP_ROUNDER);
}

/* 2^n for -126 <= n <= 127. */
SHARED real exp_scale(real rounded) {
    return as_real(as_natural(rounded) << 23);
}

/* r = x - n ln 2; the first step is exact, as n * LN2_HIGH has at most 24 bits. */
SHARED real exp_remainder(real x, real rounded) {
    real n = rounded - EXP_ROUNDER;
    return fused(n, -LN2_LOW, fused(n, -LN2_HIGH, x));
}

/* (e^r - 1 - r) / r^2; with it e^r - 1 is within 2.1e-8 of its value. */
SHARED real exp_polynomial(real r) {
    real p = fused(0x1.6b7346p-10f, r, 0x1.122792p-7f);
    p = fused(p, r, 0x1.5556f6p-5f);
    p = fused(p, r, 0x1.5554b8p-3f);
    return fused(p, r, 0x1.fffffep-2f);
}

/* e^r. */
SHARED real exp_small(real r) {
    return fused(fused(exp_polynomial(r), r, 1.0f), r, 1.0f);
}

/* e^r - 1. */
SHARED real expm1_small(real r) {
    return fused(r * r, exp_polynomial(r), r);
}

/*
 * e^x. 0.95 ulp; below EXP_LOWEST, where e^x is subnormal, it is 0. Above EXP_HIGHEST the product
 * overflows to infinity, and NaN passes through it.
 */
SHARED real exact_exp(real x) {
    real rounded = exp_rounded(x);
    real y = exp_small(exp_remainder(x, rounded));
    y = as_real(as_natural(y) + (as_natural(rounded) << 23) - ONE_BITS);
    y = choose(x < EXP_LOWEST, 0.0f, y);
    return choose(x <= EXP_HIGHEST, y, x * 0x1.fffffep+127f);
}

/* e^x for x <= 0 and NaN only: the bits of exact_exp from fewer operations. */
SHARED real exact_exp_nonpositive(real x) {
    real rounded = exp_rounded(x);
    real y = exp_small(exp_remainder(x, rounded)) * exp_scale(rounded);
    return choose(x < EXP_LOWEST, 0.0f, y);
}

/* e^-|x| with one rounding after e^r - 1, which serves the functions below better than exact_exp. */
SHARED real exp_decay(real x) {
    real a = -magnitude(x);
    real rounded = exp_rounded(a);
    real scale = exp_scale(rounded);
    real y = fused(scale, expm1_small(exp_remainder(a, rounded)), scale);
    return choose(a < EXP_LOWEST, 0.0f, y);
}

/*
 * e^x - 1 for x <= 0 and NaN only. 1.01 ulp. With e^x = 2^n (1 + p) it is 2^n p + (2^n - 1); 2^n - 1 is
 * exact wherever it counts. |x| < 2^-25 is its own value; below -20 it is -1.
 */
SHARED real exact_expm1_nonpositive(real x) {
    real rounded = exp_rounded(x);
    real scale = exp_scale(rounded);
    real y = fused(scale, expm1_small(exp_remainder(x, rounded)), scale - 1.0f);
    y = choose(x < -20.0f, -1.0f, y);
    return choose(magnitude(x) < 0x1p-25f, x, y);
}

/* ---- logarithm ------------------------------------------------------------------------------------- */

/* log(1 + f) + k ln 2 for |f| <= 1/3 and integral k; the polynomial is within 4.9e-9 of log(1 + f). */
SHARED real log_polynomial(real f, real k) {
    real p = fused(-0x1.06cedcp-3f, f, 0x1.1ec6ep-3f);
    p = fused(p, f, -0x1.f3a788p-4f);
    p = fused(p, f, 0x1.1ec0dp-3f);
    p = fused(p, f, -0x1.559804p-3f);
    p = fused(p, f, 0x1.99d1c6p-3f);
    p = fused(p, f, -0x1.ffff14p-3f);
    p = fused(p, f, 0x1.555502p-2f);
    p = fused(p, f, -0x1p-1f);
    real rest = fused(f * f, p, k * LN2_REST);
    return fused(k, LN2, f + rest);
}

/* k << 23 for x = 2^k m with 2/3 <= m < 4/3, from the bits of a normal x > 0. */
SHARED natural log_exponent(natural bits) {
    return (bits - TWO_THIRDS_BITS) & ~MANTISSA_BITS;
}

/*
 * log x. 0.89 ulp; -infinity for +-0 and NaN for x < 0. A subnormal x is 2^-149 times the integer that
 * its bits are, which is converted, so that no operation on reals meets a subnormal.
 */
SHARED real exact_log(real x) {
    natural bits = as_natural(x);
    natural widened = as_natural(to_real(as_integer(bits)));
    real offset = choose(bits <= MANTISSA_BITS, -149.0f, 0.0f);
    bits = choose_natural(bits <= MANTISSA_BITS, widened, bits);
    natural exponent = log_exponent(bits);
    real k = to_real(as_integer(exponent) >> 23) + offset;
    real y = log_polynomial(as_real(bits - exponent) - 1.0f, k);
    y = choose(as_integer(as_natural(x)) > 0, y,
               choose(as_natural(magnitude(x)) == 0u, -POSITIVE_INFINITY, QUIET_NAN));
    return choose(x < POSITIVE_INFINITY, y, x);
}

/*
 * log(1 + x). 1.60 ulp for every x > -1; -infinity for -1, NaN below. With 1 + x = 2^k m, f = m - 1 is
 * one fused operation on x itself, so what rounding 1 + x loses is not lost. Very large x is scaled
 * first, to keep 2^-k normal.
 */
SHARED real exact_log1p(real x) {
    real shrunk = choose(x > 0x1p+100f, x * 0x1p-64f, x);
    real offset = choose(x > 0x1p+100f, 64.0f, 0.0f);
    natural exponent = log_exponent(as_natural(1.0f + shrunk));
    real scale = as_real(ONE_BITS - exponent);
    real f = fused(shrunk, scale, scale - 1.0f);
    real y = log_polynomial(f, to_real(as_integer(exponent) >> 23) + offset);
    y = choose(x > -1.0f, y, choose(x == -1.0f, -POSITIVE_INFINITY, QUIET_NAN));
    y = choose(magnitude(x) < 0x1p-25f, x, y);
    return choose(x < POSITIVE_INFINITY, y, x);
}

/* ---- normal distribution --------------------------------------------------------------------------- */

/* e^(-t^2 / 2). 1.22 ulp; t^2 is exact in two parts. Below 2^-126 it is 0. */
SHARED real exact_gauss(real t) {
    real square = t * t;
    real a = square * -0.5f;
    real rounded = exp_rounded(a);
    real scale = exp_scale(rounded);
    real r = fused(fused(t, t, -square), -0.5f, exp_remainder(a, rounded));
    real y = fused(scale, expm1_small(r), scale);
    return choose(a < EXP_LOWEST, 0.0f, y);
}

/*
 * The normal distribution's tail beyond t >= 0 over e^(-t^2 / 2): e^(t^2 / 2) erfc(t / sqrt 2) / 2, a polynomial in
 * 1 - 2 u times u with u = 1 / (1 + 3 t / 8), within 2.0e-8 of its value for t <= 13.5.
 */
SHARED real gauss_tail_ratio(real t) {
    real u = exact_reciprocal(fused(0.375f, t, 1.0f));
    real w = fused(-2.0f, u, 1.0f);
    real p = fused(-0x1.738c7p-15f, w, -0x1.5114aep-13f);
    p = fused(p, w, 0x1.c03014p-16f);
    p = fused(p, w, 0x1.08cfa4p-10f);
    p = fused(p, w, 0x1.3f27e6p-11f);
    p = fused(p, w, -0x1.a45p-8f);
    p = fused(p, w, -0x1.67635p-9f);
    p = fused(p, w, 0x1.fd5a6cp-5f);
    p = fused(p, w, -0x1.626a2ep-3f);
    p = fused(p, w, 0x1.129e6p-2f);
    return p * u;
}

/* ---- activations and losses ------------------------------------------------------------------------ */

/*
 * 1 / (1 + e^-x). 1.92 ulp; below EXP_LOWEST it is 0. For x < 0, with s the value at -x, it is
 * e s = e - e (e s). The magnitude there is for Mesa, which folds that to -0 where e is 0.
 * sigmoid_from: the same from e = exp_decay(x), which serves softplus of x and of -x too.
 */
SHARED real sigmoid_from(real x, real e) {
    real s = reciprocal_of_mantissa(1.0f + e);
    return choose(x < 0.0f, magnitude(fused(-e, e * s, e)), s);
}

SHARED real exact_sigmoid(real x) {
    return sigmoid_from(x, exp_decay(x));
}

/* log(1 + e^x) = max(x, 0) + log(1 + e^-|x|). 1.88 ulp; below EXP_LOWEST it is 0. */
SHARED real softplus_from(real x, real e) {
    real f = choose(e > 0x1.555556p-2f, fused(0.5f, e, -0.5f), e);
    real k = choose(e > 0x1.555556p-2f, 1.0f, 0.0f);
    return choose(x > 0.0f, x, 0.0f) + log_polynomial(f, k);
}

SHARED real exact_softplus(real x) {
    return softplus_from(x, exp_decay(x));
}

/*
 * tanh |x| = (1 - e) / (1 + e) with e = e^-2|x| = 2^n (1 + p), the sign of x put back. 1.97 ulp.
 * Numerator and denominator round once (1 - 2^n is exact wherever it counts), so no second formula for
 * small x is needed. The division takes an estimate and corrects the quotient by its remainder.
 * |x| < 2^-12 is its own tanh; above 9.02 it is 1.
 */
SHARED real exact_tanh(real x) {
    real size = magnitude(x);
    real a = size * -2.0f;
    real rounded = exp_rounded(a);
    real scale = exp_scale(rounded);
    real p = expm1_small(exp_remainder(a, rounded));
    real numerator = fused(-scale, p, 1.0f - scale);
    real denominator = fused(scale, p, 1.0f + scale);
    real estimate = reciprocal_estimate(denominator);
    real q = numerator * estimate;
    q = fused(fused(-denominator, q, numerator), estimate, q);
    q = choose(size > 0x1.20a3d8p+3f, 1.0f, q);
    q = choose(size < 0x1p-12f, size, q);
    return as_real(as_natural(q) | (as_natural(x) & SIGN_BIT));
}

#ifdef TANDA_NATIVE
#include "kernels/native.h"
#endif

#endif
