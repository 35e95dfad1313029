/* tanda train */
#include <stdlib.h>

#include "cli/bar.h"
#include "cli/command.h"
#include "cli/cross_validation.h"
#include "cli/interrupt.h"
#include "cli/profile_report.h"
#include "cli/ranks.h"
#include "cli/report.h"
#include "cli/run_log.h"
#include "cli/run_report.h"
#include "cli/train_options.h"
#include "tanda_lab.h"

/* One run of the command. */
typedef struct training {
    train_options options;
    fit fit;
    tanda_device *device;
    char reason[256];
    double load_seconds;
    bool is_kept; /* the model, by rank 0 */
    size_t fold;  /* of a cross-validation, from 1; 0: the training that is kept */
    cross_validation folds;
    bool unsaved; /* the latest checkpoint could not be written */
    bool asked;   /* for a checkpoint that is not told yet */
    bar bar;
    run_logs logs;
    history history; /* for --plot */
    tanda_train_result result;
    device_profile profile; /* all zero without --profile */
    char digest[DIGEST_TEXT_SIZE];
} training;

/* Rows of a step. */
static size_t batch_of(const training *run) {
    return batch_rows_of(run->options.training.batch_rows, run->fit.training->rows);
}

static size_t report_every(const training *run) {
    const size_t epochs = run->options.training.epochs, every = run->options.training.report_every;
    if (every > 0) return every;
    return batch_of(run) == run->fit.training->rows && epochs > 20 ? epochs / 20 : 1;
}

static void print_training_line(const training *run) {
    const tanda_train_options *options = &run->options.training;
    const tanda_dataset *validation = run->fit.validation;
    const size_t rows = run->fit.training->rows, batch = batch_of(run);
    const size_t steps = rows / batch + (rows % batch != 0);
    char text[OPTIMIZER_TEXT_SIZE];
    fprintf(stderr, "training: %zu rows, %zu step%s of %zu rows per epoch, %zu epoch%s, %s, seed %llu", rows,
            steps, plural(steps), batch, options->epochs, plural(options->epochs),
            optimizer_text(options, text), (unsigned long long)options->seed);
    if (validation != NULL)
        fprintf(stderr, "; validation: %zu row%s", validation->rows, plural(validation->rows));
    fputc('\n', stderr);
    print_optimizer_remark(stderr, &run->options.optimizing);
    if (!run->is_kept && run->fold == 0) fputs("note: no --output, the model is not kept\n", stderr);
}

static void print_banner(const training *run) {
    const fit *fit = &run->fit;
    if (run->options.common.quiet) return;
    print_data_line(run->options.data.path, fit->training, fit->task_note, fit->model->scaling.kind,
                    fit->scale_note);
    print_encoding_line(&fit->model->preparation, fit->training);
    print_dropped_note(run->options.data.path, fit->dropped);
    if (fit->validation != NULL && run->options.fit.validation != NULL)
        print_dropped_note(run->options.fit.validation, fit->validation->dropped);
    print_class_note(fit->training);
    print_constant_note(fit->model);
    if (fit->training->origin_note != NULL) print_note(fit->training->origin_note);
    if (fit->lack_note != NULL) print_note(fit->lack_note);
    print_column_notes(&fit->doubtful);
    print_model_line(fit->model);
    print_device_line(run->device, run->options.common.device.math, run->reason);
    print_training_line(run);
}

/* Even when quiet: something is broken. */
static void on_damage(const char *note, void *context) {
    (void)context;
    if (ranks_speak()) print_note(note);
}

static void on_epoch(const tanda_epoch *epoch, void *context) {
    training *run = context;
    if (run->fold > 0) return;
    bar_clear(&run->bar);
    if (!run->options.common.quiet) print_epoch(epoch, run->logs.with_learning_rate);
    run_logs_epoch(&run->logs, epoch);
    tanda_error problem;
    if (run->options.plot && history_add(&run->history, epoch, &problem) != TANDA_OK) {
        print_note(problem.message);
        run->options.plot = false;
    }
}

static void on_progress(const tanda_progress *progress, void *context) {
    training *run = context;
    bar_show(&run->bar, progress);
}

static void on_note(const char *note, void *context) {
    training *run = context;
    bar_clear(&run->bar);
    if (!run->options.common.quiet) print_note(note);
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
    if (run->unsaved) {
        fprintf(stderr,
                "tanda: checkpoint not saved after epoch %zu, step %zu of %zu: %s; the training goes on\n",
                checkpoint->epoch, checkpoint->step, checkpoint->steps, checkpoint->failure);
    } else if (!run->options.common.quiet &&
               (told || asked || run->options.training.checkpoint_epochs == 0)) {
        print_named(stderr, "saved ", checkpoint->path, "");
        fprintf(stderr, " after epoch %zu, step %zu of %zu\n", checkpoint->epoch, checkpoint->step,
                checkpoint->steps);
    }
}

