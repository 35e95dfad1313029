/* tanda train */
#include <stdlib.h>

#include "cli/bar.h"
#include "cli/column_notes.h"
#include "cli/command.h"
#include "cli/cross_validation.h"
#include "cli/data_notes.h"
#include "cli/dialect_options.h"
#include "cli/encoding_options.h"
#include "cli/interrupt.h"
#include "cli/opening.h"
#include "cli/print.h"
#include "cli/report.h"
#include "cli/resume.h"
#include "cli/run_log.h"
#include "cli/train_files.h"
#include "cli/train_setup.h"
#include "model/model_file.h"
#include "support/clock.h"
#include "support/digest.h"
#include "train/checkpoint_file.h"
#include "train/optimizer.h"
#include "train/schedule.h"
#include "train/train.h"

/* One run of the command. */
typedef struct training {
    train_options options;
    train_setup setup;
    tanda_device *device;
    char reason[256];
    double load_seconds;
    char *checkpoint; /* to resume from, or NULL */
    size_t fold;      /* of a cross-validation, from 1; 0: the training that is kept */
    cross_validation folds;
    checkpoints checkpoints;
    bool unsaved; /* the latest checkpoint could not be written */
    bool asked;   /* for a checkpoint that is not told yet */
    bar bar;
    run_logs logs;
    tanda_train_result result;
    char digest[DIGEST_TEXT_SIZE];
} training;

static bool is_full_batch(const training *run) {
    return run->options.full_batch || run->options.batch >= run->setup.training->rows;
}

static size_t report_every(const training *run) {
    const size_t epochs = run->options.epochs;
    if (run->options.report_every > 0) return run->options.report_every;
    return is_full_batch(run) && epochs > 20 ? epochs / 20 : 1;
}

static void print_training_line(const training *run) {
    const size_t rows = run->setup.training->rows;
    const size_t batch = is_full_batch(run) ? rows : run->options.batch;
    const size_t steps = rows / batch + (rows % batch != 0);
    char text[OPTIMIZER_TEXT_SIZE];
    fprintf(stderr, "training: %zu rows, ", rows);
    print_counted(stderr, steps, "step");
    fprintf(stderr, " of %zu rows per epoch, ", batch);
    print_counted(stderr, run->options.epochs, "epoch");
    fprintf(stderr, ", %s, seed %llu",
            optimizer_text(&run->options.optimizing, run->options.learning_rate, text),
            (unsigned long long)run->options.common.seed);
    if (run->setup.validation != NULL) {
        fputs("; validation: ", stderr);
        print_counted(stderr, run->setup.validation->rows, "row");
    }
    fputc('\n', stderr);
    print_optimizer_remark(stderr, &run->options.optimizing);
    if (run->options.output == NULL && run->fold == 0)
        fputs("note: no --output, the model is not kept\n", stderr);
}

static void print_notes(const training *run) {
    const train_setup *setup = &run->setup;
    print_dropped_note(stderr, run->options.data.path, setup->dropped);
    if (setup->validation != NULL && run->options.validation_path != NULL)
        print_dropped_note(stderr, run->options.validation_path, setup->validation->dropped);
    print_class_note(stderr, setup->training);
    print_constant_note(stderr, setup->model);
    if (setup->training->origin_note != NULL) print_note(stderr, setup->training->origin_note);
    if (setup->lack_note != NULL) print_note(stderr, setup->lack_note);
    print_column_notes(stderr, &setup->doubtful);
}

static void print_banner(const training *run) {
    if (run->options.common.quiet) return;
    print_data_line(stderr, run->options.data.path, run->setup.training, run->setup.task_note,
                    run->setup.model->scaling.kind, run->setup.scale_note);
    print_encoding_line(stderr, &run->setup.model->preparation, run->setup.training);
    print_notes(run);
    print_model_line(stderr, run->setup.model);
    print_device_line(stderr, run->device, run->options.common.device.math, run->reason);
    print_training_line(run);
}

/* Even when quiet: something is broken. */
static void on_damage(const char *note, void *context) {
    (void)context;
    print_note(stderr, note);
}

static void on_epoch(const tanda_epoch *epoch, void *context) {
    training *run = context;
    if (run->fold > 0) return;
    bar_clear(&run->bar);
    if (!run->options.common.quiet) print_epoch(epoch, run->logs.with_learning_rate);
    run_logs_epoch(&run->logs, epoch);
}

static void on_progress(const tanda_progress *progress, void *context) {
    training *run = context;
    bar_show(&run->bar, progress);
}

