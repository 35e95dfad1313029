/*
 * Weights of rows: a row's loss and delta are multiplied by its weight, and the batch's sums are divided by the number
 * of rows all the same, as Keras' sum_over_batch_size does (contract 5). Shared by C17 and OpenCL C.
 */
#ifndef TANDA_KERNELS_WEIGH_H
#define TANDA_KERNELS_WEIGH_H

#include "kernels/exact.h"

SHARED real weighed_loss(real loss, real weight) {
    return canonical(loss * weight);
}

SHARED real weighed_delta(real delta, real weight) {
    return flush_tiny(delta * weight);
}

#endif