static void on_fallback(const char *note, void *context) {
    training *run = context;
    bar_clear(&run->bar);
    print_named(stderr, "note: ", note, "\n");
}

static tanda_status train(training *run, tanda_error *error) {
    run->fit.train.report_every = report_every(run);
    if (!run->options.common.quiet) run->bar = bar_begin();
    interrupt_begin();
    run->fit.on_fallback = on_fallback;
    tanda_device *instead = NULL;
    const tanda_status status = fit_train(&run->fit, run->device, &instead, &run->result, error);
    if (instead != NULL) {
        tanda_device_close(run->device);
        run->device = instead;
    }
    bar_clear(&run->bar);
    return status;
}

static report make_report(const training *run) {
    const tanda_model *model = run->fit.model;
    report report = report_begin("train");
    report_device(&report, run->device, &run->options.common.device);
    json_put_text(&report, "executor", run->result.executor);
    json_put_text(&report, "task", task_name(model->task));
    report_dialect(&report, &run->fit.training->dialect);
    json_put_count(&report, "rows", run->fit.training->rows);
    json_put_count(&report, "features", model->features);
    if (run->fit.validation != NULL) json_put_count(&report, "validation_rows", run->fit.validation->rows);
    json_put_count(&report, "parameters", model->parameter_count);
    json_put_text(&report, "loss_function", loss_name(model->loss));
    json_put_text(&report, "scale", scaling_name(model->scaling.kind));
    report_target_scaling(&report, model);
    json_put_text(&report, "optimizer", optimizer_name(run->options.training.optimizer.kind));
    if (run->options.training.optimizer.kind != TANDA_OPTIMIZER_LBFGS)
        json_put_real(&report, "learning_rate", run->options.training.learning_rate);
    json_put_count(&report, "batch", batch_of(run));
    json_put_count(&report, "seed", run->options.common.seed);
    if (ranks_hosts() != NULL) json_put_count(&report, "ranks", tanda_hosts_count(ranks_hosts()));
    json_put_count(&report, "epochs", run->result.epochs);
    json_put_count(&report, "steps", run->result.steps);
    if (run->options.training.optimizer.kind == TANDA_OPTIMIZER_LBFGS) {
        json_put(&report, "converged", json_boolean(run->result.converged));
        json_put_real(&report, "largest_derivative", run->result.largest_derivative);
    }
    if (run->result.best_epoch > 0) {
        json_put(&report, "stopped_early", json_boolean(run->result.stopped_early));
        json_put_count(&report, "best_epoch", run->result.best_epoch);
        json_put_real(&report, "best_score", run->result.best_score);
    }
    if (run->folds.done > 0) json_put(&report, "cross_validation", cross_validation_json(&run->folds));
    report_evaluation(&report, "", &run->result.training);
    if (run->result.has_validation) report_evaluation(&report, "val_", &run->result.validation);
    json_put(&report, "seconds",
             json_pack("{sf sf sf sf}", "load", run->load_seconds, "compile", run->result.compile_seconds,
                       "transfer", run->result.transfer_seconds, "train", run->result.train_seconds));
    if (run->options.profile) json_put(&report, "profile", profile_json(&run->profile));
    json_put_text(&report, "weights_sha256", run->digest);
    json_put_text(&report, "model", run->options.output);
    return report;
}

/* The log's last lines: the folds, then the run's results, where there are any, and what went wrong. */
static void log_end(training *run, tanda_status status, const tanda_error *error) {
    for (size_t i = 0; i < run->folds.done; i++) {
        report fold = {.object = cross_validation_fold_json(&run->folds.folds[i])};
        fold.failed = fold.object == NULL;
        json_put_text(&fold, "event", "fold");
        json_put_count(&fold, "fold", i + 1);
        run_logs_add(&run->logs, fold.failed ? NULL : fold.object);
        json_drop(&fold);
    }
    report line = run->digest[0] != '\0' ? make_report(run) : report_begin("train");
    json_put_text(&line, "event", "run");
    if (status == TANDA_OK) json_put_count(&line, "status", 0);
    report_outcome(&line, status, error);
    run_logs_add(&run->logs, line.failed ? NULL : line.object);
    json_drop(&line);
}

