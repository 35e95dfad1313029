#include "fit/fit.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "data/place.h"
#include "data/synthetic.h"
#include "fit/settings.h"
#include "model/row_stream.h"
#include "support/memory.h"
#include "support/options.h"
#include "support/text.h"
#include "train/checkpoint_file.h"
#include "train/order.h"
#include "train/train.h"

/* ---- options -------------------------------------------------------------------------------------------- */

void tanda_train_defaults(tanda_optimizer kind, tanda_train_options *options) {
    const bool is_lbfgs = kind == TANDA_OPTIMIZER_LBFGS;
    options->epochs = is_lbfgs ? FIT_ITERATIONS : FIT_EPOCHS;
    options->batch_rows = is_lbfgs ? 0 : FIT_BATCH;
    options->learning_rate = tanda_optimizer_learning_rate(kind);
    options->optimizer = tanda_optimizer_defaults(kind);
}

static tanda_status check_layers(const tanda_fit_options *options, tanda_error *error) {
    const size_t layers = options->model->hidden_count, activations = options->model->activation_count;
    const size_t rates = options->dropout_count;
    if (activations > 0 && layers == 0)
        return fail(error, TANDA_USAGE,
                    "--activation is for hidden layers and there is none; give --hidden UNITS");
    if (activations > 1 && activations != layers)
        return fail(error, TANDA_USAGE,
                    "--activation: %zu names for %zu hidden layers; give one, or one per layer", activations,
                    layers);
    if (rates > 0 && layers == 0)
        return fail(error, TANDA_USAGE,
                    "--dropout is for hidden layers and there is none; give --hidden UNITS, or "
                    "--input-dropout for the features");
    if (rates > 1 && rates != layers)
        return fail(error, TANDA_USAGE,
                    "--dropout: %zu rates for %zu hidden layers; give one, or one per layer", rates, layers);
    return TANDA_OK;
}

tanda_status fit_options_check(const tanda_fit_options *options, tanda_error *error) {
    const char *validation = options->validation;
    const double fraction = options->validation_fraction;
    if (options->data == NULL) return fail(error, TANDA_USAGE, "--data: NULL; name the rows to train on");
    if (options->validation_labels != NULL && validation == NULL)
        return fail(error, TANDA_USAGE, "--validation-labels goes with --validation FILE");
    if (options->reading->labels != NULL && validation != NULL && options->validation_labels == NULL &&
        strcasestr(validation, ".npz") == NULL)
        return fail(error, TANDA_USAGE,
                    "--validation %s needs --validation-labels FILE, as --data needs --labels", validation);
    if (fraction != 0.0 && (validation != NULL || !(fraction > 0.0 && fraction < 1.0)))
        return fail(error, TANDA_USAGE,
                    "--validation: %g is no fraction between 0 and 1, such as 0.2, or a file is given, too",
                    fraction);
    if (options->init != NULL && options->training->resume != NULL)
        return fail(error, TANDA_USAGE,
                    "--init and --resume both say where the weights come from; give one of them");
    return check_layers(options, error);
}

tanda_status fit_begin(const tanda_fit_options *given, fit *fit, tanda_error *error) {
    tanda_fit_options *options = &fit->options;
    *fit = (struct fit){0};
    tanda_status status = TAKE_OPTIONS(tanda_fit_options, given, options, error);
    if (status == TANDA_OK)
        status = TAKE_OPTIONS(tanda_dataset_options, options->reading, &fit->reading, error);
    if (status == TANDA_OK) status = TAKE_OPTIONS(tanda_model_options, options->model, &fit->layers, error);
    if (status == TANDA_OK) status = TAKE_OPTIONS(tanda_train_options, options->training, &fit->train, error);
    if (status != TANDA_OK) return status;
    status = TAKE_OPTIONS(tanda_device_options, options->fall_back, &fit->fall_back, error);
    if (status != TANDA_OK) return status;
    if (options->training == NULL) tanda_train_defaults(TANDA_OPTIMIZER_SGD, &fit->train);
    options->reading = &fit->reading;
    options->model = &fit->layers;
    options->training = &fit->train;
    return fit_options_check(options, error);
}

