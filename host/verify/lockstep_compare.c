/* Comparing what both sides made in a step. */
#include <math.h>
#include <string.h>

#include "verify/lockstep_state.h"
#include "verify/reference.h"

/* ---- comparing one tensor ------------------------------------------------------------------------------ */

/* Counts a difference unless an earlier one is known. */
static void note(lockstep *lockstep, size_t tensor, const mismatch *found) {
    if (lockstep->result->first.place != LOCKSTEP_NONE) return;
    lockstep->result->first =
        (divergence){.place = LOCKSTEP_STEP, .step = lockstep->step, .tensor = tensor, .mismatch = *found};
}

static void compare(lockstep *lockstep, size_t index, const expectation *expected, const float *a,
                    const float *b, size_t count) {
    compared_tensor *tensor = &lockstep->result->tensors[index];
    mismatch found;
    if (!compare_values(&tensor->figures, expected, a, b, count, tensor->columns, &found))
        note(lockstep, index, &found);
}

/* What the reference says of a tensor; rows and columns as they lie there. */
static expectation expect(const bounded *bounded, size_t row_step, size_t column_step) {
    return (expectation){.value = bounded->value,
                         .bound = {bounded->bound[SIDE_A], bounded->bound[SIDE_B]},
                         .row_step = row_step,
                         .column_step = column_step};
}

/* A delta that shares the storage of the delta of the output is named by the latter, and is the same. */
static tanda_status compare_kept(lockstep *lockstep, size_t index, tensor_role role, tanda_error *error) {
    const compared_tensor *compared = &lockstep->result->tensors[index];
    const tensor *tensor = plan_tensor(lockstep->plan, role, compared->layer);
    runner *a = &lockstep->runners[SIDE_A], *b = &lockstep->runners[SIDE_B];
    tanda_status status = session_read(&a->session, tensor, a->values, error);
    if (status == TANDA_OK) status = session_read(&b->session, tensor, b->values, error);
    if (status != TANDA_OK) return status;
    expectation expected;
    if (lockstep->result->bounded)
        expected = expect(step_reference_expect(&lockstep->reference, compared->quantity, compared->layer), 1,
                          lockstep->rows);
    compare(lockstep, index, lockstep->result->bounded ? &expected : NULL, a->values, b->values,
            lockstep->rows * tensor->units);
    const float *const values[SIDE_COUNT] = {a->values, b->values};
    if (lockstep->result->bounded)
        step_reference_observe(&lockstep->reference, compared->quantity, compared->layer, values);
    return TANDA_OK;
}

/* A single value of the step's results. */
static void compare_result(lockstep *lockstep, size_t index, float a, float b) {
    expectation expected;
    if (lockstep->result->bounded)
        expected = expect(
            step_reference_expect(&lockstep->reference, lockstep->result->tensors[index].quantity, 0), 1, 1);
    compare(lockstep, index, lockstep->result->bounded ? &expected : NULL, &a, &b, 1);
}

/* ---- comparing parameters ------------------------------------------------------------------------------ */

/*
 * w' = w - lr g, held against each side's own gradient: the reference uses its own, and a side may be off by
 * lr |g_side - g| and two roundings (docs/exactness.md, Bounds).
 */
static void expect_update(lockstep *lockstep, const compared_tensor *tensor) {
    size_t offset = lockstep_offset(lockstep, tensor),
           count = lockstep_outputs(lockstep, tensor) * tensor->columns;
    const layer_reference *of_layer = &lockstep->reference.layers[tensor->layer];
    const bounded *gradient =
        tensor->quantity == QUANTITY_WEIGHT ? &of_layer->weight_gradient : &of_layer->bias_gradient;
    double rate = (double)lockstep_rates(lockstep, lockstep->step).rate;
    for (size_t i = 0; i < count; i++) {
        double w = (double)lockstep->before[offset + i];
        lockstep->expected[offset + i] = w - rate * gradient->value[i];
        for (int side = 0; side < SIDE_COUNT; side++) {
            double g = (double)lockstep->runners[side].values[offset + i];
            lockstep->bound[side][offset + i] = rate * fabs(g - gradient->value[i]) +
                                                2.0 * UNIT_ROUNDOFF * (fabs(w) + rate * fabs(g)) + 0x1p-126;
        }
    }
}

static bool is_gradient(quantity quantity) {
    return quantity == QUANTITY_WEIGHT_GRADIENT || quantity == QUANTITY_BIAS_GRADIENT;
}

