#include "cli/train_setup.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/dialect_options.h"
#include "cli/encoding_options.h"
#include "cli/report.h"
#include "cli/settings.h"
#include "data/held_out.h"
#include "data/synthetic.h"
#include "model/model_data.h"
#include "support/memory.h"

/* A checkpoint that is gone on from has its own, stricter checks. */
static tanda_status open_first(const train_options *options, train_setup *setup, tanda_error *error) {
    const bool resumes = options->run.resume != NULL;
    const char *remark = NULL;
    size_t index = 0;
    if (access(options->init, F_OK) != 0 &&
        vocabulary_find(&initialiser_words, options->init, &index, &remark) == WORD_DIFFERS)
        return fail(error, TANDA_USAGE, "--init: %s is no file, and %s", options->init, remark);
    const tanda_status status =
        first_weights_open(options->init, resumes ? "--resume " : "--init ", &setup->first_file, error);
    setup->first_file.by_position = resumes;
    setup->first = &setup->first_file;
    return status;
}

/*
 * Columns are kept as distances from the first weights' model's origins where its scaling holds, and else from their
 * own unless nothing is scaled, as with a state_dict.
 */
static tanda_status load_training(const train_options *options, const tanda_dataset_options *reading,
                                  train_setup *setup, tanda_error *error) {
    const first_weights *first = options->has_scale ? NULL : setup->first;
    tanda_dataset_options keeping = *reading;
    keeping.keep_origins =
        options->has_scale ? options->scale != TANDA_SCALE_NONE : first == NULL || first->model != NULL;
    if (first == NULL || first->model == NULL)
        return tanda_dataset_load(options->data.path, &keeping, &setup->training, error);
    dataset_expectation origins = model_expect(first->model);
    if (first->by_position) origins.feature_names = NULL;
    return dataset_load_from_origins(options->data.path, &keeping, &origins, &setup->training, error);
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
    if (options->has_loss) objective_decide(options->loss, &reading);
    setup->task_note = reading.task == options->task ? "as asked" : "as the loss";
    tanda_status status = options->init != NULL ? open_first(options, setup, error) : TANDA_OK;
    if (status == TANDA_OK) status = load_training(options, &reading, setup, error);
    if (status == TANDA_OK && !options->common.quiet)
        status = columns_check(setup->training, &setup->doubtful, error);
    if (status != TANDA_OK) return status;
    setup->dropped = setup->training->dropped;
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
    return tanda_model_create_for(setup->training, &layers, &setup->model, error);
}

/* ---- scaling ------------------------------------------------------------------------------------------ */

static tanda_scale choose_scale(const train_options *options, train_setup *setup) {
    setup->scale_note = "as asked";
    if (options->has_scale) return options->scale;
    setup->scale_note = setup->training->from_bytes ? "default for bytes" : "default";
    return setup->training->from_bytes ? TANDA_SCALE_MINMAX : TANDA_SCALE_STANDARD;
}

/* Why the scaling is that of the first weights. */
static const char *first_note(const train_options *options, const first_weights *first) {
    if (options->run.resume != NULL) return "as the checkpoint";
    return first->model != NULL ? "as the --init model" : "as the --init state_dict";
}

static tanda_status scale_data(const train_options *options, const first_weights *first, train_setup *setup,
                               tanda_error *error) {
    tanda_dataset *training = setup->training;
    scaling *scaling = &setup->model->scaling;
    tanda_status status = TANDA_OK;
    if (options->init != NULL && !options->has_scale)
        setup->scale_note = first_note(options, first);
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

/* None, the default, is of any target; that of first weights is there already. */
static tanda_status scale_target(const train_options *options, train_setup *setup, tanda_error *error) {
    if (options->init != NULL && !options->loss_options.has_scale_target) return TANDA_OK;
    return tanda_model_fit_target_scaling(setup->model, options->loss_options.scale_target, setup->training,
                                          error);
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
    if (read->drop_missing_targets) report_value(settings, "drop_missing_targets", json_true());
    report_text(settings, "sample_weight", read->sample_weight);
    report_list(settings, "features", &options->data.features);
    report_list(settings, "ignore", &options->data.ignore);
    encoding_write_settings(&options->data, settings);
    report_text(settings, "task", task_name(setup->training->task));
    if (options->init == NULL || options->has_scale) /* else the scaling comes with the first weights */
        report_text(settings, "scale", scaling_name(setup->model->scaling.kind));
    if (options->init == NULL ? setup->model->target_scaling.targets > 0
                              : options->loss_options.has_scale_target)
        report_text(settings, "scale_target", scaling_name(options->loss_options.scale_target));
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
    else if (settings.failed || (model->settings = json_write_shortest(settings.object)) == NULL)
        status = fail(error, TANDA_FAILED, "out of memory while noting the settings");
    report_free(&settings);
    return status;
}

/* The model with its first weights; first is NULL where they are drawn. */
static tanda_status begin_model(const train_options *options, const first_weights *first, train_setup *setup,
                                tanda_error *error) {
    preparation preparation = {0};
    tanda_status status =
        encode_data(&options->data, first, setup->training, setup->validation, &preparation, error);
    if (status == TANDA_OK) status = make_model(options, setup, error);
    if (status == TANDA_OK)
        setup->model->preparation = preparation;
    else
        preparation_free(&preparation);
    if (status != TANDA_OK) return status;
    const bool with_target_scaling = !options->loss_options.has_scale_target;
    if (first != NULL)
        return first_weights_give(first, !options->has_scale, with_target_scaling, setup->model, error);
    model_initialise(setup->model, options->common.seed);
    return TANDA_OK;
}

tanda_status train_setup_finish(const train_options *options, train_setup *setup, tanda_error *error) {
    tanda_status status = begin_model(options, setup->first, setup, error);
    if (status == TANDA_OK) status = scale_data(options, setup->first, setup, error);
    first_weights_close(&setup->first_file);
    if (status == TANDA_OK) status = scale_target(options, setup, error);
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
    doubtful_columns_free(&setup->doubtful);
    first_weights_close(&setup->first_file);
    free(setup->lack_note);
    free(setup->dropout);
    *setup = (train_setup){0};
}
