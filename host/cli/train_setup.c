#include "cli/train_setup.h"

#include <stdlib.h>
#include <string.h>

#include "cli/dialect_options.h"
#include "cli/encoding_options.h"
#include "cli/report.h"
#include "cli/settings.h"
#include "data/held_out.h"
#include "data/synthetic.h"
#include "model/model_data.h"
#include "model/model_file.h"
#include "support/memory.h"

/*
 * Columns are kept as distances from the first weights' model's origins where its scaling holds, and else from their
 * own unless nothing is scaled.
 */
static tanda_status load_training(const train_options *options, const tanda_dataset_options *reading,
                                  tanda_dataset **training, tanda_error *error) {
    tanda_model *first = NULL;
    tanda_dataset_options keeping = *reading;
    keeping.keep_origins = !options->has_scale || options->scale != TANDA_SCALE_NONE;
    if (options->init == NULL || options->has_scale)
        return tanda_dataset_load(options->data.path, &keeping, training, error);
    tanda_status status = model_file_load(options->init, &first, error);
    if (status != TANDA_OK) return status;
    const dataset_expectation origins = model_expect(first);
    status = dataset_load_from_origins(options->data.path, &keeping, &origins, training, error);
    tanda_model_free(first);
    return status;
}

/* Of first weights, the model says which categories there are. */
static tanda_status find_lacks(const train_options *options, train_setup *setup, tanda_error *error) {
    lacks lacks;
    if (options->init != NULL) return TANDA_OK;
    tanda_status status = lacks_begin(&lacks, error);
    if (status == TANDA_OK) status = lacks_find(&lacks, setup->training, setup->validation, 0, error);
    const bool accepted = status != TANDA_OK || options->data.read.unknown == TANDA_UNKNOWN_ZERO;
    const tanda_status ended =
        lacks_end(&lacks, options->data.path, accepted, &setup->lack_note, status == TANDA_OK ? error : NULL);
    return status == TANDA_OK ? ended : status;
}

tanda_status train_setup_load(const train_options *options, train_setup *setup, tanda_error *error) {
    tanda_dataset_options reading = options_reading(&options->data);
    reading.task = options->task;
    tanda_status status = load_training(options, &reading, &setup->training, error);
    if (status != TANDA_OK) return status;
    if (options->validation_path != NULL) {
        const dataset_expectation expected = dataset_expect(setup->training);
        reading.labels = options->validation_labels;
        reading.more_count = 0;
        reading.validation = true;
        return dataset_load(options->validation_path, &reading, &expected, &setup->validation, error);
    }
    if (options->validation_fraction == 0.0 && synthetic_is_named(options->data.path))
        return synthetic_load(options->data.path, &reading, NULL, true, &setup->validation, error);
    if (options->validation_fraction == 0.0) return TANDA_OK;
    bool by_class = false;
    status = validation_by_class(&options->holding_out, setup->training, &by_class, error);
    if (status != TANDA_OK) return status;
    tanda_dataset *all = setup->training;
    setup->training = NULL;
    status = dataset_split(all, options->validation_fraction, by_class, options->common.seed,
                           &setup->training, &setup->validation, error);
    tanda_dataset_free(all);
    return status == TANDA_OK ? find_lacks(options, setup, error) : status;
}

/* ---- the model ---------------------------------------------------------------------------------------- */

static tanda_status make_model(const train_options *options, train_setup *setup, tanda_error *error) {
    const tanda_model_options layers = {.hidden = options->hidden_units,
                                        .hidden_count = options->hidden.count,
                                        .activations = (const char *const *)options->activations.texts,
                                        .activation_count = options->activations.count,
                                        .output_activation = options->has_output_activation
                                                                 ? activation_name(options->output_activation)
                                                                 : NULL,
                                        .loss = options->has_loss ? loss_name(options->loss) : NULL,
                                        .huber_delta = options->loss_options.huber_delta,
                                        .label_smoothing = options->loss_options.label_smoothing};
    for (size_t i = 0; i < options->activations.count; i++) {
        activation found = ACTIVATION_RELU;
        const char *name = options->activations.texts[i];
        if (!activation_from_name(name, &found) || found == ACTIVATION_SOFTMAX)
            return fail(error, TANDA_USAGE,
                        "--activation: '%s' is none for hidden layers; use one of" HIDDEN_ACTIVATIONS, name);
    }
    return tanda_model_create_for(setup->training, &layers, &setup->model, error);
}

/* ---- first weights ------------------------------------------------------------------------------------ */

