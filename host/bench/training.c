/* Steps of training, and of assembling alone, on a device. */
#include <stdlib.h>

#include "backend/profile.h"
#include "backend/session.h"
#include "bench/parts.h"
#include "model/model_file.h"
#include "support/clock.h"
#include "support/memory.h"

#define LEARNING_RATE 0.01f
#define MOST_STEPS 65536

struct bench_trial {
    bench_workload workload;
    backend *device;
    tanda_model *model;
    resident rows;
    session session;
    step_result *results;
    size_t batch;
    uint64_t next_step;
    size_t last_count; /* steps of the latest run, whose results are there */
};

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

static tanda_status compile(bench_trial *trial, bool shuffle, tanda_math math, tanda_error *error) {
    const bool trains = trial->workload.kind == BENCH_TRAINING;
    const plan_options plan = {.training = trains, .input_only = !trains};
    const program_options program = {
        .batch_rows = trial->batch, .shuffle = shuffle, .learning_rate = LEARNING_RATE, .math = math};
    const tanda_status status =
        session_create(trial->model, &trial->rows, &plan, &program, NULL, &trial->session, error);
    return status == TANDA_OK ? session_finish(&trial->session, error) : status;
}

static tanda_status hand_over(bench_trial *trial, const bench_data *data, bool shares, tanda_error *error) {
    const row_arrays arrays = {.rows = data->rows,
                               .features = data->features,
                               .targets = 1,
                               .values = data->values,
                               .labels = data->labels,
                               .moved = !shares};
    const tanda_status status = resident_create(trial->device, &arrays, &trial->rows, error);
    return status == TANDA_OK ? backend_finish(trial->device, error) : status;
}

static tanda_status prepare(bench_trial *trial, const bench_options *options, bench_data *data, bool shuffle,
                            bench_result *result, tanda_error *error) {
    const double start = seconds_now();
    tanda_status status = bench_data_make(&trial->workload, data, error);
    result->load = seconds_now() - start;
    trial->batch = trial->workload.batch > 0 ? trial->workload.batch : trial->workload.rows;
    if (status == TANDA_OK)
        status = allocate(&trial->results, MOST_STEPS, sizeof *trial->results, "step results", error);
    if (status == TANDA_OK) status = bench_make_model(&trial->workload, &trial->model, error);
    const double loaded = seconds_now();
    if (status == TANDA_OK) status = hand_over(trial, data, options->shares_data, error);
    const double handed_over = seconds_now();
    if (status == TANDA_OK) status = compile(trial, shuffle, options->math, error);
    result->executor = status == TANDA_OK ? session_executor(&trial->session) : NULL;
    result->transfer = handed_over - loaded;
    result->compile = seconds_now() - handed_over;
    return status;
}

void bench_close(bench_trial *trial) {
    if (trial == NULL) return;
    session_free(&trial->session);
    resident_free(&trial->rows);
    tanda_model_free(trial->model);
    free(trial->results);
    free(trial);
}

static tanda_status open_trial(const bench_workload *workload, backend *device, const bench_options *options,
                               bench_data *data, bool shuffle, bench_result *result, bench_trial **opened,
                               tanda_error *error) {
    bench_trial *trial = NULL;
    *opened = NULL;
    tanda_status status = allocate(&trial, 1, sizeof *trial, "training", error);
    if (status != TANDA_OK) return status;
    trial->workload = *workload;
    trial->device = device;
    status = prepare(trial, options, data, shuffle, result, error);
    if (status == TANDA_OK)
        *opened = trial;
    else
        bench_close(trial);
    return status;
}

static tanda_status run_steps(void *context, size_t count, tanda_error *error) {
    bench_trial *trial = context;
    const tanda_status status =
        session_run(&trial->session, trial->next_step, count, NULL, !trial->workload.without_loss, error);
    trial->next_step += count;
    trial->last_count = count;
    return status == TANDA_OK ? session_results(&trial->session, trial->results, error) : status;
}

/* The SHA-256 of the losses of the first steps and of the weights behind them. *first: the seconds of the first one. */
static tanda_status make_digest(bench_trial *trial, size_t steps, double *first,
                                char digest[DIGEST_TEXT_SIZE], tanda_error *error) {
    const size_t count = trial->session.plan->parameter_count;
    float *values = NULL;
    tanda_status status = allocate(&values, steps + count, sizeof *values, "first losses and weights", error);
    for (size_t s = 0; status == TANDA_OK && s < steps; s++) {
        const double begin = seconds_now();
        status = run_steps(trial, 1, error);
        if (s == 0) *first = seconds_now() - begin;
        values[s] = trial->results[0].loss;
    }
    if (status == TANDA_OK) status = session_read_parameters(&trial->session, values + steps, error);
    if (status == TANDA_OK) digest_sha256(values, (steps + count) * sizeof *values, digest);
    free(values);
    return status;
}

