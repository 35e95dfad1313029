#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "data/place.h"
#include "model/model_file_layout.h"
#include "model/preparation_json.h"
#include "model/scaling_json.h"
#include "support/digest.h"
#include "support/file_writer.h"
#include "support/json.h"
#include "support/memory.h"
#include "support/text.h"

typedef struct writer {
    const char *path;
    const tanda_model *model;
    const model_file_extra *extra; /* or NULL */
    json_t *metadata;
    tanda_error *error;
} writer;

static tanda_status no_memory(const writer *writer, const char *key) {
    return fail(writer->error, TANDA_FAILED, "%s: no memory for \"%s\"", writer->path, key);
}

static tanda_status put_text(const writer *writer, const char *key, const char *text) {
    json_t *value = json_string(text);
    if (value == NULL && !is_plain_utf8(text, strlen(text)))
        return fail(writer->error, TANDA_FAILED, "%s: cannot be written: the %s is not valid UTF-8",
                    writer->path, key);
    if (value == NULL) return no_memory(writer, key);
    return json_object_set_new(writer->metadata, key, value) == 0 ? TANDA_OK : no_memory(writer, key);
}

/* Takes value over. Nine digits keep every binary32. */
static tanda_status put_json(const writer *writer, const char *key, json_t *value) {
    char *text = value == NULL ? NULL : json_write(value, JSON_COMPACT | JSON_REAL_PRECISION(9));
    json_decref(value);
    if (text == NULL) return no_memory(writer, key);
    tanda_status status = put_text(writer, key, text);
    free(text);
    return status;
}

/* As text, which keeps every digit of a double. What is not set is left out, as in files of before. */
static void put_loss_setting(json_builder *architecture, const char *key, double value) {
    if (value != 0.0) json_put(architecture, key, json_sprintf("%.17g", value));
}

/* A dense layer goes without its kind, as in files of before. */
static json_t *layer_to_json(const layer *layer) {
    json_builder object = json_object_begin();
    if (layer->kind != LAYER_dense) json_put(&object, "kind", json_string(layer_kind_name(layer->kind)));
    json_put(&object, "units", json_integer((json_int_t)layer->outputs));
    json_put(&object, "activation", json_string(activation_name(layer->activation)));
    return json_end(&object);
}

static tanda_status put_architecture(const writer *writer) {
    const tanda_model *model = writer->model;
    json_builder layers = json_array_begin(), architecture = json_object_begin();
    for (size_t i = 0; i < model->layer_count; i++)
        json_push(&layers, layer_to_json(&model->layers[i]));
    json_put(&architecture, "features", json_integer((json_int_t)model->features));
    json_put(&architecture, "layers", json_end(&layers));
    json_put(&architecture, "loss", json_string(loss_name(model->loss)));
    json_put(&architecture, "task", json_string(task_name(model->task)));
    put_loss_setting(&architecture, "huber_delta", model->loss_settings.huber_delta);
    put_loss_setting(&architecture, "label_smoothing", model->loss_settings.label_smoothing);
    return put_json(writer, "architecture", json_end(&architecture));
}

static tanda_status put_scaling(const writer *writer) {
    const scaling *scaling = &writer->model->scaling;
    const bool is_none = scaling->kind == TANDA_SCALE_NONE;
    if (!is_none && scaling->features != writer->model->features)
        return fail(writer->error, TANDA_FAILED,
                    "%s: cannot be written: the scaling is for %zu features, the model has %zu", writer->path,
                    scaling->features, writer->model->features);
    for (size_t i = 0; !is_none && i < scaling->features; i++)
        if (!isfinite(scaling->center[i]) || !isfinite(scaling->factor[i]) ||
            (scaling->origin != NULL && !isfinite(scaling->origin[i])))
            return fail(writer->error, TANDA_FAILED,
                        "%s: cannot be written: the scaling of feature %zu is not finite", writer->path,
                        i + 1);
    return put_json(writer, "scaling", scaling_to_json(scaling));
}

