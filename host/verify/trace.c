#include "verify/trace.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/shuffle.h"
#include "support/memory.h"
#include "train/divergence.h"
#include "train/evaluator.h"
#include "verify/difference.h"

#define CHUNK 256 /* steps that are queued at once on the way to the one that is kept */

/* A training at work, and a twin that finds the gradient before penalties and clipping. */
typedef struct tracer {
    backend *backend;
    const tanda_model *model;
    const tanda_dataset *dataset;
    const lockstep_options *training;
    trace *trace;
    rates rates;
    size_t batch_rows;
    resident resident;
    session session, twin;
    size_t *row;    /* (rows of the step) in the data */
    size_t place;   /* of the trace's row among them */
    float *packed;  /* parameters, or what has their shape */
    float *tensor;  /* (rows, units) */
    float *inputs;  /* (rows, features) */
    float *labels;  /* (rows, outputs) */
    float *weights; /* (rows), or NULL */
} tracer;

/* ---- which rows ------------------------------------------------------------------------------------------ */

/* The row at a place of an epoch, both from 0, as any device finds it. */
static size_t row_at(const tracer *tracer, uint64_t epoch, size_t place) {
    const lockstep_options *training = tracer->training;
    const size_t rows = tracer->dataset->rows;
    const row_order order =
        row_order_make(tracer->batch_rows < rows ? training->shuffle : SHUFFLE_NONE, training->seed, rows,
                       training->shuffle_block, training->shuffle_window);
    return (size_t)row_order_at(order, (uint32_t)epoch, place);
}

/* The step of an epoch, from 0, in which a row is. */
static size_t step_of_row(const tracer *tracer, uint64_t epoch, size_t row) {
    size_t place = 0;
    while (row_at(tracer, epoch, place) != row)
        place++;
    return place / tracer->batch_rows;
}

static tanda_status find_place(tracer *tracer, size_t row, tanda_error *error) {
    trace *trace = tracer->trace;
    const size_t per_epoch = steps_per_epoch(tracer->dataset->rows, tracer->batch_rows);
    for (tracer->place = 0; tracer->place < trace->rows; tracer->place++)
        if (tracer->row[tracer->place] == row) return TANDA_OK;
    const size_t step = step_of_row(tracer, trace->epoch - 1, row);
    return fail(error, TANDA_USAGE, "--row: row %zu is not in step %llu; in that epoch it is in step %llu",
                row + 1, (unsigned long long)trace->step,
                (unsigned long long)((trace->epoch - 1) * per_epoch + step + 1));
}

static tanda_status find_rows(tracer *tracer, const trace_options *options, tanda_error *error) {
    trace *trace = tracer->trace;
    const size_t rows = tracer->dataset->rows, per_epoch = steps_per_epoch(rows, tracer->batch_rows);
    if (options->row > rows)
        return fail(error, TANDA_USAGE, "--row: there is no row %zu; the training has %zu", options->row,
                    rows);
    trace->step = options->step;
    if (trace->step == 0) trace->step = options->row == 0 ? 1 : step_of_row(tracer, 0, options->row - 1) + 1;
    trace->epoch = (trace->step - 1) / per_epoch + 1;
    trace->step_of_epoch = (size_t)((trace->step - 1) % per_epoch) + 1;
    trace->rows = batch_size(rows, tracer->batch_rows, trace->step_of_epoch - 1);
    if (trace->rows > TRACE_MOST_ROWS)
        return fail(error, TANDA_USAGE, "--batch: a step of %zu rows is too large to be checked; at most %d",
                    trace->rows, TRACE_MOST_ROWS);
    tanda_status status = allocate(&tracer->row, trace->rows, sizeof *tracer->row, "rows", error);
    for (size_t i = 0; status == TANDA_OK && i < trace->rows; i++)
        tracer->row[i] =
            row_at(tracer, trace->epoch - 1, (trace->step_of_epoch - 1) * tracer->batch_rows + i);
    if (status == TANDA_OK && options->row != 0) status = find_place(tracer, options->row - 1, error);
    if (status == TANDA_OK) trace->row = tracer->row[tracer->place] + 1;
    return status;
}

/* ---- memory ---------------------------------------------------------------------------------------------- */

