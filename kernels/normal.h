/*
 * Exact functions of random words: numbers of (-1, 1), standard normal ones, and sine and cosine of a turn.
 * Same rules as exact.h: the same bits in C and in OpenCL, on every device.
 *
 * A random word counts by its upper 24 bits k, so each function has 2^24 inputs; the errors stated are the
 * largest over all of them (tests/test_synthetic.c).
 */
#ifndef TANDA_KERNELS_NORMAL_H
#define TANDA_KERNELS_NORMAL_H

#include "kernels/exact.h"

/* (2k + 1) / 2^24 - 1: symmetric about 0, which it never is, nor -1 nor 1; exact. */
SHARED real signed_uniform(natural word) {
    return to_real(as_integer((word >> 7) | 1u) - 0x1000000) * 0x1p-24f;
}

/*
 * The square root of 0 and of 2^-100 < x < 2^100: 0.501 ulp. Two Newton steps for 1 / sqrt(x) from a seed of the
 * halved exponent, and one for the root itself.
 */
SHARED real exact_root(real x) {
    real h = x * 0.5f;
    real y = as_real(0x5f3759dfu - (as_natural(x) >> 1));
    y = y * fused(-h * y, y, 1.5f);
    y = y * fused(-h * y, y, 1.5f);
    real root = x * y;
    return fused(fused(-root, root, x), y * 0.5f, root);
}

/*
 * The inverse of the normal distribution at (k + 1/2) / 2^24: from -5.42 to 5.42. With x the number above and
 * w = -log(1 - x^2) it is x times a polynomial, of w in the middle and of sqrt(w) in the tails (after M. Giles,
 * "Approximating the erfinv function", 2010; the coefficients are ours, minimax within 9.4e-8). 5.07 ulp,
 * and within 3.3e-7 of the value.
 */
SHARED real exact_normal(natural word) {
    real x = signed_uniform(word);
    natural bits = as_natural(fused(-x, x, 1.0f));
    natural exponent = log_exponent(bits);
    real w = -log_polynomial(as_real(bits - exponent) - 1.0f, to_real(as_integer(exponent) >> 23));
    real s = exact_root(w);
    real t = choose(w < 5.0f, w - 2.5f, s - 3.0f);
    real p = choose(w < 5.0f, 0x1.5aa774p-25f, -0x1.2ff768p-12f);
    p = fused(p, t, choose(w < 5.0f, 0x1.04f99cp-21f, 0x1.355fd6p-13f));
    p = fused(p, t, choose(w < 5.0f, -0x1.4ee986p-18f, 0x1.f6ab3ep-10f));
    p = fused(p, t, choose(w < 5.0f, -0x1.a14854p-18f, -0x1.54caacp-8f));
    p = fused(p, t, choose(w < 5.0f, 0x1.442ae4p-12f, 0x1.09d564p-7f));
    p = fused(p, t, choose(w < 5.0f, -0x1.d0c8b2p-10f, -0x1.612efep-7f));
    p = fused(p, t, choose(w < 5.0f, -0x1.8332aap-8f, 0x1.b56dc2p-7f));
    p = fused(p, t, choose(w < 5.0f, 0x1.652c86p-2f, 0x1.6aa50ep+0f));
    p = fused(p, t, choose(w < 5.0f, 0x1.0fc8bep+1f, 0x1.00696cp+2f));
    return p * x;
}

/* ---- sine and cosine of k / 2^24 of a turn ----------------------------------------------------------- */

/* The number of quarter turns next to the angle, 0 to 4. */
SHARED natural turn_quarter(natural word) {
    return ((word >> 8) + 0x200000u) >> 22;
}

/* What is left, from -1/8 to 1/8 of a turn; exact. */
SHARED real turn_rest(natural word) {
    return to_real(as_integer((word >> 8) - (turn_quarter(word) << 22))) * 0x1p-24f;
}

/* sin(2 pi r) for |r| <= 1/8. */
SHARED real turn_small_sine(real r) {
    real v = r * r;
    real p = fused(-0x1.2d93p+6f, v, 0x1.465e92p+6f);
    p = fused(p, v, -0x1.4abbbap+5f);
    return r * fused(p, v, 0x1.921fb6p+2f);
}

/* cos(2 pi r) for |r| <= 1/8. */
SHARED real turn_small_cosine(real r) {
    real v = r * r;
    real p = fused(0x1.d99f56p+5f, v, -0x1.55c4eap+6f);
    p = fused(p, v, 0x1.03c1dap+6f);
    p = fused(p, v, -0x1.3bd3ccp+4f);
    return fused(p, v, 1.0f);
}

/* -x where bit 1 of the quarter is set. */
SHARED real turn_signed(natural quarter, real x) {
    return as_real(as_natural(x) ^ ((quarter & 2u) << 30));
}

/* sin of the word's part of a turn. 1.69 ulp, and within 8.4e-8; the zeros are exact. */
SHARED real exact_turn_sine(natural word) {
    natural quarter = turn_quarter(word);
    real r = turn_rest(word);
    return turn_signed(quarter, choose((quarter & 1u) == 0u, turn_small_sine(r), turn_small_cosine(r)));
}

/* cos of the word's part of a turn: the sine a quarter on. */
SHARED real exact_turn_cosine(natural word) {
    return exact_turn_sine(word + 0x40000000u);
}

#endif
