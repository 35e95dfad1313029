#include "model/first_weights.h"

#include <stdlib.h>
#include <string.h>

#include "data/categories.h"
#include "data/place.h"
#include "model/model_file.h"
#include "model/state_dict.h"
#include "support/json.h"
#include "support/memory.h"

/* ---- the file ----------------------------------------------------------------------------------------- */

static tanda_status parse(first_weights *first, tanda_error *error) {
    const size_t failures = json_memory_failures();
    tanda_status status = safetensors_parse(first->path, first->view, &first->file, error);
    status = json_memory_check(failures, first->path, status, error);
    if (status != TANDA_OK || state_dict_is(&first->file)) return status;
    safetensors_close(&first->file);
    return model_file_parse(first->path, first->view, &first->model, error);
}

tanda_status first_weights_open(const char *path, const char *flag, first_weights *first,
                                tanda_error *error) {
    first_weights made = {.path = path, .flag = flag};
    tanda_status status = file_view_open(path, &made.view, error);
    if (status != TANDA_OK) return status;
    status = file_view_check(&made.view, parse(&made, error), error);
    if (made.model != NULL) file_view_close(&made.view);
    if (status == TANDA_OK)
        *first = made;
    else
        first_weights_close(&made);
    return status;
}

void first_weights_close(first_weights *first) {
    safetensors_close(&first->file);
    file_view_close(&first->view);
    tanda_model_free(first->model);
    *first = (first_weights){0};
}

/* What is wrong, with the file before it. */
static tanda_status tell(const first_weights *first, tanda_status status, const tanda_error *reason,
                         tanda_error *error) {
    if (status == TANDA_OK) return status;
    return fail(error, status, "%s%s: %s", first->flag, first->path, reason->message);
}

/* ---- the same names in another order ------------------------------------------------------------------------ */

typedef struct name_list {
    const char *what;   /* one of them, for messages: "feature" */
    char *const *names; /* count entries, or NULL: they go by position */
    size_t count;
} name_list;

static tanda_status collect(const name_list *list, text_set *set, tanda_error *error) {
    tanda_status status = text_set_begin(set, "names", error);
    for (size_t i = 0; status == TANDA_OK && i < list->count; i++) {
        const size_t length = strlen(list->names[i]);
        if (text_set_find(set, list->names[i], length) == TEXT_SET_NONE)
            status = text_set_add(set, list->names[i], length, "names", error);
    }
    return status;
}

/* The first name that the set has not, or NULL. */
static const char *first_stranger(const name_list *list, const text_set *set) {
    for (size_t i = 0; i < list->count; i++)
        if (text_set_find(set, list->names[i], strlen(list->names[i])) == TEXT_SET_NONE)
            return list->names[i];
    return NULL;
}

static tanda_status check(const name_list *theirs, const text_set *their_set, const name_list *ours,
                          const text_set *our_set, tanda_error *error) {
    char name[SHOWN_SIZE], first[SHOWN_SIZE];
    const char *stranger = first_stranger(theirs, our_set);
    if (stranger != NULL)
        return fail(error, TANDA_BAD_INPUT,
                    "its %s '%s' is none of this training's, such as '%s'; both must have the same names",
                    theirs->what, shown(stranger, strlen(stranger), name),
                    shown(ours->names[0], strlen(ours->names[0]), first));
    stranger = first_stranger(ours, their_set);
    if (stranger != NULL)
        return fail(error, TANDA_BAD_INPUT,
                    "this training's %s '%s' is none of its, such as '%s'; both must have the same names",
                    ours->what, shown(stranger, strlen(stranger), name),
                    shown(theirs->names[0], strlen(theirs->names[0]), first));
    if (their_set->count == theirs->count && our_set->count == ours->count) return TANDA_OK;
    return fail(error, TANDA_BAD_INPUT,
                "a name stands twice among the %ss, which are in another order here; names must differ",
                theirs->what);
}

/*
 * *from, to be freed, says for each of our names where it stands among theirs; NULL: position goes by position, as one
 * side has no names, or both have the same in the same order. TANDA_BAD_INPUT with the first of their names that we
 * lack, else the first of ours that they lack, else one that stands twice.
 */
