#include "train/session.h"

#include <math.h>
#include <stdlib.h>

#include "support/memory.h"

/* Of a negative target, poisson has no least value. */
static tanda_status check_counts(const tanda_dataset *dataset, tanda_error *error) {
    for (size_t i = 0; i < dataset->rows * dataset->target_count; i++)
        if (dataset->targets[i] < 0.0f)
            return fail(error, TANDA_BAD_INPUT,
                        "row %zu has target %g; loss poisson is for counts, 0 or more",
                        i / dataset->target_count + 1, (double)dataset->targets[i]);
    return TANDA_OK;
}

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
    if (model->loss == LOSS_POISSON) return check_counts(dataset, error);
    if (model->task != TANDA_TASK_CLASSES) return TANDA_OK;
    size_t outputs = model_outputs(model), classes = outputs == 1 ? 2 : outputs;
    for (size_t row = 0; row < dataset->rows; row++)
        if (dataset->classes[row] < 0 || (size_t)dataset->classes[row] >= classes)
            return fail(error, TANDA_BAD_INPUT, "row %zu has class %d, the model has %zu classes", row + 1,
                        dataset->classes[row], classes);
    return TANDA_OK;
}

/* Classes, or targets in the units that the model learns them in. */
static tanda_status upload_labels(backend *backend, const tanda_model *model, const tanda_dataset *dataset,
                                  resident *made, tanda_error *error) {
    const size_t count = dataset->rows * dataset->target_count;
    const void *labels =
        dataset->task == TANDA_TASK_CLASSES ? (const void *)dataset->classes : (const void *)dataset->targets;
    if (model->target_scaling.targets > 0) {
        const tanda_status status =
            allocate(&made->standardised, count, sizeof *made->standardised, "targets", error);
        if (status != TANDA_OK) return status;
        target_scaling_apply(&model->target_scaling, dataset->targets, dataset->rows, made->standardised);
        labels = made->standardised;
    }
    return backend_buffer(backend, count * sizeof(float), labels, &made->labels, error);
}

tanda_status resident_create(backend *backend, const tanda_model *model, const tanda_dataset *dataset,
                             bool with_labels, resident *result, tanda_error *error) {
    resident made = {.dataset = dataset};
    size_t bytes = 0;
    if (multiply_overflows(dataset->rows, dataset->features * sizeof(float), &bytes))
        return fail(error, TANDA_FAILED, "%zu x %zu values are too many", dataset->rows, dataset->features);
    tanda_status status = backend_buffer(backend, bytes, dataset->values, &made.features, error);
    if (status == TANDA_OK && with_labels) status = upload_labels(backend, model, dataset, &made, error);
    if (status == TANDA_OK && with_labels && dataset->weights != NULL)
        status =
            backend_buffer(backend, dataset->rows * sizeof(float), dataset->weights, &made.weights, error);
    if (status != TANDA_OK) {
        resident_free(backend, &made);
        return status;
    }
    *result = made;
    return TANDA_OK;
}

void resident_free(backend *backend, resident *resident) {
    backend_buffer_free(backend, resident->features);
    backend_buffer_free(backend, resident->labels);
    backend_buffer_free(backend, resident->weights);
    free(resident->standardised);
    resident->features = NULL;
    resident->labels = NULL;
    resident->weights = NULL;
    resident->standardised = NULL;
}

tanda_status upload_parameters(backend *backend, const plan *plan, const tanda_model *model, buffer **result,
                               tanda_error *error) {
    float *packed = NULL;
    size_t bytes = plan->parameter_count * sizeof(float);
    tanda_status status = allocate(&packed, plan->parameter_count, sizeof(float), "parameters", error);
    if (status != TANDA_OK) return status;
    plan_pack(plan, model->parameters, packed);
    status = backend_buffer(backend, bytes, NULL, result, error);
    if (status == TANDA_OK) status = backend_upload(backend, *result, packed, bytes, error);
    free(packed);
    return status;
}

tanda_status evaluator_create(backend *backend, const tanda_model *model, const resident *resident,
                              buffer *parameters, evaluator *result, tanda_error *error) {
    const plan_options options = {.with_loss = true};
    evaluator made = {.model = model, .resident = resident};
    tanda_status status = plan_create(model, &options, &made.plan, error);
    if (status == TANDA_OK && parameters == NULL)
        status = upload_parameters(backend, made.plan, model, &made.own_parameters, error);
    const program_options program_options = {.features = resident->features,
                                             .labels = resident->labels,
                                             .parameters =
                                                 parameters != NULL ? parameters : made.own_parameters,
                                             .rows = resident->dataset->rows,
                                             .batch_rows = resident->dataset->rows};
    if (status == TANDA_OK)
        status = backend_compile(backend, made.plan, &program_options, &made.program, error);
    if (status != TANDA_OK) {
        evaluator_free(backend, &made);
        return status;
    }
    *result = made;
    return TANDA_OK;
}

tanda_status evaluator_run(backend *backend, evaluator *evaluator, tanda_evaluation *evaluation,
                           tanda_error *error) {
    step_result result;
    tanda_status status = backend_run(backend, evaluator->program, 0, 1, true, error);
    if (status == TANDA_OK) status = backend_results(backend, evaluator->program, &result, error);
    if (status != TANDA_OK) return status;
    double rows = (double)evaluator->resident->dataset->rows;
    bool counts = evaluator->plan->counts;
    evaluation->rows = evaluator->resident->dataset->rows;
    evaluation->loss = (double)result.loss / rows;
    evaluation->correct = counts ? result.correct : 0;
    evaluation->accuracy = counts ? (double)result.correct / rows : NAN;
    const bool squared = evaluator->model->loss == LOSS_MSE && evaluator->model->target_scaling.targets == 0;
    evaluation->squared_error = squared ? (double)result.loss * (double)model_targets(evaluator->model) : NAN;
    return TANDA_OK;
}

void evaluator_free(backend *backend, evaluator *evaluator) {
    backend_program_free(backend, evaluator->program);
    backend_buffer_free(backend, evaluator->own_parameters);
    plan_free(evaluator->plan);
    *evaluator = (struct evaluator){0};
}

tanda_status tanda_evaluate(tanda_device *device, const tanda_model *model, const tanda_dataset *dataset,
                            tanda_evaluation *evaluation, tanda_error *error) {
    resident resident = {0};
    evaluator evaluator = {0};
    tanda_evaluation made = {0};
    tanda_status status = check_fit(model, dataset, true, error);
    if (status != TANDA_OK) return status;
    status = resident_create(device, model, dataset, true, &resident, error);
    if (status == TANDA_OK) status = evaluator_create(device, model, &resident, NULL, &evaluator, error);
    if (status == TANDA_OK) status = evaluator_run(device, &evaluator, &made, error);
    status = dataset_check(dataset, status, error);
    if (status == TANDA_OK) *evaluation = made;
    evaluator_free(device, &evaluator);
    resident_free(device, &resident);
    return status;
}
