#include "model/model_compare.h"

#include <string.h>

#include "support/text.h"

static bool same_text(const char *a, const char *b) {
    return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static bool same_texts(char *const *a, char *const *b, size_t count) {
    if (a == NULL || b == NULL) return a == b;
    for (size_t i = 0; i < count; i++)
        if (!same_text(a[i], b[i])) return false;
    return true;
}

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

static bool same_loss_settings(const loss_settings *a, const loss_settings *b) {
    return a->huber_delta == b->huber_delta && a->label_smoothing == b->label_smoothing;
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
                same_texts(a->names, b->names, a->columns) &&
                a->missing_value_count == b->missing_value_count &&
                same_texts(a->missing_values, b->missing_values, a->missing_value_count);
    for (size_t i = 0; same && i < a->columns; i++) {
        const prepared_column *x = &a->of[i], *y = &b->of[i];
        same = x->category_count == y->category_count &&
               same_texts(x->categories, y->categories, x->category_count);
        if (same && x->category_count == 0 && a->fills_missing)
            same = same_reals(&x->mean, &y->mean, sizeof x->mean);
    }
    return same;
}

static bool same_classes(const tanda_model *model, const tanda_model *read) {
    if (model->class_count != read->class_count) return false;
    if (model->class_names != NULL || model->class_count == 0)
        return same_texts(model->class_names, read->class_names, model->class_count);
    for (size_t i = 0; i < read->class_count; i++) {
        char number[24];
        if (!text_fit(number, sizeof number, "%zu", i) || !same_text(number, read->class_names[i]))
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
        {"loss setting", same_loss_settings(&model->loss_settings, &read->loss_settings)},
        {"scaling", same_scaling(&model->scaling, &read->scaling)},
        {"target scaling", same_target_scaling(&model->target_scaling, &read->target_scaling)},
        {"preparation", same_preparation(&model->preparation, &read->preparation)},
        {"feature name", same_texts(model->feature_names, read->feature_names, model->features)},
        {"class name", same_classes(model, read)},
        {"target name", same_text(model->target_name, read->target_name)},
        {"target name", same_texts(model->target_names, read->target_names, targets)},
        {"settings", same_text(model->settings, read->settings)},
        {"weight", model->parameter_count == read->parameter_count &&
                       same_reals(model->parameters, read->parameters,
                                  model->parameter_count * sizeof *model->parameters)},
    };
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (!parts[i].same) return parts[i].what;
    return NULL;
}
