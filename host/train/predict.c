/* Prediction: blocks of rows through the forward pass, and the columns that users see. */
#include <stdlib.h>

#include "kernels/exact.h"
#include "support/memory.h"
#include "train/session.h"

#define BLOCK_ROWS 4096

size_t tanda_prediction_columns(const tanda_model *model) {
    size_t outputs = model_outputs(model);
    return model->task == TANDA_TASK_CLASSES && outputs == 1 ? 2 : outputs;
}

typedef struct predictor {
    const tanda_model *model;
    plan *plan;
    const tensor *tensor; /* logits of a sigmoid output, else the output */
    resident resident;
    buffer *parameters;
    program *program;
    float *values;  /* (BLOCK_ROWS, outputs) as read */
    float *columns; /* (BLOCK_ROWS, columns) */
} predictor;

static tanda_status predictor_create(backend *backend, const tanda_model *model, const tanda_dataset *dataset,
                                     predictor *made, tanda_error *error) {
    const plan_options options = {.with_prediction = true, .keep = true};
    size_t last = model->layer_count - 1, rows = dataset->rows < BLOCK_ROWS ? dataset->rows : BLOCK_ROWS;
    made->model = model;
    tanda_status status = plan_create(model, &options, &made->plan, error);
    if (status != TANDA_OK) return status;
    bool binary = tanda_prediction_columns(model) != model_outputs(model);
    bool sigmoid = model->layers[last].activation == ACTIVATION_SIGMOID;
    made->tensor = plan_tensor(made->plan, binary && sigmoid ? TENSOR_LOGITS : TENSOR_OUTPUT, last);
    status = resident_create(backend, model, dataset, false, &made->resident, error);
    if (status == TANDA_OK) status = upload_parameters(backend, made->plan, model, &made->parameters, error);
    const program_options program_options = {.features = made->resident.features,
                                             .parameters = made->parameters,
                                             .rows = dataset->rows,
                                             .batch_rows = rows};
    if (status == TANDA_OK)
        status = backend_compile(backend, made->plan, &program_options, &made->program, error);
    if (status == TANDA_OK)
        status = allocate(&made->values, rows * made->tensor->units, sizeof(float), "predictions", error);
    if (status == TANDA_OK)
        status = allocate(&made->columns, rows * tanda_prediction_columns(model), sizeof(float),
                          "predictions", error);
    return status;
}

static void predictor_free(backend *backend, predictor *predictor) {
    backend_program_free(backend, predictor->program);
    backend_buffer_free(backend, predictor->parameters);
    resident_free(backend, &predictor->resident);
    plan_free(predictor->plan);
    free(predictor->values);
    free(predictor->columns);
}

/*
 * Both columns of a binary model are computed, never 1 - p: sigmoid(-z) and sigmoid(z). One whose output is no
 * probability (hinge) has -f(x) and f(x), so that the greater column is the class there too.
 */
static const float *make_columns(predictor *predictor, size_t rows) {
    target_scaling_undo(&predictor->model->target_scaling, rows, predictor->values); /* if there is one */
    if (tanda_prediction_columns(predictor->model) == predictor->tensor->units) return predictor->values;
    bool sigmoid = predictor->tensor->role == TENSOR_LOGITS;
    bool margin = !objective_gives_probabilities(predictor->model->loss);
    for (size_t row = 0; row < rows; row++) {
        float value = predictor->values[row];
        predictor->columns[2 * row] =
            sigmoid ? exact_sigmoid(-value) : canonical(margin ? -value : 1.0f - value);
        predictor->columns[2 * row + 1] = sigmoid ? exact_sigmoid(value) : value;
    }
    return predictor->columns;
}

tanda_status tanda_predict(tanda_device *device, const tanda_model *model, const tanda_dataset *dataset,
                           tanda_status (*on_rows)(size_t first_row, size_t rows, const float *predictions,
                                                   void *context),
                           void *context, tanda_error *error) {
    predictor predictor = {0};
    if (dataset->rows == 0) return TANDA_OK; /* a file of names alone */
    tanda_status status = check_fit(model, dataset, false, error);
    if (status != TANDA_OK) return status;
    status = predictor_create(device, model, dataset, &predictor, error);
    for (size_t first = 0; status == TANDA_OK && first < dataset->rows; first += BLOCK_ROWS) {
        size_t rows = batch_size(dataset->rows, BLOCK_ROWS, first / BLOCK_ROWS);
        status = backend_run(device, predictor.program, first / BLOCK_ROWS, 1, false, error);
        if (status == TANDA_OK)
            status = backend_read(device, predictor.program, predictor.tensor, predictor.values, error);
        status = dataset_check(dataset, status, error);
        if (status == TANDA_OK) status = on_rows(first, rows, make_columns(&predictor, rows), context);
    }
    predictor_free(device, &predictor);
    return status;
}