static tanda_status put_target_scaling(const writer *writer) {
    const target_scaling *scaling = &writer->model->target_scaling;
    if (scaling->targets != model_outputs(writer->model))
        return fail(writer->error, TANDA_FAILED,
                    "%s: cannot be written: the scaling is of %zu targets, the model has %zu", writer->path,
                    scaling->targets, model_outputs(writer->model));
    for (size_t i = 0; i < scaling->targets; i++)
        if (!isfinite(scaling->mean[i]) || !isfinite(scaling->deviation[i]) || scaling->deviation[i] <= 0.0)
            return fail(writer->error, TANDA_FAILED,
                        "%s: cannot be written: the scaling of target %zu is not finite or not above 0",
                        writer->path, i + 1);
    return put_json(writer, "target_scaling", target_scaling_to_json(scaling));
}

static tanda_status put_names(const writer *writer, const char *key, char *const *names, size_t count) {
    json_builder array = json_array_begin();
    for (size_t i = 0; i < count; i++) {
        if (!is_plain_utf8(names[i], strlen(names[i]))) {
            json_drop(&array);
            return fail(writer->error, TANDA_FAILED,
                        "%s: cannot be written: number %zu of the %s is not valid UTF-8", writer->path, i + 1,
                        key);
        }
        json_push(&array, json_string(names[i]));
    }
    return put_json(writer, key, json_end(&array));
}

static tanda_status put_class_names(const writer *writer) {
    const tanda_model *model = writer->model;
    if (model->class_names != NULL)
        return put_names(writer, "class_names", model->class_names, model->class_count);
    json_builder numbers = json_array_begin();
    for (size_t i = 0; i < model->class_count; i++)
        json_push(&numbers, json_sprintf("%zu", i));
    return put_json(writer, "class_names", json_end(&numbers));
}

/* Settings go in as they are, once they are known to be an object. */
static tanda_status put_settings(const writer *writer) {
    json_error_t syntax;
    json_t *settings =
        json_read(writer->model->settings, strlen(writer->model->settings), JSON_REJECT_DUPLICATES, &syntax);
    const bool right = json_is_object(settings);
    if (settings == NULL && json_lacked_memory(&syntax)) return no_memory(writer, "settings");
    json_decref(settings);
    if (!right)
        return fail(writer->error, TANDA_FAILED, "%s: cannot be written: the settings are not a JSON object",
                    writer->path);
    return put_text(writer, "settings", writer->model->settings);
}

static tanda_status put_extra(const writer *writer) {
    const model_file_extra *extra = writer->extra;
    char text[DIGEST_TEXT_SIZE];
    tanda_status status = model_file_digest_extra(extra->tensors, extra->count, text, writer->error);
    if (status == TANDA_OK) status = put_text(writer, MODEL_FILE_EXTRA, extra->text);
    return status == TANDA_OK ? put_text(writer, MODEL_FILE_EXTRA "_sha256", text) : status;
}

static tanda_status put_metadata(const writer *writer) {
    const tanda_model *model = writer->model;
    tanda_status status = put_text(writer, "tanda_format", MODEL_FILE_FORMAT);
    if (status == TANDA_OK) status = put_text(writer, "contract", MODEL_FILE_CONTRACT);
    if (status == TANDA_OK) status = put_architecture(writer);
    if (status == TANDA_OK) status = put_scaling(writer);
    if (status == TANDA_OK && model->preparation.columns > 0)
        status = put_json(writer, "preparation", preparation_to_json(&model->preparation));
    if (status == TANDA_OK && model->feature_names != NULL)
        status = put_names(writer, "feature_names", model->feature_names, model->features);
    if (status == TANDA_OK && model->class_count > 0) status = put_class_names(writer);
    if (status == TANDA_OK && model->target_name != NULL)
        status = put_text(writer, "target_name", model->target_name);
    if (status == TANDA_OK && model->target_names != NULL)
        status = put_names(writer, "target_names", model->target_names, model_outputs(model));
    if (status == TANDA_OK && model->target_scaling.targets > 0) status = put_target_scaling(writer);
    if (status == TANDA_OK && model->settings != NULL) status = put_settings(writer);
    if (status == TANDA_OK && writer->extra != NULL) status = put_extra(writer);
    if (status != TANDA_OK) return status;
    char text[DIGEST_TEXT_SIZE];
    model_digest(model, text);
    status = put_text(writer, "weights_sha256", text);
    if (status != TANDA_OK) return status;
    model_file_digest_metadata(writer->metadata, text);
    return put_text(writer, "metadata_sha256", text);
}

