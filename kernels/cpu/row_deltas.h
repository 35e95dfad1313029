/* Losses of one output, 16 rows at a time: binary cross-entropy and the squared error. */
#ifndef TANDA_KERNELS_ROW_DELTAS_H
#define TANDA_KERNELS_ROW_DELTAS_H

#include "kernels/activation.h"
#include "kernels/loss.h"
#include "kernels/tile.h"

typedef struct row_loss {
    int squared, is_class, sigmoid, with_loss;
} row_loss;

/* Losses and deltas of 16 rows, and which classes were right. */
static inline float16 row_deltas(row_loss loss, float16 z, int16 bits, int used, float16 *losses,
                                 int16 *right) {
    float16 y = loss.is_class ? convert_float16(bits) : as_float16(bits), delta;
    float threshold = loss.squared && !loss.sigmoid ? 0x1p-1f : 0.0f;
    int16 is_used = lane_numbers() < (int16)(used);
    *right = loss.is_class ? ((z > threshold) == (bits == 1)) & is_used : (int16)(0);
    if (loss.squared) {
        float16 output = loss.sigmoid ? activation_sigmoid(z) : z;
        *losses = loss_squared(output, y);
        delta = loss_squared_delta(output, y);
        delta = flush_tiny(loss.sigmoid ? activation_sigmoid_backward(delta, output) : delta);
    } else {
        if (loss.with_loss) *losses = loss_binary(z, y);
        delta = loss_binary_delta(z, y);
    }
    *losses = choose(is_used, *losses, 0.0f);
    return choose(is_used, delta, 0.0f);
}

#endif
