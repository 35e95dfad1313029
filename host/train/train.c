/* Training: epochs of gradient descent on a device, with a report now and then. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "support/clock.h"
#include "support/memory.h"
#include "support/options.h"
#include "support/text.h"
#include "train/checkpoint_file.h"
#include "train/divergence.h"
#include "train/epoch.h"
#include "train/optimizer.h"
#include "train/same_training.h"
#include "train/train.h"

static tanda_status check_options(const tanda_model *model, const tanda_train_options *options,
                                  tanda_error *error) {
    if (options->epochs == 0) return fail(error, TANDA_USAGE, "epochs: 0 is too few, give 1 or more");
    if (!(options->learning_rate > 0.0) || !isfinite((float)options->learning_rate))
        return fail(error, TANDA_USAGE, "learning rate: %g is not a positive number that binary32 can hold",
                    options->learning_rate);
    if (!(options->min_delta >= 0.0) || !isfinite(options->min_delta))
        return fail(error, TANDA_USAGE, "min_delta: %g is not a finite number of at least 0",
                    options->min_delta);
    for (size_t i = 0; options->dropout != NULL && i < model->layer_count; i++)
        if (!(options->dropout[i] >= 0.0 && options->dropout[i] < 1.0))
            return fail(error, TANDA_USAGE, "dropout: %g is not a number from 0 to below 1",
                        options->dropout[i]);
    tanda_status status = optimizer_check(&options->optimizer, error);
    if (status == TANDA_OK) status = schedule_check(&options->schedule, error);
    if (status == TANDA_OK && options->optimizer.kind == TANDA_OPTIMIZER_LBFGS)
        status = full_batch_check(options, model->layer_count, error);
    return status;
}

#define LEAST_SNAPSHOT_SECONDS 1.0 /* a diverged step is looked for from the latest snapshot on */
#define SNAPSHOT_SHARE 50.0        /* of the time, between two, at least: 2 % at most are spent on them */

/* dataset_check of both. What was computed since the last check counts only when it has succeeded. */
static tanda_status check_data(const training_run *run, tanda_status status, tanda_error *error) {
    return dataset_check(run->validation, dataset_check(run->training, status, error), error);
}

/* ---- all epochs ---------------------------------------------------------------------------------------- */

static void tell_epoch(training_run *run, tanda_epoch *line) {
    const trainer *trainer = &run->trainer;
    const tanda_train_options *options = trainer->options;
    const double now = seconds_now();
    line->epochs = options->epochs;
    line->steps = trainer->steps_per_epoch;
    line->seconds = now - run->told_at;
    line->steps_since = (size_t)(trainer->progress.step - run->told_step);
    if (options->on_epoch != NULL) options->on_epoch(line, options->context);
    run->told_step = trainer->progress.step;
    run->told_at = now;
}

tanda_progress training_run_progress(const training_run *run) {
    const trainer *trainer = &run->trainer;
    const running *running = &trainer->progress.running;
    tanda_progress progress = {.epoch = trainer_epoch(trainer),
                               .epochs = trainer->options->epochs,
                               .step = trainer_step_of_epoch(trainer),
                               .steps = trainer->steps_per_epoch,
                               .steps_left = trainer->total_steps - trainer->progress.step,
                               .seconds = seconds_now() - run->told_at,
                               .step_seconds = trainer->step_seconds,
                               .loss = NAN,
                               .accuracy = NAN};
    const double rows = (double)trainer->dataset->rows;
    const double full = (double)progress.step * (double)trainer->batch_rows, seen = full < rows ? full : rows;
    const bool known = progress.steps > 1 || epoch_is_due(trainer, epoch_next_look);
    if (known) progress.loss = running->loss / seen;
    if (known && trainer->session.plan->labels.are_counted)
        progress.accuracy = (double)running->correct / seen;
    return progress;
}

static void tell_progress(const training_run *run) {
    const tanda_train_options *options = run->trainer.options;
    if (options->on_progress == NULL) return;
    tanda_progress progress = training_run_progress(run);
    if (progress.steps == 1)
        progress.loss = progress.accuracy = NAN; /* of the latest epoch that is looked at */
    options->on_progress(&progress, options->context);
}

static tanda_status remember(training_run *run, tanda_error *error) {
    const double start = seconds_now();
    const tanda_status status = snapshot_take(&run->trainer, &run->latest, error);
    run->taken = seconds_now();
    run->taking = run->taken - start;
    return status;
}

/* Not so often that it would be felt. */
static bool is_time_to_remember(const training_run *run) {
    const double age = seconds_now() - run->taken;
    return age > LEAST_SNAPSHOT_SECONDS && age > SNAPSHOT_SHARE * run->taking;
}