static tanda_status name_order_find(const name_list *theirs, const name_list *ours, size_t **from,
                                    tanda_error *error) {
    text_set their_set = {0}, our_set = {0};
    *from = NULL;
    if (theirs->names == NULL || ours->names == NULL ||
        (theirs->count == ours->count && equal_texts(theirs->names, ours->names, ours->count)))
        return TANDA_OK;
    tanda_status status = collect(theirs, &their_set, error);
    if (status == TANDA_OK) status = collect(ours, &our_set, error);
    if (status == TANDA_OK) status = check(theirs, &their_set, ours, &our_set, error);
    if (status == TANDA_OK) {
        status = allocate(from, ours->count, sizeof **from, "names", error);
        for (size_t i = 0; status == TANDA_OK && i < ours->count; i++)
            (*from)[i] = text_set_find(&their_set, ours->names[i], strlen(ours->names[i]));
    }
    text_set_free(&their_set);
    text_set_free(&our_set);
    return status;
}

/* ---- names -------------------------------------------------------------------------------------------- */

tanda_status first_weights_preparation(const first_weights *first, const tanda_dataset *training,
                                       preparation *result, tanda_error *error) {
    const preparation *theirs = &first->model->preparation;
    const name_list their_names = {"column", theirs->names, theirs->columns};
    const name_list our_names = {"column", first->by_position ? NULL : training->feature_names,
                                 training->features};
    tanda_error reason = {0};
    size_t *from = NULL;
    tanda_status status = name_order_find(&their_names, &our_names, &from, &reason);
    if (status == TANDA_OK) status = preparation_copy(theirs, from, result, &reason);
    free(from);
    return tell(first, status, &reason, error);
}

/* Names of features that were made of columns without names are numbers, and go by position. */
static name_list feature_list(const tanda_model *model) {
    const bool named = model->preparation.columns == 0 || model->preparation.names != NULL;
    return (name_list){"feature", named ? model->feature_names : NULL, model->features};
}

/* What the outputs stand for. One target may have another name than the first model's. */
static name_list output_list(const tanda_model *model) {
    if (model->class_count > 0) return (name_list){"class", model->class_names, model->class_count};
    return (name_list){"target", model->target_names, model_targets(model)};
}

/* For each feature and output of ours the first model's, or NULL. */
typedef struct orders {
    size_t *inputs;
    size_t *outputs; /* (classes) for classes */
} orders;

/* In a dense layer inputs and outputs may change places; another kind may have its weights for pairs of them. */
static tanda_status check_movable(const tanda_model *model, const orders *orders, tanda_error *error) {
    const layer_kind first = model->layers[0].kind, last = model->layers[model->layer_count - 1].kind;
    if (orders->inputs != NULL && first != LAYER_dense)
        return fail(error, TANDA_BAD_INPUT,
                    "its features are in another order, which a layer %s cannot follow",
                    layer_kind_name(first));
    if (orders->outputs != NULL && last != LAYER_dense)
        return fail(error, TANDA_BAD_INPUT,
                    "its outputs are in another order, which a layer %s cannot follow",
                    layer_kind_name(last));
    return TANDA_OK;
}

static tanda_status find_orders(const first_weights *first, const tanda_model *model, orders *orders,
                                tanda_error *error) {
    const name_list their_features = feature_list(first->model), our_features = feature_list(model);
    const name_list their_outputs = output_list(first->model), our_outputs = output_list(model);
    if (first->by_position) return TANDA_OK;
    tanda_status status = name_order_find(&their_features, &our_features, &orders->inputs, error);
    if (status == TANDA_OK && strcmp(their_outputs.what, our_outputs.what) == 0)
        status = name_order_find(&their_outputs, &our_outputs, &orders->outputs, error);
    if (status == TANDA_OK) status = check_movable(model, orders, error);
    return status;
}

/* ---- weights and scaling ------------------------------------------------------------------------------ */

static tanda_status check_layers(const tanda_model *first, const tanda_model *model, tanda_error *error) {
    char theirs[SHAPE_SIZE], ours[SHAPE_SIZE];
    bool same = first->features == model->features && first->layer_count == model->layer_count;
    for (size_t i = 0; same && i < model->layer_count; i++)
        same = first->layers[i].kind == model->layers[i].kind &&
               first->layers[i].outputs == model->layers[i].outputs;
    if (same) return TANDA_OK;
    return fail(error, TANDA_BAD_INPUT, "its layers are %s, those of this training %s; they must be the same",
                model_shape(first, theirs), model_shape(model, ours));
}

