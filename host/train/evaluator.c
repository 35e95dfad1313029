#include "train/evaluator.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "data/feed_pass.h"
#include "data/feed_wrap.h"
#include "kernels/exact.h"
#include "model/objective.h"
#include "support/memory.h"

static size_t classes_of(const tanda_model *model) {
    const size_t outputs = model_outputs(model);
    return outputs == 1 ? 2 : outputs;
}

/* Classes that a model has, or counts. */
static tanda_status check_block(void *context, void *state, const pass_block *block, tanda_error *error) {
    const tanda_model *model = context;
    const size_t outputs = model_outputs(model), classes = classes_of(model);
    (void)state;
    if (model->task == TANDA_TASK_CLASSES) {
        const int32_t *class = block->at.labels;
        for (size_t row = 0; row < block->rows; row++)
            if (class[row] < 0 || (size_t) class[row] >= classes)
                return fail(error, TANDA_BAD_INPUT, "row %zu has class %d, the model has %zu classes",
                            block->first + row + 1, class[row], classes);
        return TANDA_OK;
    }
    const float *target = block->at.labels;
    for (size_t i = 0; i < block->rows * outputs; i++)
        if (target[i] < 0.0f) /* of it, poisson has no least value */
            return fail(error, TANDA_BAD_INPUT,
                        "row %zu has target %g; loss poisson is for counts, 0 or more",
                        block->first + i / outputs + 1, (double)target[i]);
    return TANDA_OK;
}

static tanda_status check_labels(const tanda_model *model, const tanda_dataset *dataset, tanda_error *error) {
    const feed_pass pass = {
        .labels = true, .block_rows = 1 << 20, .map = check_block, .context = (void *)(uintptr_t)model};
    feed *rows = NULL;
    tanda_status status = dataset_feed(dataset, NULL, &rows, error);
    if (status == TANDA_OK) status = feed_pass_run(rows, &pass, error);
    feed_free(rows);
    return status;
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
    const size_t known = model->task == TANDA_TASK_CLASSES ? dataset->class_count : 0;
    if (known > 0 && known <= classes_of(model)) return TANDA_OK; /* as labels are below it */
    if (model->task == TANDA_TASK_CLASSES || model->loss == LOSS_POISSON)
        return check_labels(model, dataset, error);
    return TANDA_OK;
}

tanda_status evaluator_create(const tanda_model *model, const resident *rows, const session *of,
                              evaluator *result, tanda_error *error) {
    const supply lying = {.backend = rows->backend, .resident = *rows};
    return evaluator_of_supply(model, &lying, of, result, error);
}

tanda_status evaluator_of_supply(const tanda_model *model, const supply *rows, const session *of,
                                 evaluator *result, tanda_error *error) {
    const plan_options plan = {.with_loss = true};
    const program_options options = {.batch_rows = supply_rows(rows)};
    result->model = model;
    result->rows = supply_rows(rows);
    return supply_session(rows, model, &plan, &options, UINT64_MAX, of, &result->session, &result->stepper,
                          error);
}

tanda_status evaluator_run(evaluator *evaluator, tanda_evaluation *evaluation, tanda_error *error) {
    step_result result;
    const tanda_status status = stepper_run_one(&evaluator->stepper, TANDA_OK, &result, error);
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
    stepper_free(&evaluator->stepper);
    session_free(&evaluator->session);
}

tanda_status evaluate_shared(tanda_hosts *hosts, tanda_device *device, const tanda_model *model,
                             const tanda_dataset *dataset, tanda_evaluation *evaluation, tanda_error *error) {
    supply supply = {0};
    evaluator evaluator = {0};
    tanda_status status = supply_create(device, model, dataset, true, false, 1, &supply, error);
    supply.hosts = hosts;
    if (status == TANDA_OK) status = evaluator_of_supply(model, &supply, NULL, &evaluator, error);
    status = hosts_agree(hosts, status, NULL, error);
    if (status == TANDA_OK) status = evaluator_run(&evaluator, evaluation, error);
    evaluator_free(&evaluator);
    supply_free(&supply);
    return status;
}

tanda_status tanda_evaluate(tanda_device *device, const tanda_model *model, const tanda_dataset *dataset,
                            tanda_evaluation *evaluation, tanda_error *error) {
    tanda_evaluation made = {0};
    tanda_status status = check_fit(model, dataset, true, error);
    if (status == TANDA_OK) status = evaluate_shared(NULL, device, model, dataset, &made, error);
    status = dataset_check(dataset, status, error);
    if (status == TANDA_OK) *evaluation = made;
    return status;
}

/* ---- prediction: blocks of rows through the forward pass, and the columns that users see -------------------- */

#define BLOCK_ROWS 4096                 /* that on_rows gets at once */
#define SWEEP_FLOATS ((size_t)16 << 20) /* predictions in memory at a time, in whole blocks: 64 MiB */

size_t tanda_prediction_columns(const tanda_model *model) {
    size_t outputs = model_outputs(model);
    return model->task == TANDA_TASK_CLASSES && outputs == 1 ? 2 : outputs;
}