static tanda_status save(training_run *run, tanda_error *error) {
    const tanda_status status = remember(run, error);
    if (status != TANDA_OK || run->checkpoints->path == NULL) return status; /* another rank's to write */
    checkpoints_save(run->checkpoints, &run->trainer, &run->latest, NULL);   /* a failure is told by itself */
    return TANDA_OK;
}

/* Where there is no place for one, that is said once. */
static bool is_asked_to_save(training_run *run) {
    const tanda_train_options *options = run->trainer.options;
    if (options->should_save == NULL || !options->should_save(options->context)) return false;
    if (run->checkpoints->path != NULL || hosts_rank(options->hosts) > 0) return true;
    if (!run->told && options->on_note != NULL)
        options->on_note("asked to save, but there is no checkpoint to save to (--checkpoint FILE)",
                         options->context);
    run->told = true;
    return false;
}

static tanda_status interrupt(training_run *run, tanda_error *error) {
    const trainer *trainer = &run->trainer;
    const checkpoints *checkpoints = run->checkpoints;
    char place[96];
    text_put(place, sizeof place, "interrupted after epoch %zu, step %zu of %zu", trainer_epoch(trainer),
             trainer_step_of_epoch(trainer), trainer->steps_per_epoch);
    if (checkpoints->path == NULL)
        return fail(error, TANDA_INTERRUPTED, "%s; nothing was saved (--checkpoint FILE would have)", place);
    const tanda_status status = save(run, error);
    if (status != TANDA_OK) return status;
    if (!checkpoints->has_saved)
        return fail(error, TANDA_FAILED, "%s; NOT saved, %s cannot be written", place, checkpoints->path);
    return fail(error, TANDA_INTERRUPTED, "%s; saved in %s, --resume goes on from there", place,
                checkpoints->saved_path);
}

/* How far a run goes: rank 0 says it for all, as clocks and checkpoints differ. */
typedef struct run_length {
    uint64_t end, steps, with_loss;
} run_length;

/*
 * One run of steps, up to `most` or the next epoch where there is something to do. A full batch makes no loss in epochs
 * that are not looked at (contract 7).
 */
static tanda_status advance(training_run *run, uint64_t most, tanda_error *error) {
    trainer *trainer = &run->trainer;
    const tanda_train_options *options = trainer->options;
    const uint64_t per_epoch = trainer->steps_per_epoch, step = trainer->progress.step;
    const size_t next = (size_t)(step / per_epoch) + 1, look = epoch_next_look(options, next);
    const size_t due = checkpoints_next_epoch(run->checkpoints, options, next),
                 epoch = due < look ? due : look;
    const uint64_t end = epoch * per_epoch, least = end < most ? end : most;
    run_length length = {.end = least, .steps = trainer->steps_per_run, .with_loss = true};
    if (per_epoch == 1 && (step + 1 != end || epoch != look)) {
        length.with_loss = false;
        if (least == end && epoch == look) length.end = end - 1;
    }
    const tanda_status status = hosts_broadcast(options->hosts, &length, sizeof length / sizeof(word), error);
    if (status != TANDA_OK) return status;
    trainer->steps_per_run = (size_t)length.steps;
    return trainer_advance(trainer, length.end, length.with_loss != 0, error);
}

bool training_run_is_done(const training_run *run) {
    const trainer *trainer = &run->trainer;
    return trainer->progress.stopping.stopped || trainer->progress.step >= trainer->total_steps;
}

/* Advances, and ends the epoch if it is one that is looked at. */
static tanda_status go_on(training_run *run, uint64_t most, tanda_epoch *line, tanda_error *error) {
    tanda_status status = advance(run, most, error);
    if (status == TANDA_OK && epoch_is_due(&run->trainer, epoch_next_look))
        status = epoch_end(&run->trainer, line, error);
    return check_data(run, status, error);
}

/* The step that diverged, once more from the latest snapshot on, to see which layer shows it first. */
static tanda_status explain_divergence(training_run *run, tanda_error *error) {
    trainer *trainer = &run->trainer;
    char place[DIVERGENCE_PLACE_SIZE] = "", advice[DIVERGENCE_ADVICE_SIZE];
    const size_t epoch = trainer_epoch(trainer), step = trainer_step_of_epoch(trainer);
    const uint64_t before = trainer->progress.step - 1;
    const bool bad_loss = trainer->bad_loss;
    tanda_status status = snapshot_restore(trainer, &run->latest, NULL);
    while (status == TANDA_OK && trainer->progress.step < before) {
        tanda_epoch line = {0};
        status = go_on(run, before, &line, NULL);
    }
    if (status == TANDA_OK) divergence_examine(trainer, &run->latest, place);
    hosts_settle(trainer->options->hosts);
    divergence_advise(trainer->model, trainer->dataset, trainer->options->learning_rate, advice);
    return fail(error, TANDA_FAILED, "diverged: a %s is not finite in epoch %zu, step %zu of %zu%s%s; %s%s%s",
                bad_loss ? "loss" : "weight", epoch, step, trainer->steps_per_epoch,
                place[0] == '\0' ? "" : "; the first to show it is ", place, advice,
                run->checkpoints->saved_path == NULL ? "" : "; the last good checkpoint is ",
                run->checkpoints->saved_path == NULL ? "" : run->checkpoints->saved_path);
}