/* One tensor of gradients or parameters, in the runners' values. */
static void compare_unpacked(lockstep *lockstep, size_t index) {
    const compared_tensor *tensor = &lockstep->result->tensors[index];
    size_t offset = lockstep_offset(lockstep, tensor),
           count = lockstep_outputs(lockstep, tensor) * tensor->columns;
    const float *a = lockstep->runners[SIDE_A].values + offset,
                *b = lockstep->runners[SIDE_B].values + offset;
    if (!lockstep->result->bounded) {
        compare(lockstep, index, NULL, a, b, count);
        return;
    }
    expectation expected = {.value = lockstep->expected + offset,
                            .bound = {lockstep->bound[SIDE_A] + offset, lockstep->bound[SIDE_B] + offset},
                            .row_step = tensor->columns,
                            .column_step = 1};
    if (is_gradient(tensor->quantity))
        expected = expect(step_reference_expect(&lockstep->reference, tensor->quantity, tensor->layer),
                          tensor->columns, 1);
    compare(lockstep, index, &expected, a, b, count);
}

/* Packed vectors are only unpacked if need be; padding takes part in nothing. weight: the quantity; bias: of biases. */
static void compare_packed(lockstep *lockstep, quantity weight, quantity bias, const float *packed_a,
                           const float *packed_b) {
    lockstep_result *result = lockstep->result;
    bool same = !result->bounded &&
                memcmp(packed_a, packed_b, lockstep->plan->parameter_count * sizeof *packed_a) == 0;
    if (!same) {
        plan_unpack(lockstep->plan, packed_a, lockstep->runners[SIDE_A].values);
        plan_unpack(lockstep->plan, packed_b, lockstep->runners[SIDE_B].values);
    }
    for (size_t i = 0; i < result->tensor_count; i++) {
        compared_tensor *tensor = &result->tensors[i];
        if (tensor->quantity != weight && tensor->quantity != bias) continue;
        if (same)
            tensor->figures.compared += lockstep_outputs(lockstep, tensor) * tensor->columns;
        else
            compare_unpacked(lockstep, i);
    }
}

/* With bounds, what the update should give is found while the gradients are still unpacked. */
static void compare_vectors(lockstep *lockstep) {
    const runner *a = &lockstep->runners[SIDE_A], *b = &lockstep->runners[SIDE_B];
    compare_packed(lockstep, QUANTITY_WEIGHT_GRADIENT, QUANTITY_BIAS_GRADIENT, a->gradient, b->gradient);
    for (size_t i = 0; lockstep->result->bounded && i < lockstep->result->tensor_count; i++)
        if (lockstep_is_parameter(lockstep->result->tensors[i].quantity))
            expect_update(lockstep, &lockstep->result->tensors[i]);
    for (size_t i = 0; i < update_state_count(lockstep->options->update.rule); i++)
        compare_packed(lockstep, (quantity)(QUANTITY_WEIGHT_STATE_1 + 2 * i),
                       (quantity)(QUANTITY_BIAS_STATE_1 + 2 * i), a->state[i], b->state[i]);
    compare_packed(lockstep, QUANTITY_WEIGHT, QUANTITY_BIAS, a->packed, b->packed);
}

/* ---- all of a step ------------------------------------------------------------------------------------- */

tanda_status lockstep_compare(lockstep *lockstep, tanda_error *error) {
    static const tensor_role roles[] = {[QUANTITY_INPUT] = TENSOR_INPUT,
                                        [QUANTITY_LOGITS] = TENSOR_LOGITS,
                                        [QUANTITY_OUTPUT] = TENSOR_OUTPUT,
                                        [QUANTITY_LOSS] = TENSOR_LOSS,
                                        [QUANTITY_DELTA_OUTPUT] = TENSOR_DELTA_OUTPUT,
                                        [QUANTITY_DELTA] = TENSOR_DELTA};
    const step_result *a = &lockstep->runners[SIDE_A].result, *b = &lockstep->runners[SIDE_B].result;
    for (size_t i = 0; i < lockstep->result->tensor_count; i++) {
        quantity quantity = lockstep->result->tensors[i].quantity;
        tanda_status status = TANDA_OK;
        if (quantity <= QUANTITY_DELTA) status = compare_kept(lockstep, i, roles[quantity], error);
        if (quantity == QUANTITY_LOSS_SUM) compare_result(lockstep, i, a->loss, b->loss);
        if (quantity == QUANTITY_CORRECT) compare_result(lockstep, i, (float)a->correct, (float)b->correct);
        if (status != TANDA_OK) return status;
    }
    compare_vectors(lockstep);
    return TANDA_OK;
}
