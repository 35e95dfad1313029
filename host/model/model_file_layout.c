#include "model/model_file_layout.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/digest.h"
#include "support/memory.h"
#include "support/text.h"

void model_file_digest_metadata(const json_t *metadata, char *text) {
    static const char *const keys[] = {"architecture",   MODEL_FILE_EXTRA, MODEL_FILE_EXTRA "_sha256",
                                       "class_names",    "contract",       "feature_names",
                                       "preparation",    "scaling",        "settings",
                                       "tanda_format",   "target_name",    "target_names",
                                       "target_scaling", "weights_sha256"};
    digest_part parts[2 * sizeof keys / sizeof keys[0]];
    size_t count = 0;
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        const json_t *value = json_object_get(metadata, keys[i]);
        if (value == NULL) continue;
        parts[count++] = (digest_part){keys[i], strlen(keys[i]) + 1};
        parts[count++] = (digest_part){json_string_value(value), json_string_length(value) + 1};
    }
    digest_sha256_parts(parts, count, text);
}

bool model_file_is_extra(const safetensors_tensor *tensor) {
    return strncmp(tensor->name, MODEL_FILE_EXTRA_PREFIX, sizeof MODEL_FILE_EXTRA_PREFIX - 1) == 0;
}

tanda_status model_file_digest_extra(const safetensors_tensor *tensors, size_t count, char *text,
                                     tanda_error *error) {
    digest_part *parts = NULL;
    size_t used = 0;
    const tanda_status status = allocate(&parts, 2 * count, sizeof *parts, "checksum", error);
    if (status != TANDA_OK) return status;
    for (size_t i = 0; i < count; i++) {
        if (!model_file_is_extra(&tensors[i])) continue;
        parts[used++] = (digest_part){tensors[i].name, strlen(tensors[i].name) + 1};
        parts[used++] = (digest_part){tensors[i].data, tensors[i].size};
    }
    digest_sha256_parts(parts, used, text);
    free(parts);
    return TANDA_OK;
}

void tensor_list_free(tensor_list *list) {
    free(list->names);
    free(list->tensors);
}

tanda_status tensor_list_make(const tanda_model *model, tensor_list *list, tanda_error *error) {
    *list = (tensor_list){.count = TENSORS_PER_LAYER * model->layer_count};
    tanda_status status = allocate(&list->names, list->count, sizeof *list->names, "tensor names", error);
    if (status == TANDA_OK)
        status = allocate(&list->tensors, list->count, sizeof *list->tensors, "tensors", error);
    if (status != TANDA_OK) {
        tensor_list_free(list);
        return status;
    }
    size_t module = 0;
    for (size_t i = 0; i < model->layer_count; i++) {
        const layer *layer = &model->layers[i];
        tensor_name *names = &list->names[TENSORS_PER_LAYER * i];
        safetensors_tensor *tensors = &list->tensors[TENSORS_PER_LAYER * i];
        text_put(names[0].text, sizeof names[0].text, "%zu.weight", module);
        text_put(names[1].text, sizeof names[1].text, "%zu.bias", module);
        tensors[0] = (safetensors_tensor){.name = names[0].text,
                                          .type = "F32",
                                          .rank = 2,
                                          .shape = {layer->outputs, layer->fan_in},
                                          .data = model->parameters + layer->weight,
                                          .size = layer->outputs * layer->fan_in * sizeof(float)};
        tensors[1] = (safetensors_tensor){.name = names[1].text,
                                          .type = "F32",
                                          .rank = 1,
                                          .shape = {layer->outputs},
                                          .data = model->parameters + layer->bias,
                                          .size = layer->outputs * sizeof(float)};
        module += layer->activation == ACTIVATION_IDENTITY ? 1 : 2;
    }
    return TANDA_OK;
}

size_t model_file_first_not_finite(const tanda_model *model) {
    size_t i = 0;
    while (i < model->parameter_count && isfinite(model->parameters[i]))
        i++;
    return i;
}
