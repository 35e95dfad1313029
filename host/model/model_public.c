/* Models as a program makes and reads them: layers and names by their words, weights as arrays. */
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "data/dataset.h"
#include "model/model.h"
#include "support/json.h"
#include "support/memory.h"

/* ---- names --------------------------------------------------------------------------------------------- */

const char *tanda_activation_name(size_t index) {
    return index > (size_t)ACTIVATION_SOFTMAX ? NULL : activation_name((activation)index);
}

const char *tanda_loss_name(size_t index) {
    return index >= (size_t)LOSS_COUNT ? NULL : loss_name((loss)index);
}

const char *tanda_task_name(tanda_task task) {
    return (size_t)task < task_words.count ? task_name(task) : NULL;
}

bool tanda_task_from_name(const char *name, tanda_task *task) {
    size_t index = 0;
    if (!vocabulary_value(&task_words, name, &index)) return false;
    *task = (tanda_task)index;
    return true;
}

const char *tanda_scale_name(tanda_scale scale) {
    return (size_t)scale < scaling_words.count ? scaling_name(scale) : NULL;
}

bool tanda_scale_from_name(const char *name, tanda_scale *scale) {
    size_t index = 0;
    if (!vocabulary_value(&scaling_words, name, &index)) return false;
    *scale = (tanda_scale)index;
    return true;
}

/* ---- making a model ------------------------------------------------------------------------------------ */

static tanda_status find_activation(const char *name, activation *result, tanda_error *error) {
    if (name == NULL) return fail(error, TANDA_USAGE, "activation: NULL; tanda_activation_name lists them");
    size_t index = 0;
    const tanda_status status = vocabulary_read(&activation_words, "activation", name, &index, NULL, error);
    if (status == TANDA_OK) *result = (activation)index;
    return status;
}

tanda_status tanda_model_create(size_t features, const tanda_layer *layers, size_t layer_count,
                                const char *loss_word, tanda_task task, tanda_model **model,
                                tanda_error *error) {
    size_t *units = NULL;
    activation *activations = NULL;
    size_t loss_index = 0;
    if (loss_word == NULL) return fail(error, TANDA_USAGE, "loss: NULL; tanda_loss_name lists them");
    tanda_status status = vocabulary_read(&loss_words, "loss", loss_word, &loss_index, NULL, error);
    if (status == TANDA_OK) status = allocate(&units, layer_count, sizeof *units, "layers", error);
    if (status == TANDA_OK)
        status = allocate(&activations, layer_count, sizeof *activations, "layers", error);
    for (size_t i = 0; i < layer_count && status == TANDA_OK; i++) {
        units[i] = layers[i].units;
        status = find_activation(layers[i].activation, &activations[i], error);
    }
    if (status == TANDA_OK)
        status = model_create(features, layer_count, NULL, units, activations, (loss)loss_index, task, model,
                              error);
    free(units);
    free(activations);
    return status;
}

/* Copies of count texts in place of *place. */
static tanda_status replace_names(char ***place, size_t old_count, const char *const *names, size_t count,
                                  tanda_error *error) {
    char **copy = NULL;
    for (size_t i = 0; names != NULL && i < count; i++)
        if (names[i] == NULL) return fail(error, TANDA_USAGE, "name %zu (from 0) of %zu is NULL", i, count);
    const tanda_status status = copy_texts(&copy, (char *const *)names, count, error);
    if (status != TANDA_OK) return status;
    free_texts(*place, old_count);
    *place = copy;
    return TANDA_OK;
}

tanda_status tanda_model_set_class_names(tanda_model *model, const char *const *names, size_t count,
                                         tanda_error *error) {
    if (count != model->class_count)
        return fail(error, TANDA_USAGE, "%zu class names for a model of %zu classes", count,
                    model->class_count);
    return replace_names(&model->class_names, count, names, count, error);
}

tanda_status tanda_model_set_feature_names(tanda_model *model, const char *const *names, size_t count,
                                           tanda_error *error) {
    if (count != model->features)
        return fail(error, TANDA_USAGE, "%zu feature names for a model of %zu features", count,
                    model->features);
    return replace_names(&model->feature_names, count, names, count, error);
}

/* ---- columns and scaling ------------------------------------------------------------------------------------------- */

tanda_status tanda_dataset_prepare(tanda_dataset *dataset, const tanda_model *model, tanda_error *error) {
    if (raw_columns_are_features(&dataset->raw)) return TANDA_OK;
    return dataset_prepare(dataset, &model->preparation, TANDA_UNKNOWN_AUTO, error);
}

static tanda_status check_prepared(const tanda_dataset *dataset, tanda_error *error) {
    if (raw_columns_are_features(&dataset->raw)) return TANDA_OK;
    return fail(error, TANDA_USAGE,
                "the data still has columns of categories or missing values; tanda_dataset_prepare makes "
                "features of them");
}

tanda_status tanda_model_fit_scaling(tanda_model *model, tanda_scale kind, const tanda_dataset *training,
                                     tanda_error *error) {
    scaling made = {0};
    if (training->features != model->features)
        return fail(error, TANDA_BAD_INPUT, "the data has %zu features, the model takes %zu",
                    training->features, model->features);
    tanda_status status = check_prepared(training, error);
    if (status == TANDA_OK) status = dataset_fit_scaling(training, kind, &made, error);
    if (status == TANDA_OK)
        status = scaling_take_origins(&made, training->origins, training->features, error);
    status = dataset_check(training, status, error);
    if (status != TANDA_OK) {
        scaling_free(&made);
        return status;
    }
    preparation_spare(&model->preparation, &made);
    scaling_free(&model->scaling);
    model->scaling = made;
    return TANDA_OK;
}

