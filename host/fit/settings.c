#include "fit/settings.h"

#include <stdlib.h>
#include <string.h>

#include "data/dialect.h"
#include "data/place.h"
#include "data/synthetic.h"
#include "model/model_file.h"
#include "support/json.h"
#include "support/memory.h"
#include "support/text.h"
#include "train/optimizer.h"
#include "train/order.h"
#include "train/schedule.h"

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
    "learning_rate", "epochs", "batch", "shuffle", "shuffle_block", "shuffle_window", "seed", "class_weight",
    "dropout", "input_dropout", "patience", "min_delta", "restore_best", "math", "gemm"};

#define KEYS (sizeof keys / sizeof keys[0])

bool settings_has_option(const char *name) {
    for (size_t i = 0; i < KEYS; i++) {
        const char *key = keys[i], *at = name;
        for (; *key != '\0' && (*key == '_' ? '-' : *key) == *at; key++)
            at++;
        if (*key == '\0' && *at == '\0') return true;
    }
    return false;
}

static bool is_key(const char *text) {
    for (size_t i = 0; i < KEYS; i++)
        if (strcmp(keys[i], text) == 0) return true;
    return false;
}

/* The first key of an object that is none of a training's, or NULL. */
static const char *find_stranger(const json_t *settings) {
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
    const char *stranger = find_stranger(object);
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

/* ---- writing ------------------------------------------------------------------------------------------- */

static void put_texts(json_builder *settings, const char *key, const char *const *texts, size_t count) {
    if (count > 0) json_put(settings, key, json_texts((char *const *)texts, count));
}

static void put_paths(const tanda_fit_options *options, json_builder *settings) {
    const tanda_dataset_options *reading = options->reading;
    if (reading->more_count == 0) {
        json_put_text(settings, "data", options->data);
        return;
    }
    json_builder paths = json_array_begin();
    json_push(&paths, json_text(options->data));
    for (size_t i = 0; i < reading->more_count; i++)
        json_push(&paths, json_text(reading->more_files[i]));
    json_put(settings, "data", json_end(&paths));
}

/* The header's name always, the others where they were given. */
static void put_dialect(const tanda_dataset_options *reading, json_builder *settings) {
    json_put_text(settings, "header", header_names[reading->header]);
    if (reading->delimiter != '\0')
        json_put_text(settings, "delimiter", dialect_delimiter_name(reading->delimiter));
    if (reading->decimal != '\0') json_put_text(settings, "decimal", dialect_decimal_name(reading->decimal));
    if (reading->comment != NULL)
        json_put_text(settings, "comment", reading->comment[0] == '\0' ? "none" : reading->comment);
    if (reading->skip_lines > 0) json_put_count(settings, "skip_lines", reading->skip_lines);
}

/* The target's name where the file has names, as the default is then a column like another. */
static const char *target_setting(const tanda_fit_options *options, const tanda_dataset *training) {
    const tanda_dataset_options *reading = options->reading;
    if (reading->target != NULL || reading->labels != NULL) return reading->target;
    for (size_t i = 0; training->target_name != NULL && i < training->features; i++)
        if (training->feature_names != NULL && strcmp(training->feature_names[i], training->target_name) == 0)
            return NULL; /* two columns of one name: the name would be refused */
    return synthetic_is_named(options->data) ? NULL : training->target_name;
}

static void put_data(const tanda_fit_options *options, const tanda_dataset *training,
                     const tanda_model *model, json_builder *settings) {
    const tanda_dataset_options *reading = options->reading;
    const double fraction = options->validation_fraction;
    put_paths(options, settings);
    json_put_text(settings, "format", reading->format == NULL ? "auto" : reading->format);
    put_dialect(reading, settings);
    json_put_text(settings, "labels", reading->labels);
    json_put_text(settings, "target", target_setting(options, training));
    if (reading->drop_missing_targets) json_put(settings, "drop_missing_targets", json_true());
    json_put_text(settings, "sample_weight", reading->sample_weight);
    put_texts(settings, "features", reading->features, reading->feature_count);
    put_texts(settings, "ignore", reading->ignore, reading->ignore_count);
    if (reading->categorical_auto) json_put_text(settings, "categorical", "auto");
    put_texts(settings, "categorical", reading->categorical, reading->categorical_count);
    json_put_text(settings, "missing", missing_names[reading->missing]);
    put_texts(settings, "missing_values", reading->missing_values, reading->missing_value_count);
    json_put_text(settings, "unknown_category", reading->unknown == TANDA_UNKNOWN_ZERO ? "zero" : "refuse");
    json_put_text(settings, "task", task_name(training->task));
    if (options->init == NULL || options->has_scale) /* else the scaling comes with the first weights */
        json_put_text(settings, "scale", scaling_name(model->scaling.kind));
    if (options->init == NULL ? model->target_scaling.targets > 0 : options->has_scale_target)
        json_put_text(settings, "scale_target", scaling_name(options->scale_target));
    json_put_text(settings, "validation", options->validation);
    json_put_text(settings, "validation_labels", options->validation_labels);
    if (fraction > 0.0) json_put_real(settings, "validation", fraction);
    if (fraction > 0.0 && model->task == TANDA_TASK_CLASSES)
        json_put_text(settings, "stratify", options->stratify == TANDA_STRATIFY_NO ? "no" : "yes");
}

static void put_model(const tanda_fit_options *options, const tanda_model *model, json_builder *settings) {
    const loss_settings *of_loss = &model->loss_settings;
    json_builder hidden = json_array_begin(), activations = json_array_begin();
    const layer *last = &model->layers[model->layer_count - 1];
    for (const layer *layer = model->layers; layer < last; layer++) {
        json_push(&hidden, json_integer((json_int_t)layer->outputs));
        json_push(&activations, json_string(activation_name(layer->activation)));
    }
    json_put(settings, "hidden", json_end(&hidden));
    json_put(settings, "activation", json_end(&activations));
    json_put_text(settings, "output_activation", activation_name(last->activation));
    json_put_text(settings, "loss", loss_name(model->loss));
    if (model->loss == LOSS_HUBER)
        json_put_real(settings, "huber_delta", of_loss->huber_delta == 0.0 ? 1.0 : of_loss->huber_delta);
    if (of_loss->label_smoothing != 0.0) json_put_real(settings, "label_smoothing", of_loss->label_smoothing);
    json_put_text(settings, "init", options->init);
}

/* An option's key is its name with _ for -. */
static void put_number(json_builder *settings, const char *name, bool is_count, double value) {
    char key[40];
    text_put(key, sizeof key, "%s", name);
    text_replace(key, '-', '_');
    if (is_count)
        json_put_count(settings, key, (uint64_t)value);
    else
        json_put_real(settings, key, value);
}

static void put_optimizer(const tanda_train_options *options, json_builder *settings) {
    tanda_optimizer_options optimizer = options->optimizer;
    const tanda_schedule_options *schedule = &options->schedule;
    json_put_text(settings, "optimizer", optimizer_name(optimizer.kind));
    for (size_t i = 0; i < optimizer_constant_count; i++)
        if (optimizer_has(optimizer.kind, &optimizer_constants[i]))
            put_number(settings, optimizer_constants[i].name, false,
                       *constant_of(&optimizer, &optimizer_constants[i]));
    if (optimizer.kind == TANDA_OPTIMIZER_ADAM || optimizer.kind == TANDA_OPTIMIZER_ADAMW)
        json_put(settings, "amsgrad", json_boolean(optimizer.amsgrad));
    if (optimizer.kind == TANDA_OPTIMIZER_RMSPROP)
        json_put(settings, "centered", json_boolean(optimizer.centered));
    json_put_text(settings, "schedule", schedule_name(schedule->kind));
    for (size_t i = 0; i < schedule_member_count; i++)
        if (schedule_has(schedule->kind, &schedule_members[i]))
            put_number(settings, schedule_members[i].name, schedule_members[i].is_count,
                       schedule_value(schedule, &schedule_members[i]));
    if (optimizer.kind != TANDA_OPTIMIZER_LBFGS)
        json_put_real(settings, "learning_rate", options->learning_rate);
}

double settings_dropout(const tanda_fit_options *options, size_t layer) {
    if (layer == 0) return options->input_dropout;
    return options->dropout_count == 0 ? 0.0 : options->dropout[options->dropout_count == 1 ? 0 : layer - 1];
}

static void put_dropout(const tanda_fit_options *options, size_t hidden, json_builder *settings) {
    json_builder rates = json_array_begin();
    for (size_t layer = 1; layer <= hidden; layer++)
        json_push(&rates, json_real(settings_dropout(options, layer)));
    json_t *array = json_end(&rates);
    if (hidden > 0)
        json_put(settings, "dropout", array);
    else
        json_decref(array);
    json_put_real(settings, "input_dropout", options->input_dropout);
}

static void put_class_weights(const tanda_fit_options *options, json_builder *settings) {
    if (options->balance_classes) json_put_text(settings, "class_weight", "balanced");
    if (options->balance_classes || options->weighted_class_count == 0) return;
    json_builder weights = json_array_begin();
    for (size_t i = 0; i < options->weighted_class_count; i++) { /* NAME=W with all the digits of W */
        char *text = NULL;
        if (asprintf(&text, "%s=%.17g", options->weighted_classes[i], options->class_weights[i]) < 0)
            text = NULL;
        json_push(&weights, text == NULL ? NULL : json_text(text));
        free(text);
    }
    json_put(settings, "class_weight", json_end(&weights));
}

static void put_training(const tanda_fit_options *options, json_builder *settings) {
    static const char *const gemms[] = {
        [TANDA_GEMM_AUTO] = "auto", [TANDA_GEMM_TANDA] = "tanda", [TANDA_GEMM_CLBLAST] = "clblast"};
    const tanda_train_options *train = options->training;
    put_optimizer(train, settings);
    json_put_count(settings, "epochs", train->epochs);
    if (train->batch_rows == 0)
        json_put_text(settings, "batch", "full");
    else
        json_put_count(settings, "batch", train->batch_rows);
    json_put_text(settings, "shuffle", shuffle_names[shuffle_asked(train)]);
    if (train->shuffle_block > 0) json_put_count(settings, "shuffle_block", train->shuffle_block);
    if (train->shuffle_window > 0) json_put_count(settings, "shuffle_window", train->shuffle_window);
    json_put_count(settings, "seed", train->seed);
    put_class_weights(options, settings);
    put_dropout(options, options->model->hidden_count, settings);
    json_put_count(settings, "patience", train->patience);
    json_put_real(settings, "min_delta", train->min_delta);
    json_put_text(settings, "restore_best", train->restore_best ? "yes" : "no");
    json_put_text(settings, "math", train->math == TANDA_MATH_FAST ? "fast" : "exact");
    if (train->math == TANDA_MATH_FAST) json_put_text(settings, "gemm", gemms[train->gemm]);
}

tanda_status settings_write(const tanda_fit_options *options, const tanda_dataset *training,
                            tanda_model *model, tanda_error *error) {
    json_builder settings = json_object_begin();
    put_data(options, training, model, &settings);
    put_model(options, model, &settings);
    put_training(options, &settings);
    const char *stranger = find_stranger(settings.object);
    tanda_status status = TANDA_OK;
    if (stranger != NULL)
        status = fail(error, TANDA_FAILED, "'%s' is none of the keys of host/fit/settings.c", stranger);
    else if (settings.failed || (model->settings = json_write_shortest(settings.object)) == NULL)
        status = fail(error, TANDA_FAILED, "out of memory while noting the settings");
    json_drop(&settings);
    return status;
}

/* Where something lies, which may be elsewhere now, and what may be raised. */
static bool may_differ(const char *key, const json_t *theirs, const json_t *ours) {
    static const char *const keys[] = {"data", "labels", "validation_labels", "init", "epochs"};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (strcmp(keys[i], key) == 0) return true;
    /* What is not asked for is the checkpoint's own. */
    if (strncmp(key, "scale", 5) == 0 && ours == NULL) return true;
    /* --validation FILE against FILE. */
    return strcmp(key, "validation") == 0 && json_is_string(theirs) && json_is_string(ours);
}

/* A value as a flag would have it, to be freed. */
static tanda_status value_text(const json_t *value, char **text, tanda_error *error) {
    if (value == NULL) return copy_text(text, "not given", error);
    if (json_is_string(value)) return copy_text(text, json_string_value(value), error);
    *text = json_write(value, JSON_ENCODE_ANY | JSON_COMPACT | JSON_REAL_PRECISION(9));
    return *text != NULL ? TANDA_OK : fail(error, TANDA_FAILED, "no memory for the text of a setting");
}

static tanda_status fail_different(const char *checkpoint, const char *key, const json_t *theirs,
                                   const json_t *ours, tanda_error *error) {
    char flag[64], *there = NULL, *here = NULL;
    size_t length = 0;
    for (; key[length] != '\0' && length + 1 < sizeof flag; length++)
        flag[length] = key[length] == '_' ? '-' : key[length];
    flag[length] = '\0';
    tanda_status status = value_text(theirs, &there, error);
    if (status == TANDA_OK) status = value_text(ours, &here, error);
    if (status == TANDA_OK)
        status = fail(error, TANDA_USAGE, "--%s: %s here, but %s in the checkpoint %s; the bits would differ",
                      flag, here, there, checkpoint);
    free(there);
    free(here);
    return status;
}

/* The keys of `from`, each of which the other must have as well. */
static tanda_status compare(const char *checkpoint, json_t *theirs, json_t *ours, json_t *from,
                            tanda_error *error) {
    const char *key = NULL;
    json_t *value = NULL;
    json_object_foreach(from, key, value) {
        const json_t *there = json_object_get(theirs, key), *here = json_object_get(ours, key);
        if (!may_differ(key, there, here) && !json_equal(there, here))
            return fail_different(checkpoint, key, there, here, error);
    }
    return TANDA_OK;
}

static tanda_status take_over(json_t *theirs, json_t *ours, tanda_model *model, tanda_error *error) {
    json_t *epochs = json_object_get(ours, "epochs");
    json_builder all = {.object = theirs};
    if (epochs != NULL) json_put(&all, "epochs", json_incref(epochs));
    char *text = all.failed ? NULL : json_write_shortest(theirs);
    if (text == NULL) return fail(error, TANDA_FAILED, "out of memory while noting the settings");
    free(model->settings);
    model->settings = text;
    return TANDA_OK;
}

tanda_status resume_settings(const char *checkpoint, tanda_model *model, tanda_error *error) {
    tanda_model *saved = NULL;
    const size_t failures = json_memory_failures();
    tanda_status status = model_file_load(checkpoint, &saved, error);
    if (status != TANDA_OK) return status;
    json_t *theirs =
        saved->settings == NULL ? NULL : json_read(saved->settings, strlen(saved->settings), 0, NULL);
    json_t *ours =
        model->settings == NULL ? NULL : json_read(model->settings, strlen(model->settings), 0, NULL);
    if (theirs != NULL && ours != NULL) { /* a checkpoint of the library need have none */
        status = compare(checkpoint, theirs, ours, ours, error);
        if (status == TANDA_OK) status = compare(checkpoint, theirs, ours, theirs, error);
        if (status == TANDA_OK) status = take_over(theirs, ours, model, error);
    }
    json_decref(theirs);
    json_decref(ours);
    tanda_model_free(saved);
    return json_memory_check(failures, checkpoint, status, error);
}
