/* What a step makes: the list of what is compared, its names, and the comparison of what both sides made. */
#include <math.h>
#include <string.h>

#include "support/memory.h"
#include "verify/lockstep_state.h"
#include "verify/reference.h"

/* ---- names --------------------------------------------------------------------------------------------- */

static const char *const quantity_names[] = {
    [QUANTITY_INPUT] = "input",
    [QUANTITY_LOGITS] = "logits",
    [QUANTITY_OUTPUT] = "output",
    [QUANTITY_LOSS] = "loss per row",
    [QUANTITY_DELTA_OUTPUT] = "delta of the output",
    [QUANTITY_DELTA] = "delta",
    [QUANTITY_LOSS_SUM] = "loss sum",
    [QUANTITY_CORRECT] = "correct rows",
    [QUANTITY_WEIGHT_GRADIENT] = "weight gradient",
    [QUANTITY_BIAS_GRADIENT] = "bias gradient",
    [QUANTITY_WEIGHT_STATE_1] = "state 1 of weight",
    [QUANTITY_BIAS_STATE_1] = "state 1 of bias",
    [QUANTITY_WEIGHT_STATE_2] = "state 2 of weight",
    [QUANTITY_BIAS_STATE_2] = "state 2 of bias",
    [QUANTITY_WEIGHT_STATE_3] = "state 3 of weight",
    [QUANTITY_BIAS_STATE_3] = "state 3 of bias",
    [QUANTITY_WEIGHT] = "weight",
    [QUANTITY_BIAS] = "bias",
};

const char *quantity_name(quantity quantity) {
    return quantity_names[quantity];
}

const char *compared_operation(const tanda_model *model, const compared_tensor *tensor) {
    bool last = tensor->layer + 1 == model->layer_count;
    switch (tensor->quantity) {
    case QUANTITY_INPUT:
        return "gather";
    case QUANTITY_LOGITS:
        return "dense_forward";
    case QUANTITY_OUTPUT:
        return model->layers[tensor->layer].activation == ACTIVATION_SOFTMAX ? "softmax"
                                                                             : "activation_forward";
    case QUANTITY_DELTA:
        return last && !loss_is_of_output(model) ? tile_op_name(loss_kind(model)) : "activation_backward";
    case QUANTITY_DELTA_OUTPUT:
        return last ? tile_op_name(loss_kind(model)) : "dense_backward";
    case QUANTITY_LOSS:
    case QUANTITY_CORRECT:
        return tile_op_name(loss_kind(model));
    case QUANTITY_LOSS_SUM:
        return "loss_sum or the tree over the tiles";
    case QUANTITY_WEIGHT_GRADIENT:
    case QUANTITY_BIAS_GRADIENT:
        return "dense_gradient or the tree over the tiles";
    default:
        return "update";
    }
}

/* ---- the list ------------------------------------------------------------------------------------------ */

static void add_tensor(lockstep_result *result, quantity quantity, size_t layer, size_t columns) {
    result->tensors[result->tensor_count++] =
        (compared_tensor){.quantity = quantity, .layer = layer, .columns = columns};
}

/* A tensor of the plan, unless it is another one's storage (the activation is the identity). */
static void add_planned(const lockstep *lockstep, quantity quantity, tensor_role role, tensor_role before,
                        size_t layer) {
    const tensor *tensor = plan_tensor(lockstep->plan, role, layer),
                 *same = plan_tensor(lockstep->plan, before, layer);
    if (tensor == NULL || (same != NULL && same != tensor && same_place(same->place, tensor->place))) return;
    add_tensor(lockstep->result, quantity, layer, tensor->units);
}

/* The data's way through a step. */
tanda_status lockstep_list_tensors(const lockstep *lockstep, tanda_error *error) {
    const tanda_model *model = lockstep->model;
    size_t layers = model->layer_count;
    tanda_status status = allocate(&lockstep->result->tensors, (8 + 2 * MOST_UPDATE_STATES) * layers + 4,
                                   sizeof *lockstep->result->tensors, "comparison", error);
    if (status != TANDA_OK) return status;
    add_planned(lockstep, QUANTITY_INPUT, TENSOR_INPUT, TENSOR_INPUT, 0);
    for (size_t i = 0; i < layers; i++) {
        add_planned(lockstep, QUANTITY_LOGITS, TENSOR_LOGITS, TENSOR_LOGITS, i);
        add_planned(lockstep, QUANTITY_OUTPUT, TENSOR_OUTPUT, TENSOR_LOGITS, i);
    }
    add_planned(lockstep, QUANTITY_LOSS, TENSOR_LOSS, TENSOR_LOSS, layers - 1);
    for (size_t i = layers; i-- > 0;) {
        add_planned(lockstep, QUANTITY_DELTA_OUTPUT, TENSOR_DELTA_OUTPUT, TENSOR_DELTA_OUTPUT, i);
        add_planned(lockstep, QUANTITY_DELTA, TENSOR_DELTA, TENSOR_DELTA_OUTPUT, i);
    }
    add_tensor(lockstep->result, QUANTITY_LOSS_SUM, layers - 1, 1);
    if (lockstep->plan->labels.are_counted) add_tensor(lockstep->result, QUANTITY_CORRECT, layers - 1, 1);
    for (size_t i = layers; i-- > 0;) {
        add_tensor(lockstep->result, QUANTITY_WEIGHT_GRADIENT, i, model->layers[i].fan_in);
        add_tensor(lockstep->result, QUANTITY_BIAS_GRADIENT, i, 1);
    }
    for (size_t s = 0; s < update_state_count(lockstep->options->update.rule); s++)
        for (size_t i = 0; i < layers; i++) {
            add_tensor(lockstep->result, (quantity)(QUANTITY_WEIGHT_STATE_1 + 2 * s), i,
                       model->layers[i].fan_in);
            add_tensor(lockstep->result, (quantity)(QUANTITY_BIAS_STATE_1 + 2 * s), i, 1);
        }
    for (size_t i = 0; i < layers; i++) {
        add_tensor(lockstep->result, QUANTITY_WEIGHT, i, model->layers[i].fan_in);
        add_tensor(lockstep->result, QUANTITY_BIAS, i, 1);
    }
    return TANDA_OK;
}

size_t lockstep_offset(const lockstep *lockstep, const compared_tensor *tensor) {
    const layer *layer = &lockstep->model->layers[tensor->layer];
    const bool bias = tensor->quantity == QUANTITY_BIAS || tensor->quantity == QUANTITY_BIAS_GRADIENT ||
                      tensor->quantity == QUANTITY_BIAS_STATE_1 ||
                      tensor->quantity == QUANTITY_BIAS_STATE_2 || tensor->quantity == QUANTITY_BIAS_STATE_3;
    return bias ? layer->bias : layer->weight;
}

size_t lockstep_outputs(const lockstep *lockstep, const compared_tensor *tensor) {
    return lockstep->model->layers[tensor->layer].outputs;
}

bool lockstep_is_parameter(quantity quantity) {
    return quantity == QUANTITY_WEIGHT || quantity == QUANTITY_BIAS;
}

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
    if (tensor->quantity == QUANTITY_WEIGHT_GRADIENT || tensor->quantity == QUANTITY_BIAS_GRADIENT)
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