/* ---- data ----------------------------------------------------------------------------------------------- */

/* A checkpoint that is gone on from has its own, stricter checks. */
static tanda_status open_first(fit *fit, tanda_error *error) {
    const char *init = fit->options.init, *remark = NULL;
    const bool resumes = fit->checkpoint != NULL;
    size_t index = 0;
    if (access(init, F_OK) != 0 && vocabulary_find(&initialiser_words, init, &index, &remark) == WORD_DIFFERS)
        return fail(error, TANDA_USAGE, "--init: %s is no file, and %s", init, remark);
    const tanda_status status =
        first_weights_open(init, resumes ? "--resume " : "--init ", &fit->first_file, error);
    fit->first_file.by_position = resumes;
    fit->first = &fit->first_file;
    return status;
}

/*
 * Columns are kept as distances from the first weights' model's origins where its scaling holds, and else from their
 * own unless nothing is scaled, as with a state_dict.
 */
static tanda_status load_training(fit *fit, tanda_error *error) {
    const tanda_fit_options *options = &fit->options;
    const first_weights *first = options->has_scale ? NULL : fit->first;
    tanda_dataset_options keeping = fit->reading;
    keeping.keep_origins =
        options->has_scale ? options->scale != TANDA_SCALE_NONE : first == NULL || first->model != NULL;
    if (first == NULL || first->model == NULL)
        return tanda_dataset_load(options->data, &keeping, &fit->training, error);
    dataset_expectation origins = model_expect(first->model);
    if (first->by_position) origins.feature_names = NULL;
    return dataset_load_from_origins(options->data, &keeping, &origins, &fit->training, error);
}

tanda_status fit_by_class(const fit *fit, bool *by_class, tanda_error *error) {
    const tanda_task task = fit->training->task;
    if (fit->options.stratify == TANDA_STRATIFY_YES && task != TANDA_TASK_CLASSES)
        return fail(error, TANDA_USAGE, "--stratify: %s; only classes can be stratified",
                    task == TANDA_TASK_LABELS ? "there are several labels a row"
                                              : "the target is a quantity");
    *by_class = task == TANDA_TASK_CLASSES && fit->options.stratify != TANDA_STRATIFY_NO;
    return TANDA_OK;
}

/* Of first weights, the model says which categories there are. */
bool fit_may_lack(const fit *fit) {
    return fit->options.init == NULL && !raw_columns_are_features(&fit->training->raw);
}

tanda_status fit_note_lacks(fit *fit, lacks *lacks, tanda_status status, tanda_error *error) {
    const bool accepted = status != TANDA_OK || fit->reading.unknown == TANDA_UNKNOWN_ZERO;
    const tanda_status ended =
        lacks_end(lacks, fit->options.data, accepted, &fit->lack_note, status == TANDA_OK ? error : NULL);
    return status == TANDA_OK ? ended : status;
}

static tanda_status hold_out(fit *fit, tanda_error *error) {
    bool by_class = false;
    tanda_status status = fit_by_class(fit, &by_class, error);
    if (status != TANDA_OK) return status;
    tanda_dataset *all = fit->training;
    fit->training = NULL;
    status = dataset_split(all, fit->options.validation_fraction, by_class, fit->train.seed, &fit->training,
                           &fit->validation, error);
    tanda_dataset_free(all);
    if (status != TANDA_OK || !fit_may_lack(fit)) return status;
    lacks lacks;
    status = lacks_begin(&lacks, error);
    if (status == TANDA_OK) status = lacks_find(&lacks, fit->training, fit->validation, 0, error);
    return fit_note_lacks(fit, &lacks, status, error);
}

