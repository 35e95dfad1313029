#include <stdlib.h>
#include <string.h>

#include "data/format.h"
#include "data/number.h"
#include "data/pipe.h"
#include "model/model_file_layout.h"
#include "model/preparation_json.h"
#include "model/scaling_json.h"
#include "support/digest.h"
#include "support/json.h"
#include "support/memory.h"

typedef struct reader {
    const char *path;
    safetensors file;
    json_t *values;     /* what get_json has read */
    tanda_model *model; /* being made */
    tanda_error *error;
} reader;

#define BAD(reader, format, ...) \
    fail((reader)->error, TANDA_BAD_INPUT, "%s: " format, (reader)->path __VA_OPT__(, ) __VA_ARGS__)

/* ---- the pieces of the metadata ----------------------------------------------------------------------- */

static tanda_status get_text(const reader *reader, const char *key, const char **text) {
    *text = safetensors_metadata(&reader->file, key);
    return *text != NULL ? TANDA_OK : BAD(reader, "damaged: __metadata__ has no \"%s\"", key);
}

/* The JSON that a string of the metadata holds; the reader keeps it. */
static tanda_status get_json(const reader *reader, const char *key, json_t **value) {
    const char *text = NULL;
    json_error_t syntax;
    tanda_status status = get_text(reader, key, &text);
    if (status != TANDA_OK) return status;
    *value = json_read(text, strlen(text), JSON_REJECT_DUPLICATES, &syntax);
    if (*value == NULL)
        return BAD(reader, "\"%s\" is not valid JSON: %s, at byte %d of it", key, syntax.text,
                   syntax.position);
    if (json_array_append_new(reader->values, *value) == 0) return TANDA_OK;
    return fail(reader->error, TANDA_FAILED, "%s: no memory for its JSON", reader->path);
}

static tanda_status check_format(const reader *reader) {
    const char *format = safetensors_metadata(&reader->file, "tanda_format");
    if (format == NULL)
        return BAD(reader,
                   "is a safetensors file but not a tanda model: its __metadata__ has no \"tanda_format\"");
    if (strcmp(format, MODEL_FILE_FORMAT) != 0)
        return BAD(reader, "tanda_format is \"%.20s\"; this version reads \"" MODEL_FILE_FORMAT "\"", format);
    return TANDA_OK;
}

/* `of`: what it is the sum of, "the weights". */
static tanda_status check_digest(const reader *reader, const char *key, const char *found, const char *of) {
    const char *stated = NULL;
    const tanda_status status = get_text(reader, key, &stated);
    if (status != TANDA_OK || strcmp(stated, found) == 0) return status;
    return BAD(reader, "damaged: %s is %.64s, %s give %s", key, stated, of, found);
}

/* Files that say none are of the first. */
static tanda_status check_contract(const reader *reader) {
    const char *contract = safetensors_metadata(&reader->file, "contract");
    if (contract == NULL) contract = "1";
    if (strcmp(contract, MODEL_FILE_CONTRACT) == 0) return TANDA_OK;
    return BAD(reader, "made under contract %.20s, this tanda keeps contract " MODEL_FILE_CONTRACT, contract);
}

/* Without the key there are no such tensors: they are refused with the unknown ones. */
static bool has_extra(const reader *reader) {
    return safetensors_metadata(&reader->file, MODEL_FILE_EXTRA) != NULL;
}

static tanda_status check_extra(const reader *reader) {
    char found[DIGEST_TEXT_SIZE];
    json_t *json = NULL;
    if (!has_extra(reader)) return TANDA_OK;
    tanda_status status = get_json(reader, MODEL_FILE_EXTRA, &json);
    if (status == TANDA_OK && !json_is_object(json))
        return BAD(reader, MODEL_FILE_EXTRA " is not a JSON object");
    if (status == TANDA_OK)
        status =
            model_file_digest_extra(reader->file.tensors, reader->file.tensor_count, found, reader->error);
    return status == TANDA_OK ? check_digest(reader, MODEL_FILE_EXTRA "_sha256", found, "its tensors")
                              : status;
}

/* ---- architecture ------------------------------------------------------------------------------------- */

typedef struct architecture {
    size_t features;
    size_t layer_count;
    layer_kind *kinds;
    size_t *units;
    activation *activations;
    loss loss;
    loss_settings loss_settings;
    tanda_task task;
} architecture;

