/* One parameter's update; shared by C17 and OpenCL C. See contract 5. */
#ifndef TANDA_KERNELS_UPDATE_H
#define TANDA_KERNELS_UPDATE_H

#include "kernels/exact.h"
#include "kernels/portable.h"

/* The mean over the batch: sum is the tree's, inverse_rows = (float)(1.0 / (double)rows). */
SHARED real update_gradient(real sum, real inverse_rows) {
    return flush_tiny(sum * inverse_rows);
}

/* Plain gradient descent: w - learning_rate * g, rounded once. */
SHARED real update_descent(real w, real g, real learning_rate) {
    return canonical(fused(-learning_rate, g, w));
}

/* 1 (or, in an OpenCL vector, all bits) where w is infinite or NaN: its exponent bits are all set. */
SHARED integer update_is_not_finite(real w) {
    return (as_natural(w) & 0x7f800000u) == 0x7f800000u;
}

#endif
