/*
 * What a run writes on its way: JSON lines (--log), whose keys are flat and of one kind each, and lines as of Keras's CSVLogger (--csv-log), each flushed. A
 * log that cannot be written on is told once on standard error; the training goes on, and the command ends with
 * TANDA_FAILED after its work is done.
 */
#ifndef TANDA_CLI_RUN_LOG_H
#define TANDA_CLI_RUN_LOG_H

#include <stdio.h>

#include "cli/report.h"

typedef struct run_log {
    const char *flag, *path; /* for messages */
    FILE *file;              /* NULL: there is none, or it failed */
    bool is_empty;           /* nothing is in it yet */
    char failure[256];       /* why; "" as long as all is well */
} run_log;

typedef struct run_logs {
    run_log json, csv;
    bool with_learning_rate; /* a column of the CSV log, where there is a schedule */
} run_logs;

/*
 * Either path may be NULL. A training that is resumed after `epochs` epochs appends: the CSV log loses the lines of later
 * epochs, which come again, so that it ends as that of a training in one go; the JSON log tells all that happened. Not resumed: new
 * files. TANDA_FAILED when one cannot be opened.
 */
tanda_status run_logs_open(run_logs *logs, const char *json_path, const char *csv_path, bool resumed,
                           size_t epochs, tanda_error *error);
void run_logs_epoch(run_logs *logs, const tanda_epoch *epoch);

/* A further line of the JSON log, flat: {"a": {"b": 1}} becomes {"a_b": 1}. object stays the caller's; NULL: no memory. */
void run_logs_add(run_logs *logs, json_t *object);

/* Closes; TANDA_FAILED when a log is incomplete, and error was not told of anything else. */
tanda_status run_logs_close(run_logs *logs, tanda_error *error);

#endif
