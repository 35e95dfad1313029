#include "model/state_dict.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "data/number.h"
#include "support/memory.h"

#define TEXT_SIZE 120

/* One nn.Linear. */
typedef struct linear {
    const char *name; /* of one of its tensors; the first `length` bytes are its own */
    size_t length;
    const safetensors_tensor *weight, *bias;
    bool taken;
} linear;

typedef struct state_dict {
    linear *linears;
    size_t count;
    bool in_order; /* one layer after the other; else shapes say which is which */
} state_dict;

bool state_dict_is(const safetensors *file) {
    return safetensors_metadata(file, "tanda_format") == NULL &&
           safetensors_metadata(file, "metadata_sha256") == NULL;
}

/* "[16, 4]" */
static const char *shape_text(const safetensors_tensor *tensor, char text[TEXT_SIZE]) {
    size_t used = 1;
    strcpy(text, "[");
    for (size_t i = 0; i < tensor->rank && used < TEXT_SIZE - 24; i++)
        used += (size_t)snprintf(text + used, TEXT_SIZE - used, i == 0 ? "%zu" : ", %zu", tensor->shape[i]);
    strcpy(text + used, "]");
    return text;
}

/* ---- names -------------------------------------------------------------------------------------------- */

static const char *past_zeros(const char *at, const char *end) {
    while (at + 1 < end && at[0] == '0' && isdigit((unsigned char)at[1]))
        at++;
    return at;
}

static size_t digits(const char *at, const char *end) {
    size_t count = 0;
    while (at + count < end && isdigit((unsigned char)at[count]))
        count++;
    return count;
}

/* Numbers by value, all else by bytes. Names that are equal but for numbers: *same_words. */
static int compare_names(const linear *a, const linear *b, bool *same_words) {
    const char *left = a->name, *right = b->name;
    const char *left_end = left + a->length, *right_end = right + b->length;
    int by_number = 0;
    *same_words = true;
    for (;;) {
        left = past_zeros(left, left_end);
        right = past_zeros(right, right_end);
        const size_t left_digits = digits(left, left_end), right_digits = digits(right, right_end);
        if (by_number == 0 && left_digits != right_digits) by_number = left_digits < right_digits ? -1 : 1;
        if (by_number == 0) by_number = memcmp(left, right, left_digits);
        left += left_digits;
        right += right_digits;
        if (left == left_end && right == right_end) return by_number;
        if (left == left_end || right == right_end || *left != *right) break;
        left++;
        right++;
    }
    *same_words = false;
    if (by_number != 0) return by_number;
    if (left == left_end || right == right_end) return left == left_end ? -1 : 1;
    return (unsigned char)*left < (unsigned char)*right ? -1 : 1;
}

static int compare_linears(const void *a, const void *b) {
    const linear *left = a, *right = b;
    bool same_words;
    const int order = compare_names(left, right, &same_words);
    if (order != 0) return order;
    if (left->length != right->length) return left->length < right->length ? -1 : 1;
    return memcmp(left->name, right->name, left->length); /* 1 and 01 */
}

static bool differ_in_numbers_only(const state_dict *dict) {
    bool same_words = true;
    for (size_t i = 1; same_words && i < dict->count; i++)
        compare_names(&dict->linears[0], &dict->linears[i], &same_words);
    return same_words;
}

/* Whether weights lie in the order of their names, which a writer that sorts gives them. */
static bool is_sorted(const safetensors *file) {
    const safetensors_tensor *before = NULL;
    for (size_t i = 0; i < file->tensor_count; i++) {
        const safetensors_tensor *tensor = &file->tensors[i];
        if (tensor->rank != 2) continue;
        if (before != NULL && strcmp(before->type, tensor->type) == 0 &&
            strcmp(before->name, tensor->name) > 0)
            return false;
        before = tensor;
    }
    return true;
}

static int compare_data(const void *a, const void *b) {
    const linear *left = a, *right = b;
    const char *left_data = left->weight->data, *right_data = right->weight->data;
    return (left_data > right_data) - (left_data < right_data);
}

/* ---- tensors become layers ---------------------------------------------------------------------------- */

static bool is_read(const char *type) {
    return strcmp(type, "F32") == 0 || strcmp(type, "F64") == 0 || strcmp(type, "F16") == 0 ||
           strcmp(type, "BF16") == 0;
}

