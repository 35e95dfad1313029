#include "train/trainer.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "data/dataset.h"
#include "support/clock.h"
#include "support/memory.h"
#include "support/text.h"
#include "train/optimizer.h"
#include "train/order.h"

#define MOST_STEPS_PER_RUN 65536 /* queued before the host looks at the results */
#define FIRST_STEPS_PER_RUN 1    /* before it is known how long they take */
#define RUN_SECONDS 0.2          /* a signal is obeyed, and a bar moves, so soon */
#define MOST_GROWTH 4            /* of a run, over the one before */

bool checkpoint_is_folder(const char *path) {
    static const char file[] = ".safetensors";
    const size_t length = strlen(path), size = sizeof file - 1;
    return length < size || strcmp(path + length - size, file) != 0;
}

/* The best weights are to be restored, or to be written beside checkpoints. */ static bool
keeps_best(const tanda_train_options *options) {
    return options->restore_best ||
           (options->checkpoint != NULL && checkpoint_is_folder(options->checkpoint));
}

/* ---- making -------------------------------------------------------------------------------------------- */

static tanda_status upload(trainer *trainer, const tanda_dataset *validation, tanda_error *error) {
    const tanda_dataset *training = trainer->dataset;
    /* Rows in a mapped file, or that are the validation set, too, are not the training set's own. */
    const bool moved = trainer->options->move_rows && training->owned != NULL &&
                       (validation == NULL || validation->values != training->values);
    const size_t streams = (size_t)supply_streams(trainer->backend, training) +
                           (validation != NULL && supply_streams(trainer->backend, validation));
    tanda_status status = supply_create(trainer->backend, trainer->model, training, true, moved, streams,
                                        &trainer->training, error);
    if (status == TANDA_OK && validation != NULL) {
        status = supply_create(trainer->backend, trainer->model, validation, true, false, streams,
                               &trainer->validation, error);
        trainer->validation_set = validation;
    }
    trainer->training.hosts = trainer->validation.hosts = trainer->options->hosts;
    return status == TANDA_OK ? backend_finish(trainer->backend, error) : status;
}

plan_options trainer_plan_options(const trainer *trainer) {
    return (plan_options){.training = true,
                          .dropout = trainer->options->dropout,
                          .weighted = dataset_is_weighted(trainer->dataset)};
}

program_options trainer_program_options(const trainer *trainer) {
    const tanda_train_options *options = trainer->options;
    return (program_options){.batch_rows = trainer->batch_rows,
                             .shuffle = shuffle_kind_of(options),
                             .shuffle_block = trainer->shuffle_block,
                             .shuffle_window = trainer->shuffle_window,
                             .seed = options->seed,
                             .learning_rate = (float)options->learning_rate,
                             .update = optimizer_settings(&options->optimizer),
                             .math = options->math,
                             .gemm = options->gemm};
}

/* What the device has to say of how it computes, once and when it changes. */
static void tell_notes(trainer *trainer) {
    const tanda_train_options *options = trainer->options;
    char notes[TRAINER_NOTES_SIZE];
    text_put(notes, sizeof notes, "%s", session_notes(&trainer->session));
    if (strcmp(notes, trainer->notes) == 0) return;
    memcpy(trainer->notes, notes, sizeof notes);
    if (options->on_note != NULL && notes[0] != '\0') options->on_note(notes, options->context);
}

/* Once, that rows come in time, and how. */
static void tell_stream(const trainer *trainer) {
    static const char *const orders[] = {
        [SHUFFLE_NONE] = "as they lie", [SHUFFLE_FULL] = "all mixed", [SHUFFLE_WINDOW] = "mixed in windows"};
    const tanda_train_options *options = trainer->options;
    const supply *rows = &trainer->training;
    const stream *stream = trainer->stepper.sections.stream;
    char note[200];
    if (stream == NULL || options->on_note == NULL) return;
    text_put(note, sizeof note, "%zu rows, %.1f MiB, come %s, %s, in sections of %zu rows", rows->feed->rows,
             (double)rows->feed->rows * (double)feed_row_size(rows->feed) / 0x1p20,
             trainer->stepper.sections.maker != NULL ? "from the device, which makes them"
             : rows->in_memory                       ? "from memory to the device"
                                                     : "from where they lie, piece by piece",
             orders[stream_order(stream)->kind], stream_most_rows(stream));
    options->on_note(note, options->context);
}

