#include "train/evaluator.h"

#include <math.h>
#include <stdlib.h>

#include "support/memory.h"

tanda_status check_fit(const tanda_model *model, const tanda_dataset *dataset, bool with_labels,
                       tanda_error *error) {
    if (!raw_columns_are_features(&dataset->raw))
        return fail(error, TANDA_BAD_INPUT, "the data still has columns to be prepared as the model says");
    if (dataset->features != model->features)
        return fail(error, TANDA_BAD_INPUT, "the data has %zu features, the model takes %zu",
                    dataset->features, model->features);
    if (dataset->rows == 0) return fail(error, TANDA_BAD_INPUT, "the data has no rows");
    if (!with_labels) return TANDA_OK;
    if (dataset->task != model->task)
        return fail(error, TANDA_BAD_INPUT, "the model needs a target of %s, and the data has %s",
                    task_name(model->task),
                    dataset->task == TANDA_TASK_AUTO ? "none" : task_name(dataset->task));
    if (model->task != TANDA_TASK_CLASSES && dataset->target_count != model_outputs(model))
        return fail(error, TANDA_BAD_INPUT, "the data has %zu targets, the model predicts %zu",
                    dataset->target_count, model_outputs(model));
    if (model->loss == LOSS_POISSON) {
        /* Of a negative target, poisson has no least value. */
        for (size_t i = 0; i < dataset->rows * dataset->target_count; i++)
            if (dataset->targets[i] < 0.0f)
                return fail(error, TANDA_BAD_INPUT,
                            "row %zu has target %g; loss poisson is for counts, 0 or more",
                            i / dataset->target_count + 1, (double)dataset->targets[i]);
        return TANDA_OK;
    }
    if (model->task != TANDA_TASK_CLASSES) return TANDA_OK;
    size_t outputs = model_outputs(model), classes = outputs == 1 ? 2 : outputs;
    for (size_t row = 0; row < dataset->rows; row++)
        if (dataset->classes[row] < 0 || (size_t)dataset->classes[row] >= classes)
            return fail(error, TANDA_BAD_INPUT, "row %zu has class %d, the model has %zu classes", row + 1,
                        dataset->classes[row], classes);
    return TANDA_OK;
}

tanda_status resident_of_dataset(backend *backend, const tanda_model *model, const tanda_dataset *dataset,
                                 bool with_labels, bool moved, resident *result, tanda_error *error) {
    const bool classes = dataset->task == TANDA_TASK_CLASSES;
    row_arrays arrays = {.rows = dataset->rows,
                         .features = dataset->features,
                         .targets = dataset->target_count,
                         .values = dataset->values,
                         .moved = moved};
    float *standardised = NULL; /* targets in the units that the model learns them in */
    if (with_labels) {
        arrays.labels = classes ? (const void *)dataset->classes : (const void *)dataset->targets;
        arrays.weights = dataset->weights;
    }
    if (with_labels && model->target_scaling.targets > 0) {
        const tanda_status status = allocate(&standardised, dataset->rows * dataset->target_count,
                                             sizeof *standardised, "targets", error);
        if (status != TANDA_OK) return status;
        target_scaling_apply(&model->target_scaling, dataset->targets, dataset->rows, standardised);
        arrays.labels = standardised;
    }
    const tanda_status status = resident_create(backend, &arrays, result, error);
    if (status == TANDA_OK)
        result->kept = standardised;
    else
        free(standardised);
    return status;
}

tanda_status evaluator_create(const tanda_model *model, const resident *rows, const session *of,
                              evaluator *result, tanda_error *error) {
    const plan_options plan = {.with_loss = true};
    const program_options options = {.batch_rows = rows->rows};
    result->model = model;
    result->rows = rows->rows;
    return session_create(model, rows, &plan, &options, of, &result->session, error);
}

tanda_status evaluator_run(evaluator *evaluator, tanda_evaluation *evaluation, tanda_error *error) {
    step_result result;
    tanda_status status = session_run(&evaluator->session, 0, 1, NULL, true, error);
    if (status == TANDA_OK) status = session_results(&evaluator->session, &result, error);
    if (status != TANDA_OK) return status;
    const double rows = (double)evaluator->rows;
    const bool counts = evaluator->session.plan->labels.are_counted;
    const bool squared = evaluator->model->loss == LOSS_MSE && evaluator->model->target_scaling.targets == 0;
    *evaluation = (tanda_evaluation){
        .rows = evaluator->rows,
        .loss = (double)result.loss / rows,
        .correct = counts ? result.correct : 0,
        .accuracy = counts ? (double)result.correct / rows : NAN,
        .squared_error = squared ? (double)result.loss * (double)model_targets(evaluator->model) : NAN};
    return TANDA_OK;
}

void evaluator_free(evaluator *evaluator) {
    session_free(&evaluator->session);
}

tanda_status tanda_evaluate(tanda_device *device, const tanda_model *model, const tanda_dataset *dataset,
                            tanda_evaluation *evaluation, tanda_error *error) {
    resident resident = {0};
    evaluator evaluator = {0};
    tanda_evaluation made = {0};
    tanda_status status = check_fit(model, dataset, true, error);
    if (status == TANDA_OK)
        status = resident_of_dataset(device, model, dataset, true, false, &resident, error);
    if (status == TANDA_OK) status = evaluator_create(model, &resident, NULL, &evaluator, error);
    if (status == TANDA_OK) status = evaluator_run(&evaluator, &made, error);
    status = dataset_check(dataset, status, error);
    if (status == TANDA_OK) *evaluation = made;
    evaluator_free(&evaluator);
    resident_free(&resident);
    return status;
}