typedef struct predictor {
    const tanda_model *model;
    supply supply;
    session session;
    stepper stepper;
    const tensor *tensor; /* logits of a sigmoid output, else the output */
    size_t sweep_rows;    /* that go through the device at once */
    float *values;        /* (sweep_rows, outputs) as read */
    float *columns;       /* (BLOCK_ROWS, columns) */
} predictor;

static tanda_status predictor_create(backend *backend, const tanda_model *model, const tanda_dataset *dataset,
                                     predictor *made, tanda_error *error) {
    const size_t last = model->layer_count - 1,
                 rows = dataset->rows < BLOCK_ROWS ? dataset->rows : BLOCK_ROWS;
    const plan_options plan = {.with_prediction = true, .keep = true};
    program_options options = {.batch_rows = rows};
    const bool binary = tanda_prediction_columns(model) != model_outputs(model);
    const bool sigmoid = model->layers[last].activation == ACTIVATION_SIGMOID;
    made->model = model;
    tanda_status status = supply_create(backend, model, dataset, false, false, 1, &made->supply, error);
    if (status == TANDA_OK) options.batch_rows = supply_batch_rows(&made->supply, rows);
    if (status == TANDA_OK)
        status = supply_session(&made->supply, model, &plan, &options, UINT64_MAX, NULL, &made->session,
                                &made->stepper, error);
    if (status != TANDA_OK) return status;
    made->tensor = plan_tensor(made->session.plan, binary && sigmoid ? TENSOR_LOGITS : TENSOR_OUTPUT, last);
    /* All rows at once as a rule: each sweep has the threads wait for one another. */
    const size_t blocks = SWEEP_FLOATS / (BLOCK_ROWS * made->tensor->units);
    made->sweep_rows = BLOCK_ROWS * (blocks > 0 ? blocks : 1);
    if (made->sweep_rows > dataset->rows) made->sweep_rows = dataset->rows;
    status =
        allocate(&made->values, made->sweep_rows * made->tensor->units, sizeof(float), "predictions", error);
    if (status == TANDA_OK)
        status = allocate(&made->columns, rows * tanda_prediction_columns(model), sizeof(float),
                          "predictions", error);
    return status;
}

/*
 * Both columns of a binary model are computed, never 1 - p: sigmoid(-z) and sigmoid(z). One whose output is no
 * probability (hinge) has -f(x) and f(x), so that the greater column is the class there too.
 */
static const float *make_columns(predictor *predictor, size_t rows, float *values) {
    target_scaling_undo(&predictor->model->target_scaling, rows, values); /* if there is one */
    if (tanda_prediction_columns(predictor->model) == predictor->tensor->units) return values;
    bool sigmoid = predictor->tensor->role == TENSOR_LOGITS;
    bool margin = !objective_gives_probabilities(predictor->model->loss);
    for (size_t row = 0; row < rows; row++) {
        float value = values[row];
        predictor->columns[2 * row] =
            sigmoid ? exact_sigmoid(-value) : canonical(margin ? -value : 1.0f - value);
        predictor->columns[2 * row + 1] = sigmoid ? exact_sigmoid(value) : value;
    }
    return predictor->columns;
}

/* Gives the rows of a sweep away, block by block. */
static tanda_status give_rows(predictor *predictor, size_t first, size_t rows,
                              tanda_status (*on_rows)(size_t first_row, size_t rows, const float *predictions,
                                                      void *context),
                              void *context) {
    tanda_status status = TANDA_OK;
    for (size_t at = 0; status == TANDA_OK && at < rows; at += BLOCK_ROWS) {
        const size_t block = rows - at < BLOCK_ROWS ? rows - at : BLOCK_ROWS;
        float *values = predictor->values + at * predictor->tensor->units;
        status = on_rows(first + at, block, make_columns(predictor, block, values), context);
    }
    return status;
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
    for (size_t first = 0, rows = 0; status == TANDA_OK && first < dataset->rows; first += rows) {
        const size_t left = dataset->rows - first;
        size_t at = 0;
        rows = left < predictor.sweep_rows ? left : predictor.sweep_rows;
        status = stepper_find_rows(&predictor.stepper, first, &at, &rows, error);
        if (status == TANDA_OK)
            status = session_sweep(&predictor.session, predictor.tensor, at, rows, predictor.values, error);
        status = dataset_check(dataset, status, error);
        if (status == TANDA_OK) status = give_rows(&predictor, first, rows, on_rows, context);
    }
    stepper_free(&predictor.stepper);
    session_free(&predictor.session);
    supply_free(&predictor.supply);
    free(predictor.values);
    free(predictor.columns);
    return status;
}

/* ---- some rows of a data set ---------------------------------------------------------------------------------- */

/* What is borrowed, but for part->feed, which feed_free releases. */
static tanda_status take_part(const tanda_dataset *dataset, row_run run, tanda_dataset *part,
                              tanda_error *error) {
    *part = *dataset;
    part->rows = run.rows;
    if (dataset->feed == NULL) {
        part->values += run.first * dataset->features;
        return TANDA_OK;
    }
    part->feed = NULL;
    feed *source = feed_share(dataset->feed);
    const tanda_status status = feed_range(source, run.first, run.rows, &part->feed, error);
    if (status != TANDA_OK) feed_free(source);
    return status;
}

