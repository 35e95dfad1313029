/*
 * Losses of one row and their derivatives; shared by C17 and OpenCL C.
 *
 * Two kinds. The cross-entropies are computed from logits, so that small losses keep their digits. Element losses are
 * functions of each output and its target, and a row's loss is their mean over its outputs, as in Keras 3
 * (keras.io/api/losses), whose definitions these are; to add one, add it to QUANTITY_LOSS_LIST or MARGIN_LOSS_LIST and define two functions:
 *
 *   real element_NAME(real output, real y, real parameter)        the loss
 *   real element_NAME_delta(real output, real y, real parameter)  d loss / d output; 0 where that jumps
 *
 * binary_crossentropy is one of them where a row has several labels, a sigmoid each: of each logit, not of its sigmoid.
 *
 * Cross-entropy from logits: Goodfellow, Bengio and Courville, Deep Learning (2016), sections 6.2.2.2 and 6.2.2.3.
 * With s = sum over c of exp(z_c - m), m = max z: loss = log s + (m - z_y), d loss / d z_c = exp(z_c - m) / s - [c = y].
 */
#ifndef TANDA_KERNELS_LOSS_H
#define TANDA_KERNELS_LOSS_H

#include "kernels/activation.h"
#include "kernels/exact.h"
#include "kernels/portable.h"

/* The ops of losses. X(name): a function in loss.c, a kernel in loss.cl. */
#define LOSS_OP_LIST(X) \
    X(loss_binary_crossentropy) \
    X(loss_categorical_crossentropy) \
    X(loss_mse) \
    X(loss_elements)

/* X(name, NAME, its op). Of outputs: those for quantities alone, for classes alone, and all. */
#define QUANTITY_LOSS_LIST(X) \
    X(mae, MAE, loss_elements) \
    X(huber, HUBER, loss_elements) \
    X(log_cosh, LOG_COSH, loss_elements) \
    X(poisson, POISSON, loss_elements)

#define MARGIN_LOSS_LIST(X) \
    X(hinge, HINGE, loss_elements) \
    X(squared_hinge, SQUARED_HINGE, loss_elements)

#define OUTPUT_LOSS_LIST(X) \
    X(mse, MSE, loss_mse) \
    QUANTITY_LOSS_LIST(X) \
    MARGIN_LOSS_LIST(X)

#define ELEMENT_LOSS_LIST(X) \
    X(binary_crossentropy, BINARY_CROSSENTROPY, loss_binary_crossentropy) \
    OUTPUT_LOSS_LIST(X)

/* Of all outputs of a row together, for classes, beside categorical_crossentropy. */
#define ROW_LOSS_LIST(X) X(kl_divergence, KL_DIVERGENCE, loss_categorical_crossentropy)

#define LOSS_LIST(X) \
    X(binary_crossentropy, BINARY_CROSSENTROPY, loss_binary_crossentropy) \
    X(categorical_crossentropy, CATEGORICAL_CROSSENTROPY, loss_categorical_crossentropy) \
    OUTPUT_LOSS_LIST(X) \
    ROW_LOSS_LIST(X)

typedef enum loss {
#define LOSS_ENUM(name, NAME, op) LOSS_##NAME,
    LOSS_LIST(LOSS_ENUM)
#undef LOSS_ENUM
        LOSS_COUNT
} loss;

/* ---- cross-entropies, from logits ---------------------------------------------------------------------- */

/* -log of the probability of the true class, y 0 or 1. softplus of z or -z keeps small losses accurate. */
SHARED real loss_binary(real z, real y) {
    return canonical(exact_softplus(choose(y > splat(0x1p-1f), -z, z)));
}

SHARED real loss_binary_delta(real z, real y) {
    return flush_tiny(exact_sigmoid(z) - y);
}

/* Both from one e = exp_decay(z): the same bits for fewer operations. */
SHARED real loss_binary_from(real z, real y, real e) {
    return canonical(softplus_from(choose(y > splat(0x1p-1f), -z, z), e));
}

SHARED real loss_binary_delta_from(real z, real y, real e) {
    return flush_tiny(sigmoid_from(z, e) - y);
}

SHARED real loss_categorical(real sum, real maximum, real true_logit) {
    return canonical(exact_log(sum) + (maximum - true_logit));
}

/* e = exp(z - maximum), scale = 1 / sum, one_hot 1 for the true class, else 0. */
SHARED real loss_categorical_delta(real e, real scale, real one_hot) {
    return flush_tiny(fused(e, scale, -one_hot));
}

/*
 * With label smoothing S (Szegedy et al. 2016, arXiv 1512.00567, section 7; Keras's label_smoothing) a label of two
 * classes is part = S / 2 or 1 - part instead of 0 or 1, and the loss less by part times the wrong side's logit.
 */
SHARED real loss_binary_label(real y, real part) {
    return choose(y > splat(0x1p-1f), splat(1.0f) - part, part);
}