/* A repetition more, of which the device keeps account. */
static tanda_status profile_steps(bench_trial *trial, const bench_options *options, bench_result *result,
                                  tanda_error *error) {
    tanda_error ignored;
    tanda_status status = backend_profile_begin(trial->device, false, error);
    if (status != TANDA_OK) return status;
    const double begin = seconds_now();
    status = run_steps(trial, result->steps, error);
    result->profiled_seconds = seconds_now() - begin;
    const tanda_status ended =
        backend_profile_end(trial->device, options->profile, status == TANDA_OK ? error : &ignored);
    return status == TANDA_OK ? ended : status;
}

/* The losses of the first steps with the rows in order, beside data and initial model: what a peer starts from. */
static tanda_status export(const bench_workload *workload, backend *device, const bench_options *options,
                           bench_data *data, bench_result *result, tanda_error *error) {
    char path[1024];
    bench_trial *trial = NULL;
    tanda_status status =
        open_trial(workload, device, options, data, false, &(bench_result){0}, &trial, error);
    bench_export_path(workload, options->export_folder, ".safetensors", path);
    if (status == TANDA_OK) status = model_file_save(trial->model, path, error);
    for (size_t s = 0; status == TANDA_OK && s < BENCH_CHECK_STEPS; s++) {
        status = session_run(&trial->session, s, 1, NULL, true, error);
        if (status == TANDA_OK) status = session_results(&trial->session, trial->results, error);
        const size_t per_epoch = steps_per_epoch(workload->rows, trial->batch);
        result->losses[s] =
            (double)trial->results[0].loss / (double)batch_size(workload->rows, trial->batch, s % per_epoch);
        result->losses_count = s + 1;
    }
    bench_close(trial);
    return status == TANDA_OK ? bench_data_export(workload, data, options->export_folder, error) : status;
}

/* ---- open, measured, closed ----------------------------------------------------------------------------------- */

tanda_status bench_open(const bench_workload *workload, backend *device, const bench_options *options,
                        bench_data *data, bench_result *result, bench_trial **trial, tanda_error *error) {
    count_work(workload, result);
    tanda_status status =
        open_trial(workload, device, options, data, !workload->in_order, result, trial, error);
    if (status != TANDA_OK || options->digest_steps == 0) return status;
    status = make_digest(*trial, options->digest_steps, &result->first, result->digest, error);
    if (status == TANDA_OK) return TANDA_OK;
    bench_close(*trial);
    *trial = NULL;
    return status;
}

tanda_status bench_again(bench_trial *trial, const bench_options *options, bench_result *result,
                         tanda_error *error) {
    const bench_workload *workload = &trial->workload;
    const bench_job job = {run_steps, trial, MOST_STEPS, trial->device};
    const double first = result->first;
    tanda_status status = bench_measure(&job, options, result, error);
    if (first > 0.0) result->first = first;
    if (status == TANDA_OK && options->profile != NULL) status = profile_steps(trial, options, result, error);
    result->has_loss = status == TANDA_OK && workload->kind == BENCH_TRAINING && !workload->without_loss;
    if (result->has_loss) {
        const size_t last = (size_t)((trial->next_step - 1) % steps_per_epoch(workload->rows, trial->batch));
        result->loss = (double)trial->results[trial->last_count - 1].loss /
                       (double)batch_size(workload->rows, trial->batch, last);
    }
    return status;
}

tanda_status bench_digest(bench_trial *trial, size_t steps, double *first, char digest[DIGEST_TEXT_SIZE],
                          tanda_error *error) {
    const plan *plan = trial->session.plan;
    float *packed = NULL;
    tanda_status status = allocate(&packed, plan->parameter_count, sizeof *packed, "weights", error);
    if (status != TANDA_OK) return status;
    plan_pack(plan, trial->model->parameters, packed);
    status = session_write_parameters(&trial->session, packed, error);
    free(packed);
    trial->next_step = 0;
    return status == TANDA_OK ? make_digest(trial, steps, first, digest, error) : status;
}

tanda_status bench_training(const bench_workload *workload, backend *device, const bench_options *options,
                            bench_data *data, bench_result *result, tanda_error *error) {
    bench_trial *trial = NULL;
    tanda_status status = TANDA_OK;
    if (options->export_folder != NULL && workload->kind == BENCH_TRAINING)
        status = export(workload, device, options, data, result, error);
    if (status == TANDA_OK) status = bench_open(workload, device, options, data, result, &trial, error);
    if (status == TANDA_OK) status = bench_again(trial, options, result, error);
    bench_close(trial);
    return status;
}