static tanda_status make_layer(const layer *layer, bool with_output_delta, trace_layer *made,
                               tanda_error *error) {
    const size_t count = layer->outputs;
    tanda_status status = allocate(&made->logits, count, sizeof(float), "trace", error);
    if (status == TANDA_OK) status = allocate(&made->output, count, sizeof(float), "trace", error);
    if (status == TANDA_OK) status = allocate(&made->delta, count, sizeof(derivative), "trace", error);
    if (status == TANDA_OK && with_output_delta)
        status = allocate(&made->output_delta, count, sizeof(derivative), "trace", error);
    return status;
}

static tanda_status make_trace(trace *trace, const tanda_model *model, const plan *plan, tanda_error *error) {
    float **const parameters[] = {&trace->before, &trace->after, &trace->used};
    tanda_status status = allocate(&trace->layers, model->layer_count, sizeof *trace->layers, "trace", error);
    for (size_t i = 0; status == TANDA_OK && i < model->layer_count; i++)
        status = make_layer(&model->layers[i], plan_tensor(plan, TENSOR_DELTA_OUTPUT, i) != NULL,
                            &trace->layers[i], error);
    for (size_t i = 0; status == TANDA_OK && i < sizeof parameters / sizeof *parameters; i++)
        status = allocate(parameters[i], model->parameter_count, sizeof(float), "trace", error);
    for (size_t i = 0; status == TANDA_OK && i < trace->state_count; i++) {
        status = allocate(&trace->state_before[i], model->parameter_count, sizeof(float), "trace", error);
        if (status == TANDA_OK)
            status = allocate(&trace->state_after[i], model->parameter_count, sizeof(float), "trace", error);
    }
    if (status == TANDA_OK)
        status = allocate(&trace->gradient, model->parameter_count, sizeof(derivative), "trace", error);
    if (status == TANDA_OK) status = allocate(&trace->inputs, model->features, sizeof(float), "trace", error);
    if (status == TANDA_OK)
        status = allocate(&trace->labels, model_outputs(model), sizeof(float), "trace", error);
    return status;
}

void trace_free(trace *trace) {
    for (size_t i = 0; trace->layers != NULL && i < trace->model->layer_count; i++) {
        free(trace->layers[i].logits);
        free(trace->layers[i].output);
        free(trace->layers[i].output_delta);
        free(trace->layers[i].delta);
    }
    for (size_t i = 0; i < MOST_UPDATE_STATES; i++) {
        free(trace->state_before[i]);
        free(trace->state_after[i]);
    }
    free(trace->layers);
    free(trace->inputs);
    free(trace->labels);
    free(trace->before);
    free(trace->after);
    free(trace->gradient);
    free(trace->used);
    *trace = (struct trace){0};
}

static void tracer_free(tracer *tracer) {
    session_free(&tracer->twin);
    session_free(&tracer->session);
    resident_free(&tracer->resident);
    free(tracer->row);
    free(tracer->packed);
    free(tracer->tensor);
    free(tracer->inputs);
    free(tracer->labels);
    free(tracer->weights);
}

/* ---- sessions -------------------------------------------------------------------------------------------- */

static tanda_status begin_session(tracer *tracer, const update_settings *update, session *made,
                                  tanda_error *error) {
    const plan_options plan = {.training = true,
                               .with_prediction = true,
                               .keep = true,
                               .weighted = tracer->dataset->weights != NULL};
    const program_options program = {.batch_rows = tracer->batch_rows,
                                     .shuffle = tracer->training->shuffle,
                                     .shuffle_block = tracer->training->shuffle_block,
                                     .shuffle_window = tracer->training->shuffle_window,
                                     .seed = tracer->training->seed,
                                     .learning_rate = tracer->training->learning_rate,
                                     .update = *update,
                                     .math = TANDA_MATH_EXACT};
    return session_create(tracer->model, &tracer->resident, &plan, &program, NULL, made, error);
}

