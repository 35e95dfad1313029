#include "model/names.h"

#include <string.h>

/* ---- activations -------------------------------------------------------------------------------------- */

static const char *const activation_names[] = {
#define ACTIVATION_NAME(name, NAME, FROM) [ACTIVATION_##NAME] = #name,
    ACTIVATION_LIST(ACTIVATION_NAME)
#undef ACTIVATION_NAME
        [ACTIVATION_SOFTMAX] = "softmax",
};

/* Celu is elu at their default alpha, 1; PyTorch's softplus is ours to the last bit of binary32. */
static const synonym activation_synonyms[] = {
    {"linear", "identity", NULL},
    {"none", "identity", NULL},
    {"logistic", "sigmoid", NULL},
    {"silu", "swish", NULL},
    {"celu", "elu", NULL},
    {"exp", "exponential", NULL},
    {"leaky_relu", NULL,
     "below 0 the slope is 0.2 here, as in keras.activations, but 0.01 in PyTorch and 0.3 in Keras's layer, "
     "and no option changes it; leaky_relu takes 0.2"},
    {"log_softmax", NULL, "the cross-entropies take the logarithm themselves; the output before is softmax"},
};

const vocabulary activation_words = WORDS_OF(activation_names, activation_synonyms);
const vocabulary hidden_activation_words = {activation_names, ACTIVATION_SOFTMAX, activation_synonyms,
                                            sizeof activation_synonyms / sizeof *activation_synonyms};

const char *activation_name(activation activation) {
    return activation_names[activation];
}

bool activation_from_name(const char *name, activation *result) {
    const size_t index = vocabulary_index(&activation_words, name);
    if (index == activation_words.count) return false;
    *result = (activation)index;
    return true;
}

bool activation_needs_logits(activation activation) {
    enum { FROM_OUTPUT = false, FROM_LOGITS = true };
#define ACTIVATION_FROM(name, NAME, FROM) [ACTIVATION_##NAME] = FROM_##FROM,
    static const bool needs[] = {ACTIVATION_LIST(ACTIVATION_FROM)[ACTIVATION_SOFTMAX] = false};
#undef ACTIVATION_FROM
    return needs[activation];
}

/* ---- kinds of layers ---------------------------------------------------------------------------------- */

static const char *const layer_kind_names[LAYER_KIND_COUNT] = {
#define LAYER_KIND_NAME(name) [LAYER_##name] = #name,
    LAYER_KIND_LIST(LAYER_KIND_NAME)
#undef LAYER_KIND_NAME
};

const char *layer_kind_name(layer_kind kind) {
    return layer_kind_names[kind];
}

bool layer_kind_from_name(const char *name, layer_kind *result) {
    for (size_t i = 0; i < LAYER_KIND_COUNT; i++)
        if (strcmp(layer_kind_names[i], name) == 0) {
            *result = (layer_kind)i;
            return true;
        }
    return false;
}

/* ---- losses ------------------------------------------------------------------------------------------- */

static const char *const loss_names[LOSS_COUNT] = {
#define LOSS_NAME(name, NAME, op) [LOSS_##NAME] = #name,
    LOSS_LIST(LOSS_NAME)
#undef LOSS_NAME
};