static tanda_status open_device(training *run, tanda_error *error) {
    if (run->device != NULL) return TANDA_OK;
    tanda_status status =
        opening_of(&run->options.common.device, run->options.common.quiet, &run->device, run->reason, error);
    if (status != TANDA_OK || !run->options.profile) return status;
    return backend_profile_begin(run->device, run->options.profile_trace != NULL, error);
}

static tanda_status prepare(training *run, tanda_error *error) {
    const train_options *options = &run->options;
    const double begin = seconds_now();
    tanda_status status = fit_begin(&options->fit, &run->fit, error);
    run->fit.wants_doubts = !options->common.quiet;
    run->fit.on_damage = on_damage;
    if (status == TANDA_OK) status = fit_prepare(&run->fit, error);
    run->load_seconds = seconds_now() - begin;
    if (status == TANDA_OK) status = open_device(run, error);
    if (status == TANDA_OK)
        status = run_logs_open(&run->logs, options->log, options->csv_log, run->fit.checkpoint != NULL,
                               run->fit.epochs_done, error);
    run->logs.with_learning_rate = !schedule_is_constant(&options->training.schedule);
    return status;
}

/* status and error: of what was done; error becomes that of printing where all went well. */
static tanda_status print_result(const training *run, tanda_status status, tanda_error *error) {
    if (run->options.common.json) {
        report report = make_report(run);
        report_outcome(&report, status, error);
        return report_print(&report, status == TANDA_OK ? error : NULL);
    }
    print_evaluation("", &run->result.training);
    if (run->result.has_validation) print_evaluation("val_", &run->result.validation);
    printf("seconds: %.3f\nweights_sha256: %s\n", run->result.train_seconds, run->digest);
    if (run->options.output != NULL) print_named(stdout, "model: ", run->options.output, "\n");
    if (run->options.profile) print_profile(&run->profile);
    return TANDA_OK;
}

/* A class with fewer rows than folds is missing in some of them. */
static void print_folds_notes(const folds *folds) {
    if (folds->by_class && folds->smallest_rows < folds->count) {
        print_named(stderr, "note: class ", folds->all.training->class_names[folds->smallest_class], "");
        fprintf(stderr, " has %zu rows, fewer than the %zu folds: some hold out none of it\n",
                folds->smallest_rows, folds->count);
    }
    print_column_notes(&folds->all.doubtful);
}

/* One training of a cross-validation. The first says what all are like. */
static tanda_status train_fold(training *run, folds *folds, tanda_error *error) {
    tanda_status status = folds_next(folds, &run->fit, error);
    run->fold = folds->next;
    if (status == TANDA_OK && run->fold == 1 && !run->options.common.quiet) {
        fprintf(stderr, "cross-validation: %zu folds%s; the first:\n", folds->count,
                folds->by_class ? ", by class" : "");
        print_banner(run);
    }
    if (status == TANDA_OK) status = train(run, error);
    if (status == TANDA_INTERRUPTED)
        status =
            fail(error, status, "interrupted in fold %zu of %zu; the rest is not done, and no model is kept",
                 run->fold, folds->count);
    if (status == TANDA_OK)
        cross_validation_add(&run->folds, &run->fit, &run->result, !run->options.common.json);
    run->result = (tanda_train_result){0};
    fit_free(&run->fit);
    run->fold = 0;
    return status;
}

static tanda_status cross_validate(training *run, folds *folds, tanda_error *error) {
    const train_options *options = &run->options;
    const bool quiet = options->common.quiet;
    tanda_status status = folds_begin(&options->fit, options->folds, !quiet, folds, error);
    if (status == TANDA_OK) status = cross_validation_begin(folds, &run->folds, error);
    if (status == TANDA_OK && !quiet) print_folds_notes(folds);
    if (status == TANDA_OK) status = folds_look_ahead(folds, error);
    if (status == TANDA_OK && folds->all.lack_note != NULL && !quiet) print_note(folds->all.lack_note);
    status = ranks_agree(status, error);
    while (status == TANDA_OK && folds->next < folds->count)
        status = train_fold(run, folds, error);
    return status;
}

/* Without --output that is all; with it, the training on all rows follows. */
static tanda_status run_folds(training *run, tanda_error *error) {
    folds folds = {0};
    tanda_status status = open_device(run, error);
    if (status == TANDA_OK) status = cross_validate(run, &folds, error);
    folds_free(&folds);
    if (status != TANDA_OK) return status;
    const bool json = run->options.common.json;
    if (!json) cross_validation_print(&run->folds);
    if (!run->is_kept && json) {
        report report = report_begin("train");
        report_device(&report, run->device, &run->options.common.device);
        json_put_count(&report, "seed", run->options.common.seed);
        json_put(&report, "cross_validation", cross_validation_json(&run->folds));
        return report_print(&report, error);
    }
    if (!run->is_kept) return TANDA_OK;
    if (!run->options.common.quiet) fputs("now all rows, for the model that is kept:\n", stderr);
    fflush(stdout);
    return TANDA_OK;
}