/* inputs and outputs: where each of ours stands in the first layer, or NULL. */
static void copy_layer(const layer *layer, const float *first, const size_t *inputs, const size_t *outputs,
                       float *parameters) {
    for (size_t output = 0; output < layer->outputs; output++) {
        const size_t from = outputs == NULL ? output : outputs[output];
        const float *theirs = first + layer->weight + from * layer->fan_in;
        float *ours = parameters + layer->weight + output * layer->fan_in;
        for (size_t i = 0; i < layer->fan_in; i++)
            ours[i] = theirs[inputs == NULL ? i : inputs[i]];
        parameters[layer->bias + output] = first[layer->bias + from];
    }
}

/* The layers are known to be the same. */
static void copy_parameters(const tanda_model *first, const orders *orders, tanda_model *model) {
    const layer *last = &model->layers[model->layer_count - 1];
    const bool two_in_one = last->outputs == 1 && orders->outputs != NULL;
    for (const layer *layer = model->layers; layer <= last; layer++)
        copy_layer(layer, first->parameters, layer == model->layers ? orders->inputs : NULL,
                   layer == last && !two_in_one ? orders->outputs : NULL, model->parameters);
    if (two_in_one) {
        /* A single output f for two classes says the same of the other class as -f. -0 is not kept. */
        for (size_t i = 0; i < last->fan_in; i++)
            model->parameters[last->weight + i] = 0.0f - model->parameters[last->weight + i];
        model->parameters[last->bias] = 0.0f - model->parameters[last->bias];
    }
}

/* from: where each of our targets stands among the first model's, or NULL. */
static tanda_status take_target_scaling(const tanda_model *first, const size_t *from, tanda_model *model,
                                        tanda_error *error) {
    const target_scaling *theirs = &first->target_scaling;
    const activation output = model->layers[model->layer_count - 1].activation;
    target_scaling made = {.targets = theirs->targets};
    if (theirs->targets == 0) return TANDA_OK;
    tanda_status status = objective_check_target_scaling(output, model->loss, model->task, error);
    if (status == TANDA_OK) status = allocate(&made.mean, made.targets, sizeof(double), "scaling", error);
    if (status == TANDA_OK)
        status = allocate(&made.deviation, made.targets, sizeof(double), "scaling", error);
    for (size_t i = 0; status == TANDA_OK && i < made.targets; i++) {
        made.mean[i] = theirs->mean[from == NULL ? i : from[i]];
        made.deviation[i] = theirs->deviation[from == NULL ? i : from[i]];
    }
    if (status == TANDA_OK)
        model->target_scaling = made;
    else
        target_scaling_free(&made);
    return status;
}

static tanda_status take_model(const first_weights *first, bool with_scaling, bool with_target_scaling,
                               tanda_model *model, tanda_error *error) {
    orders orders = {0};
    tanda_status status = find_orders(first, model, &orders, error);
    if (status == TANDA_OK) status = check_layers(first->model, model, error);
    if (status == TANDA_OK && with_scaling)
        status = scaling_copy(&first->model->scaling, orders.inputs, &model->scaling, error);
    if (status == TANDA_OK && with_target_scaling)
        status = take_target_scaling(first->model, orders.outputs, model, error);
    if (status == TANDA_OK) copy_parameters(first->model, &orders, model);
    free(orders.inputs);
    free(orders.outputs);
    return status;
}

tanda_status first_weights_give(const first_weights *first, bool with_scaling, bool with_target_scaling,
                                tanda_model *model, tanda_error *error) {
    tanda_error reason = {0};
    tanda_status status = first->model != NULL
                              ? take_model(first, with_scaling, with_target_scaling, model, &reason)
                              : state_dict_read(&first->file, model, &reason);
    status = tell(first, status, &reason, error);
    return first->model != NULL ? status : file_view_check(&first->view, status, error);
}

tanda_status tanda_model_initialise_from(tanda_model *model, const char *path, tanda_error *error) {
    first_weights first = {0};
    tanda_status status = first_weights_open(path, "", &first, error);
    if (status != TANDA_OK) return status;
    scaling before = model->scaling;
    model->scaling = (scaling){0};
    status = first_weights_give(&first, true, model->target_scaling.targets == 0, model, error);
    if (status == TANDA_OK) {
        scaling_free(&before);
    } else {
        scaling_free(&model->scaling);
        model->scaling = before;
    }
    first_weights_close(&first);
    return status;
}
