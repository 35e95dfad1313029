/*
 * Activations and their derivatives, shared by C and OpenCL. To add one, add it to the list and define
 * its two functions here; names, dispatch and tests are made from the list.
 *
 *   real activation_NAME(real z)                          f(z)
 *   real activation_NAME_backward(real delta, real from)  delta * f'(z), from the output f(z) or from the logit z,
 *                                                         as the list says: from logits a layer keeps both tensors
 *
 * NaN passes through every one of them. Results of functions with a product are never subnormal.
 * Definitions and defaults are those of Keras 3 (keras.io/api/layers/activations) unless a comment cites another source.
 */
#ifndef TANDA_KERNELS_ACTIVATION_H
#define TANDA_KERNELS_ACTIVATION_H

#include "kernels/exact.h"

/* X(name, NAME, what its derivative is computed from) */
#define ACTIVATION_LIST(X) \
    X(identity, IDENTITY, OUTPUT) \
    X(sigmoid, SIGMOID, OUTPUT) \
    X(tanh, TANH, OUTPUT) \
    X(relu, RELU, OUTPUT) \
    X(leaky_relu, LEAKY_RELU, OUTPUT) \
    X(elu, ELU, OUTPUT) \
    X(selu, SELU, OUTPUT) \
    X(gelu, GELU, LOGITS) \
    X(swish, SWISH, LOGITS) \
    X(softplus, SOFTPLUS, OUTPUT) \
    X(softsign, SOFTSIGN, OUTPUT) \
    X(hard_sigmoid, HARD_SIGMOID, OUTPUT) \
    X(exponential, EXPONENTIAL, OUTPUT)

SHARED real activation_identity(real z) {
    return z;
}

SHARED real activation_identity_backward(real delta, real output) {
    (void)output;
    return delta;
}

SHARED real activation_sigmoid(real z) {
    return exact_sigmoid(z);
}

SHARED real activation_sigmoid_backward(real delta, real output) {
    return delta * (output * (1.0f - output));
}

SHARED real activation_tanh(real z) {
    return exact_tanh(z);
}

SHARED real activation_tanh_backward(real delta, real output) {
    return delta * fused(-output, output, 1.0f);
}

/* Not `z > 0 ? z : 0`: that would turn NaN into 0 and hide a training that has diverged. */
SHARED real activation_relu(real z) {
    return choose(z <= 0.0f, 0.0f, z);
}

/* f'(0) = 0. */
SHARED real activation_relu_backward(real delta, real output) {
    return choose(output <= 0.0f, 0.0f, delta);
}

/* The slope of keras.activations.leaky_relu (its layer LeakyReLU has 0.3). f'(0) is the slope. */
#define LEAKY_SLOPE 0x1.99999ap-3f /* 0.2 */

SHARED real activation_leaky_relu(real z) {
    return choose(z > 0.0f, z, flush_subnormal(z * LEAKY_SLOPE));
}

SHARED real activation_leaky_relu_backward(real delta, real output) {
    return choose(output > 0.0f, delta, delta * LEAKY_SLOPE);
}

/* z, or e^z - 1 for z <= 0. Clevert, Unterthiner and Hochreiter 2015 (arXiv 1511.07289), alpha = 1. */
SHARED real activation_elu(real z) {
    return choose(z > 0.0f, z, exact_expm1_nonpositive(z));
}

SHARED real activation_elu_backward(real delta, real output) {
    return choose(output > 0.0f, delta, fused(delta, output, delta));
}

/* lambda z, or lambda alpha (e^z - 1) for z <= 0. Klambauer et al. 2017 (arXiv 1706.02515), appendix A. */
#define SELU_SCALE 0x1.0cfabep+0f       /* lambda = 1.0507009873554805 */
#define SELU_SCALE_ALPHA 0x1.c212ccp+0f /* lambda alpha = 1.7580993408473766 */

SHARED real activation_selu(real z) {
    real y = choose(z > 0.0f, z * SELU_SCALE, exact_expm1_nonpositive(z) * SELU_SCALE_ALPHA);
    return flush_subnormal(y);
}

