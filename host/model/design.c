/* The model that goes with a data set. */
#include <stdlib.h>

#include "data/dataset.h"
#include "model/model.h"
#include "support/memory.h"
#include "support/options.h"

/* The output and loss that go with the task, as far as they are not asked for. */
static tanda_status choose_output(const tanda_dataset *training, const tanda_model_options *options,
                                  tanda_layer *last, const char **loss_word, tanda_error *error) {
    const bool classes = training->task == TANDA_TASK_CLASSES;
    size_t loss = LOSS_COUNT;
    tanda_status status = TANDA_OK;
    if (options->loss != NULL)
        status = vocabulary_read(&loss_words, "loss", options->loss, &loss, NULL, error);
    size_t output = objective_output((enum loss)loss, training->task, training->class_count);
    if (status == TANDA_OK && options->output_activation != NULL)
        status = vocabulary_read(&activation_words, "output function", options->output_activation, &output,
                                 NULL, error);
    if (status != TANDA_OK) return status;
    last->units = !classes                                                     ? training->target_count
                  : training->class_count == 2 && output != ACTIVATION_SOFTMAX ? 1
                                                                               : training->class_count;
    if (loss == LOSS_COUNT)
        loss = training->task == TANDA_TASK_REGRESSION ? LOSS_MSE
               : output == ACTIVATION_SOFTMAX          ? LOSS_CATEGORICAL_CROSSENTROPY
                                                       : LOSS_BINARY_CROSSENTROPY;
    last->activation = activation_name((activation)output);
    *loss_word = loss_name((enum loss)loss);
    return TANDA_OK;
}

static tanda_status choose_hidden(const tanda_model_options *options, tanda_layer *layers,
                                  tanda_error *error) {
    const size_t activations = options->activation_count;
    if (activations > 1 && activations != options->hidden_count)
        return fail(error, TANDA_USAGE, "%zu activations for %zu hidden layers; give one, or one per layer",
                    activations, options->hidden_count);
    for (size_t i = 0; i < options->hidden_count; i++)
        layers[i] = (tanda_layer){
            .units = options->hidden[i],
            .activation = activations == 0 ? "relu" : options->activations[activations == 1 ? 0 : i]};
    return TANDA_OK;
}

static tanda_status name_model(const tanda_dataset *training, tanda_model *model, tanda_error *error) {
    tanda_status status = TANDA_OK;
    if (model->preparation.columns > 0)
        status = preparation_names(&model->preparation, &model->feature_names, error);
    else
        status = copy_texts(&model->feature_names, training->feature_names, training->features, error);
    if (status == TANDA_OK) status = copy_text(&model->target_name, training->target_name, error);
    if (status == TANDA_OK)
        status = copy_texts(&model->target_names, training->target_names, training->target_count, error);
    if (status == TANDA_OK) status = model_name_labels(model, error);
    if (status == TANDA_OK)
        status = copy_texts(&model->class_names, training->class_names, training->class_count, error);
    return status;
}

/* The features that the columns become, which are they themselves but for categories and missing values. */
static tanda_status choose_features(const tanda_dataset *training, const tanda_model_options *options,
                                    preparation *preparation, size_t *features, tanda_error *error) {
    const tanda_status status =
        preparation_fit(training, options->unknown == TANDA_UNKNOWN_ZERO, preparation, error);
    *features = training->features;
    if (status != TANDA_OK || preparation->columns == 0) return status;
    if (preparation_count(preparation, training->rows, features)) return TANDA_OK;
    return fail(error, TANDA_FAILED, "the categories are more features than this machine can address");
}

tanda_status tanda_model_create_for(const tanda_dataset *training, const tanda_model_options *given,
                                    tanda_model **model, tanda_error *error) {
    tanda_model_options wanted;
    const char *loss_word = NULL;
    tanda_layer *layers = NULL;
    tanda_model *made = NULL;
    preparation preparation = {0};
    size_t features = 0;
    tanda_status status = TAKE_OPTIONS(tanda_model_options, given, &wanted, error);
    if (status != TANDA_OK) return status;
    if (training->task == TANDA_TASK_AUTO)
        return fail(error, TANDA_BAD_INPUT, "the data has no target to make a model for");
    const size_t count = wanted.hidden_count + 1;
    status = allocate(&layers, count, sizeof *layers, "layers", error);
    if (status == TANDA_OK) status = choose_hidden(&wanted, layers, error);
    if (status == TANDA_OK) status = choose_output(training, &wanted, &layers[count - 1], &loss_word, error);
    if (status == TANDA_OK) status = choose_features(training, &wanted, &preparation, &features, error);
    if (status == TANDA_OK)
        status = tanda_model_create(features, layers, count, loss_word, training->task, &made, error);
    if (status == TANDA_OK) {
        made->preparation = preparation;
        const loss_settings settings = {wanted.huber_delta, wanted.label_smoothing};
        status = model_set_loss(made, &settings, error);
        if (status == TANDA_OK) status = name_model(training, made, error);
    } else {
        preparation_free(&preparation);
    }
    free(layers);
    if (status == TANDA_OK)
        *model = made;
    else
        tanda_model_free(made);
    return status;
}