static tanda_status prepare(tracer *tracer, tanda_error *error) {
    static const update_settings nothing = {.rule = UPDATE_nothing};
    const tanda_model *model = tracer->model;
    trace *trace = tracer->trace;
    trace->state_count = update_state_count(trace->update.rule);
    tanda_status status =
        resident_of_dataset(tracer->backend, model, tracer->dataset, true, false, &tracer->resident, error);
    if (status == TANDA_OK) status = begin_session(tracer, &trace->update, &tracer->session, error);
    if (status == TANDA_OK && !update_is_plain(trace->update.constants))
        status = begin_session(tracer, &nothing, &tracer->twin, error);
    if (status != TANDA_OK) return status;
    const plan *plan = tracer->session.plan;
    status = make_trace(trace, model, plan, error);
    if (status == TANDA_OK)
        status = allocate(&tracer->packed, plan->parameter_count, sizeof(float), "trace", error);
    if (status == TANDA_OK)
        status = allocate(&tracer->tensor, plan_most_units(plan) * tracer->batch_rows, sizeof(float), "trace",
                          error);
    if (status == TANDA_OK)
        status = allocate(&tracer->inputs, trace->rows * model->features, sizeof(float), "trace", error);
    if (status == TANDA_OK)
        status = allocate(&tracer->labels, trace->rows * model_outputs(model), sizeof(float), "trace", error);
    if (status == TANDA_OK && tracer->dataset->weights != NULL)
        status = allocate(&tracer->weights, trace->rows, sizeof(float), "trace", error);
    return status;
}

/* ---- the steps ------------------------------------------------------------------------------------------- */

static void make_rates(tracer *tracer, uint64_t first, size_t count, update_rates *made) {
    const plateau none = {0};
    for (size_t i = 0; i < count; i++)
        made[i] = (update_rates){.rate = tracer->training->learning_rate};
    if (tracer->training->has_rates) rates_make(&tracer->rates, &none, first, count, made);
}

static tanda_status run_before(tracer *tracer, tanda_error *error) {
    update_rates rates[CHUNK];
    tanda_status status = TANDA_OK;
    const uint64_t steps = tracer->trace->step - 1;
    for (uint64_t done = 0; status == TANDA_OK && done < steps;) {
        const size_t count = steps - done < CHUNK ? (size_t)(steps - done) : CHUNK;
        make_rates(tracer, done, count, rates);
        status = session_run(&tracer->session, done, count, rates, true, error);
        if (status == TANDA_OK) status = session_finish(&tracer->session, error);
        done += count;
    }
    return status;
}

static tanda_status read_parameters(tracer *tracer, float *made, tanda_error *error) {
    const tanda_status status = session_read_parameters(&tracer->session, tracer->packed, error);
    if (status == TANDA_OK) plan_unpack(tracer->session.plan, tracer->packed, made);
    return status;
}

static tanda_status read_states(tracer *tracer, float **made, tanda_error *error) {
    tanda_status status = TANDA_OK;
    for (size_t i = 0; status == TANDA_OK && i < tracer->trace->state_count; i++) {
        status = session_read_state(&tracer->session, i, tracer->packed, error);
        if (status == TANDA_OK) plan_unpack(tracer->session.plan, tracer->packed, made[i]);
    }
    return status;
}

static tanda_status check_finite(const tracer *tracer, const step_result *result, tanda_error *error) {
    char advice[DIVERGENCE_ADVICE_SIZE];
    if (isfinite(result->loss) && !result->not_finite) return TANDA_OK;
    divergence_advise(tracer->model, tracer->dataset, (double)tracer->training->learning_rate, advice);
    return fail(error, TANDA_FAILED, "diverged: a %s is not finite in step %llu; %s",
                isfinite(result->loss) ? "weight" : "loss", (unsigned long long)tracer->trace->step, advice);
}

/* The derivatives before penalties and clipping: the twin's, or where there are none those of the update. */
static tanda_status read_gradient(tracer *tracer, tanda_error *error) {
    trace *trace = tracer->trace;
    session *twin = &tracer->twin;
    const bool has_twin = twin->program != NULL;
    tanda_status status = TANDA_OK;
    if (has_twin) {
        plan_pack(twin->plan, trace->before, tracer->packed);
        status = session_write_parameters(twin, tracer->packed, error);
        if (status == TANDA_OK) status = session_run(twin, trace->step - 1, 1, &trace->rates, true, error);
    }
    if (status == TANDA_OK)
        status = session_read_gradient(has_twin ? twin : &tracer->session, tracer->packed, error);
    if (status != TANDA_OK) return status;
    float *values = tracer->trace->used;
    plan_unpack(tracer->session.plan, tracer->packed, values);
    for (size_t i = 0; i < tracer->model->parameter_count; i++)
        trace->gradient[i].value = values[i];
    status = session_read_gradient(&tracer->session, tracer->packed, error);
    if (status == TANDA_OK) plan_unpack(tracer->session.plan, tracer->packed, trace->used);
    return status;
}