/* The half of a layer that the tensor is. */
static tanda_status take_tensor(const safetensors_tensor *tensor, linear *half, tanda_error *error) {
    char shape[TEXT_SIZE];
    const char *dot = strrchr(tensor->name, '.');
    const char *word = dot == NULL ? tensor->name : dot + 1;
    const bool is_weight = strcmp(word, "weight") == 0, is_bias = strcmp(word, "bias") == 0;
    *half = (linear){.name = tensor->name, .length = dot == NULL ? 0 : (size_t)(dot - tensor->name)};
    if ((!is_weight || tensor->rank != 2) && (!is_bias || tensor->rank != 1))
        return fail(error, TANDA_BAD_INPUT,
                    "tensor \"%.80s\" is %s; a state_dict of dense layers has NAME.weight [outputs, inputs] "
                    "and NAME.bias [outputs] alone",
                    tensor->name, shape_text(tensor, shape));
    if (!is_read(tensor->type))
        return fail(error, TANDA_BAD_INPUT,
                    "tensor \"%.80s\" %s is of type %.20s; F32, F64, F16 and BF16 are read", tensor->name,
                    shape_text(tensor, shape), tensor->type);
    if (is_weight) half->weight = tensor;
    if (is_bias) half->bias = tensor;
    return TANDA_OK;
}

static tanda_status collect(const safetensors *file, state_dict *dict, tanda_error *error) {
    tanda_status status =
        allocate(&dict->linears, file->tensor_count, sizeof *dict->linears, "layers", error);
    for (size_t i = 0; status == TANDA_OK && i < file->tensor_count; i++)
        status = take_tensor(&file->tensors[i], &dict->linears[i], error);
    if (status != TANDA_OK) return status;
    dict->count = file->tensor_count;
    qsort(dict->linears, dict->count, sizeof *dict->linears, compare_linears);
    /* Puts the halves together, which the order of names has brought side by side. */
    size_t count = 0;
    for (size_t i = 0; i < dict->count; i++) {
        linear *half = &dict->linears[i], *before = count == 0 ? NULL : &dict->linears[count - 1];
        if (before != NULL &&
            (before->length == half->length && memcmp(before->name, half->name, before->length) == 0)) {
            if (half->weight != NULL) before->weight = half->weight;
            if (half->bias != NULL) before->bias = half->bias;
        } else {
            dict->linears[count++] = *half;
        }
    }
    dict->count = count;
    for (size_t i = 0; i < count; i++) {
        const linear *linear = &dict->linears[i];
        if (linear->weight == NULL || linear->bias == NULL)
            return fail(error, TANDA_BAD_INPUT,
                        "tensor \"%.80s\" has no %s beside it; a dense layer has both", linear->name,
                        linear->weight == NULL ? "weight" : "bias");
    }
    const bool numbered = differ_in_numbers_only(dict), sorted = is_sorted(file);
    if (!numbered && !sorted) qsort(dict->linears, dict->count, sizeof *dict->linears, compare_data);
    dict->in_order = numbered || !sorted;
    return TANDA_OK;
}

/* ---- which layer is which ----------------------------------------------------------------------------- */

static bool fits(const linear *linear, const layer *layer) {
    return linear->weight->shape[0] == layer->outputs && linear->weight->shape[1] == layer->fan_in;
}

/* What would make the training fit the tensor. */
static const char *advice(const linear *linear, const layer *layer, bool is_last) {
    const size_t *shape = linear->weight->shape;
    if (shape[1] == layer->outputs && shape[0] == layer->fan_in) return "; it is turned round";
    if (shape[1] != layer->fan_in) return "";
    if (is_last && shape[0] == 2 && layer->outputs == 1) return "; --output-activation softmax has 2 outputs";
    if (is_last && shape[0] == 1 && layer->outputs == 2) return "; --output-activation sigmoid has 1 output";
    return is_last ? "" : "; --hidden gives the units";
}

static tanda_status misfit(const linear *linear, const tanda_model *model, size_t index, tanda_error *error) {
    char shape[TEXT_SIZE], ours[SHAPE_SIZE];
    const layer *layer = &model->layers[index];
    if (linear == NULL)
        return fail(error, TANDA_BAD_INPUT,
                    "no tensor is left for layer %zu of this training, %s, which needs a weight [%zu, %zu]",
                    index + 1, model_shape(model, ours), layer->outputs, layer->fan_in);
    return fail(
        error, TANDA_BAD_INPUT,
        "tensor \"%.80s\" is %s; layer %zu of this training, %s, needs [%zu, %zu], outputs by inputs%s",
        linear->weight->name, shape_text(linear->weight, shape), index + 1, model_shape(model, ours),
        layer->outputs, layer->fan_in, advice(linear, layer, index + 1 == model->layer_count));
}