/* SmoothL1Loss is huber at their default beta and delta, 1. */
static const synonym loss_synonyms[] = {
    {"bce", "binary_crossentropy", NULL},
    {"bce_loss", "binary_crossentropy", NULL},
    {"bce_with_logits_loss", "binary_crossentropy", NULL},
    {"binary_cross_entropy_with_logits", "binary_crossentropy", NULL},
    {"multi_label_soft_margin_loss", "binary_crossentropy", NULL},
    {"sparse_categorical_crossentropy", "categorical_crossentropy", NULL},
    {"cross_entropy", "categorical_crossentropy", NULL},
    {"cross_entropy_loss", "categorical_crossentropy", NULL},
    {"nll_loss", "categorical_crossentropy", NULL},
    {"mean_squared_error", "mse", NULL},
    {"mse_loss", "mse", NULL},
    {"mean_absolute_error", "mae", NULL},
    {"absolute_error", "mae", NULL},
    {"l1_loss", "mae", NULL},
    {"huber_loss", "huber", NULL},
    {"smooth_l1_loss", "huber", NULL},
    {"kld", "kl_divergence", NULL},
    {"kullback_leibler_divergence", "kl_divergence", NULL},
    {"squared_error", NULL,
     "scikit-learn's is half of mse; mse with half the --learning-rate and twice the --l1 and --l2 takes "
     "the same steps of sgd"},
    {"log_loss", NULL,
     "this is binary_crossentropy of two classes and categorical_crossentropy of more; without --loss it is "
     "the one that fits"},
    {"root_mean_squared_error", NULL, "the root is least where mse is; train by mse"},
    {"rmse", NULL, "the root is least where mse is; train by mse"},
    {"kl_div", NULL,
     "PyTorch's mean divides by the classes, too; its reduction='batchmean' is kl_divergence"},
    {"kl_div_loss", NULL,
     "PyTorch's mean divides by the classes, too; its reduction='batchmean' is kl_divergence"},
    {"poisson_nll_loss", NULL,
     "Keras adds 1e-7 in the logarithm, PyTorch nothing; Keras's is poisson, with an exponential output as "
     "log_input=True"},
    {"categorical_hinge", NULL,
     "Keras's holds the true class against the strongest other; hinge holds each class against the rest"},
};

const vocabulary loss_words = WORDS_OF(loss_names, loss_synonyms);

const char *loss_name(loss loss) {
    return loss_names[loss];
}

bool loss_from_name(const char *name, loss *result) {
    const size_t index = vocabulary_index(&loss_words, name);
    if (index == loss_words.count) return false;
    *result = (loss)index;
    return true;
}

/* ---- tasks -------------------------------------------------------------------------------------------- */

static const char *const task_names[] = {
    [TANDA_TASK_AUTO] = "auto",
    [TANDA_TASK_CLASSES] = "classes",
    [TANDA_TASK_REGRESSION] = "regression",
    [TANDA_TASK_LABELS] = "labels",
};

static const synonym task_synonyms[] = {
    {"classification", "classes", NULL},
    {"classifier", "classes", NULL},
    {"binary", "classes", NULL},
    {"binary_classification", "classes", NULL},
    {"multiclass", "classes", NULL},
    {"multiclass_classification", "classes", NULL},
    {"regressor", "regression", NULL},
    {"multilabel", "labels", NULL},
    {"multilabel_classification", "labels", NULL},
    {"multilabel_indicator", "labels", NULL},
};

const vocabulary task_words = WORDS_OF(task_names, task_synonyms);

const char *task_name(tanda_task task) {
    return task_names[task];
}

bool task_from_name(const char *name, tanda_task *result) {
    const size_t index = vocabulary_index(&task_words, name);
    if (index == task_words.count) return false;
    *result = (tanda_task)index;
    return true;
}

/* ---- first weights ------------------------------------------------------------------------------------ */

#define DRAWN \
    "--init takes a model's file; without it weights are drawn by glorot_uniform, those of relu layers by " \
    "he_uniform, and biases begin at 0"

static const char *const no_names[1];
static const synonym initialiser_synonyms[] = {
    {"glorot_uniform", NULL, DRAWN},
    {"glorot_normal", NULL, DRAWN},
    {"xavier_uniform", NULL, DRAWN},
    {"xavier_normal", NULL, DRAWN},
    {"he_uniform", NULL, DRAWN},
    {"he_normal", NULL, DRAWN},
    {"kaiming_uniform", NULL, DRAWN},
    {"kaiming_normal", NULL, DRAWN},
    {"lecun_uniform", NULL, DRAWN},
    {"lecun_normal", NULL, DRAWN},
    {"random_uniform", NULL, DRAWN},
    {"random_normal", NULL, DRAWN},
    {"uniform", NULL, DRAWN},
    {"normal", NULL, DRAWN},
    {"trunc_normal", NULL, DRAWN},
    {"truncated_normal", NULL, DRAWN},
    {"variance_scaling", NULL, DRAWN},
    {"orthogonal", NULL, DRAWN},
    {"zeros", NULL, DRAWN},
    {"ones", NULL, DRAWN},
};

const vocabulary initialiser_words = {no_names, 0, initialiser_synonyms,
                                      sizeof initialiser_synonyms / sizeof *initialiser_synonyms};
