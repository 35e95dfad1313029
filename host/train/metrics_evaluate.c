/* Metrics of a model on a data set. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/objective.h"
#include "support/memory.h"
#include "train/evaluator.h"

typedef struct collected {
    float *predictions; /* (rows, columns) */
    size_t columns;
    tanda_error *error;
} collected;

static tanda_status collect(size_t first_row, size_t rows, const float *predictions, void *context) {
    const collected *collected = context;
    for (size_t i = 0; i < rows * collected->columns; i++)
        if (!isfinite(predictions[i]))
            return fail(
                collected->error, TANDA_FAILED,
                "row %zu (from 0): the prediction is not finite; its features are too large for the model",
                first_row + i / collected->columns);
    memcpy(collected->predictions + first_row * collected->columns, predictions,
           rows * collected->columns * sizeof *predictions);
    return TANDA_OK;
}

tanda_status tanda_metrics_evaluate(tanda_device *device, const tanda_model *model,
                                    const tanda_dataset *dataset, size_t top_k, tanda_metrics **metrics,
                                    tanda_error *error) {
    collected all = {.columns = tanda_prediction_columns(model), .error = error};
    size_t count = 0;
    tanda_status status = check_fit(model, dataset, true, error);
    if (status != TANDA_OK) return status;
    if (multiply_overflows(dataset->rows, all.columns, &count))
        return fail(error, TANDA_FAILED, "%zu x %zu predictions are too many", dataset->rows, all.columns);
    status = allocate(&all.predictions, count, sizeof *all.predictions, "predictions", error);
    if (status == TANDA_OK) status = tanda_predict(device, model, dataset, collect, &all, error);
    if (status == TANDA_OK && model->task == TANDA_TASK_CLASSES)
        status = tanda_metrics_of_classes(all.predictions, dataset->classes, dataset->rows, all.columns,
                                          top_k, metrics, error);
    else if (status == TANDA_OK && model->task == TANDA_TASK_LABELS)
        status = tanda_metrics_of_labels(all.predictions, dataset->targets, dataset->rows, all.columns,
                                         metrics, error);
    else if (status == TANDA_OK)
        status = tanda_metrics_of_values(all.predictions, dataset->targets, dataset->rows, all.columns,
                                         metrics, error);
    free(all.predictions);
    if (status == TANDA_OK && !objective_gives_probabilities(model->loss)) (*metrics)->log_loss = NAN;
    return status;
}
