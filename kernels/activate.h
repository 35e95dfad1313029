/* Activations by number; OpenCL C only. Where the number is a constant, so is the choice. */
#ifndef TANDA_KERNELS_ACTIVATE_H
#define TANDA_KERNELS_ACTIVATE_H

#include "kernels/activation.h"
#include "kernels/tile.h"

#define ACTIVATION_NUMBER(name, NAME, FROM) ACTIVATION_##NAME,
enum activation { ACTIVATION_LIST(ACTIVATION_NUMBER) };

#define FORWARD_CASE(name, NAME, FROM) \
    case ACTIVATION_##NAME: \
        return canonical(activation_##name(z));

#define BACKWARD_CASE(name, NAME, FROM) \
    case ACTIVATION_##NAME: \
        return flush_tiny(activation_##name##_backward(delta, value));

/* As they are stored; value is the output or the logit, as ACTIVATION_LIST says. */
INLINE real activate(const uint function, real z) {
    switch (function) { ACTIVATION_LIST(FORWARD_CASE) }
    return z;
}

INLINE real activate_backward(const uint function, real delta, real value) {
    switch (function) { ACTIVATION_LIST(BACKWARD_CASE) }
    return delta;
}

#endif