/* The model's tensors, and behind them those of the checkpoint, as the bytes of a file. */
static tanda_status encode(const writer *writer, unsigned char **bytes, size_t *size) {
    const size_t more = writer->extra == NULL ? 0 : writer->extra->count;
    safetensors_tensor *all = NULL;
    tensor_list list;
    tanda_status status = tensor_list_make(writer->model, &list, writer->error);
    if (status != TANDA_OK) return status;
    status = allocate(&all, list.count + more, sizeof *all, "tensors", writer->error);
    if (status == TANDA_OK) {
        memcpy(all, list.tensors, list.count * sizeof *all);
        if (more > 0) memcpy(all + list.count, writer->extra->tensors, more * sizeof *all);
        status = safetensors_encode(writer->path, all, list.count + more, writer->metadata, bytes, size,
                                    writer->error);
    }
    free(all);
    tensor_list_free(&list);
    return status;
}

/* ---- two models held against each other, to the bit ------------------------------------------------------ */

/* Bits, so that -0 and NaN count. */
static bool same_reals(const void *a, const void *b, size_t bytes) {
    return bytes == 0 || memcmp(a, b, bytes) == 0;
}

static bool same_layers(const tanda_model *a, const tanda_model *b) {
    if (a->features != b->features || a->layer_count != b->layer_count) return false;
    for (size_t i = 0; i < a->layer_count; i++)
        if (a->layers[i].kind != b->layers[i].kind || a->layers[i].outputs != b->layers[i].outputs ||
            a->layers[i].activation != b->layers[i].activation)
            return false;
    return a->loss == b->loss && a->task == b->task;
}

static bool same_scaling(const scaling *a, const scaling *b) {
    const size_t bytes = a->features * sizeof *a->center;
    if (a->kind != b->kind) return false;
    if (a->kind == TANDA_SCALE_NONE) return true;
    if (a->features != b->features || (a->origin == NULL) != (b->origin == NULL)) return false;
    if (a->origin != NULL && !same_reals(a->origin, b->origin, a->features * sizeof *a->origin)) return false;
    return same_reals(a->center, b->center, bytes) && same_reals(a->factor, b->factor, bytes);
}

static bool same_target_scaling(const target_scaling *a, const target_scaling *b) {
    const size_t bytes = a->targets * sizeof *a->mean;
    return a->targets == b->targets && same_reals(a->mean, b->mean, bytes) &&
           same_reals(a->deviation, b->deviation, bytes);
}

static bool same_preparation(const preparation *a, const preparation *b) {
    if (a->columns != b->columns) return false;
    if (a->columns == 0) return true;
    bool same = a->fills_missing == b->fills_missing && a->zero_unknown == b->zero_unknown &&
                equal_texts(a->names, b->names, a->columns) &&
                a->missing_value_count == b->missing_value_count &&
                equal_texts(a->missing_values, b->missing_values, a->missing_value_count);
    for (size_t i = 0; same && i < a->columns; i++) {
        const prepared_column *x = &a->of[i], *y = &b->of[i];
        same = x->category_count == y->category_count &&
               equal_texts(x->categories, y->categories, x->category_count);
        if (same && x->category_count == 0 && a->fills_missing)
            same = same_reals(&x->mean, &y->mean, sizeof x->mean);
    }
    return same;
}

