#include "model/model.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/philox.h"
#include "support/digest.h"
#include "support/floating_mode.h"
#include "support/memory.h"
#include "support/text.h"

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "parameters are hashed and stored as they lie in memory, which must be little-endian"
#endif

#define LAYER_LIMIT 65536 /* 16 bits of the random numbers' counter hold the layer */

/*
 * The weights that each output of a layer has, by its kind; it has a bias, too. A kind that cannot make so many outputs of
 * so many inputs says in *needs what it wants.
 */
typedef size_t fan_in_function(size_t inputs, size_t outputs, const char **needs);

static size_t fan_in_dense(size_t inputs, size_t outputs, const char **needs) {
    (void)outputs, (void)needs;
    return inputs;
}

static size_t fan_in_of(layer_kind kind, size_t inputs, size_t outputs, const char **needs) {
#define FAN_IN_ENTRY(name) [LAYER_##name] = fan_in_##name,
    static fan_in_function *const of_kind[LAYER_KIND_COUNT] = {LAYER_KIND_LIST(FAN_IN_ENTRY)};
#undef FAN_IN_ENTRY
    return of_kind[kind](inputs, outputs, needs);
}

static layer_kind kind_at(const layer_kind *kinds, size_t layer) {
    return kinds == NULL ? LAYER_dense : kinds[layer];
}

bool model_count_parameters(size_t features, size_t layer_count, const layer_kind *kinds, const size_t *units,
                            size_t *count) {
    size_t total = 0, inputs = features, bytes = 0;
    for (size_t i = 0; i < layer_count; i++) {
        const char *needs = NULL;
        size_t weights = 0;
        if (multiply_overflows(fan_in_of(kind_at(kinds, i), inputs, units[i], &needs), units[i], &weights) ||
            add_overflows(total, weights, &total) || add_overflows(total, units[i], &total))
            return false;
        inputs = units[i];
    }
    if (multiply_overflows(total, sizeof(float), &bytes)) return false;
    *count = total;
    return true;
}

static tanda_status check_layers(size_t features, size_t layer_count, const layer_kind *kinds,
                                 const size_t *units, const activation *activations, tanda_error *error) {
    if (features == 0) return fail(error, TANDA_USAGE, "the model has no features; it needs at least 1");
    if (layer_count == 0) return fail(error, TANDA_USAGE, "the model has no layers; it needs at least 1");
    if (layer_count > LAYER_LIMIT)
        return fail(error, TANDA_USAGE, "the model has %zu layers; the limit is %d", layer_count,
                    LAYER_LIMIT);
    for (size_t i = 0; i < layer_count; i++) {
        const size_t inputs = i == 0 ? features : units[i - 1];
        const char *needs = NULL;
        if (units[i] == 0)
            return fail(error, TANDA_USAGE, "layer %zu has 0 units; it needs at least 1", i + 1);
        if (activations[i] == ACTIVATION_SOFTMAX && i + 1 < layer_count)
            return fail(error, TANDA_USAGE, "layer %zu: softmax is for the last layer only", i + 1);
        fan_in_of(kind_at(kinds, i), inputs, units[i], &needs);
        if (needs != NULL)
            return fail(error, TANDA_USAGE, "layer %zu: %s needs %s, not %zu inputs and %zu units", i + 1,
                        layer_kind_name(kind_at(kinds, i)), needs, inputs, units[i]);
    }
    return TANDA_OK;
}

/* Nothing overflows: the parameters have been counted. */
static void place_layers(tanda_model *model, const layer_kind *kinds, const size_t *units,
                         const activation *activations) {
    size_t inputs = model->features, offset = 0;
    for (size_t i = 0; i < model->layer_count; i++) {
        const layer_kind kind = kind_at(kinds, i);
        const char *needs = NULL;
        const size_t fan_in = fan_in_of(kind, inputs, units[i], &needs), weights = fan_in * units[i];
        model->layers[i] = (layer){.kind = kind,
                                   .inputs = inputs,
                                   .outputs = units[i],
                                   .fan_in = fan_in,
                                   .activation = activations[i],
                                   .weight = offset,
                                   .bias = offset + weights};
        offset += weights + units[i];
        inputs = units[i];
    }
}

tanda_status model_create(size_t features, size_t layer_count, const layer_kind *kinds, const size_t *units,
                          const activation *activations, loss loss, tanda_task task, tanda_model **model,
                          tanda_error *error) {
    size_t parameter_count = 0;
    tanda_status status = check_layers(features, layer_count, kinds, units, activations, error);
    if (status != TANDA_OK) return status;
    const size_t outputs = units[layer_count - 1];
    status = objective_check(outputs, activations[layer_count - 1], loss, task, error);
    if (status != TANDA_OK) return status;
    if (!model_count_parameters(features, layer_count, kinds, units, &parameter_count))
        return fail(error, TANDA_USAGE, "the layers have more parameters than this machine can address");

    tanda_model *made = NULL;
    status = allocate(&made, 1, sizeof *made, "model", error);
    if (status != TANDA_OK) return status;
    made->features = features;
    made->layer_count = layer_count;
    made->loss = loss;
    made->task = task;
    made->parameter_count = parameter_count;
    status = allocate(&made->layers, layer_count, sizeof *made->layers, "layers", error);
    if (status == TANDA_OK)
        status = allocate(&made->parameters, parameter_count, sizeof *made->parameters, "parameters", error);
    if (status != TANDA_OK) {
        tanda_model_free(made);
        return status;
    }
    place_layers(made, kinds, units, activations);
    made->class_count = model_classes(made);
    *model = made;
    return TANDA_OK;
}

