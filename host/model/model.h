/*
 * A network of layers with everything needed to use it on new data: parameters, scaling, names.
 * Parameters are one vector in the order of the model file: per layer the weight as (outputs, fan_in)
 * row-major, then the bias; no padding. A backend packs them as it likes (backend/plan.h).
 */
#ifndef TANDA_MODEL_MODEL_H
#define TANDA_MODEL_MODEL_H

#include "data/preparation.h"
#include "data/scaling.h"
#include "model/objective.h"
#include "support/status.h"

typedef struct layer {
    layer_kind kind;
    size_t inputs;         /* values of a row that it is given, */
    size_t outputs;        /* and that it makes */
    size_t fan_in;         /* weights of each output: the weight is (outputs, fan_in) */
    activation activation; /* of the last layer: the output function */
    size_t weight;         /* offset of the weight in the parameters */
    size_t bias;           /* offset of the bias */
} layer;

struct tanda_model {
    size_t features;
    size_t layer_count;
    layer *layers;
    loss loss;
    loss_settings loss_settings;
    tanda_task task;         /* never TANDA_TASK_AUTO */
    char **feature_names;    /* features entries, or NULL */
    char *target_name;       /* of one target, or NULL */
    char **target_names;     /* of several, quantities or labels: model_outputs entries, or NULL */
    size_t class_count;      /* see model_classes */
    char **class_names;      /* class_count entries, or NULL */
    preparation preparation; /* from columns to features, before the scaling */
    scaling scaling;
    target_scaling target_scaling; /* of a regression; predictions are in the units of the data */
    size_t parameter_count;
    float *parameters;
    char *settings; /* the training's settings as a JSON object, or NULL */
};

/*
 * A model of layer_count layers with units[i] outputs each. kinds[i] is that of a layer; NULL: all are dense.
 * activations[i] is that of a layer, of the last one the output function. All parameters are zero, class_count is that of model_classes, and names, scaling and settings are empty.
 * Fails with TANDA_USAGE for a layer of 0 units or of a shape that its kind does not have, and for a loss that does not go with the output function, its units and
 * the task (objective_check); with TANDA_FAILED for sizes that overflow. Freed by tanda_model_free.
 */
tanda_status model_create(size_t features, size_t layer_count, const layer_kind *kinds, const size_t *units,
                          const activation *activations, loss loss, tanda_task task, tanda_model **model,
                          tanda_error *error);

/* Sets what the loss wants to know. Fails with TANDA_USAGE, as loss_settings_check. */
tanda_status model_set_loss(tanda_model *model, const loss_settings *settings, tanda_error *error);

/* kinds as above. False when the number of bytes would overflow; *count is then untouched. */
bool model_count_parameters(size_t features, size_t layer_count, const layer_kind *kinds, const size_t *units,
                            size_t *count);

/* Classes that the outputs stand for: 2 for one sigmoid, as many as softmax outputs, 0 for regression. */
size_t model_classes(const tanda_model *model);

/* Labels that have no names are called by their numbers, from 0. */
tanda_status model_name_labels(tanda_model *model, tanda_error *error);

/* Targets that a row has: the outputs of a regression or of several labels, else 1. */
size_t model_targets(const tanda_model *model);

/* Outputs of the last layer: 1 for binary classes through a sigmoid and for regression, else the classes. */
size_t model_outputs(const tanda_model *model);

/* "4 -> relu 8 -> softmax 3", cut when it does not fit. */
#define SHAPE_SIZE 160
const char *model_shape(const tanda_model *model, char buffer[SHAPE_SIZE]);

/*
 * Draws the weights with Philox (contract 10): uniform in +-limit, He (limit = sqrt(6 / fan_in)) for layers
 * whose activation is ReLU, else Glorot (limit = sqrt(6 / (fan_in + outputs))), as Keras. Biases become 0.
 * He et al. 2015 (arXiv 1502.01852), Glorot and Bengio 2010 (AISTATS 9).
 */
void model_initialise(tanda_model *model, uint64_t seed);

/* SHA-256 of the parameters as little-endian binary32, in their order. text has DIGEST_TEXT_SIZE bytes. */
void model_digest(const tanda_model *model, char *text);

#endif