static tanda_status read_layer(const reader *reader, json_t *entry, size_t i, architecture *architecture) {
    json_int_t units = 0;
    const char *name = NULL, *kind = layer_kind_name(LAYER_dense);
    json_error_t mismatch;
    if (json_unpack_ex(entry, &mismatch, JSON_STRICT, "{s?s, s:I, s:s}", "kind", &kind, "units", &units,
                       "activation", &name) != 0)
        return BAD(reader, "architecture, layer %zu: %s", i + 1, mismatch.text);
    if (!layer_kind_from_name(kind, &architecture->kinds[i]))
        return BAD(reader, "architecture, layer %zu: kind \"%.40s\" is unknown; known:" LAYER_KINDS, i + 1,
                   kind);
    if (units < 1)
        return BAD(reader, "architecture, layer %zu: %lld units; at least 1", i + 1, (long long)units);
    if (!activation_from_name(name, &architecture->activations[i]))
        return BAD(reader, "architecture, layer %zu: activation \"%.40s\" is unknown", i + 1, name);
    architecture->units[i] = (size_t)units;
    return TANDA_OK;
}

static tanda_status read_loss_setting(const reader *reader, const char *key, const char *text,
                                      double *value) {
    if (text == NULL) return TANDA_OK;
    const number_status status = number_to_double(text, strlen(text), value);
    if (status == NUMBER_OK) return TANDA_OK;
    return BAD(reader, "architecture: %s \"%.40s\" %s", key, text, number_problem(status));
}

static tanda_status read_architecture(const reader *reader, architecture *architecture) {
    json_int_t features = 0;
    json_t *json = NULL, *layers = NULL;
    const char *loss = NULL, *task = NULL, *huber_delta = NULL, *smoothing = NULL;
    json_error_t mismatch;
    tanda_status status = get_json(reader, "architecture", &json);
    if (status != TANDA_OK) return status;
    if (json_unpack_ex(json, &mismatch, JSON_STRICT, "{s:I, s:o, s:s, s:s, s?s, s?s}", "features", &features,
                       "layers", &layers, "loss", &loss, "task", &task, "huber_delta", &huber_delta,
                       "label_smoothing", &smoothing) != 0)
        return BAD(reader, "architecture: %s", mismatch.text);
    if (features < 1) return BAD(reader, "architecture: %lld features; at least 1", (long long)features);
    if (!loss_from_name(loss, &architecture->loss))
        return BAD(reader, "architecture: loss \"%.40s\" is unknown", loss);
    if (!task_from_name(task, &architecture->task))
        return BAD(reader, "architecture: task \"%.40s\" is unknown", task);
    status = read_loss_setting(reader, "huber_delta", huber_delta, &architecture->loss_settings.huber_delta);
    if (status == TANDA_OK)
        status = read_loss_setting(reader, "label_smoothing", smoothing,
                                   &architecture->loss_settings.label_smoothing);
    if (status != TANDA_OK) return status;
    architecture->features = (size_t)features;
    const size_t count = json_array_size(layers);
    if (count == 0) return BAD(reader, "architecture: layers is not an array of at least one layer");
    architecture->layer_count = count;
    status = allocate(&architecture->kinds, count, sizeof(layer_kind), "layers", reader->error);
    if (status == TANDA_OK)
        status = allocate(&architecture->units, count, sizeof(size_t), "layers", reader->error);
    if (status == TANDA_OK)
        status = allocate(&architecture->activations, count, sizeof(activation), "layers", reader->error);
    for (size_t i = 0; i < count && status == TANDA_OK; i++)
        status = read_layer(reader, json_array_get(layers, i), i, architecture);
    return status;
}

/* Memory for the parameters is only asked for when the file holds that many. */
static tanda_status check_parameter_count(const reader *reader, const architecture *architecture) {
    size_t count = 0, bytes = 0;
    for (size_t i = 0; i < reader->file.tensor_count; i++)
        bytes += reader->file.tensors[i].size; /* no overflow: together they are a part of the file */
    if (!model_count_parameters(architecture->features, architecture->layer_count, architecture->kinds,
                                architecture->units, &count))
        return BAD(reader, "architecture: the layers have more parameters than this machine can address");
    if (count > bytes / sizeof(float))
        return BAD(reader, "architecture: the layers have %zu parameters, the tensors hold %zu bytes", count,
                   bytes);
    return TANDA_OK;
}

static tanda_status create_model(reader *reader) {
    architecture architecture = {0};
    tanda_status status = read_architecture(reader, &architecture);
    if (status == TANDA_OK) status = check_parameter_count(reader, &architecture);
    if (status == TANDA_OK) {
        tanda_error reason = {0};
        status = model_create(architecture.features, architecture.layer_count, architecture.kinds,
                              architecture.units, architecture.activations, architecture.loss,
                              architecture.task, &reader->model, &reason);
        if (status == TANDA_OK) status = model_set_loss(reader->model, &architecture.loss_settings, &reason);
        if (status == TANDA_USAGE) status = TANDA_BAD_INPUT; /* it was the file that said so, not the user */
        if (status != TANDA_OK)
            fail(reader->error, status, "%s: architecture: %s", reader->path, reason.message);
    }
    free(architecture.kinds);
    free(architecture.units);
    free(architecture.activations);
    return status;
}

