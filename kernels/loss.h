/*
 * Losses of one row, computed from logits, and their derivatives; shared by C17 and OpenCL C.
 *
 * Cross-entropy from logits: Goodfellow, Bengio and Courville, Deep Learning (2016), sections 6.2.2.2 and 6.2.2.3.
 * With s = sum over c of exp(z_c - m), m = max z: loss = log s + (m - z_y), d loss / d z_c = exp(z_c - m) / s - [c = y].
 */
#ifndef TANDA_KERNELS_LOSS_H
#define TANDA_KERNELS_LOSS_H

#include "kernels/activation.h"
#include "kernels/exact.h"
#include "kernels/portable.h"

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

SHARED real loss_squared(real output, real y) {
    real difference = output - y;
    return canonical(difference * difference);
}

/* d loss / d output */
SHARED real loss_squared_delta(real output, real y) {
    real difference = output - y;
    return difference + difference;
}

#endif