static tanda_status run_step(tracer *tracer, tanda_error *error) {
    trace *trace = tracer->trace;
    step_result result = {0};
    make_rates(tracer, trace->step - 1, 1, &trace->rates);
    tanda_status status = run_before(tracer, error);
    if (status == TANDA_OK) status = read_parameters(tracer, trace->before, error);
    if (status == TANDA_OK) status = read_states(tracer, trace->state_before, error);
    if (status == TANDA_OK)
        status = session_run(&tracer->session, trace->step - 1, 1, &trace->rates, true, error);
    if (status == TANDA_OK) status = session_results(&tracer->session, &result, error);
    if (status == TANDA_OK) status = check_finite(tracer, &result, error);
    trace->mean_loss = (float)((double)result.loss / (double)trace->rows);
    if (status == TANDA_OK) status = read_parameters(tracer, trace->after, error);
    if (status == TANDA_OK) status = read_states(tracer, trace->state_after, error);
    return status == TANDA_OK ? read_gradient(tracer, error) : status;
}

/* ---- the row --------------------------------------------------------------------------------------------- */

/* The row's values of a tensor; all rows lie in tracer->tensor. NULL: nothing for a tensor that is not made. */
static tanda_status read_row(tracer *tracer, tensor_role role, size_t layer, const float **row,
                             tanda_error *error) {
    const tensor *tensor = plan_tensor(tracer->session.plan, role, layer);
    *row = NULL;
    if (tensor == NULL) return TANDA_OK;
    const tanda_status status = session_read(&tracer->session, tensor, tracer->tensor, error);
    if (status == TANDA_OK) *row = tracer->tensor + tracer->place * tensor->units;
    return status;
}

static tanda_status read_values(tracer *tracer, tensor_role role, size_t layer, size_t count, float *made,
                                tanda_error *error) {
    const float *row = NULL;
    const tanda_status status = read_row(tracer, role, layer, &row, error);
    if (status == TANDA_OK && row != NULL) memcpy(made, row, count * sizeof *made);
    return status;
}

static tanda_status read_derivatives(tracer *tracer, tensor_role role, size_t layer, size_t count,
                                     derivative *made, tanda_error *error) {
    const float *row = NULL;
    const tanda_status status = read_row(tracer, role, layer, &row, error);
    for (size_t i = 0; status == TANDA_OK && row != NULL && i < count; i++)
        made[i].value = row[i];
    return status;
}

static tanda_status read_layer(tracer *tracer, size_t index, tanda_error *error) {
    const size_t count = tracer->model->layers[index].outputs;
    trace_layer *layer = &tracer->trace->layers[index];
    tanda_status status = read_values(tracer, TENSOR_LOGITS, index, count, layer->logits, error);
    if (status == TANDA_OK) status = read_values(tracer, TENSOR_OUTPUT, index, count, layer->output, error);
    if (status == TANDA_OK)
        status = read_derivatives(tracer, TENSOR_DELTA, index, count, layer->delta, error);
    if (status == TANDA_OK && layer->output_delta != NULL)
        status = read_derivatives(tracer, TENSOR_DELTA_OUTPUT, index, count, layer->output_delta, error);
    return status;
}

static void find_labels(tracer *tracer) {
    const size_t outputs = model_outputs(tracer->model);
    const target_scaling *scaling = &tracer->model->target_scaling;
    for (size_t i = 0; i < tracer->trace->rows; i++) {
        float *labels = tracer->labels + i * outputs;
        for (size_t k = 0; k < outputs; k++)
            labels[k] = difference_label(tracer->model, tracer->dataset, tracer->row[i], k);
        if (scaling->targets > 0) target_scaling_apply(scaling, labels, 1, labels);
        if (tracer->weights != NULL) tracer->weights[i] = tracer->dataset->weights[tracer->row[i]];
    }
}

