/* Steps of training, and of assembling alone, on a device. */
#include <stdlib.h>

#include "bench/parts.h"
#include "model/model_file.h"
#include "support/clock.h"
#include "support/memory.h"
#include "train/session.h"

#define LEARNING_RATE 0.01f
#define MOST_STEPS 65536

typedef struct session {
    const bench_workload *workload;
    backend *device;
    tanda_model *model;
    plan *plan;
    buffer *features, *labels, *parameters;
    program *program;
    step_result *results;
    size_t batch;
    uint64_t next_step;
    size_t last_count; /* steps of the latest run, whose results are there */
} session;

/* Work and traffic of one step: sums of products forward, backward but for the first layer, and gradients. */
static void count_work(const bench_workload *workload, bench_result *result) {
    const size_t layers = bench_layers(workload),
                 batch = workload->batch > 0 ? workload->batch : workload->rows;
    double products = 0.0;
    for (size_t l = 0; l < layers; l++)
        products += (l == 0 ? 2.0 : 3.0) * (double)workload->units[l] * (double)workload->units[l + 1];
    result->has_limit = true;
    result->bytes = (double)batch * (double)workload->units[0] * sizeof(float);
    if (workload->kind != BENCH_TRAINING) return;
    result->operations = 2.0 * (double)batch * products;
    result->bytes += (double)batch * sizeof(int32_t);
}

tanda_status bench_make_model(const bench_workload *workload, tanda_model **model, tanda_error *error) {
    const size_t layers = bench_layers(workload);
    const bool binary = workload->units[layers] == 1;
    activation activations[BENCH_MOST_LAYERS + 1];
    for (size_t l = 0; l < layers; l++)
        activations[l] = ACTIVATION_RELU;
    activations[layers - 1] = binary ? ACTIVATION_SIGMOID : ACTIVATION_SOFTMAX;
    tanda_status status = model_create(workload->units[0], layers, NULL, workload->units + 1, activations,
                                       binary ? LOSS_BINARY_CROSSENTROPY : LOSS_CATEGORICAL_CROSSENTROPY,
                                       TANDA_TASK_CLASSES, model, error);
    if (status == TANDA_OK) model_initialise(*model, 0);
    return status;
}

/* Assembling is the plan of a forward pass, cut off behind its first op. */
static tanda_status make_plan(session *session, tanda_error *error) {
    const bool training = session->workload->kind == BENCH_TRAINING;
    const plan_options options = {.training = training};
    tanda_status status = plan_create(session->model, &options, &session->plan, error);
    if (status == TANDA_OK && !training) session->plan->op_count = 1;
    return status;
}

static tanda_status hand_over(session *session, const bench_data *data, tanda_error *error) {
    backend *device = session->device;
    const size_t rows = data->rows;
    tanda_status status = backend_buffer(device, rows * data->features * sizeof(float), data->values,
                                         &session->features, error);
    if (status == TANDA_OK) backend_lend(device, session->features);
    if (status == TANDA_OK)
        status = backend_buffer(device, rows * sizeof(int32_t), data->labels, &session->labels, error);
    if (status == TANDA_OK)
        status = upload_parameters(device, session->plan, session->model, &session->parameters, error);
    return status == TANDA_OK ? backend_finish(device, error) : status;
}

static tanda_status compile(session *session, bool shuffle, tanda_error *error) {
    const program_options options = {.features = session->features,
                                     .labels = session->labels,
                                     .parameters = session->parameters,
                                     .rows = session->workload->rows,
                                     .batch_rows = session->batch,
                                     .shuffle = shuffle,
                                     .learning_rate = LEARNING_RATE};
    tanda_status status = backend_compile(session->device, session->plan, &options, &session->program, error);
    return status == TANDA_OK ? backend_finish(session->device, error) : status;
}

static tanda_status open_session(session *session, bench_data *data, bool shuffle, bench_result *result,
                                 tanda_error *error) {
    const double start = seconds_now();
    tanda_status status = bench_data_make(session->workload, data, error);
    result->load = seconds_now() - start;
    session->batch = session->workload->batch > 0 ? session->workload->batch : session->workload->rows;
    if (status == TANDA_OK)
        status = allocate(&session->results, MOST_STEPS, sizeof *session->results, "step results", error);
    if (status == TANDA_OK) status = bench_make_model(session->workload, &session->model, error);
    if (status == TANDA_OK) status = make_plan(session, error);
    const double loaded = seconds_now();
    if (status == TANDA_OK) status = hand_over(session, data, error);
    const double handed_over = seconds_now();
    if (status == TANDA_OK) status = compile(session, shuffle, error);
    result->transfer = handed_over - loaded;
    result->compile = seconds_now() - handed_over;
    return status;
}

static void close_session(session *session) {
    backend_program_free(session->device, session->program);
    backend_buffer_free(session->device, session->features);
    backend_buffer_free(session->device, session->labels);
    backend_buffer_free(session->device, session->parameters);
    plan_free(session->plan);
    tanda_model_free(session->model);
    free(session->results);
}

static tanda_status run_steps(void *context, size_t count, tanda_error *error) {
    session *session = context;
    tanda_status status = backend_run(session->device, session->program, session->next_step, count,
                                      !session->workload->without_loss, error);
    session->next_step += count;
    session->last_count = count;
    return status == TANDA_OK ? backend_results(session->device, session->program, session->results, error)
                              : status;
}

/* The losses of the first steps with the rows in order, beside data and initial model: what a peer starts from. */
static tanda_status export(const bench_workload *workload, backend *device, const bench_options *options,
                           bench_data *data, bench_result *result, tanda_error *error) {
    char path[1024];
    session session = {.workload = workload, .device = device};
    tanda_status status = open_session(&session, data, false, &(bench_result){0}, error);
    bench_export_path(workload, options->export_folder, ".safetensors", path);
    if (status == TANDA_OK) status = model_file_save(session.model, path, error);
    for (size_t s = 0; status == TANDA_OK && s < BENCH_CHECK_STEPS; s++) {
        status = backend_run(device, session.program, s, 1, true, error);
        if (status == TANDA_OK) status = backend_results(device, session.program, session.results, error);
        const size_t per_epoch = steps_per_epoch(workload->rows, session.batch);
        result->losses[s] = (double)session.results[0].loss /
                            (double)batch_size(workload->rows, session.batch, s % per_epoch);
        result->losses_count = s + 1;
    }
    close_session(&session);
    return status == TANDA_OK ? bench_data_export(workload, data, options->export_folder, error) : status;
}

tanda_status bench_training(const bench_workload *workload, backend *device, const bench_options *options,
                            bench_data *data, bench_result *result, tanda_error *error) {
    session session = {.workload = workload, .device = device};
    tanda_status status = TANDA_OK;
    count_work(workload, result);
    if (options->export_folder != NULL && workload->kind == BENCH_TRAINING)
        status = export(workload, device, options, data, result, error);
    if (status == TANDA_OK) status = open_session(&session, data, !workload->in_order, result, error);
    const bench_job job = {run_steps, &session, MOST_STEPS, device};
    if (status == TANDA_OK) status = bench_measure(&job, options, result, error);
    result->has_loss = status == TANDA_OK && workload->kind == BENCH_TRAINING && !workload->without_loss;
    if (result->has_loss) {
        const size_t last =
            (size_t)((session.next_step - 1) % steps_per_epoch(workload->rows, session.batch));
        result->loss = (double)session.results[session.last_count - 1].loss /
                       (double)batch_size(workload->rows, session.batch, last);
    }
    close_session(&session);
    return status;
}