static tanda_status load_validation(fit *fit, tanda_error *error) {
    const tanda_fit_options *options = &fit->options;
    if (options->validation != NULL) {
        const dataset_expectation expected = dataset_expect(fit->training);
        tanda_dataset_options reading = fit->reading;
        reading.labels = options->validation_labels;
        reading.more_count = 0;
        reading.validation = true;
        return dataset_load(options->validation, &reading, &expected, &fit->validation, error);
    }
    if (options->validation_fraction != 0.0) return hold_out(fit, error);
    return synthetic_is_named(options->data)
               ? synthetic_load(options->data, &fit->reading, NULL, true, &fit->validation, error)
               : TANDA_OK;
}

tanda_status fit_load(fit *fit, tanda_error *error) {
    const tanda_task asked = fit->reading.task;
    size_t loss = 0;
    if (fit->layers.loss != NULL && vocabulary_value(&loss_words, fit->layers.loss, &loss))
        objective_decide((enum loss)loss, &fit->reading);
    fit->task_note = fit->reading.task == asked ? "as asked" : "as the loss";
    tanda_status status = fit->options.init != NULL ? open_first(fit, error) : TANDA_OK;
    if (status == TANDA_OK) status = load_training(fit, error);
    if (status == TANDA_OK && fit->whole_for != NULL)
        status = dataset_in_memory(fit->training, fit->whole_for, error);
    if (status == TANDA_OK && fit->wants_doubts) status = columns_check(fit->training, &fit->doubtful, error);
    if (status != TANDA_OK) return status;
    fit->dropped = fit->training->dropped;
    status = load_validation(fit, error);
    /* Before any pass over rows that are too many. */
    return status == TANDA_OK ? order_fits(&fit->train, fit->training, error) : status;
}

/* ---- columns and scaling -------------------------------------------------------------------------------- */

/* The features of the first weights' model are what its preparation makes, if it has one. */
static tanda_status fit_preparation(const fit *fit, preparation *result, tanda_error *error) {
    const first_weights *first = fit->first;
    const bool zero = fit->reading.unknown == TANDA_UNKNOWN_ZERO;
    const bool is_prepared = first != NULL && first->model != NULL && first->model->preparation.columns > 0;
    if (!is_prepared || raw_columns_are_features(&fit->training->raw))
        return preparation_fit(fit->training, zero, result, error);
    const tanda_status status = first_weights_preparation(first, fit->training, result, error);
    if (status == TANDA_OK && fit->reading.unknown != TANDA_UNKNOWN_AUTO) result->zero_unknown = zero;
    return status;
}

/* The model with its first weights, for rows that it has prepared. */
static tanda_status begin_model(fit *fit, tanda_error *error) {
    preparation made = {0};
    tanda_status status = fit_preparation(fit, &made, error);
    if (status == TANDA_OK) status = dataset_prepare(fit->training, &made, fit->reading.unknown, error);
    if (status == TANDA_OK && fit->validation != NULL)
        status = dataset_prepare(fit->validation, &made, fit->reading.unknown, error);
    if (status == TANDA_OK) status = tanda_model_create_for(fit->training, &fit->layers, &fit->model, error);
    if (status != TANDA_OK) {
        preparation_free(&made);
        return status;
    }
    fit->model->preparation = made;
    if (fit->first != NULL)
        return first_weights_give(fit->first, !fit->options.has_scale, !fit->options.has_scale_target,
                                  fit->model, error);
    model_initialise(fit->model, fit->train.seed);
    return TANDA_OK;
}

static tanda_status scale_data(fit *fit, tanda_error *error) {
    tanda_dataset *training = fit->training;
    scaling *scaling = &fit->model->scaling;
    const bool bytes = training->from_bytes, is_asked = fit->options.has_scale;
    const tanda_scale scale = is_asked ? fit->options.scale
                              : bytes  ? TANDA_SCALE_MINMAX
                                       : TANDA_SCALE_STANDARD;
    tanda_status status = TANDA_OK;
    fit->scale_note = is_asked ? "as asked" : bytes ? "default for bytes" : "default";
    if (fit->options.init != NULL && !is_asked)
        fit->scale_note = fit->checkpoint != NULL     ? "as the checkpoint"
                          : fit->first->model != NULL ? "as the --init model"
                                                      : "as the --init state_dict";
    else
        status = dataset_fit_scaling(training, scale, scaling, error);
    if (status == TANDA_OK && scaling->origin == NULL)
        status = scaling_take_origins(scaling, training->origins, training->features, error);
    if (status == TANDA_OK) preparation_spare(&fit->model->preparation, scaling);
    if (status == TANDA_OK) status = dataset_scale(training, scaling, error);
    if (status == TANDA_OK && fit->validation != NULL)
        status = dataset_scale(fit->validation, scaling, error);
    return status;
}

