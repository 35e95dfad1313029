/* The end of a step: the last pass of the tree, the parameter update and the loss. See step.c and update.c. */
#include "kernels/tile.h"
#include "kernels/update.h"

/*
 * The at most FAN_IN (of reduce.cl) slots that are left of a step, `distance` slots apart, become the gradient, which
 * stays in the first, and update the parameters, of which an evaluation has none. The loss lies behind them, 16 floats
 * before a slot's end. results has three words a step: the loss sum's bits, correct rows, whether a parameter is not
 * finite. Work-item (VECTOR floats of a slot).
 */
kernel void update(global float *parameters, global float *slots, ulong first_slot, ulong slot_floats, uint count,
                   uint distance, uint floats, float inverse_rows, float learning_rate, global uint *results,
                   uint step) {
    uint index = (uint)get_global_id(0) * VECTOR;
    if (index >= slot_floats) return;
    global float *sums = slots + first_slot;
    real sum = merge_slots(sums, slot_floats, count, 0, distance, index);
    if (index < floats) {
        sum = update_gradient(sum, (real)(inverse_rows));
        real w = update_descent(load_real(parameters + index), sum, (real)(learning_rate));
        store_real(w, parameters + index);
        if (is_any(update_is_not_finite(w))) results[3 * step + 2] = 1;
    }
    store_real(sum, sums + index);
    if (index == slot_floats - 16) results[3 * step] = as_uint(sums[index]);
}