static void on_note(const char *note, void *context) {
    training *run = context;
    bar_clear(&run->bar);
    if (!run->options.common.quiet) print_note(stderr, note);
}

static void print_saved(const tanda_checkpoint *checkpoint) {
    fputs("saved ", stderr);
    print_name(stderr, checkpoint->path);
    fprintf(stderr, " after epoch %zu, step %zu of %zu\n", checkpoint->epoch, checkpoint->step,
            checkpoint->steps);
}

static bool should_save(void *context) {
    training *run = context;
    if (!interrupt_wants_save()) return false;
    run->asked = true;
    return true;
}

/* The first of several failures is told, and the first success after them. */
static void on_checkpoint(const tanda_checkpoint *checkpoint, void *context) {
    training *run = context;
    const bool told = run->unsaved, asked = run->asked;
    run->asked = false;
    run->unsaved = checkpoint->failure != NULL;
    if (run->unsaved && told) return;
    bar_clear(&run->bar);
    if (run->unsaved)
        fprintf(stderr,
                "tanda: checkpoint not saved after epoch %zu, step %zu of %zu: %s; the training goes on\n",
                checkpoint->epoch, checkpoint->step, checkpoint->steps, checkpoint->failure);
    else if (!run->options.common.quiet && (told || asked || run->options.run.checkpoint_epochs == 0))
        print_saved(checkpoint);
}

static tanda_status fit(training *run, tanda_error *error) {
    const train_options *options = &run->options;
    const tanda_train_options settings = {.epochs = options->epochs,
                                          .batch_rows = is_full_batch(run) ? 0 : options->batch,
                                          .learning_rate = options->learning_rate,
                                          .optimizer = options->optimizing.optimizer,
                                          .schedule = options->optimizing.schedule,
                                          .seed = options->common.seed,
                                          .no_shuffle = options->no_shuffle,
                                          .move_rows = true,
                                          .math = options->common.device.math,
                                          .gemm = options->common.gemm,
                                          .report_every = report_every(run),
                                          .on_epoch = on_epoch,
                                          .on_note = on_note,
                                          .on_progress = on_progress,
                                          .should_stop = interrupt_came,
                                          .should_save = should_save,
                                          .context = run,
                                          .dropout = run->setup.dropout,
                                          .patience = options->run.patience,
                                          .min_delta = options->run.min_delta,
                                          .restore_best = run_restores_best(&options->run),
                                          .checkpoint = options->run.checkpoint,
                                          .checkpoint_epochs = options->run.checkpoint_epochs,
                                          .checkpoint_seconds = options->run.checkpoint_seconds,
                                          .checkpoint_keep = options->run.keep,
                                          .on_checkpoint = on_checkpoint,
                                          .resume = run->checkpoint};
    if (!options->common.quiet) run->bar = bar_begin();
    interrupt_begin();
    const tanda_status status =
        train_saving(run->device, run->setup.model, run->setup.training, run->setup.validation, &settings,
                     &run->checkpoints, &run->result, error);
    bar_clear(&run->bar);
    return status;
}

static void print_stop(const training *run) {
    const tanda_train_result *result = &run->result;
    if (run->options.common.quiet || result->best_epoch == 0) return;
    fprintf(stderr, "%s after epoch %zu; the best was epoch %zu, %sloss: %.6g%s\n",
            result->stopped_early ? "stopped early" : "ended", result->epochs, result->best_epoch,
            result->has_validation ? "val_" : "", result->best_score,
            run_restores_best(&run->options.run) ? ", and its weights are kept" : "");
}

static json_t *seconds_object(const training *run) {
    const tanda_train_result *result = &run->result;
    return json_pack("{sf sf sf sf}", "load", run->load_seconds, "compile", result->compile_seconds,
                     "transfer", result->transfer_seconds, "train", result->train_seconds);
}