/* None, the default, is of any target; that of first weights is there already. */
static tanda_status scale_target(fit *fit, tanda_error *error) {
    if (fit->options.init != NULL && !fit->options.has_scale_target) return TANDA_OK;
    return tanda_model_fit_target_scaling(fit->model, fit->options.scale_target, fit->training, error);
}

/* Of each layer's inputs; none where nothing is dropped. */
static tanda_status take_dropout(fit *fit, tanda_error *error) {
    const tanda_fit_options *options = &fit->options;
    bool any = options->input_dropout > 0.0;
    fit->train.dropout = NULL;
    for (size_t i = 0; i < options->dropout_count; i++)
        any |= options->dropout[i] > 0.0;
    if (!any) return TANDA_OK;
    const tanda_status status =
        allocate(&fit->dropout, fit->layers.hidden_count + 1, sizeof *fit->dropout, "rates", error);
    for (size_t layer = 0; status == TANDA_OK && layer <= fit->layers.hidden_count; layer++)
        fit->dropout[layer] = settings_dropout(options, layer);
    fit->train.dropout = fit->dropout;
    return status;
}

/* weights (class_count) as given by name, 1 for the others. */
static tanda_status find_weights(const tanda_fit_options *options, const tanda_dataset *training,
                                 double *weights, tanda_error *error) {
    char buffer[SHOWN_SIZE];
    for (size_t c = 0; c < training->class_count; c++)
        weights[c] = 1.0;
    for (size_t i = 0; i < options->weighted_class_count; i++) {
        const char *name = options->weighted_classes[i];
        size_t c = 0;
        while (c < training->class_count && strcmp(training->class_names[c], name) != 0)
            c++;
        if (c == training->class_count)
            return fail(error, TANDA_USAGE,
                        "--class-weight: the data has no class '%s'; the first of %zu is '%s'",
                        shown(name, strlen(name), buffer), training->class_count, training->class_names[0]);
        weights[c] = options->class_weights[i];
    }
    return TANDA_OK;
}

static tanda_status weigh_classes(const tanda_fit_options *options, tanda_dataset *training,
                                  tanda_error *error) {
    double *weights = NULL;
    if (!options->balance_classes && options->weighted_class_count == 0) return TANDA_OK;
    if (training->task != TANDA_TASK_CLASSES)
        return fail(error, TANDA_USAGE, "--class-weight: %s; only classes have such weights",
                    training->task == TANDA_TASK_LABELS ? "there are several labels a row"
                                                        : "the target is a quantity");
    if (options->balance_classes) return tanda_dataset_weigh_classes(training, NULL, error);
    tanda_status status = allocate(&weights, training->class_count, sizeof *weights, "weights", error);
    if (status == TANDA_OK) status = find_weights(options, training, weights, error);
    if (status == TANDA_OK) status = tanda_dataset_weigh_classes(training, weights, error);
    free(weights);
    return status;
}

tanda_status fit_finish(fit *fit, tanda_error *error) {
    tanda_status status = begin_model(fit, error);
    if (status == TANDA_OK) status = scale_data(fit, error);
    first_weights_close(&fit->first_file);
    if (status == TANDA_OK) status = scale_target(fit, error);
    if (status == TANDA_OK) status = weigh_classes(&fit->options, fit->training, error);
    if (status == TANDA_OK) status = take_dropout(fit, error);
    if (status == TANDA_OK)
        status = order_settle(&fit->train, fit->training->rows, fit->training->features, error);
    return status == TANDA_OK ? settings_write(&fit->options, fit->training, fit->model, error) : status;
}

