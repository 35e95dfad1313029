/* Losses of one output, 16 rows at a time: binary cross-entropy and the squared error. */
#ifndef TANDA_KERNELS_ROW_DELTAS_H
#define TANDA_KERNELS_ROW_DELTAS_H

#include "kernels/activation.h"
#include "kernels/loss.h"
#include "kernels/tile.h"

typedef struct perceptron_model {
    global const float *weight;
    float bias, zero;
    uint features;
    int squared, is_class, sigmoid, with_loss;
    uint labels_ahead; /* rows from those that are worked on to those whose labels are asked for */
} perceptron_model;

/* Losses and deltas of 16 rows, and which classes were right. */
static inline float16 row_deltas(perceptron_model model, float16 z, int16 bits, int used, float16 *losses,
                                 int16 *right) {
    float16 y = model.is_class ? convert_float16(bits) : as_float16(bits), delta;
    float threshold = model.squared && !model.sigmoid ? 0x1p-1f : 0.0f;
    int16 is_used = lane_numbers() < (int16)(used);
    *right = model.is_class ? ((z > threshold) == (bits == 1)) & is_used : (int16)(0);
    if (model.squared) {
        float16 output = model.sigmoid ? activation_sigmoid(z) : z;
        *losses = loss_squared(output, y);
        delta = loss_squared_delta(output, y);
        delta = flush_tiny(model.sigmoid ? activation_sigmoid_backward(delta, output) : delta);
    } else {
        if (model.with_loss) *losses = loss_binary(z, y);
        delta = loss_binary_delta(z, y);
    }
    *losses = choose(is_used, *losses, 0.0f);
    return choose(is_used, delta, 0.0f);
}

#endif
