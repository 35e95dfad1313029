#include "backend/plan.h"

#include <stdlib.h>

void plan_free(plan *plan) {
    if (plan == NULL) return;
    free(plan->ops);
    free(plan->tensors);
    free(plan->layers);
    free(plan);
}

const tensor *plan_tensor(const plan *plan, tensor_role role, size_t layer) {
    for (size_t i = 0; i < plan->tensor_count; i++)
        if (plan->tensors[i].role == role && plan->tensors[i].layer == layer) return &plan->tensors[i];
    return NULL;
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
