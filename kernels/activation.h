/*
 * Activations and their derivatives, shared by C and OpenCL. To add one, add it to the list and define
 * its two functions here; names, dispatch and tests are made from the list.
 *
 *   real activation_NAME(real z)                            f(z)
 *   real activation_NAME_backward(real delta, real output)  delta * f'(z), from output = f(z)
 *
 * NaN passes through every one of them.
 */
#ifndef TANDA_KERNELS_ACTIVATION_H
#define TANDA_KERNELS_ACTIVATION_H

#include "kernels/exact.h"

#define ACTIVATION_LIST(X) X(identity, IDENTITY) X(sigmoid, SIGMOID) X(tanh, TANH) X(relu, RELU)

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

#endif