tanda_status tanda_dataset_scale(tanda_dataset *dataset, const tanda_model *model, tanda_error *error) {
    const tanda_status status = check_prepared(dataset, error);
    return status == TANDA_OK ? dataset_scale(dataset, &model->scaling, error) : status;
}

tanda_scale tanda_model_scaling(const tanda_model *model, const float **center, const float **factor) {
    if (center != NULL) *center = model->scaling.center;
    if (factor != NULL) *factor = model->scaling.factor;
    return model->scaling.kind;
}

const double *tanda_model_origin(const tanda_model *model) {
    return model->scaling.origin;
}

tanda_status tanda_model_fit_target_scaling(tanda_model *model, tanda_scale kind,
                                            const tanda_dataset *training, tanda_error *error) {
    const activation output = model->layers[model->layer_count - 1].activation;
    const bool has_quantities =
        training->task == TANDA_TASK_REGRESSION || training->task == TANDA_TASK_LABELS;
    target_scaling made = {0};
    feed *rows = NULL;
    tanda_status status = TANDA_OK;
    if (kind != TANDA_SCALE_NONE && kind != TANDA_SCALE_STANDARD)
        return fail(error, TANDA_USAGE, "--scale-target: %s is for features; use standard or none",
                    scaling_name(kind));
    if (kind == TANDA_SCALE_STANDARD) {
        status = objective_check_target_scaling(output, model->loss, model->task, error);
        if (status == TANDA_OK && (!has_quantities || training->target_count != model_outputs(model)))
            status =
                fail(error, TANDA_BAD_INPUT, "the data has %zu quantities to learn, the model predicts %zu",
                     has_quantities ? training->target_count : 0, model_outputs(model));
        if (status == TANDA_OK) status = dataset_feed(training, NULL, &rows, error);
        if (status == TANDA_OK) status = target_scaling_fit(rows, &made, error);
        feed_free(rows);
    }
    if (status != TANDA_OK) return status;
    target_scaling_free(&model->target_scaling);
    model->target_scaling = made;
    return TANDA_OK;
}

tanda_scale tanda_model_target_scaling(const tanda_model *model, const double **mean,
                                       const double **deviation) {
    if (mean != NULL) *mean = model->target_scaling.mean;
    if (deviation != NULL) *deviation = model->target_scaling.deviation;
    return model->target_scaling.targets > 0 ? TANDA_SCALE_STANDARD : TANDA_SCALE_NONE;
}

/* ---- what a model holds -------------------------------------------------------------------------------- */

tanda_task tanda_model_task(const tanda_model *model) {
    return model->task;
}

const char *tanda_model_loss(const tanda_model *model) {
    return loss_name(model->loss);
}

size_t tanda_model_layers(const tanda_model *model) {
    return model->layer_count;
}

bool tanda_model_layer(const tanda_model *model, size_t index, tanda_layer_information *information) {
    if (index >= model->layer_count) return false;
    const layer *layer = &model->layers[index];
    *information = (tanda_layer_information){.inputs = layer->inputs,
                                             .outputs = layer->outputs,
                                             .activation = activation_name(layer->activation),
                                             .weight = model->parameters + layer->weight,
                                             .bias = model->parameters + layer->bias,
                                             .kind = layer_kind_name(layer->kind),
                                             .fan_in = layer->fan_in};
    return true;
}

const float *tanda_model_weights(const tanda_model *model, size_t *count) {
    if (count != NULL) *count = model->parameter_count;
    return model->parameters;
}

tanda_status tanda_model_set_weights(tanda_model *model, const float *weights, size_t count,
                                     tanda_error *error) {
    if (count != model->parameter_count)
        return fail(error, TANDA_USAGE, "%zu weights for a model of %zu", count, model->parameter_count);
    for (size_t i = 0; i < count; i++)
        if (!isfinite(weights[i]))
            return fail(error, TANDA_BAD_INPUT, "weight %zu (from 0) is not finite", i);
    for (size_t i = 0; i < count; i++)
        model->parameters[i] = weights[i] == 0.0f ? 0.0f : weights[i];
    return TANDA_OK;
}

size_t tanda_model_class_count(const tanda_model *model) {
    return model->class_count;
}

const char *tanda_model_class_name(const tanda_model *model, size_t index) {
    return model->class_names == NULL || index >= model->class_count ? NULL : model->class_names[index];
}

const char *tanda_model_feature_name(const tanda_model *model, size_t index) {
    return model->feature_names == NULL || index >= model->features ? NULL : model->feature_names[index];
}

const char *tanda_model_settings(const tanda_model *model) {
    return model->settings;
}

tanda_status tanda_model_set_settings(tanda_model *model, const char *settings, tanda_error *error) {
    json_error_t found = {0};
    char *copy = NULL;
    const size_t failures = json_memory_failures();
    json_t *object =
        settings == NULL ? NULL : json_read(settings, strlen(settings), JSON_REJECT_DUPLICATES, &found);
    const bool is_object = json_is_object(object);
    json_decref(object);
    if (json_memory_failures() != failures)
        return fail(error, TANDA_FAILED, "settings: no memory to read them");
    if (settings != NULL && !is_object)
        return fail(error, TANDA_USAGE, "settings: they must be a JSON object%s%s",
                    found.text[0] == '\0' ? "" : ": ", found.text);
    const tanda_status status = copy_text(&copy, settings, error);
    if (status != TANDA_OK) return status;
    free(model->settings);
    model->settings = copy;
    return TANDA_OK;
}