/* What is to be done between two runs of steps; of several ranks, where any of them says so. */
enum { MOMENT_STOP = 1, MOMENT_SAVE = 2, MOMENT_REMEMBER = 4 };

static uint32_t look_around(training_run *run) {
    const trainer *trainer = &run->trainer;
    const tanda_train_options *options = trainer->options;
    if (training_run_is_done(run)) return 0;
    if (options->should_stop != NULL && options->should_stop(options->context)) return MOMENT_STOP;
    if (is_asked_to_save(run) || checkpoints_due(run->checkpoints, trainer)) return MOMENT_SAVE;
    return hosts_rank(options->hosts) == 0 && is_time_to_remember(run) ? MOMENT_REMEMBER : 0;
}

static void tell(training_run *run, tanda_epoch *line) {
    if (epoch_is_due(&run->trainer, epoch_next_report))
        tell_epoch(run, line);
    else
        tell_progress(run);
}

static tanda_status run_steps(training_run *run, uint64_t end, tanda_error *error) {
    trainer *trainer = &run->trainer;
    tanda_hosts *hosts = trainer->options->hosts;
    tanda_status status = TANDA_OK;
    while (status == TANDA_OK && trainer->progress.step < end && !training_run_is_done(run)) {
        tanda_epoch line = {0};
        status = go_on(run, end, &line, error);
        if (trainer->diverged && status == TANDA_FAILED) return explain_divergence(run, error);
        if (status == TANDA_OK) tell(run, &line);
        uint32_t moment = status == TANDA_OK ? look_around(run) : 0;
        status = hosts_agree(hosts, status, &moment, error);
        if (status != TANDA_OK) return status;
        if (moment & MOMENT_STOP) {
            hosts_settle(hosts);
            return interrupt(run, error);
        }
        if (moment & MOMENT_SAVE)
            status = save(run, error);
        else if (moment & MOMENT_REMEMBER)
            status = remember(run, error);
    }
    return status;
}

tanda_status training_run_advance(training_run *run, uint64_t steps, tanda_error *error) {
    const uint64_t step = run->trainer.progress.step, left = run->trainer.total_steps - step;
    const double start = seconds_now();
    const tanda_status status = run_steps(run, step + (steps < left ? steps : left), error);
    run->result.train_seconds += seconds_now() - start;
    return status;
}

/* ---- the end of the training --------------------------------------------------------------------------- */

tanda_status training_run_read(const training_run *run, tanda_error *error) {
    const trainer *trainer = &run->trainer;
    const plan *plan = trainer->session.plan;
    float *packed = NULL;
    tanda_status status = allocate(&packed, plan->parameter_count, sizeof *packed, "parameters", error);
    if (status == TANDA_OK) status = session_read_parameters(&trainer->session, packed, error);
    if (status == TANDA_OK) plan_unpack(plan, packed, trainer->model->parameters);
    free(packed);
    return status;
}

/* The final weights, and their evaluation over all rows (contract 7). */
static tanda_status finish_training(training_run *run, tanda_error *error) {
    trainer *trainer = &run->trainer;
    tanda_train_result *result = &run->result;
    evaluator evaluator = {0};
    tanda_status status = TANDA_OK;
    if (trainer->options->restore_best && trainer->progress.stopping.best_epoch > 0)
        status = session_write_parameters(&trainer->session, trainer->best, error);
    stepper_free(&trainer->stepper); /* its memory is for the evaluation */
    if (status == TANDA_OK)
        status =
            evaluator_of_supply(trainer->model, &trainer->training, &trainer->session, &evaluator, error);
    status = hosts_agree(trainer->options->hosts, status, NULL, error);
    if (status == TANDA_OK) status = evaluator_run(&evaluator, &result->training, error);
    result->has_validation = trainer->validation_set != NULL;
    if (status == TANDA_OK && trainer->validation_set != NULL)
        status = evaluator_run(&trainer->evaluator, &result->validation, error);
    if (status == TANDA_OK && !isfinite(result->training.loss))
        status = fail(error, TANDA_FAILED,
                      "diverged: the loss of the final weights is not finite (epoch %zu, step %zu)",
                      trainer_epoch(trainer), trainer->steps_per_epoch);
    status = check_data(run, status, error);
    if (status == TANDA_OK) status = training_run_read(run, error);
    evaluator_free(&evaluator);
    return status;
}