static bool same_classes(const tanda_model *model, const tanda_model *read) {
    if (model->class_count != read->class_count) return false;
    if (model->class_names != NULL || model->class_count == 0)
        return equal_texts(model->class_names, read->class_names, model->class_count);
    for (size_t i = 0; i < read->class_count; i++) {
        char number[24];
        if (!text_fit(number, sizeof number, "%zu", i) || !equal_text(number, read->class_names[i]))
            return false;
    }
    return true;
}

const char *model_difference(const tanda_model *model, const tanda_model *read) {
    const size_t targets = model_outputs(model);
    const struct {
        const char *what;
        bool same;
    } parts[] = {
        {"architecture", same_layers(model, read)},
        {"loss setting", (model->loss_settings.huber_delta == read->loss_settings.huber_delta &&
                          model->loss_settings.label_smoothing == read->loss_settings.label_smoothing)},
        {"scaling", same_scaling(&model->scaling, &read->scaling)},
        {"target scaling", same_target_scaling(&model->target_scaling, &read->target_scaling)},
        {"preparation", same_preparation(&model->preparation, &read->preparation)},
        {"feature name", equal_texts(model->feature_names, read->feature_names, model->features)},
        {"class name", same_classes(model, read)},
        {"target name", equal_text(model->target_name, read->target_name)},
        {"target name", equal_texts(model->target_names, read->target_names, targets)},
        {"settings", equal_text(model->settings, read->settings)},
        {"weight", model->parameter_count == read->parameter_count &&
                       same_reals(model->parameters, read->parameters,
                                  model->parameter_count * sizeof *model->parameters)},
    };
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (!parts[i].same) return parts[i].what;
    return NULL;
}

/* ---- the whole ----------------------------------------------------------------------------------------- */

/* The loader's own code reads what is to be written: a file that it would not read as this model is not begun. */
static tanda_status read_back(const writer *writer, file_view view) {
    tanda_model *read = NULL;
    tanda_error reason = {0};
    const tanda_status status = model_file_parse(writer->path, view, &read, &reason);
    if (status != TANDA_OK)
        return fail(writer->error, TANDA_FAILED, "not saved, as it could not be loaded again: %s",
                    reason.message);
    const char *difference = model_difference(writer->model, read);
    tanda_model_free(read);
    if (difference == NULL) return TANDA_OK;
    return fail(writer->error, TANDA_FAILED, "%s: not saved, as it would be loaded with another %s",
                writer->path, difference);
}

tanda_status model_file_save_with(const tanda_model *model, const model_file_extra *extra, const char *path,
                                  tanda_error *error) {
    writer writer = {.path = path, .model = model, .extra = extra, .error = error};
    unsigned char *bytes = NULL;
    size_t size = 0;
    /* What the loader would refuse is not written. */
    const size_t bad = model_file_first_not_finite(model);
    if (bad < model->parameter_count)
        return fail(writer.error, TANDA_FAILED, "%s: cannot be written: parameter %zu of %zu is not finite",
                    writer.path, bad + 1, model->parameter_count);
    if (model->class_count != model_classes(model))
        return fail(writer.error, TANDA_FAILED,
                    "%s: cannot be written: the model has %zu classes, its outputs are for %zu", writer.path,
                    model->class_count, model_classes(model));
    writer.metadata = json_object();
    if (writer.metadata == NULL) return no_memory(&writer, "__metadata__");
    tanda_status status = put_metadata(&writer);
    if (status == TANDA_OK) status = encode(&writer, &bytes, &size);
    json_decref(writer.metadata);
    if (status == TANDA_OK) status = read_back(&writer, (file_view){.data = bytes, .size = size});
    if (status == TANDA_OK) status = file_write_atomically(path, &(file_part){bytes, size}, 1, error);
    free(bytes);
    return status;
}

tanda_status model_file_save(const tanda_model *model, const char *path, tanda_error *error) {
    return model_file_save_with(model, NULL, path, error);
}

tanda_status tanda_model_save(const tanda_model *model, const char *path, tanda_error *error) {
    return model_file_save(model, path, error);
}
