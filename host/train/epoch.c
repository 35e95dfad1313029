#include "train/epoch.h"

#include <math.h>

/* Every epoch steers the training, or is a candidate for the best. */
static bool watches_epochs(const tanda_train_options *options) {
    return options->patience > 0 || options->restore_best;
}

size_t epoch_next_report(const tanda_train_options *options, size_t epoch) {
    size_t every = options->report_every > 0 ? options->report_every : 1;
    size_t last = epoch > SIZE_MAX - every ? options->epochs : (epoch + every - 1) / every * every;
    return last < options->epochs ? last : options->epochs;
}

size_t epoch_next_look(const tanda_train_options *options, size_t epoch) {
    const bool looks_at_all = watches_epochs(options) || options->schedule.kind == TANDA_SCHEDULE_PLATEAU;
    return looks_at_all ? epoch : epoch_next_report(options, epoch);
}

static double score_of(const tanda_epoch *line) {
    return line->has_validation ? line->validation.loss : line->loss;
}

/* What Keras's EarlyStopping does with the score of an epoch; patience 0: never stops. */
static tanda_status watch(trainer *trainer, const tanda_epoch *line, tanda_error *error) {
    const tanda_train_options *options = trainer->options;
    stopping *stopping = &trainer->progress.stopping;
    const double score = score_of(line);
    if (stopping->best_epoch == 0 || score + options->min_delta < stopping->best) {
        *stopping = (struct stopping){.best = score, .best_epoch = line->epoch, .stopped = stopping->stopped};
        return trainer->best == NULL ? TANDA_OK
                                     : session_read_parameters(&trainer->session, trainer->best, error);
    }
    stopping->waited++;
    if (options->patience > 0 && stopping->waited >= options->patience) stopping->stopped = true;
    return TANDA_OK;
}

tanda_status epoch_end(trainer *trainer, tanda_epoch *line, tanda_error *error) {
    const running *running = &trainer->progress.running;
    const double rows = (double)trainer->dataset->rows;
    line->epoch = trainer_epoch(trainer);
    line->loss = running->loss / rows;
    line->accuracy = trainer->session.plan->labels.are_counted ? (double)running->correct / rows : NAN;
    line->has_validation = trainer->validation_set != NULL;
    if (trainer->validation_set != NULL) {
        tanda_status status = evaluator_run(&trainer->evaluator, &line->validation, error);
        if (status != TANDA_OK) return status;
    }
    line->learning_rate = trainer_learning_rate(trainer);
    plateau_hear(&trainer->progress.plateau, &trainer->options->schedule, trainer->options->learning_rate,
                 score_of(line));
    const bool counts = watches_epochs(trainer->options) || trainer->best != NULL;
    return counts ? watch(trainer, line, error) : TANDA_OK;
}

bool epoch_is_due(const trainer *trainer, next_epoch *next) {
    const size_t epoch = trainer_epoch(trainer);
    return trainer->progress.step % trainer->steps_per_epoch == 0 &&
           (trainer->progress.stopping.stopped || next(trainer->options, epoch) == epoch);
}
