/* Names of activations, kinds of layers, losses and tasks: one table each, made from the lists in kernels/, and their synonyms. */
#ifndef TANDA_MODEL_NAMES_H
#define TANDA_MODEL_NAMES_H

#include <stdbool.h>

#include "data/vocabulary.h"
#include "kernels/activation.h"
#include "kernels/loss.h"
#include "tanda.h"

/* ACTIVATION_IDENTITY, ACTIVATION_SIGMOID, ..., and the softmax, which only an output layer can have. */
typedef enum activation {
#define ACTIVATION_ENUM(name, NAME, FROM) ACTIVATION_##NAME,
    ACTIVATION_LIST(ACTIVATION_ENUM)
#undef ACTIVATION_ENUM
        ACTIVATION_SOFTMAX,
} activation;

/* The kinds of layers. X(name): its parameters are counted in model.c, its ops are in backend/plan_NAME.c. */
#define LAYER_KIND_LIST(X) X(dense)

typedef enum layer_kind {
#define LAYER_KIND_ENUM(name) LAYER_##name,
    LAYER_KIND_LIST(LAYER_KIND_ENUM)
#undef LAYER_KIND_ENUM
        LAYER_KIND_COUNT
} layer_kind;

/* " dense ...", for messages. */
#define LAYER_KIND_WORD(name) " " #name
#define LAYER_KINDS LAYER_KIND_LIST(LAYER_KIND_WORD)

/* " identity sigmoid ...", for messages: what hidden layers can have. */
#define ACTIVATION_WORD(name, NAME, FROM) " " #name
#define HIDDEN_ACTIVATIONS ACTIVATION_LIST(ACTIVATION_WORD)

/*
 * ", mae, huber ...", ", hinge ..." and ", kl_divergence ...", for messages: beside mse, for quantities alone and for
 * classes alone, and beside categorical_crossentropy.
 */
#define LOSS_WORD(name, NAME, op) ", " #name
#define QUANTITY_LOSSES QUANTITY_LOSS_LIST(LOSS_WORD)
#define MARGIN_LOSSES MARGIN_LOSS_LIST(LOSS_WORD)
#define ROW_LOSSES ROW_LOSS_LIST(LOSS_WORD)

/* What options and programs may say. The hidden layers' have no softmax; initialisers are known only to be told of. */
extern const vocabulary activation_words, hidden_activation_words, loss_words, task_words, initialiser_words;

/*
 * ..._from_name are of what files hold, the very names: false for an unknown one, which leaves the output as it was.
 */
const char *activation_name(activation activation);
bool activation_from_name(const char *name, activation *result);
/* Whether its derivative is computed from the logits, which then have to be kept apart from the output. */
bool activation_needs_logits(activation activation);
const char *layer_kind_name(layer_kind kind);
bool layer_kind_from_name(const char *name, layer_kind *result);
const char *loss_name(loss loss); /* "binary_crossentropy", ... */
bool loss_from_name(const char *name, loss *result);
const char *task_name(tanda_task task); /* "auto", "classes", "regression", "labels" */
bool task_from_name(const char *name, tanda_task *result);

#endif