static tanda_status compile(trainer *trainer, tanda_error *error) {
    const tanda_train_options *options = trainer->options;
    const plan_options plan = trainer_plan_options(trainer);
    const program_options program = trainer_program_options(trainer);
    trainer->state_count = update_state_count(program.update.rule);
    tanda_status status =
        supply_session(&trainer->training, trainer->model, &plan, &program, trainer->total_steps, NULL,
                       &trainer->session, &trainer->stepper, error);
    if (status == TANDA_OK) tell_stream(trainer);
    if (status == TANDA_OK) tell_notes(trainer);
    if (status == TANDA_OK && keeps_best(options))
        status = allocate(&trainer->best, trainer->session.plan->parameter_count, sizeof(float),
                          "best parameters", error);
    if (status == TANDA_OK && options->optimizer.kind == TANDA_OPTIMIZER_LBFGS) {
        const full_batch_training training = {&trainer->session, &trainer->stepper, trainer->options,
                                              trainer->dataset->rows, &trainer->progress};
        status = full_batch_create(&training, &trainer->full_batch, error);
        if (status == TANDA_OK) trainer->state_count = full_batch_state_count(trainer->full_batch);
    }
    if (status == TANDA_OK && trainer->validation_set != NULL)
        status = evaluator_of_supply(trainer->model, &trainer->validation, &trainer->session,
                                     &trainer->evaluator, error);
    return status;
}

/* Before the rows are the device's. */
static tanda_status take_fingerprints(trainer *trainer, const tanda_dataset *training,
                                      const tanda_dataset *validation, tanda_error *error) {
    const target_scaling *scaling = &trainer->model->target_scaling;
    const tanda_train_options *options = trainer->options;
    if (options->checkpoint == NULL && options->resume == NULL && options->hosts == NULL) return TANDA_OK;
    tanda_status status = dataset_fingerprint(training, scaling, &trainer->training_fingerprint, error);
    if (status == TANDA_OK && validation != NULL)
        status = dataset_fingerprint(validation, scaling, &trainer->validation_fingerprint, error);
    return status;
}

static tanda_status count_steps(trainer *trainer, size_t rows, tanda_error *error) {
    const size_t epochs = trainer->options->epochs;
    trainer->batch_rows = batch_rows_of(trainer->options->batch_rows, rows);
    trainer->steps_per_epoch = steps_per_epoch(rows, trainer->batch_rows);
    size_t total = 0;
    if (multiply_overflows(trainer->steps_per_epoch, epochs, &total))
        return fail(error, TANDA_USAGE, "epochs: %zu of %zu steps are too many to count", epochs,
                    trainer->steps_per_epoch);
    trainer->total_steps = total;
    trainer->most_steps = total < MOST_STEPS_PER_RUN ? total : MOST_STEPS_PER_RUN;
    trainer->steps_per_run = FIRST_STEPS_PER_RUN;
    return TANDA_OK;
}

static tanda_status find_order(trainer *trainer, tanda_error *error) {
    tanda_train_options settled = *trainer->options;
    const tanda_status status =
        order_settle(&settled, trainer->dataset->rows, trainer->dataset->features, error);
    trainer->shuffle_block = settled.shuffle_block;
    trainer->shuffle_window = settled.shuffle_window;
    return status;
}

static void tell_order(const trainer *trainer) {
    const tanda_train_options *options = trainer->options;
    const size_t block = trainer->shuffle_block, window = trainer->shuffle_window;
    char note[200];
    if (options->on_note == NULL || block == 0 || trainer->batch_rows >= trainer->dataset->rows ||
        !order_mixes_badly(trainer->dataset, block, window))
        return;
    text_put(
        note, sizeof note,
        "the rows look sorted by class, and a window mixes only %zu blocks of %zu rows; shorter blocks mix "
        "better (--shuffle-block), or mix the data once (tanda shuffle)",
        window / block, block);
    options->on_note(note, options->context);
}

/* Adam's first steps, weight decay and schedules make rates of their own. */
static tanda_status begin_rates(trainer *trainer, tanda_error *error) {
    const tanda_train_options *options = trainer->options;
    trainer->rates = rates_begin(&options->optimizer, &options->schedule, options->learning_rate,
                                 trainer->steps_per_epoch, trainer->total_steps);
    if (rates_are_constant(&options->optimizer, &options->schedule)) return TANDA_OK;
    return allocate(&trainer->step_rates, trainer->most_steps, sizeof *trainer->step_rates, "learning rates",
                    error);
}