/* ---- parameters --------------------------------------------------------------------------------------- */

static tanda_status check_tensor(const reader *reader, const safetensors_tensor *expected,
                                 const safetensors_tensor *found) {
    if (found == NULL)
        return BAD(reader, "tensor \"%s\" is missing; the architecture asks for it", expected->name);
    if (strcmp(found->type, expected->type) != 0)
        return BAD(reader, "tensor \"%s\" is of type %s; it has to be %s", found->name, found->type,
                   expected->type);
    if (found->rank == expected->rank &&
        memcmp(found->shape, expected->shape, found->rank * sizeof found->shape[0]) == 0)
        return TANDA_OK;
    if (expected->rank == 1)
        return BAD(reader, "tensor \"%s\" has another shape than the architecture's [%zu]", expected->name,
                   expected->shape[0]);
    return BAD(reader, "tensor \"%s\" has another shape than the architecture's [%zu, %zu]", expected->name,
               expected->shape[0], expected->shape[1]);
}

static tanda_status refuse_unknown_tensor(const reader *reader, const tensor_list *expected) {
    for (size_t i = 0; i < reader->file.tensor_count; i++) {
        const char *name = reader->file.tensors[i].name;
        size_t known = 0;
        if (has_extra(reader) && model_file_is_extra(&reader->file.tensors[i])) continue;
        while (known < expected->count && strcmp(expected->names[known].text, name) != 0)
            known++;
        if (known == expected->count)
            return BAD(reader, "tensor \"%.80s\" does not belong to the architecture", name);
    }
    return TANDA_OK;
}

static tanda_status copy_tensors(reader *reader, const tensor_list *expected) {
    float *target = reader->model->parameters;
    for (size_t i = 0; i < expected->count; i++) {
        const safetensors_tensor *found = safetensors_find(&reader->file, expected->tensors[i].name);
        tanda_status status = check_tensor(reader, &expected->tensors[i], found);
        if (status != TANDA_OK) return status;
        memcpy(target, found->data, found->size);
        target += found->size / sizeof *target;
    }
    if (reader->file.tensor_count != expected->count) return refuse_unknown_tensor(reader, expected);
    return TANDA_OK;
}

static tanda_status read_parameters(reader *reader) {
    tensor_list expected;
    tanda_status status = tensor_list_make(reader->model, &expected, reader->error);
    if (status != TANDA_OK) return status;
    status = copy_tensors(reader, &expected);
    tensor_list_free(&expected);
    if (status != TANDA_OK) return status;
    char found[DIGEST_TEXT_SIZE];
    model_digest(reader->model, found);
    status = check_digest(reader, "weights_sha256", found, "the weights");
    if (status != TANDA_OK) return status;
    const size_t bad = model_file_first_not_finite(reader->model);
    if (bad < reader->model->parameter_count)
        return BAD(reader, "parameter %zu of %zu is not finite", bad + 1, reader->model->parameter_count);
    return TANDA_OK;
}

/* ---- scaling, names, settings ------------------------------------------------------------------------- */

static tanda_status read_scaling(reader *reader) {
    json_t *json = NULL;
    const tanda_status status = get_json(reader, "scaling", &json);
    if (status != TANDA_OK) return status;
    return scaling_from_json(reader->path, json, reader->model->features, &reader->model->scaling,
                             reader->error);
}

/* *names is filled as far as it goes, so that the model can be freed whatever happens. */
static tanda_status read_names(const reader *reader, const char *key, size_t count, char ***names) {
    json_t *array = NULL;
    tanda_status status = get_json(reader, key, &array);
    if (status != TANDA_OK) return status;
    if (!json_is_array(array) || json_array_size(array) != count)
        return BAD(reader, "%s is not an array of %zu names, as many as the architecture has", key, count);
    status = allocate(names, count, sizeof **names, key, reader->error);
    for (size_t i = 0; i < count && status == TANDA_OK; i++) {
        const char *name = json_string_value(json_array_get(array, i));
        status = name == NULL ? BAD(reader, "%s[%zu] is not a string", key, i)
                              : copy_text(&(*names)[i], name, reader->error);
    }
    return status;
}

static tanda_status read_settings(reader *reader, const char *text) {
    json_t *json = NULL;
    tanda_status status = get_json(reader, "settings", &json);
    if (status != TANDA_OK) return status;
    return json_is_object(json) ? copy_text(&reader->model->settings, text, reader->error)
                                : BAD(reader, "settings is not a JSON object");
}