static report make_report(const training *run) {
    const tanda_model *model = run->setup.model;
    report report = report_begin("train");
    report_device(&report, run->device, &run->options.common.device);
    report_text(&report, "task", task_name(model->task));
    report_dialect(&report, &run->setup.training->dialect);
    report_count(&report, "rows", run->setup.training->rows);
    report_count(&report, "features", model->features);
    if (run->setup.validation != NULL) report_count(&report, "validation_rows", run->setup.validation->rows);
    report_count(&report, "parameters", model->parameter_count);
    report_text(&report, "loss_function", loss_name(model->loss));
    report_text(&report, "scale", scaling_name(model->scaling.kind));
    report_target_scaling(&report, model);
    report_text(&report, "optimizer", optimizer_name(run->options.optimizing.kind));
    if (run->options.optimizing.kind != TANDA_OPTIMIZER_LBFGS)
        report_real(&report, "learning_rate", run->options.learning_rate);
    report_count(&report, "batch", is_full_batch(run) ? run->setup.training->rows : run->options.batch);
    report_count(&report, "seed", run->options.common.seed);
    report_count(&report, "epochs", run->result.epochs);
    report_count(&report, "steps", run->result.steps);
    if (run->options.optimizing.kind == TANDA_OPTIMIZER_LBFGS) {
        report_value(&report, "converged", json_boolean(run->result.converged));
        report_real(&report, "largest_derivative", run->result.largest_derivative);
    }
    if (run->result.best_epoch > 0) {
        report_value(&report, "stopped_early", json_boolean(run->result.stopped_early));
        report_count(&report, "best_epoch", run->result.best_epoch);
        report_real(&report, "best_score", run->result.best_score);
    }
    if (run->folds.done > 0) report_value(&report, "cross_validation", cross_validation_json(&run->folds));
    report_evaluation(&report, "", &run->result.training);
    if (run->result.has_validation) report_evaluation(&report, "val_", &run->result.validation);
    report_value(&report, "seconds", seconds_object(run));
    report_text(&report, "weights_sha256", run->digest);
    report_text(&report, "model", run->options.output);
    return report;
}

static void log_folds(training *run) {
    for (size_t i = 0; i < run->folds.done; i++) {
        report line = {.object = cross_validation_fold_json(&run->folds.folds[i])};
        line.failed = line.object == NULL;
        report_text(&line, "event", "fold");
        report_count(&line, "fold", i + 1);
        run_logs_add(&run->logs, line.failed ? NULL : line.object);
        report_free(&line);
    }
}

/* The log's last lines: the folds, then the run's results, where there are any, and what went wrong. */
static void log_end(training *run, tanda_status status, const tanda_error *error) {
    log_folds(run);
    report line = run->digest[0] != '\0' ? make_report(run) : report_begin("train");
    report_text(&line, "event", "run");
    if (status == TANDA_OK) report_count(&line, "status", 0);
    report_outcome(&line, status, error);
    run_logs_add(&run->logs, line.failed ? NULL : line.object);
    report_free(&line);
}

static void print_lines(const training *run) {
    print_evaluation("", &run->result.training);
    if (run->result.has_validation) print_evaluation("val_", &run->result.validation);
    printf("seconds: %.3f\n", run->result.train_seconds);
    printf("weights_sha256: %s\n", run->digest);
    if (run->options.output == NULL) return;
    fputs("model: ", stdout);
    print_name(stdout, run->options.output);
    putchar('\n');
}

static tanda_status prepare(training *run, tanda_error *error) {
    const run_options *options = &run->options.run;
    const double begin = seconds_now();
    tanda_status status = TANDA_OK;
    status = checkpoints_begin(options->checkpoint, options->resume, &run->checkpoints, error);
    if (status == TANDA_OK && options->resume != NULL) {
        status = checkpoint_find(options->resume, on_damage, run, &run->checkpoint, error);
        run->options.init = run->checkpoint; /* for the scaling; the weights come later */
    }
    if (status == TANDA_OK) status = train_setup_make(&run->options, &run->setup, error);
    checkpoint_facts facts = {.steps_per_epoch = 1};
    if (status == TANDA_OK && run->checkpoint != NULL)
        status = resume_settings(run->checkpoint, run->setup.model, error);
    if (status == TANDA_OK && run->checkpoint != NULL)
        status = checkpoint_file_check(run->checkpoint, &facts, error);
    run->load_seconds = seconds_now() - begin;
    if (status == TANDA_OK && run->device == NULL)
        status = opening_of(&run->options.common.device, run->options.common.quiet, &run->device, run->reason,
                            error);
    if (status == TANDA_OK)
        status = run_logs_open(&run->logs, options->log, options->csv_log, run->checkpoint != NULL,
                               (size_t)(facts.progress.step / facts.steps_per_epoch), error);
    run->logs.with_learning_rate = !schedule_is_constant(&run->options.optimizing.schedule);
    return status;
}