SHARED real loss_binary_smoothed(real z, real y, real part) {
    real wrong = choose(y > splat(0x1p-1f), -z, z);
    return canonical(fused(-part, wrong, exact_softplus(wrong)));
}

/*
 * Of C classes, the true one's label is 1 - S + S / C and every other's off = S / C. rest = 1 - S, all the sum over the
 * classes of maximum - z_c. entropy: 0, or for the Kullback-Leibler divergence the entropy of such labels, which is all
 * that it differs by from the cross-entropy.
 */
SHARED real loss_categorical_smoothed(real sum, real maximum, real true_logit, real all, real rest, real off,
                                      real entropy) {
    real cross = exact_log(sum) + fused(rest, maximum - true_logit, off * all);
    real loss = cross - entropy;
    return canonical(choose(loss < 0.0f, 0.0f, loss));
}

/* ---- element losses ------------------------------------------------------------------------------------ */

/* Of a logit z and its label; part is that of the smoothing, or 0. */
SHARED real element_binary_crossentropy(real z, real y, real part) {
    return loss_binary_smoothed(z, y, part);
}

SHARED real element_binary_crossentropy_delta(real z, real y, real part) {
    return loss_binary_delta(z, loss_binary_label(y, part));
}

SHARED real loss_squared(real output, real y) {
    real difference = output - y;
    return canonical(difference * difference);
}

/* d loss / d output */
SHARED real loss_squared_delta(real output, real y) {
    real difference = output - y;
    return difference + difference;
}

SHARED real element_mse(real output, real y, real parameter) {
    (void)parameter;
    return loss_squared(output, y);
}

SHARED real element_mse_delta(real output, real y, real parameter) {
    (void)parameter;
    return loss_squared_delta(output, y);
}

/* size with the sign of x, and 0 for x = 0; NaN for NaN. */
SHARED real loss_signed(real size, real x) {
    real s = choose(x < 0.0f, -size, x);
    return choose(x > 0.0f, size, s);
}

/* |output - y| */
SHARED real element_mae(real output, real y, real parameter) {
    (void)parameter;
    return magnitude(output - y);
}

SHARED real element_mae_delta(real output, real y, real parameter) {
    (void)parameter;
    return loss_signed(splat(1.0f), output - y);
}

/* x^2 / 2 of x = output - y, and beyond |x| = delta, the parameter, delta (|x| - delta / 2). Huber 1964. */
SHARED real element_huber(real output, real y, real delta) {
    real x = output - y, size = magnitude(x);
    return flush_subnormal(choose(size > delta, delta * fused(-0.5f, delta, size), 0.5f * x * x));
}

SHARED real element_huber_delta(real output, real y, real delta) {
    real x = output - y;
    return choose(magnitude(x) > delta, loss_signed(delta, x), x);
}

/*
 * log cosh x of x = output - y: with t = tanh x it is -log(1 - t^2) / 2, which is right near 0, and |x| - log 2 + log(1 +
 * e^(-2|x|)), which is right beyond 1.
 */
SHARED real element_log_cosh(real output, real y, real parameter) {
    (void)parameter;
    real x = output - y, size = magnitude(x), t = exact_tanh(x);
    real near = -0.5f * exact_log1p(-(t * t));
    real far = (size - LN2) + exact_softplus(-2.0f * size);
    return flush_subnormal(choose(size < 1.0f, near, far));
}

SHARED real element_log_cosh_delta(real output, real y, real parameter) {
    (void)parameter;
    return exact_tanh(output - y);
}

/* output - y log(output + 10^-7): the negative log likelihood of a count y but for log y!. 10^-7 is Keras's epsilon(). */
#define LOSS_EPSILON 0x1.ad7f2ap-24f

SHARED real element_poisson(real output, real y, real parameter) {
    (void)parameter;
    return canonical(fused(-y, exact_log(output + LOSS_EPSILON), output));
}

SHARED real element_poisson_delta(real output, real y, real parameter) {
    (void)parameter;
    return fused(-y, exact_reciprocal(output + LOSS_EPSILON), 1.0f);
}

/* max(1 - y output, 0) for y = -1 or 1. */
SHARED real loss_margin(real output, real y) {
    real m = fused(-y, output, 1.0f);
    return choose(m <= 0.0f, 0.0f, m);
}

SHARED real element_hinge(real output, real y, real parameter) {
    (void)parameter;
    return loss_margin(output, y);
}

SHARED real element_hinge_delta(real output, real y, real parameter) {
    (void)parameter;
    return choose(fused(-y, output, 1.0f) <= 0.0f, 0.0f, -y);
}

SHARED real element_squared_hinge(real output, real y, real parameter) {
    (void)parameter;
    real m = loss_margin(output, y);
    return flush_subnormal(m * m);
}

SHARED real element_squared_hinge_delta(real output, real y, real parameter) {
    (void)parameter;
    return -2.0f * y * loss_margin(output, y);
}

#endif
