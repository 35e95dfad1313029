/* The tree over tiles and the parameter update. See reduce.cl and update.cl. */
#include "kernels/update.h"
#include "backend/openmp/tile.h"

void ISA_NAME(add_partials)(float *sum, const float *other, size_t first, size_t end) {
    for (size_t i = first; i < end; i++)
        sum[i] += other[i];
}

/* In rounds of doubling distance: slot i takes slot i + s. It is the tree of contract 4 for any count. */
void ISA_NAME(merge_partials)(float *slots, size_t stride, size_t count, size_t first, size_t end) {
    for (size_t distance = 1; distance < count; distance *= 2)
        for (size_t i = 0; i + distance < count; i += 2 * distance)
            ISA_NAME(add_partials)(slots + i * stride, slots + (i + distance) * stride, first, end);
}

bool ISA_NAME(update)(float *parameters, float *gradient, float inverse_rows, float learning_rate,
                      size_t first, size_t end) {
    uint32_t not_finite = 0;
    for (size_t i = first; i < end; i++) {
        float g = update_gradient(gradient[i], inverse_rows);
        float w = update_descent(parameters[i], g, learning_rate);
        gradient[i] = g;
        parameters[i] = w;
        not_finite |= update_is_not_finite(w);
    }
    return not_finite != 0;
}