/* status and error: of what was done; error becomes that of printing where all went well. */
static tanda_status print_result(const training *run, tanda_status status, tanda_error *error) {
    if (!run->options.common.json) {
        print_lines(run);
        return TANDA_OK;
    }
    report report = make_report(run);
    report_outcome(&report, status, error);
    return report_print(&report, status == TANDA_OK ? error : NULL);
}

/* One training of a cross-validation. The first says what all are like. */
static tanda_status fit_fold(const train_setup *setup, size_t fold, tanda_train_result *result, void *context,
                             tanda_error *error) {
    training *run = context;
    run->fold = fold;
    run->setup = *setup; /* for a while */
    if (fold == 1 && !run->options.common.quiet) {
        fprintf(stderr, "cross-validation: %zu folds%s; the first:\n", run->folds.count,
                run->folds.by_class ? ", by class" : "");
        print_banner(run);
    }
    tanda_status status = fit(run, error);
    if (status == TANDA_INTERRUPTED)
        status =
            fail(error, status, "interrupted in fold %zu of %zu; the rest is not done, and no model is kept",
                 fold, run->folds.count);
    *result = run->result;
    run->result = (tanda_train_result){0};
    run->setup = (train_setup){0};
    run->fold = 0;
    return status;
}

static tanda_status print_folds_json(const training *run, tanda_error *error) {
    report report = report_begin("train");
    report_device(&report, run->device, &run->options.common.device);
    report_count(&report, "seed", run->options.common.seed);
    report_value(&report, "cross_validation", cross_validation_json(&run->folds));
    return report_print(&report, error);
}

/* Without --output that is all; with it, the training on all rows follows. */
static tanda_status run_folds(training *run, tanda_error *error) {
    tanda_status status =
        opening_of(&run->options.common.device, run->options.common.quiet, &run->device, run->reason, error);
    if (status == TANDA_OK) status = cross_validate(&run->options, fit_fold, run, &run->folds, error);
    if (status != TANDA_OK) return status;
    const bool json = run->options.common.json;
    if (!json) cross_validation_print(&run->folds);
    if (run->options.output == NULL) return json ? print_folds_json(run, error) : TANDA_OK;
    if (!run->options.common.quiet) fputs("now all rows, for the model that is kept:\n", stderr);
    fflush(stdout);
    return TANDA_OK;
}

/* What could not be kept is told last: the results are worth hours, and stand on standard output all the same. */
static tanda_status keep_results(training *run, tanda_error *error) {
    const train_options *options = &run->options;
    tanda_status status = TANDA_OK;
    model_digest(run->setup.model, run->digest);
    if (options->output != NULL) status = model_file_save(run->setup.model, options->output, error);
    if (status != TANDA_OK) run->options.output = NULL; /* no model to name */
    if (status == TANDA_OK && run->unsaved)
        status = fail(error, TANDA_FAILED,
                      "--checkpoint %s: the last one could not be written; the training itself went well",
                      options->run.checkpoint);
    log_end(run, status, error);
    const tanda_status logs = run_logs_close(&run->logs, status == TANDA_OK ? error : NULL);
    if (status == TANDA_OK) status = logs;
    const tanda_status printed = print_result(run, status, error);
    return status == TANDA_OK ? printed : status;
}

static tanda_status run_training(training *run, tanda_error *error) {
    const bool cross = run->options.holding_out.folds > 0;
    tanda_status status = train_files_check(&run->options, error);
    if (status == TANDA_OK && cross) status = run_folds(run, error);
    if (status != TANDA_OK || (cross && run->options.output == NULL)) return status;
    status = prepare(run, error);
    if (status != TANDA_OK) return status;
    print_banner(run);
    status = fit(run, error);
    if (status != TANDA_OK) {
        log_end(run, status, error);
        return status;
    }
    print_stop(run);
    return keep_results(run, error);
}

tanda_status train_command(int argc, char **argv, tanda_error *error) {
    training run = {0};
    interrupt_watch_saves();
    tanda_status status = train_options_parse(argc, argv, &run.options, error);
    if (status == TANDA_OK && run.options.run.checkpoint != NULL) interrupt_watch();
    if (status == TANDA_OK && !run.options.common.finished) status = run_training(&run, error);
    const tanda_status logs = run_logs_close(&run.logs, status == TANDA_OK ? error : NULL);
    tanda_device_close(run.device);
    checkpoints_free(&run.checkpoints);
    free(run.checkpoint);
    cross_validation_free(&run.folds);
    train_setup_free(&run.setup);
    train_options_free(&run.options);
    return status == TANDA_OK ? logs : status;
}