static bool same_layers(const tanda_model *a, const tanda_model *b) {
    if (a->features != b->features || a->layer_count != b->layer_count) return false;
    for (size_t i = 0; i < a->layer_count; i++)
        if (a->layers[i].outputs != b->layers[i].outputs) return false;
    return true;
}

/* Moves the scaling of the first model into ours, which has none yet. */
static void take_scaling(tanda_model *from, tanda_model *to) {
    to->scaling = from->scaling;
    from->scaling = (scaling){0};
}

static tanda_status start_from(const train_options *options, train_setup *setup, tanda_error *error) {
    char theirs[SHAPE_SIZE], ours[SHAPE_SIZE];
    tanda_model *first = NULL;
    const tanda_status status = model_file_load(options->init, &first, error);
    if (status != TANDA_OK) return status;
    if (!same_layers(first, setup->model)) {
        fail(error, TANDA_BAD_INPUT,
             "%s %s: its layers are %s, those of this training %s; they must be the same",
             options->run.resume != NULL ? "--resume" : "--init", options->init, model_shape(first, theirs),
             model_shape(setup->model, ours));
        tanda_model_free(first);
        return TANDA_BAD_INPUT;
    }
    memcpy(setup->model->parameters, first->parameters, first->parameter_count * sizeof *first->parameters);
    if (!options->has_scale) take_scaling(first, setup->model);
    tanda_model_free(first);
    return TANDA_OK;
}

/* ---- scaling ------------------------------------------------------------------------------------------ */

static tanda_scale choose_scale(const train_options *options, train_setup *setup) {
    setup->scale_note = "as asked";
    if (options->has_scale) return options->scale;
    setup->scale_note = setup->training->from_bytes ? "default for bytes" : "default";
    return setup->training->from_bytes ? TANDA_SCALE_MINMAX : TANDA_SCALE_STANDARD;
}

static tanda_status scale_data(const train_options *options, train_setup *setup, tanda_error *error) {
    tanda_dataset *training = setup->training;
    scaling *scaling = &setup->model->scaling;
    tanda_status status = TANDA_OK;
    if (options->init != NULL && !options->has_scale)
        setup->scale_note = options->run.resume != NULL ? "as the checkpoint" : "as the --init model";
    else
        status = scaling_fit(choose_scale(options, setup), training->values, training->rows,
                             training->features, scaling, error);
    if (status == TANDA_OK && scaling->origin == NULL)
        status = scaling_take_origins(scaling, training, error);
    if (status == TANDA_OK) preparation_spare(&setup->model->preparation, scaling);
    if (status == TANDA_OK) status = dataset_scale(training, scaling, error);
    if (status == TANDA_OK && setup->validation != NULL)
        status = dataset_scale(setup->validation, scaling, error);
    return status;
}

/* ---- settings, kept in the model file ----------------------------------------------------------------- */

static void report_list(report *report, const char *key, const text_list *list) {
    if (list->count > 0) report_value(report, key, report_strings(list->texts, list->count));
}

/* The target's name where the file has names, as the default is then a column like another. */
static const char *target_setting(const train_options *options, const tanda_dataset *training) {
    if (options->data.read.target != NULL || options->data.read.labels != NULL)
        return options->data.read.target;
    for (size_t i = 0; training->target_name != NULL && i < training->features; i++)
        if (training->feature_names != NULL && strcmp(training->feature_names[i], training->target_name) == 0)
            return NULL; /* two columns of one name: the name would be refused */
    return synthetic_is_named(options->data.path) ? NULL : training->target_name;
}

static void write_data_settings(const train_options *options, const train_setup *setup, report *settings) {
    const tanda_dataset_options *read = &options->data.read;
    if (options->data.paths.count > 1)
        report_list(settings, "data", &options->data.paths);
    else
        report_text(settings, "data", options->data.path);
    report_text(settings, "format", read->format == NULL ? "auto" : read->format);
    dialect_write_settings(&options->data, settings);
    report_text(settings, "labels", read->labels);
    report_text(settings, "target", target_setting(options, setup->training));
    report_text(settings, "sample_weight", read->sample_weight);
    report_list(settings, "features", &options->data.features);
    report_list(settings, "ignore", &options->data.ignore);
    encoding_write_settings(&options->data, settings);
    report_text(settings, "task", task_name(setup->training->task));
    if (options->init == NULL || options->has_scale) /* else the scaling comes with the first weights */
        report_text(settings, "scale", scaling_name(setup->model->scaling.kind));
    report_text(settings, "validation", options->validation_path);
    report_text(settings, "validation_labels", options->validation_labels);
    if (options->validation_fraction > 0.0) report_real(settings, "validation", options->validation_fraction);
    if (options->validation_fraction > 0.0 && setup->model->task == TANDA_TASK_CLASSES)
        report_text(settings, "stratify", options->holding_out.stratify == STRATIFY_NO ? "no" : "yes");
}

