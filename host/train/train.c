/* Training: epochs of gradient descent on a device, with a report now and then. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "support/clock.h"
#include "support/memory.h"
#include "train/session.h"

#define MOST_STEPS_PER_RUN 65536 /* queued before the host looks at the results */
#define LEAST_STEPS_PER_RUN 256

typedef struct trainer {
    backend *backend;
    tanda_model *model;
    const tanda_train_options *options;
    plan *plan;
    resident training, validation;
    bool has_validation;
    buffer *parameters;
    program *program;
    evaluator evaluator;
    size_t batch_rows, steps_per_epoch, steps_per_run;
    step_result *results;
} trainer;

/* Sums of an epoch's steps, in step order and double precision (contract 7). */
typedef struct running {
    double loss;
    uint64_t correct;
} running;

static tanda_status check_options(const tanda_train_options *options, tanda_error *error) {
    if (options->epochs == 0) return fail(error, TANDA_USAGE, "epochs: 0 is too few, give 1 or more");
    if (!(options->learning_rate > 0.0) || !isfinite((float)options->learning_rate))
        return fail(error, TANDA_USAGE, "learning rate: %g is not a positive number that binary32 can hold",
                    options->learning_rate);
    return TANDA_OK;
}

static tanda_status trainer_upload(trainer *trainer, const tanda_dataset *training,
                                   const tanda_dataset *validation, tanda_error *error) {
    tanda_status status = resident_create(trainer->backend, training, true, &trainer->training, error);
    /* Rows that are ours, and not in a mapped file, are worth rearranging in place. */
    bool sole = training->owned != NULL && (validation == NULL || validation->values != training->values);
    if (status == TANDA_OK && sole) backend_lend(trainer->backend, trainer->training.features);
    if (status == TANDA_OK)
        status =
            upload_parameters(trainer->backend, trainer->plan, trainer->model, &trainer->parameters, error);
    if (status == TANDA_OK && validation != NULL) {
        status = resident_create(trainer->backend, validation, true, &trainer->validation, error);
        trainer->has_validation = true;
    }
    return status == TANDA_OK ? backend_finish(trainer->backend, error) : status;
}

static tanda_status trainer_compile(trainer *trainer, const tanda_dataset *training, tanda_error *error) {
    const tanda_train_options *options = trainer->options;
    const program_options program_options = {.features = trainer->training.features,
                                             .labels = trainer->training.labels,
                                             .parameters = trainer->parameters,
                                             .rows = training->rows,
                                             .batch_rows = trainer->batch_rows,
                                             .shuffle = !options->no_shuffle,
                                             .seed = options->seed,
                                             .learning_rate = (float)options->learning_rate,
                                             .math = options->math,
                                             .gemm = options->gemm};
    tanda_status status =
        backend_compile(trainer->backend, trainer->plan, &program_options, &trainer->program, error);
    if (status == TANDA_OK && options->on_note != NULL &&
        backend_notes(trainer->backend, trainer->program)[0] != '\0')
        options->on_note(backend_notes(trainer->backend, trainer->program), options->context);
    if (status == TANDA_OK && trainer->has_validation)
        status = evaluator_create(trainer->backend, trainer->model, &trainer->validation, trainer->parameters,
                                  &trainer->evaluator, error);
    return status;
}

/* An epoch's, but enough of short epochs that the host is seldom waited for. */
static size_t most_steps_per_run(const trainer *trainer) {
    size_t steps =
        trainer->steps_per_epoch < LEAST_STEPS_PER_RUN ? LEAST_STEPS_PER_RUN : trainer->steps_per_epoch;
    return steps < MOST_STEPS_PER_RUN ? steps : MOST_STEPS_PER_RUN;
}

