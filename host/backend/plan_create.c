/* A plan for a model: room for all that it holds, and its parameters; plan_build.c does the rest. */
#include <stdlib.h>

#include "backend/plan_builder.h"
#include "support/memory.h"

static tanda_status place_parameters(plan *plan, const tanda_model *model, tanda_error *error) {
    size_t next = 0;
    for (size_t i = 0; i < plan->layer_count; i++) {
        const layer *source = &model->layers[i];
        packed_layer *packed = &plan->layers[i];
        size_t stride = source->outputs < WIDE_OUTPUTS ? source->outputs : round_up(source->outputs, 16);
        size_t weights = 0;
        if (multiply_overflows(source->fan_in, stride, &weights) ||
            add_overflows(weights, 2 * stride + 32, &weights) || add_overflows(next, weights, &weights) ||
            weights > SIZE_MAX / 64)
            return fail(error, TANDA_FAILED, "layer %zu: %zu x %zu weights are too many", i + 1,
                        source->outputs, source->fan_in);
        packed->kind = source->kind;
        packed->inputs = source->fan_in;
        packed->outputs = source->outputs;
        packed->stride = stride;
        packed->weight = next;
        packed->bias = round_up(next + source->fan_in * stride, 16);
        packed->model_weight = source->weight;
        packed->model_bias = source->bias;
        next = round_up(packed->bias + stride, 16);
    }
    plan->parameter_count = next;
    plan->model_parameter_count = model->parameter_count;
    return TANDA_OK;
}

static tanda_status check_workspace(const tanda_model *model, tanda_error *error) {
    size_t units = model->features; /* and once more, where dropout takes some of them */
    if (add_overflows(units, units, &units)) units = SIZE_MAX;
    for (size_t i = 0; i < model->layer_count; i++) {
        size_t of_layer = 0;
        if (multiply_overflows(model->layers[i].outputs, 8, &of_layer) ||
            add_overflows(units, of_layer, &units) || units > SIZE_MAX / (sizeof(float) * TILE_ROWS * 64))
            return fail(error, TANDA_FAILED, "layer %zu: %zu units are too many", i + 1,
                        model->layers[i].outputs);
    }
    return TANDA_OK;
}

tanda_status plan_create(const tanda_model *model, const plan_options *options, plan **result,
                         tanda_error *error) {
    plan *made = NULL;
    tanda_status status = check_workspace(model, error);
    if (status != TANDA_OK) return status;
    status = allocate(&made, 1, sizeof *made, "plan", error);
    if (status != TANDA_OK) return status;
    made->layer_count = model->layer_count;
    made->features = model->features;
    made->labels.are_classes = model->task == TANDA_TASK_CLASSES;
    made->labels.are_counted = made->labels.are_classes || model->task == TANDA_TASK_LABELS;
    made->labels.count = made->labels.are_classes ? 1 : model->layers[model->layer_count - 1].outputs;
    made->training = options->training;
    made->keep = options->keep;
    made->weighted = options->training && options->weighted;
    status = allocate(&made->layers, model->layer_count, sizeof *made->layers, "plan", error);
    if (status == TANDA_OK)
        status = allocate(&made->ops, 7 * model->layer_count + 6, sizeof *made->ops, "plan", error);
    if (status == TANDA_OK)
        status = allocate(&made->tensors, 6 * model->layer_count + 4, sizeof *made->tensors, "plan", error);
    if (status == TANDA_OK) status = place_parameters(made, model, error);
    if (status != TANDA_OK) {
        plan_free(made);
        return status;
    }
    plan_build(made, model, options);
    if (options->input_only) made->op_count = 1;
    *result = made;
    return TANDA_OK;
}

void plan_free(plan *plan) {
    if (plan == NULL) return;
    free(plan->ops);
    free(plan->tensors);
    free(plan->layers);
    free(plan);
}

void plan_pack(const plan *plan, const float *model_parameters, float *packed) {
    for (size_t i = 0; i < plan->parameter_count; i++)
        packed[i] = 0.0f;
    for (size_t l = 0; l < plan->layer_count; l++) {
        const packed_layer *layer = &plan->layers[l];
        const float *weight = model_parameters + layer->model_weight;
        for (size_t h = 0; h < layer->outputs; h++) {
            packed[layer->bias + h] = model_parameters[layer->model_bias + h];
            for (size_t k = 0; k < layer->inputs; k++)
                packed[layer->weight + k * layer->stride + h] = weight[h * layer->inputs + k];
        }
    }
}

void plan_unpack(const plan *plan, const float *packed, float *model_parameters) {
    for (size_t l = 0; l < plan->layer_count; l++) {
        const packed_layer *layer = &plan->layers[l];
        float *weight = model_parameters + layer->model_weight;
        for (size_t h = 0; h < layer->outputs; h++) {
            model_parameters[layer->model_bias + h] = packed[layer->bias + h];
            for (size_t k = 0; k < layer->inputs; k++)
                weight[h * layer->inputs + k] = packed[layer->weight + k * layer->stride + h];
        }
    }
}