static void name_device(const trainer *trainer, tanda_train_result *result) {
    const backend *device = trainer->backend;
    result->executor = session_executor(&trainer->session);
    text_put(result->device, sizeof result->device, "%s", device->information.id);
    text_put(result->failure, sizeof result->failure, "%s", device->instead_of);
}

tanda_status trainer_create(trainer *trainer, const tanda_dataset *training, const tanda_dataset *validation,
                            tanda_train_result *result, tanda_error *error) {
    trainer->dataset = training;
    tanda_status status = count_steps(trainer, training->rows, error);
    if (status == TANDA_OK) status = find_order(trainer, error);
    if (status == TANDA_OK) tell_order(trainer);
    if (status == TANDA_OK)
        status =
            allocate(&trainer->results, trainer->most_steps, sizeof *trainer->results, "step results", error);
    if (status == TANDA_OK) status = begin_rates(trainer, error);
    if (status == TANDA_OK) status = take_fingerprints(trainer, training, validation, error);
    double start = seconds_now();
    if (status == TANDA_OK) status = upload(trainer, validation, error);
    result->transfer_seconds = seconds_now() - start;
    if (status == TANDA_OK) status = compile(trainer, error);
    if (status == TANDA_OK) name_device(trainer, result);
    result->compile_seconds = seconds_now() - start - result->transfer_seconds;
    return status;
}

void trainer_free(trainer *trainer) {
    evaluator_free(&trainer->evaluator);
    stepper_free(&trainer->stepper);
    session_free(&trainer->session);
    supply_free(&trainer->training);
    supply_free(&trainer->validation);
    free(trainer->results);
    free(trainer->step_rates);
    free(trainer->best);
    full_batch_free(trainer->full_batch);
}

/* ---- running ------------------------------------------------------------------------------------------- */

size_t trainer_epoch(const trainer *trainer) {
    const uint64_t step = trainer->progress.step;
    return step == 0 ? 0 : (size_t)((step - 1) / trainer->steps_per_epoch) + 1;
}

size_t trainer_step_of_epoch(const trainer *trainer) {
    const uint64_t step = trainer->progress.step;
    return step == 0 ? 0 : (size_t)((step - 1) % trainer->steps_per_epoch) + 1;
}

double trainer_learning_rate(trainer *trainer) {
    const uint64_t step = trainer->progress.step;
    return rates_learning_rate(&trainer->rates, &trainer->progress.plateau, step > 0 ? step - 1 : 0);
}

/* Adds up the steps; the first whose loss or weights are not finite ends the training. */
static tanda_status add_steps(trainer *trainer, size_t steps, tanda_error *error) {
    progress *progress = &trainer->progress;
    for (size_t s = 0; s < steps; s++) {
        const step_result *result = &trainer->results[s];
        if (progress->step % trainer->steps_per_epoch == 0) progress->running = (running){0};
        progress->step++;
        trainer->bad_loss = !isfinite(result->loss);
        trainer->diverged = trainer->bad_loss || result->not_finite;
        if (trainer->diverged)
            return fail(error, TANDA_FAILED, "diverged: a %s is not finite",
                        trainer->bad_loss ? "loss" : "weight");
        progress->running.loss += (double)result->loss;
        progress->running.correct += result->correct;
    }
    return TANDA_OK;
}

/* So many steps that the next run takes about RUN_SECONDS. */
static void keep_pace(trainer *trainer, size_t steps, double seconds) {
    size_t most = steps < trainer->most_steps / MOST_GROWTH ? MOST_GROWTH * steps : trainer->most_steps;
    if (steps < trainer->steps_per_run && most < trainer->steps_per_run) most = trainer->steps_per_run;
    trainer->step_seconds = (seconds > 1e-9 ? seconds : 1e-9) / (double)steps;
    const double wanted = RUN_SECONDS / trainer->step_seconds;
    trainer->steps_per_run = wanted >= (double)most ? most : wanted < 1.0 ? 1 : (size_t)wanted;
}