static tanda_status keep_profile(training *run, tanda_error *error) {
    const char *path = run->options.profile_trace;
    if (!run->options.profile) return TANDA_OK;
    tanda_status status = backend_profile_end(run->device, &run->profile, error);
    return status == TANDA_OK && path != NULL ? profile_write_trace(&run->profile, path, error) : status;
}

/* The curve goes where people look: beside JSON, that is standard error. */
static void show_plot(training *run) {
    const run_report report = {.histories = &run->history, .count = 1, .is_text = true};
    drawing drawing = {0};
    tanda_error problem;
    if (!run->options.plot || run->history.count == 0) return;
    if (draw_loss(&report, &drawing, &problem) == TANDA_OK)
        print_drawing(run->options.common.json ? stderr : stdout, &drawing);
    else
        print_note(problem.message);
    drawing_free(&drawing);
}

/* What could not be kept is told last: the results are worth hours, and stand on standard output all the same. */
static tanda_status keep_results(training *run, tanda_error *error) {
    const train_options *options = &run->options;
    tanda_status status = TANDA_OK;
    model_digest(run->fit.model, run->digest);
    if (options->output != NULL) status = model_file_save(run->fit.model, options->output, error);
    if (status != TANDA_OK) run->options.output = NULL; /* no model to name */
    if (status == TANDA_OK && run->unsaved)
        status = fail(error, TANDA_FAILED,
                      "--checkpoint %s: the last one could not be written; the training itself went well",
                      options->training.checkpoint);
    const tanda_status profiled = keep_profile(run, status == TANDA_OK ? error : NULL);
    if (status == TANDA_OK) status = profiled;
    log_end(run, status, error);
    const tanda_status logs = run_logs_close(&run->logs, status == TANDA_OK ? error : NULL);
    if (status == TANDA_OK) status = logs;
    const tanda_status printed = print_result(run, status, error);
    show_plot(run);
    return status == TANDA_OK ? printed : status;
}

static tanda_status run_training(training *run, tanda_error *error) {
    const bool cross = run->options.folds > 0;
    tanda_status status = train_files_check(&run->options, error);
    status = ranks_agree(status, error);
    if (status == TANDA_OK && cross) status = run_folds(run, error);
    if (status != TANDA_OK || (cross && !run->is_kept)) return status;
    status = ranks_agree(prepare(run, error), error);
    if (status != TANDA_OK) return status;
    print_banner(run);
    status = ranks_tell(run->device, batch_of(run), run->options.common.quiet, error);
    if (status == TANDA_OK) status = train(run, error);
    if (status != TANDA_OK) {
        log_end(run, status, error);
        return status;
    }
    const tanda_train_result *result = &run->result;
    if (!run->options.common.quiet && result->best_epoch > 0)
        fprintf(stderr, "%s after epoch %zu; the best was epoch %zu, %sloss: %.6g%s\n",
                result->stopped_early ? "stopped early" : "ended", result->epochs, result->best_epoch,
                result->has_validation ? "val_" : "", result->best_score,
                run->options.training.restore_best ? ", and its weights are kept" : "");
    return keep_results(run, error);
}

tanda_status train_command(int argc, char **argv, tanda_error *error) {
    training run = {0};
    interrupt_watch_saves();
    tanda_status status = train_options_parse(argc, argv, &run.options, error);
    if (status == TANDA_OK && run.options.training.checkpoint != NULL) interrupt_watch();
    run.is_kept = run.options.output != NULL;
    status = ranks_join(&run.options, status, error);
    tanda_train_options *options = &run.options.training;
    options->on_epoch = on_epoch;
    options->on_note = on_note;
    options->on_progress = on_progress;
    options->should_stop = interrupt_came;
    options->should_save = should_save;
    options->on_checkpoint = on_checkpoint;
    options->context = &run;
    if (status == TANDA_OK && !run.options.common.finished) status = run_training(&run, error);
    const tanda_status logs = run_logs_close(&run.logs, status == TANDA_OK ? error : NULL);
    profile_free(&run.profile);
    history_free(&run.history);
    tanda_device_close(run.device);
    cross_validation_free(&run.folds);
    fit_free(&run.fit);
    train_options_free(&run.options);
    return status == TANDA_OK ? logs : status;
}
