/*
 * Dropout (Srivastava, Hinton, Krizhevsky, Sutskever and Salakhutdinov 2014, Journal of Machine Learning Research 15,
 * p. 1929), scaled in training so that prediction has nothing to do, as Keras' layer Dropout. Shared by C17 and OpenCL
 * C.
 *
 * Element (position in the batch) * units + unit of a tensor is kept where its Philox word (philox.h, purpose dropout,
 * layer l for the inputs of layer l, counting from 0; the step counts from the start of the training) is at least
 * threshold = rate * 2^32, and multiplied by scale = 1 / (1 - rate).
 */
#ifndef TANDA_KERNELS_DROPOUT_H
#define TANDA_KERNELS_DROPOUT_H

#include "kernels/exact.h"
#include "kernels/philox.h"

/* Words of as many lanes as a natural has. */
typedef struct lane_words {
    natural x, y, z, w;
} lane_words;

DEFINE_PHILOX(philox_lanes, lane_words, natural, (natural), high_product, multiply_low)

/* Words `shift` to shift + 3 of the eight that two successive blocks have; 0 <= shift <= 3. */
SHARED lane_words dropout_words(lane_words a, lane_words b, natural shift) {
    natural odd = shift & 1u, two = shift & 2u;
    natural q0 = choose_natural(two == 0u, a.x, a.z), q1 = choose_natural(two == 0u, a.y, a.w);
    natural q2 = choose_natural(two == 0u, a.z, b.x), q3 = choose_natural(two == 0u, a.w, b.y);
    natural q4 = choose_natural(two == 0u, b.x, b.z);
    lane_words result = {choose_natural(odd == 0u, q0, q1), choose_natural(odd == 0u, q1, q2),
                         choose_natural(odd == 0u, q2, q3), choose_natural(odd == 0u, q3, q4)};
    return result;
}

SHARED real dropout_value(real a, natural word, natural threshold, real scale) {
    return choose(word >= threshold, canonical(a * scale), 0.0f);
}

SHARED real dropout_delta(real delta, natural word, natural threshold, real scale) {
    return choose(word >= threshold, flush_tiny(delta * scale), 0.0f);
}

#endif