/* *steps of them, or fewer: as many as were made. */
static tanda_status make_steps(trainer *trainer, uint64_t first, size_t *steps, bool with_loss,
                               tanda_error *error) {
    const tanda_status status = stepper_run(&trainer->stepper, first, *steps, trainer->step_rates, with_loss,
                                            trainer->results, steps, error);
    return hosts_agree(trainer->options->hosts, status, NULL, error);
}

tanda_status trainer_advance(trainer *trainer, uint64_t end, bool with_loss, tanda_error *error) {
    const uint64_t first = trainer->progress.step;
    size_t steps = end - first < trainer->steps_per_run ? (size_t)(end - first) : trainer->steps_per_run;
    const double start = seconds_now();
    if (trainer->full_batch != NULL)
        return hosts_agree(trainer->options->hosts, full_batch_advance(trainer->full_batch, error), NULL,
                           error);
    if (trainer->step_rates != NULL)
        rates_make(&trainer->rates, &trainer->progress.plateau, first, steps, trainer->step_rates);
    tanda_status status = make_steps(trainer, first, &steps, with_loss, error);
    if (status != TANDA_OK) return status;
    tell_notes(trainer);
    for (size_t s = 0; !with_loss && s < steps; s++)
        trainer->results[s].loss = 0.0f;
    status = add_steps(trainer, steps, error);
    keep_pace(trainer, steps, seconds_now() - start);
    return status;
}

/* ---- snapshots ---------------------------------------------------------------------------------------------- */

/* Vector `index` of the optimizer's state, packed. */
static tanda_status read_state(const trainer *trainer, size_t index, float *packed, tanda_error *error) {
    if (trainer->full_batch == NULL) return session_read_state(&trainer->session, index, packed, error);
    full_batch_read_state(trainer->full_batch, index, packed);
    return TANDA_OK;
}

static tanda_status write_state(trainer *trainer, size_t index, const float *packed, tanda_error *error) {
    if (trainer->full_batch == NULL) return session_write_state(&trainer->session, index, packed, error);
    full_batch_write_state(trainer->full_batch, index, packed);
    return TANDA_OK;
}

tanda_status snapshot_create(const trainer *trainer, snapshot *snapshot, tanda_error *error) {
    const size_t count = trainer->session.plan->parameter_count;
    *snapshot = (struct snapshot){.state_count = trainer->state_count};
    tanda_status status = allocate(&snapshot->parameters, count, sizeof(float), "snapshot", error);
    if (status == TANDA_OK && trainer->best != NULL)
        status = allocate(&snapshot->best, count, sizeof(float), "snapshot", error);
    if (status == TANDA_OK)
        status =
            allocate(&snapshot->state, snapshot->state_count, sizeof *snapshot->state, "snapshot", error);
    for (size_t i = 0; status == TANDA_OK && i < snapshot->state_count; i++)
        status = allocate(&snapshot->state[i], count, sizeof(float), "snapshot", error);
    return status;
}

void snapshot_free(snapshot *snapshot) {
    free(snapshot->parameters);
    free(snapshot->best);
    for (size_t i = 0; snapshot->state != NULL && i < snapshot->state_count; i++)
        free(snapshot->state[i]);
    free(snapshot->state);
    *snapshot = (struct snapshot){0};
}

tanda_status snapshot_take(const trainer *trainer, snapshot *snapshot, tanda_error *error) {
    const size_t bytes = trainer->session.plan->parameter_count * sizeof(float);
    snapshot->progress = trainer->progress;
    if (snapshot->best != NULL) memcpy(snapshot->best, trainer->best, bytes);
    tanda_status status = session_read_parameters(&trainer->session, snapshot->parameters, error);
    for (size_t i = 0; status == TANDA_OK && i < snapshot->state_count; i++)
        status = read_state(trainer, i, snapshot->state[i], error);
    return status;
}

tanda_status snapshot_restore(trainer *trainer, const snapshot *snapshot, tanda_error *error) {
    const size_t bytes = trainer->session.plan->parameter_count * sizeof(float);
    trainer->progress = snapshot->progress;
    if (trainer->best != NULL && snapshot->best != NULL) memcpy(trainer->best, snapshot->best, bytes);
    tanda_status status = session_write_parameters(&trainer->session, snapshot->parameters, error);
    for (size_t i = 0; status == TANDA_OK && i < snapshot->state_count; i++)
        status = write_state(trainer, i, snapshot->state[i], error);
    return status == TANDA_OK ? backend_finish(trainer->backend, error) : status;
}