/* on_rows hears of the rows by their numbers in the data set. */
typedef struct renumbered {
    size_t first;
    rows_taker *on_rows;
    void *context;
} renumbered;

static tanda_status renumber(size_t first_row, size_t rows, const float *predictions, void *context) {
    const renumbered *to = context;
    return to->on_rows(to->first + first_row, rows, predictions, to->context);
}

tanda_status predict_run(tanda_device *device, const tanda_model *model, const tanda_dataset *dataset,
                         row_run run, rows_taker *on_rows, void *context, tanda_error *error) {
    renumbered to = {run.first, on_rows, context};
    tanda_dataset part = {0};
    if (run.rows == dataset->rows) return tanda_predict(device, model, dataset, on_rows, context, error);
    if (run.rows == 0) return TANDA_OK;
    tanda_status status = take_part(dataset, run, &part, error);
    if (status == TANDA_OK) status = tanda_predict(device, model, &part, renumber, &to, error);
    feed_free(part.feed);
    return dataset_check(dataset, status, error);
}

/* ---- metrics of a model on a data set ----------------------------------------------------------------------- */

typedef struct collected {
    float *predictions; /* (rows, columns) */
    size_t first;       /* row */
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
    memcpy(collected->predictions + (first_row - collected->first) * collected->columns, predictions,
           rows * collected->columns * sizeof *predictions);
    return TANDA_OK;
}

tanda_status predictions_of_run(tanda_device *device, const tanda_model *model, const tanda_dataset *dataset,
                                row_run run, float **predictions, tanda_error *error) {
    collected all = {.first = run.first, .columns = tanda_prediction_columns(model), .error = error};
    size_t count = 0;
    if (multiply_overflows(run.rows, all.columns, &count))
        return fail(error, TANDA_FAILED, "%zu x %zu predictions are too many", run.rows, all.columns);
    tanda_status status = allocate(&all.predictions, count, sizeof *all.predictions, "predictions", error);
    if (status == TANDA_OK) status = predict_run(device, model, dataset, run, collect, &all, error);
    if (status == TANDA_OK)
        *predictions = all.predictions;
    else
        free(all.predictions);
    return status;
}

tanda_status predict_all(tanda_device *device, const tanda_model *model, const tanda_dataset *dataset,
                         float **predictions, tanda_error *error) {
    return predictions_of_run(device, model, dataset, (row_run){0, dataset->rows}, predictions, error);
}

/* All labels; *made: memory that they were read into, to be freed, where they are not the data set's. */
static tanda_status labels_of(const tanda_dataset *dataset, const void **labels, void **made,
                              tanda_error *error) {
    feed *rows = NULL;
    *made = NULL;
    *labels = dataset->classes != NULL ? (const void *)dataset->classes : (const void *)dataset->targets;
    if (dataset->feed == NULL) return TANDA_OK;
    tanda_status status = dataset_feed(dataset, NULL, &rows, error);
    if (status == TANDA_OK)
        status = allocate(made, rows->rows, rows->label_width * sizeof(float), "labels", error);
    if (status == TANDA_OK) status = feed_read(rows, 0, rows->rows, &(row_block){.labels = *made}, error);
    feed_free(rows);
    *labels = *made;
    return status;
}

tanda_status metrics_of_predictions(const tanda_model *model, const tanda_dataset *dataset,
                                    const float *predictions, size_t top_k, tanda_metrics **metrics,
                                    tanda_error *error) {
    const size_t rows = dataset->rows, columns = tanda_prediction_columns(model);
    const void *labels = NULL;
    void *made = NULL;
    tanda_status status = labels_of(dataset, &labels, &made, error);
    if (status == TANDA_OK && model->task == TANDA_TASK_CLASSES)
        status = tanda_metrics_of_classes(predictions, labels, rows, columns, top_k, metrics, error);
    else if (status == TANDA_OK && model->task == TANDA_TASK_LABELS)
        status = tanda_metrics_of_labels(predictions, labels, rows, columns, metrics, error);
    else if (status == TANDA_OK)
        status = tanda_metrics_of_values(predictions, labels, rows, columns, metrics, error);
    free(made);
    if (status == TANDA_OK && !objective_gives_probabilities(model->loss))
        (*metrics)->log_loss = (*metrics)->brier = NAN;
    return status;
}

tanda_status tanda_metrics_evaluate(tanda_device *device, const tanda_model *model,
                                    const tanda_dataset *dataset, size_t top_k, tanda_metrics **metrics,
                                    tanda_error *error) {
    float *predictions = NULL;
    tanda_status status = check_fit(model, dataset, true, error);
    if (status == TANDA_OK) status = predict_all(device, model, dataset, &predictions, error);
    if (status == TANDA_OK)
        status = metrics_of_predictions(model, dataset, predictions, top_k, metrics, error);
    free(predictions);
    return status;
}
