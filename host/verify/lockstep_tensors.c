/* What a step makes: the list of what is compared, and its names. */
#include "support/memory.h"
#include "verify/lockstep_state.h"

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