SHARED real activation_selu_backward(real delta, real output) {
    return delta * choose(output > 0.0f, splat(SELU_SCALE), output + SELU_SCALE_ALPHA);
}

/*
 * z Phi(z), Phi the normal distribution: the exact form, not that of tanh. Hendrycks and Gimpel 2016
 * (arXiv 1606.08415). z q or z - z q with q = Phi(-|z|); below -13.14, where it would be subnormal, it is 0.
 */
#define GELU_LOWEST -0x1.a47ae2p+3f     /* -13.14 */
#define INVERSE_ROOT_2PI 0x1.988454p-2f /* 1 / sqrt(2 pi) */

SHARED real activation_gelu(real z) {
    real ratio = gauss_tail_ratio(magnitude(z)), scaled = z * exact_gauss(z);
    real y = choose(z > 0.0f, fused(-scaled, ratio, z), scaled * ratio);
    y = choose(magnitude(z) < 0x1p-30f, z * 0.5f, y);
    y = choose(z > 6.0f, z, y);
    return flush_subnormal(choose(z < GELU_LOWEST, 0.0f, y));
}

/* f' = Phi(z) + z e^(-z^2 / 2) / sqrt(2 pi). */
SHARED real activation_gelu_backward(real delta, real z) {
    real e = exact_gauss(z), q = flush_subnormal(e * gauss_tail_ratio(magnitude(z)));
    real d = delta * fused(z * INVERSE_ROOT_2PI, e, choose(z > 0.0f, 1.0f - q, q));
    d = choose(z > 14.0f, delta, d);
    return choose(z < GELU_LOWEST, 0.0f, d);
}

/* z sigmoid(z), also called SiLU. Ramachandran, Zoph and Le 2017 (arXiv 1710.05941). Below EXP_LOWEST it is 0. */
SHARED real activation_swish(real z) {
    return flush_subnormal(choose(z < EXP_LOWEST, 0.0f, z * exact_sigmoid(z)));
}

/* f' = s + z s (1 - s) with s = sigmoid(z); s (1 - s) = e / (1 + e)^2 with e = e^-|z|. */
SHARED real activation_swish_backward(real delta, real z) {
    real e = exp_decay(z), r = reciprocal_of_mantissa(1.0f + e), q = flush_subnormal(e * r);
    real d = delta * fused(z * r, q, choose(z < 0.0f, q, r));
    d = choose(z > EXP_HIGHEST, delta, d);
    return choose(z < EXP_LOWEST, 0.0f, d);
}

SHARED real activation_softplus(real z) {
    return exact_softplus(z);
}

/* f' = sigmoid(z) = 1 - e^-f. */
SHARED real activation_softplus_backward(real delta, real output) {
    return delta * -exact_expm1_nonpositive(-output);
}

/* z / (1 + |z|). */
SHARED real activation_softsign(real z) {
    real y = flush_subnormal(z * exact_reciprocal(1.0f + magnitude(z)));
    return choose(magnitude(z) > 0x1p+30f, as_real(ONE_BITS | (as_natural(z) & SIGN_BIT)), y);
}

/* f' = (1 - |f|)^2. */
SHARED real activation_softsign_backward(real delta, real output) {
    real rest = 1.0f - magnitude(output);
    return delta * (rest * rest);
}

/* (z + 3) / 6 between 0 and 1; f' is 0 where it is either. */
#define SIXTH 0x1.555556p-3f

SHARED real activation_hard_sigmoid(real z) {
    real y = choose(z <= -3.0f, 0.0f, (z + 3.0f) * SIXTH);
    return choose(z >= 3.0f, 1.0f, y);
}

SHARED real activation_hard_sigmoid_backward(real delta, real output) {
    real d = choose(output <= 0.0f, 0.0f, delta * SIXTH);
    return choose(output >= 1.0f, 0.0f, d);
}

/* e^z, an output function for Poisson regression. */
SHARED real activation_exponential(real z) {
    return exact_exp(z);
}

SHARED real activation_exponential_backward(real delta, real output) {
    return delta * output;
}

#endif
