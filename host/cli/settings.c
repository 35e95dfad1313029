#include "cli/settings.h"

#include <string.h>

#include "data/place.h"
#include "support/json.h"

/* As they stand in the files: the names of the options, with _ for -. */
static const char *const keys[] = {
    /* the data */
    "data", "format", "header", "delimiter", "decimal", "comment", "skip_lines", "labels", "target",
    "sample_weight", "features", "ignore", "categorical", "missing", "missing_values", "drop_missing_targets",
    "unknown_category", "task", "scale", "scale_target", "validation", "validation_labels", "stratify",
    /* the model */
    "hidden", "activation", "output_activation", "loss", "huber_delta", "label_smoothing", "init",
    /* the optimizer and its schedule */
    "optimizer", "momentum", "beta1", "beta2", "rho", "epsilon", "initial_accumulator", "weight_decay", "l1",
    "l2", "clip_value", "clip_norm", "amsgrad", "centered", "history", "tolerance", "schedule",
    "warmup_steps", "decay_epochs", "decay_factor", "final_share", "cycle_rise", "cycle_start_divisor",
    "cycle_end_divisor", "plateau_patience", "plateau_cooldown", "plateau_min_delta", "plateau_min_rate",
    /* the training */
    "learning_rate", "epochs", "batch", "shuffle", "seed", "class_weight", "dropout", "input_dropout",
    "patience", "min_delta", "restore_best", "math", "gemm"};

#define KEYS (sizeof keys / sizeof keys[0])

static bool names_option(const char *key, const char *option) {
    for (; *key != '\0' && (*key == '_' ? '-' : *key) == *option; key++)
        option++;
    return *key == '\0' && *option == '\0';
}

bool settings_has_option(const char *name) {
    for (size_t i = 0; i < KEYS; i++)
        if (names_option(keys[i], name)) return true;
    return false;
}

static bool is_key(const char *text) {
    for (size_t i = 0; i < KEYS; i++)
        if (strcmp(keys[i], text) == 0) return true;
    return false;
}

const char *settings_stranger(const json_t *settings) {
    const char *key = NULL;
    json_t *value = NULL;
    json_object_foreach((json_t *)settings, key, value) if (!is_key(key)) return key;
    return NULL;
}

tanda_status settings_read(const char *path, const tanda_model *model, json_t **settings,
                           tanda_error *error) {
    char buffer[SHOWN_SIZE];
    if (model->settings == NULL)
        return fail(error, TANDA_BAD_INPUT, "%s: the model has no settings of its training", path);
    json_t *object = json_read(model->settings, strlen(model->settings), JSON_REJECT_DUPLICATES, NULL);
    if (object == NULL) return fail(error, TANDA_FAILED, "%s: out of memory for its settings", path);
    const char *stranger = settings_stranger(object);
    if (stranger == NULL) {
        *settings = object;
        return TANDA_OK;
    }
    fail(error, TANDA_BAD_INPUT,
         "%s: its settings hold '%s', which no training writes into a model; --config FILE.json takes any "
         "option",
         path, shown(stranger, strlen(stranger), buffer));
    json_decref(object);
    return TANDA_BAD_INPUT;
}
