/* What a training's log tells of each epoch: the other side of run_log.h. */
#ifndef TANDA_CLI_RUN_HISTORY_H
#define TANDA_CLI_RUN_HISTORY_H

#include "tanda_lab.h"

typedef enum history_figure {
    HISTORY_LOSS,
    HISTORY_VAL_LOSS,
    HISTORY_ACCURACY,
    HISTORY_VAL_ACCURACY,
    HISTORY_LEARNING_RATE,
    HISTORY_FIGURES
} history_figure;

/* As the log calls them. */
extern const char *const history_figure_names[HISTORY_FIGURES];

/* All zero is one without epochs. */
typedef struct history {
    const char *path; /* borrowed */
    size_t count, room;
    double *epochs;                   /* (count) */
    double *figures[HISTORY_FIGURES]; /* (count) each; NaN: there is none */
    json_t *run;                      /* the line of the whole run, or NULL where the training goes on */
} history;

/*
 * Reads what train --log wrote. Where a training was resumed, epochs come again, and the later ones count. TANDA_BAD_INPUT,
 * naming file and line, for a line that is no such line, and for a log without an epoch.
 */
tanda_status history_read(const char *path, history *made, tanda_error *error);

/* For --plot: one more epoch of a training that is going on. */
tanda_status history_add(history *history, const tanda_epoch *epoch, tanda_error *error);

bool history_has(const history *history, history_figure figure);
void history_free(history *history);

#endif