tanda_status fit_make(fit *fit, tanda_error *error) {
    const tanda_status status = fit_load(fit, error);
    return status == TANDA_OK ? fit_finish(fit, error) : status;
}

/* ---- the training --------------------------------------------------------------------------------------- */

tanda_status fit_prepare(fit *fit, tanda_error *error) {
    tanda_train_options *train = &fit->train;
    checkpoint_facts facts = {0};
    tanda_status status = checkpoints_begin(checkpoints_path(train), train->resume, &fit->checkpoints, error);
    if (status == TANDA_OK && train->resume != NULL) {
        status = checkpoint_find(train->resume, fit->on_damage, train->context, &fit->checkpoint, error);
        train->resume = fit->options.init = fit->checkpoint; /* for the scaling; the weights come later */
    }
    if (status == TANDA_OK) status = fit_make(fit, error);
    if (status != TANDA_OK || fit->checkpoint == NULL) return status;
    status = resume_settings(fit->checkpoint, fit->model, error);
    if (status == TANDA_OK) status = checkpoint_file_check(fit->checkpoint, &facts, error);
    if (status == TANDA_OK) fit->epochs_done = (size_t)(facts.progress.step / facts.steps_per_epoch);
    return status;
}

static tanda_status train_on(fit *fit, tanda_device *device, tanda_train_result *result, tanda_error *error) {
    *result = (tanda_train_result){0};
    return train_saving(device, fit->model, fit->training, fit->validation, &fit->train, &fit->checkpoints,
                        result, error);
}

/* The result names an executor once the training has begun. */
static bool lacks_room(const fit *fit, tanda_status status, const tanda_train_result *result) {
    return status == TANDA_DEVICE && result->executor == NULL && fit->options.fall_back != NULL;
}

tanda_status fit_train(fit *fit, tanda_device *device, tanda_device **instead, tanda_train_result *result,
                       tanda_error *error) {
    tanda_error failure = {0};
    char note[sizeof failure.message + 20];
    *instead = NULL;
    fit->train.move_rows = true; /* they are the fit's own */
    tanda_status status = train_on(fit, device, result, &failure);
    if (!lacks_room(fit, status, result))
        return status == TANDA_OK ? TANDA_OK : fail(error, status, "%s", failure.message);
    status = device_fall_back(device, &fit->fall_back, &failure, instead, error);
    if (status != TANDA_OK) return status;
    text_put(note, sizeof note, "fallback to cpu: %s", failure.message);
    if (fit->on_fallback != NULL) fit->on_fallback(note, fit->train.context);
    return train_on(fit, *instead, result, error);
}

void fit_free(fit *fit) {
    tanda_dataset_free(fit->training);
    tanda_dataset_free(fit->validation);
    tanda_model_free(fit->model);
    doubtful_columns_free(&fit->doubtful);
    first_weights_close(&fit->first_file);
    checkpoints_free(&fit->checkpoints);
    free(fit->checkpoint);
    free(fit->lack_note);
    free(fit->dropout);
    *fit = (struct fit){0};
}

static void tell(const fit *fit, const char *note) {
    if (note != NULL && fit->train.on_note != NULL) fit->train.on_note(note, fit->train.context);
}

tanda_status tanda_fit(tanda_device *device, const tanda_fit_options *options, tanda_model **model,
                       tanda_train_result *result, tanda_error *error) {
    fit fit;
    tanda_device *instead = NULL;
    tanda_train_result made;
    tanda_status status = fit_begin(options, &fit, error);
    fit.on_damage = fit.on_fallback = fit.train.on_note;
    if (status == TANDA_OK) status = fit_prepare(&fit, error);
    if (status == TANDA_OK) {
        tell(&fit, fit.training->origin_note);
        tell(&fit, fit.lack_note);
        status = fit_train(&fit, device, &instead, &made, error);
        tanda_device_close(instead);
    }
    if (status == TANDA_OK) {
        *model = fit.model;
        fit.model = NULL;
        if (result != NULL) *result = made;
    }
    fit_free(&fit);
    return status;
}