static void write_model_settings(const train_options *options, const tanda_model *model, report *settings) {
    json_builder hidden = json_array_begin(), activations = json_array_begin();
    const layer *last = &model->layers[model->layer_count - 1];
    for (const layer *layer = model->layers; layer < last; layer++) {
        json_push(&hidden, json_integer((json_int_t)layer->outputs));
        json_push(&activations, json_string(activation_name(layer->activation)));
    }
    report_value(settings, "hidden", json_end(&hidden));
    report_value(settings, "activation", json_end(&activations));
    report_text(settings, "output_activation", activation_name(last->activation));
    report_text(settings, "loss", loss_name(model->loss));
    loss_write_settings(model, settings);
    report_text(settings, "init", options->init);
}

/*
 * Everything that decides the weights, defaults included, and nothing of the machine: equal trainings give equal
 * files, and tanda train --config repeats one. Keys are the names of the options, with _ for -.
 */
static tanda_status write_settings(const train_options *options, train_setup *setup, tanda_error *error) {
    static const char *const gemms[] = {
        [TANDA_GEMM_AUTO] = "auto", [TANDA_GEMM_TANDA] = "tanda", [TANDA_GEMM_CLBLAST] = "clblast"};
    tanda_model *model = setup->model;
    report settings = json_object_begin();
    write_data_settings(options, setup, &settings);
    write_model_settings(options, model, &settings);
    optimizer_write_settings(&options->optimizing, &settings);
    if (options->optimizing.kind != TANDA_OPTIMIZER_LBFGS)
        report_real(&settings, "learning_rate", options->learning_rate);
    report_count(&settings, "epochs", options->epochs);
    if (options->full_batch)
        report_text(&settings, "batch", "full");
    else
        report_count(&settings, "batch", options->batch);
    report_text(&settings, "shuffle", options->no_shuffle ? "none" : "full");
    report_count(&settings, "seed", options->common.seed);
    weight_write_settings(&options->weight, &settings);
    dropout_write_settings(&options->dropout, options->hidden.count, &settings);
    run_write_settings(&options->run, &settings);
    report_text(&settings, "math", math_name(options->common.device.math));
    if (options->common.device.math == TANDA_MATH_FAST)
        report_text(&settings, "gemm", gemms[options->common.gemm]);
    const char *stranger = settings_stranger(settings.object);
    tanda_status status = TANDA_OK;
    if (stranger != NULL)
        status = fail(error, TANDA_FAILED, "'%s' is none of the keys of host/cli/settings.c", stranger);
    else if (settings.failed || (model->settings = json_text(settings.object)) == NULL)
        status = fail(error, TANDA_FAILED, "out of memory while noting the settings");
    report_free(&settings);
    return status;
}

tanda_status train_setup_finish(const train_options *options, train_setup *setup, tanda_error *error) {
    preparation preparation = {0};
    tanda_status status =
        encode_data(&options->data, options->init, setup->training, setup->validation, &preparation, error);
    if (status == TANDA_OK) status = make_model(options, setup, error);
    if (status == TANDA_OK)
        setup->model->preparation = preparation;
    else
        preparation_free(&preparation);
    if (status == TANDA_OK && options->init == NULL) model_initialise(setup->model, options->common.seed);
    if (status == TANDA_OK && options->init != NULL) status = start_from(options, setup, error);
    if (status == TANDA_OK) status = scale_data(options, setup, error);
    if (status == TANDA_OK) status = weight_options_apply(&options->weight, setup->training, error);
    if (status == TANDA_OK)
        status = dropout_options_rates(&options->dropout, options->hidden.count, &setup->dropout, error);
    if (status == TANDA_OK) status = write_settings(options, setup, error);
    return status;
}

tanda_status train_setup_make(const train_options *options, train_setup *setup, tanda_error *error) {
    *setup = (train_setup){0};
    const tanda_status status = train_setup_load(options, setup, error);
    return status == TANDA_OK ? train_setup_finish(options, setup, error) : status;
}

void train_setup_free(train_setup *setup) {
    tanda_dataset_free(setup->training);
    tanda_dataset_free(setup->validation);
    tanda_model_free(setup->model);
    free(setup->lack_note);
    free(setup->dropout);
    *setup = (train_setup){0};
}