/* Of layers of one shape only numbers can say which comes first. */
static tanda_status check_doubt(const state_dict *dict, const linear *found, const layer *layer,
                                tanda_error *error) {
    char shape[TEXT_SIZE];
    bool same_words = true;
    for (const linear *other = found + 1; other < dict->linears + dict->count; other++) {
        if (other->taken || !fits(other, layer)) continue;
        compare_names(found, other, &same_words);
        if (!same_words)
            return fail(error, TANDA_BAD_INPUT,
                        "tensors \"%.80s\" and \"%.80s\" are both %s, and their names do not say which comes "
                        "first; number them, as in 0.weight, 2.weight",
                        found->weight->name, other->weight->name, shape_text(found->weight, shape));
    }
    return TANDA_OK;
}

static tanda_status find_linear(state_dict *dict, const tanda_model *model, size_t index, linear **found,
                                tanda_error *error) {
    linear *first_left = NULL;
    for (size_t i = 0; i < dict->count; i++) {
        linear *linear = &dict->linears[i];
        if (linear->taken) continue;
        if (first_left == NULL) first_left = linear;
        if (fits(linear, &model->layers[index])) {
            *found = linear;
            linear->taken = true;
            return dict->in_order ? TANDA_OK : check_doubt(dict, linear, &model->layers[index], error);
        }
        if (dict->in_order) break;
    }
    return misfit(first_left, model, index, error);
}

/* ---- values ------------------------------------------------------------------------------------------- */

/* The files are little-endian, as the machines are. */
static double value_at(const safetensors_tensor *tensor, size_t index) {
    const unsigned char *data = tensor->data;
    if (strcmp(tensor->type, "F64") == 0) {
        double value;
        memcpy(&value, data + index * sizeof value, sizeof value);
        return value;
    }
    if (strcmp(tensor->type, "F32") == 0) {
        float value;
        memcpy(&value, data + index * sizeof value, sizeof value);
        return (double)value;
    }
    uint16_t bits;
    memcpy(&bits, data + index * sizeof bits, sizeof bits);
    if (strcmp(tensor->type, "F16") == 0) return (double)number_from_half(bits);
    const uint32_t wide = (uint32_t)bits << 16; /* bfloat16 is the upper half of a binary32 */
    float value;
    memcpy(&value, &wide, sizeof value);
    return (double)value;
}

static tanda_status read_values(const safetensors_tensor *tensor, size_t count, float *values,
                                tanda_error *error) {
    for (size_t i = 0; i < count; i++) {
        const float value = (float)value_at(tensor, i);
        if (!isfinite(value))
            return fail(error, TANDA_BAD_INPUT,
                        "tensor \"%.80s\": value %zu (from 0) is not finite as binary32", tensor->name, i);
        values[i] = value == 0.0f ? 0.0f : value;
    }
    return TANDA_OK;
}

static tanda_status read_layer(const linear *linear, const layer *layer, float *parameters,
                               tanda_error *error) {
    char shape[TEXT_SIZE];
    if (linear->bias->shape[0] != layer->outputs)
        return fail(error, TANDA_BAD_INPUT,
                    "tensor \"%.80s\" is %s; beside a weight of %zu outputs it is [%zu]", linear->bias->name,
                    shape_text(linear->bias, shape), layer->outputs, layer->outputs);
    const tanda_status status =
        read_values(linear->weight, layer->outputs * layer->fan_in, parameters + layer->weight, error);
    return status == TANDA_OK ? read_values(linear->bias, layer->outputs, parameters + layer->bias, error)
                              : status;
}

static tanda_status read_layers(state_dict *dict, tanda_model *model, tanda_error *error) {
    char shape[TEXT_SIZE], ours[SHAPE_SIZE];
    tanda_status status = TANDA_OK;
    for (size_t i = 0; status == TANDA_OK && i < model->layer_count; i++) {
        linear *linear = NULL;
        status = find_linear(dict, model, i, &linear, error);
        if (status == TANDA_OK) status = read_layer(linear, &model->layers[i], model->parameters, error);
    }
    for (size_t i = 0; status == TANDA_OK && i < dict->count; i++)
        if (!dict->linears[i].taken)
            return fail(
                error, TANDA_BAD_INPUT,
                "tensor \"%.80s\" %s is one layer too many for this training, %s; --hidden says which "
                "layers there are",
                dict->linears[i].weight->name, shape_text(dict->linears[i].weight, shape),
                model_shape(model, ours));
    return status;
}

tanda_status state_dict_read(const safetensors *file, tanda_model *model, tanda_error *error) {
    state_dict dict = {0};
    tanda_status status = collect(file, &dict, error);
    if (status == TANDA_OK) status = read_layers(&dict, model, error);
    free(dict.linears);
    return status;
}
