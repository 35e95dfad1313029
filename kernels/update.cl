/* The parameter update, and the loss of the step. Work-item (parameters). See update.c. */
#include "kernels/tile.h"
#include "kernels/update.h"

/* results has three words a step: the loss sum's bits, correct rows, whether a parameter is not finite. */
kernel void update(global float *parameters, global float *sums, ulong sum, uint floats, float inverse_rows,
                   float learning_rate, global uint *results, uint step) {
    uint index = (uint)get_global_id(0) * VECTOR;
    if (index >= floats) return;
    real g = update_gradient(load_real(sums + sum + index), (real)(inverse_rows));
    real w = update_descent(load_real(parameters + index), g, (real)(learning_rate));
    store_real(g, sums + sum + index);
    store_real(w, parameters + index);
    if (is_any(update_is_not_finite(w))) results[3 * step + 2] = 1;
}

/* One work-item; those that fill up its work-group do nothing. */
kernel void keep_loss(global const float *sums, ulong loss, global uint *results, uint step) {
    if (get_global_id(0) > 0) return;
    results[3 * step] = as_uint(sums[loss]);
}