static tanda_status trainer_create(trainer *trainer, const tanda_dataset *training,
                                   const tanda_dataset *validation, tanda_train_result *result,
                                   tanda_error *error) {
    const plan_options options = {.training = true};
    size_t wanted = trainer->options->batch_rows;
    trainer->batch_rows = wanted == 0 || wanted > training->rows ? training->rows : wanted;
    trainer->steps_per_epoch = steps_per_epoch(training->rows, trainer->batch_rows);
    trainer->steps_per_run = most_steps_per_run(trainer);
    tanda_status status =
        allocate(&trainer->results, trainer->steps_per_run, sizeof *trainer->results, "step results", error);
    if (status == TANDA_OK) status = plan_create(trainer->model, &options, &trainer->plan, error);
    double start = seconds_now();
    if (status == TANDA_OK) status = trainer_upload(trainer, training, validation, error);
    result->transfer_seconds = seconds_now() - start;
    if (status == TANDA_OK) status = trainer_compile(trainer, training, error);
    result->compile_seconds = seconds_now() - start - result->transfer_seconds;
    return status;
}

static void trainer_free(trainer *trainer) {
    evaluator_free(trainer->backend, &trainer->evaluator);
    backend_program_free(trainer->backend, trainer->program);
    backend_buffer_free(trainer->backend, trainer->parameters);
    resident_free(trainer->backend, &trainer->training);
    resident_free(trainer->backend, &trainer->validation);
    plan_free(trainer->plan);
    free(trainer->results);
}

/* Adds up the steps; the first whose loss or weights are not finite ends the training. */
static tanda_status add_steps(const trainer *trainer, uint64_t first, size_t steps, running *running,
                              tanda_error *error) {
    for (size_t s = 0; s < steps; s++) {
        const step_result *result = &trainer->results[s];
        bool bad_loss = !isfinite(result->loss);
        if (bad_loss || result->not_finite)
            return fail(
                error, TANDA_FAILED,
                "diverged: a %s is not finite in epoch %zu, step %zu of %zu; a smaller learning rate than %g "
                "may help",
                bad_loss ? "loss" : "weight", (size_t)((first + s) / trainer->steps_per_epoch) + 1,
                (size_t)((first + s) % trainer->steps_per_epoch) + 1, trainer->steps_per_epoch,
                trainer->options->learning_rate);
        running->loss += (double)result->loss;
        running->correct += result->correct;
    }
    return TANDA_OK;
}

/* Steps [first, end), in runs that the host has room to hear of. */
static tanda_status run_steps(trainer *trainer, uint64_t first, uint64_t end, bool with_loss,
                              running *running, tanda_error *error) {
    while (first < end) {
        size_t steps = end - first < trainer->steps_per_run ? (size_t)(end - first) : trainer->steps_per_run;
        tanda_status status = backend_run(trainer->backend, trainer->program, first, steps, with_loss, error);
        if (status == TANDA_OK)
            status = backend_results(trainer->backend, trainer->program, trainer->results, error);
        for (size_t s = 0; status == TANDA_OK && !with_loss && s < steps; s++)
            trainer->results[s].loss = 0.0f;
        if (status == TANDA_OK) status = add_steps(trainer, first, steps, running, error);
        if (status != TANDA_OK) return status;
        first += steps;
    }
    return TANDA_OK;
}

/* Epochs [first, end), of which the last is reported. A full batch makes no loss in the others (contract 7). */
static tanda_status run_stretch(trainer *trainer, size_t first, size_t end, running *running,
                                tanda_error *error) {
    const uint64_t steps = trainer->steps_per_epoch;
    tanda_status status = run_steps(trainer, first * steps, (end - 1) * steps, steps > 1, running, error);
    *running = (struct running){0};
    return status == TANDA_OK ? run_steps(trainer, (end - 1) * steps, end * steps, true, running, error)
                              : status;
}

/* The first epoch from `epoch` on that is reported; epochs count from 1. */
static size_t next_report(const tanda_train_options *options, size_t epoch) {
    size_t every = options->report_every > 0 ? options->report_every : 1;
    size_t last = epoch > SIZE_MAX - every ? options->epochs : (epoch + every - 1) / every * every;
    return last < options->epochs ? last : options->epochs;
}