static tanda_status resume(training_run *run, tanda_error *error) {
    const tanda_train_options *options = run->trainer.options;
    char *file = NULL;
    if (options->resume == NULL) return TANDA_OK;
    tanda_status status = checkpoint_find(options->resume, options->on_note, options->context, &file, error);
    if (status == TANDA_OK) status = checkpoint_file_read(&run->trainer, &run->latest, file, error);
    if (status == TANDA_OK) status = snapshot_restore(&run->trainer, &run->latest, error);
    if (status == TANDA_OK)
        status = checkpoints_resume(run->checkpoints, file, run->trainer.progress.step, error);
    if (status == TANDA_OK && options->on_note != NULL) {
        char note[512];
        text_put(note, sizeof note, "resumed from %s, after epoch %zu, step %zu of %zu", file,
                 trainer_epoch(&run->trainer), trainer_step_of_epoch(&run->trainer),
                 run->trainer.steps_per_epoch);
        options->on_note(note, options->context);
    }
    free(file);
    return status;
}

tanda_status training_run_begin(training_run *run, tanda_device *device, tanda_model *model,
                                const tanda_train_options *options, tanda_error *error) {
    const tanda_dataset *training = run->training, *validation = run->validation;
    run->trainer = (trainer){.backend = device, .model = model, .options = options};
    tanda_status status = check_options(model, options, error);
    if (status == TANDA_OK) status = check_fit(model, training, true, error);
    if (status == TANDA_OK && validation != NULL) status = check_fit(model, validation, true, error);
    if (status == TANDA_OK)
        status =
            check_data(run, trainer_create(&run->trainer, training, validation, &run->result, error), error);
    if (status == TANDA_OK) status = snapshot_create(&run->trainer, &run->latest, error);
    if (status == TANDA_OK) status = resume(run, error);
    if (status == TANDA_OK) status = same_training_check(&run->trainer, error);
    run->told_step = run->trainer.progress.step;
    run->told_at = run->checkpoints->attempted = seconds_now();
    return status == TANDA_OK ? remember(run, error) : status;
}

tanda_status training_run_end(training_run *run, tanda_error *error) {
    const bool saves = run->checkpoints->path != NULL;
    tanda_hosts *hosts = run->trainer.options->hosts;
    const stopping *stopping = &run->trainer.progress.stopping;
    run->result.epochs = trainer_epoch(&run->trainer);
    run->result.steps = run->trainer.progress.step;
    run->result.best_epoch = stopping->best_epoch;
    run->result.best_score = stopping->best_epoch > 0 ? stopping->best : NAN;
    run->result.stopped_early = stopping->stopped;
    tanda_status status = saves ? remember(run, error) : TANDA_OK;
    if (status == TANDA_OK && run->trainer.full_batch != NULL)
        status = check_data(run, full_batch_end(run->trainer.full_batch, &run->result, error), error);
    if (status == TANDA_OK) status = finish_training(run, error);
    status = hosts_agree(hosts, status, NULL, error);
    if (status == TANDA_OK) status = same_weights_check(&run->trainer, error);
    hosts_settle(hosts);
    if (status == TANDA_OK && saves)
        checkpoints_save(run->checkpoints, &run->trainer, &run->latest, NULL); /* told by itself */
    return status;
}

void training_run_free(training_run *run) {
    snapshot_free(&run->latest);
    trainer_free(&run->trainer);
}

tanda_status train_saving(tanda_device *device, tanda_model *model, const tanda_dataset *training,
                          const tanda_dataset *validation, const tanda_train_options *options,
                          checkpoints *checkpoints, tanda_train_result *result, tanda_error *error) {
    training_run run = {.training = training, .validation = validation, .checkpoints = checkpoints};
    tanda_status status = training_run_begin(&run, device, model, options, error);
    if (status == TANDA_OK) *result = run.result;
    if (status == TANDA_OK) status = training_run_advance(&run, UINT64_MAX, error);
    if (status == TANDA_OK) status = training_run_end(&run, error);
    if (status == TANDA_OK) *result = run.result;
    training_run_free(&run);
    return status;
}

tanda_status tanda_train(tanda_device *device, tanda_model *model, const tanda_dataset *training,
                         const tanda_dataset *validation, const tanda_train_options *options,
                         tanda_train_result *result, tanda_error *error) {
    checkpoints checkpoints = {0};
    tanda_train_options taken;
    tanda_status status = TAKE_OPTIONS(tanda_train_options, options, &taken, error);
    if (status == TANDA_OK)
        status = checkpoints_begin(checkpoints_path(&taken), taken.resume, &checkpoints, error);
    if (status == TANDA_OK)
        status = train_saving(device, model, training, validation, &taken, &checkpoints, result, error);
    checkpoints_free(&checkpoints);
    return status;
}