static tanda_status read_all(tracer *tracer, tanda_error *error) {
    trace *trace = tracer->trace;
    const size_t features = tracer->model->features, outputs = model_outputs(tracer->model);
    tanda_status status = TANDA_OK;
    for (size_t i = 0; status == TANDA_OK && i < tracer->model->layer_count; i++)
        status = read_layer(tracer, i, error);
    if (status == TANDA_OK)
        status = read_values(tracer, TENSOR_LOSS, tracer->model->layer_count - 1, 1, &trace->loss, error);
    if (status == TANDA_OK)
        status = session_read(&tracer->session, tracer->session.plan->input, tracer->inputs, error);
    if (status != TANDA_OK) return status;
    find_labels(tracer);
    memcpy(trace->inputs, tracer->inputs + tracer->place * features, features * sizeof(float));
    memcpy(trace->labels, tracer->labels + tracer->place * outputs, outputs * sizeof(float));
    trace->weight = tracer->weights != NULL ? tracer->weights[tracer->place] : 1.0f;
    const difference_rows rows = {
        .rows = trace->rows, .inputs = tracer->inputs, .labels = tracer->labels, .weights = tracer->weights};
    return difference_check(trace, &rows, tracer->place, error);
}

static tanda_status check_size(const tanda_model *model, const lockstep_options *training,
                               tanda_error *error) {
    if (model->parameter_count > TRACE_MOST_PARAMETERS)
        return fail(
            error, TANDA_USAGE,
            "trace: %zu parameters are too many to be followed by hand; at most %d: fewer --hidden units or "
            "--features",
            model->parameter_count, TRACE_MOST_PARAMETERS);
    for (size_t i = 0; training->dropout != NULL && i < model->layer_count; i++)
        if (training->dropout[i] > 0.0)
            return fail(error, TANDA_USAGE, "--dropout: a step is traced without it; leave it away");
    if (!difference_is_known(model))
        return fail(error, TANDA_USAGE, "--loss %s: its finite differences are not known yet",
                    loss_name(model->loss));
    for (size_t i = 0; i < model->layer_count; i++)
        if (model->layers[i].kind != LAYER_dense)
            return fail(error, TANDA_USAGE, "trace: %s layers cannot be followed yet",
                        layer_kind_name(model->layers[i].kind));
    return TANDA_OK;
}

tanda_status trace_run(backend *backend, const tanda_model *model, const tanda_dataset *dataset,
                       const trace_options *options, trace *trace, tanda_error *error) {
    *trace = (struct trace){.model = model, .update = options->training.update};
    tracer tracer = {.backend = backend,
                     .model = model,
                     .dataset = dataset,
                     .training = &options->training,
                     .trace = trace,
                     .rates = options->training.rates,
                     .batch_rows = batch_rows_of(options->training.batch_rows, dataset->rows)};
    tanda_status status = check_size(model, &options->training, error);
    if (status == TANDA_OK) status = dataset_in_memory(dataset, "a trace", error);
    if (status == TANDA_OK) status = check_fit(model, dataset, true, error);
    if (status == TANDA_OK) status = find_rows(&tracer, options, error);
    if (status == TANDA_OK) status = prepare(&tracer, error);
    if (status == TANDA_OK) status = run_step(&tracer, error);
    if (status == TANDA_OK) status = read_all(&tracer, error);
    status = dataset_check(dataset, status, error);
    tracer_free(&tracer);
    return status;
}

static void count(const derivative *derivatives, size_t number, derivative_counts *counts) {
    for (size_t i = 0; derivatives != NULL && i < number; i++) {
        counts->all++;
        counts->corners += derivatives[i].verdict == DERIVATIVE_CORNER;
        counts->differing += derivatives[i].verdict == DERIVATIVE_DIFFERS;
    }
}

derivative_counts trace_count(const trace *trace) {
    derivative_counts counts = {0};
    count(trace->gradient, trace->model->parameter_count, &counts);
    for (size_t i = 0; i < trace->model->layer_count; i++) {
        count(trace->layers[i].delta, trace->model->layers[i].outputs, &counts);
        count(trace->layers[i].output_delta, trace->model->layers[i].outputs, &counts);
    }
    return counts;
}