tanda_status model_set_loss(tanda_model *model, const loss_settings *settings, tanda_error *error) {
    const tanda_status status = loss_settings_check(settings, model->loss, error);
    if (status == TANDA_OK) model->loss_settings = *settings;
    return status;
}

void tanda_model_free(tanda_model *model) {
    if (model == NULL) return;
    free_texts(model->feature_names, model->features);
    free_texts(model->class_names, model->class_count);
    free(model->target_name);
    if (model->target_names != NULL) free_texts(model->target_names, model_outputs(model));
    free(model->settings);
    preparation_free(&model->preparation);
    scaling_free(&model->scaling);
    target_scaling_free(&model->target_scaling);
    free(model->parameters);
    free(model->layers);
    free(model);
}

size_t model_classes(const tanda_model *model) {
    if (model->task != TANDA_TASK_CLASSES) return 0;
    const size_t outputs = model_outputs(model);
    return outputs == 1 ? 2 : outputs;
}

size_t model_targets(const tanda_model *model) {
    return model->task == TANDA_TASK_CLASSES ? 1 : model_outputs(model);
}

tanda_status model_name_labels(tanda_model *model, tanda_error *error) {
    const size_t count = model_outputs(model);
    if (model->task != TANDA_TASK_LABELS || model->target_names != NULL) return TANDA_OK;
    tanda_status status =
        allocate(&model->target_names, count, sizeof *model->target_names, "names of labels", error);
    for (size_t i = 0; status == TANDA_OK && i < count; i++) {
        char number[24];
        text_put(number, sizeof number, "%zu", i);
        status = copy_text(&model->target_names[i], number, error);
    }
    return status;
}

size_t model_outputs(const tanda_model *model) {
    return model->layers[model->layer_count - 1].outputs;
}

size_t tanda_model_features(const tanda_model *model) {
    return model->features;
}

size_t tanda_model_outputs(const tanda_model *model) {
    return model_outputs(model);
}

void model_digest(const tanda_model *model, char *text) {
    digest_sha256(model->parameters, model->parameter_count * sizeof *model->parameters, text);
}

void tanda_model_digest(const tanda_model *model, char *text) {
    model_digest(model, text);
}

const char *model_shape(const tanda_model *model, char buffer[SHAPE_SIZE]) {
    size_t used = (size_t)snprintf(buffer, SHAPE_SIZE, "%zu", model->features);
    for (size_t i = 0; i < model->layer_count; i++) {
        const layer *layer = &model->layers[i];
        char part[64];
        const int length =
            text_put(part, sizeof part, " -> %s %zu", activation_name(layer->activation), layer->outputs);
        if (used + (size_t)length + sizeof " ..." > SHAPE_SIZE) {
            memcpy(buffer + used, " ...", sizeof " ...");
            break;
        }
        memcpy(buffer + used, part, (size_t)length + 1);
        used += (size_t)length;
    }
    return buffer;
}

/* ---- first weights ------------------------------------------------------------------------------------------ */

/* Elements are numbered input by input, while the weight lies output by output (contract 10). */
static void draw_weight(const layer *layer, uint64_t seed, uint stream, float *weight) {
    const size_t fan = layer->activation == ACTIVATION_RELU ? layer->fan_in : layer->fan_in + layer->outputs;
    const float limit = (float)sqrt(6.0 / (double)fan); /* rounded once, so that every machine has the same */
    philox_words words = {0};
    uint64_t element = 0;
    for (size_t input = 0; input < layer->fan_in; input++) {
        for (size_t output = 0; output < layer->outputs; output++, element++) {
            const uint word = (uint)(element % PHILOX_WORDS);
            if (word == 0) words = philox_block(seed, element / PHILOX_WORDS, 0, stream);
            const float centered = 2.0f * uniform(philox_pick(words, word)) - 1.0f; /* exact */
            weight[output * layer->fan_in + input] = canonical(centered * limit);
        }
    }
}

void model_initialise(tanda_model *model, uint64_t seed) {
    unsigned mode = enter_exact_mode();
    for (size_t i = 0; i < model->layer_count; i++) {
        const layer *layer = &model->layers[i];
        draw_weight(layer, seed, philox_stream(PURPOSE_INIT, (uint)i), model->parameters + layer->weight);
        for (size_t output = 0; output < layer->outputs; output++)
            model->parameters[layer->bias + output] = 0.0f;
    }
    leave_exact_mode(mode);
}

void tanda_model_initialise(tanda_model *model, uint64_t seed) {
    model_initialise(model, seed);
}