static tanda_status report(trainer *trainer, tanda_epoch *line, const running *running, tanda_error *error) {
    double rows = (double)trainer->training.dataset->rows;
    line->loss = running->loss / rows;
    line->accuracy = trainer->plan->classes ? (double)running->correct / rows : NAN;
    line->has_validation = trainer->has_validation;
    if (trainer->has_validation) {
        tanda_status status = evaluator_run(trainer->backend, &trainer->evaluator, &line->validation, error);
        if (status != TANDA_OK) return status;
    }
    if (trainer->options->on_epoch != NULL) trainer->options->on_epoch(line, trainer->options->context);
    return TANDA_OK;
}

static tanda_status run_epochs(trainer *trainer, tanda_error *error) {
    const tanda_train_options *options = trainer->options;
    double before = seconds_now();
    for (size_t done = 0, end = 0; done < options->epochs; done = end) {
        running running = {0};
        end = next_report(options, done + 1);
        tanda_status status = run_stretch(trainer, done, end, &running, error);
        if (status != TANDA_OK) return status;
        tanda_epoch line = {.epoch = end,
                            .epochs = options->epochs,
                            .steps = trainer->steps_per_epoch,
                            .seconds = seconds_now() - before,
                            .steps_since = (end - done) * trainer->steps_per_epoch};
        status = report(trainer, &line, &running, error);
        if (status != TANDA_OK) return status;
        before = seconds_now();
    }
    return TANDA_OK;
}

/* The final weights, and their evaluation over all rows (contract 7). */
static tanda_status finish_training(trainer *trainer, tanda_train_result *result, tanda_error *error) {
    backend *backend = trainer->backend;
    float *packed = NULL;
    size_t bytes = trainer->plan->parameter_count * sizeof(float);
    evaluator evaluator = {0};
    tanda_status status =
        allocate(&packed, trainer->plan->parameter_count, sizeof(float), "parameters", error);
    if (status == TANDA_OK)
        status = evaluator_create(backend, trainer->model, &trainer->training, trainer->parameters,
                                  &evaluator, error);
    if (status == TANDA_OK) status = evaluator_run(backend, &evaluator, &result->training, error);
    result->has_validation = trainer->has_validation;
    if (status == TANDA_OK && trainer->has_validation)
        status = evaluator_run(backend, &trainer->evaluator, &result->validation, error);
    if (status == TANDA_OK) status = backend_download(backend, trainer->parameters, packed, bytes, error);
    if (status == TANDA_OK && !isfinite(result->training.loss))
        status = fail(error, TANDA_FAILED,
                      "diverged: the loss of the final weights is not finite (epoch %zu, step %zu)",
                      trainer->options->epochs, trainer->steps_per_epoch);
    if (status == TANDA_OK) plan_unpack(trainer->plan, packed, trainer->model->parameters);
    evaluator_free(backend, &evaluator);
    free(packed);
    return status;
}

tanda_status tanda_train(tanda_device *device, tanda_model *model, const tanda_dataset *training,
                         const tanda_dataset *validation, const tanda_train_options *options,
                         tanda_train_result *result, tanda_error *error) {
    trainer trainer = {.backend = device, .model = model, .options = options};
    tanda_train_result made = {.epochs = options->epochs};
    tanda_status status = check_options(options, error);
    if (status == TANDA_OK) status = check_fit(model, training, true, error);
    if (status == TANDA_OK && validation != NULL) status = check_fit(model, validation, true, error);
    if (status != TANDA_OK) return status;
    status = trainer_create(&trainer, training, validation, &made, error);
    double start = seconds_now();
    if (status == TANDA_OK) status = run_epochs(&trainer, error);
    made.train_seconds = seconds_now() - start;
    made.steps = (uint64_t)options->epochs * trainer.steps_per_epoch;
    if (status == TANDA_OK) status = finish_training(&trainer, &made, error);
    trainer_free(&trainer);
    if (status == TANDA_OK) *result = made;
    return status;
}