static tanda_status read_preparation(reader *reader) {
    json_t *json = NULL;
    if (safetensors_metadata(&reader->file, "preparation") == NULL) return TANDA_OK;
    tanda_status status = get_json(reader, "preparation", &json);
    if (status != TANDA_OK) return status;
    return preparation_from_json(reader->path, json, reader->model->features, &reader->model->preparation,
                                 reader->error);
}

static tanda_status read_target_scaling(reader *reader) {
    tanda_model *model = reader->model;
    const activation output = model->layers[model->layer_count - 1].activation;
    json_t *json = NULL;
    if (safetensors_metadata(&reader->file, "target_scaling") == NULL) return TANDA_OK;
    const tanda_status status = get_json(reader, "target_scaling", &json);
    if (status != TANDA_OK) return status;
    if (objective_check_target_scaling(output, model->loss, model->task, NULL) != TANDA_OK)
        return BAD(reader, "target_scaling is given, but not for such a model");
    return target_scaling_from_json(reader->path, json, model_outputs(model), &model->target_scaling,
                                    reader->error);
}

static tanda_status read_description(reader *reader) {
    tanda_model *model = reader->model;
    const char *settings = safetensors_metadata(&reader->file, "settings");
    tanda_status status = read_scaling(reader);
    if (status == TANDA_OK) status = read_preparation(reader);
    if (status == TANDA_OK) status = read_target_scaling(reader);
    if (status == TANDA_OK && safetensors_metadata(&reader->file, "feature_names") != NULL)
        status = read_names(reader, "feature_names", model->features, &model->feature_names);
    if (status == TANDA_OK && model->class_count > 0)
        status = read_names(reader, "class_names", model->class_count, &model->class_names);
    else if (status == TANDA_OK && safetensors_metadata(&reader->file, "class_names") != NULL)
        status = BAD(reader, "class_names are given, but the task is %s", task_name(model->task));
    if (status == TANDA_OK)
        status =
            copy_text(&model->target_name, safetensors_metadata(&reader->file, "target_name"), reader->error);
    if (status == TANDA_OK && safetensors_metadata(&reader->file, "target_names") != NULL)
        status = model->task != TANDA_TASK_CLASSES
                     ? read_names(reader, "target_names", model_outputs(model), &model->target_names)
                     : BAD(reader, "target_names are given, but the task is classes");
    if (status == TANDA_OK) status = model_name_labels(model, reader->error);
    if (status == TANDA_OK && settings != NULL) status = read_settings(reader, settings);
    return status;
}

/* ---- the whole ---------------------------------------------------------------------------------------- */

tanda_status model_file_parse(const char *path, file_view view, tanda_model **model, tanda_error *error) {
    const size_t failures = json_memory_failures();
    char found[DIGEST_TEXT_SIZE];
    reader reader = {.path = path, .values = json_array(), .error = error};
    tanda_status status = safetensors_parse(path, view, &reader.file, error);
    if (status == TANDA_OK) status = check_format(&reader);
    if (status == TANDA_OK) {
        model_file_digest_metadata(reader.file.metadata, found);
        status = check_digest(&reader, "metadata_sha256", found, "the metadata");
    }
    if (status == TANDA_OK) status = check_contract(&reader);
    if (status == TANDA_OK) status = check_extra(&reader);
    if (status == TANDA_OK) status = create_model(&reader);
    if (status == TANDA_OK) status = read_parameters(&reader);
    if (status == TANDA_OK) status = read_description(&reader);
    safetensors_close(&reader.file);
    json_decref(reader.values);
    status = json_memory_check(failures, path, status, error);
    if (status != TANDA_OK) {
        tanda_model_free(reader.model);
        return status;
    }
    *model = reader.model;
    return TANDA_OK;
}

tanda_status model_file_load(const char *path, tanda_model **model, tanda_error *error) {
    file_view view;
    tanda_status status = file_view_open(path, &view, error);
    if (status != TANDA_OK) return status;
    tanda_model *made = NULL;
    status = model_file_parse(path, view, &made, error);
    status = file_view_check(&view, status, error);
    file_view_close(&view);
    if (status == TANDA_OK)
        *model = made;
    else
        tanda_model_free(made);
    return status;
}

tanda_status tanda_model_load(const char *path, tanda_model **model, tanda_error *error) {
    return model_file_load(path, model, error);
}

tanda_status model_file_looks_right(const char *path, bool *right, tanda_error *error) {
    file_view view;
    *right = false;
    if (pipe_is_named(path)) return TANDA_OK; /* it is read once */
    const tanda_status status = file_view_open(path, &view, error);
    *right = status == TANDA_OK && safetensors_looks_right(view.data, view.size);
    if (status == TANDA_OK) file_view_close(&view);
    return status == TANDA_BAD_INPUT ? TANDA_OK : status;
}
