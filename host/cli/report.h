/*
 * What the commands say: banner and epoch lines on standard error, results on standard output as lines or as
 * one JSON object.
 */
#ifndef TANDA_CLI_REPORT_H
#define TANDA_CLI_REPORT_H

#include <jansson.h>
#include <stdio.h>

#include "tanda_lab.h"

/* A JSON object in the making; a value that could not be added makes report_print fail. */
typedef json_builder report;

/* An object with command and version. Released by report_print or json_drop. */
report report_begin(const char *command);

/* What was asked for, whether another came instead, device, backend, math, grade and, on OpenMP, threads. */
void report_device(report *report, const tanda_device *device, const tanda_device_options *options);

/* loss, accuracy, correct and squared_error, as far as there are such; prefix is "" or "val_". */
void report_evaluation(report *report, const char *prefix, const tanda_evaluation *evaluation);

/* scale_target, where the losses are of standardised targets. */
void report_target_scaling(report *report, const tanda_model *model);

/* The member "dialect" of what was found: encoding, delimiter, decimal and so on; nothing for data that is no text. */
void report_dialect(report *report, const dialect *dialect);

/* Writes the object as one line to standard output and releases it. */
tanda_status report_print(report *report, tanda_error *error);

/* Why the command fails all the same, as "status" and "error"; nothing for TANDA_OK. */
void report_outcome(report *report, tanda_status status, const tanda_error *error);

/* The object {"command", "error", "status"}, for a command that failed. */
void report_failure(const char *command, const tanda_error *error);

/* Writes to standard output. TANDA_FAILED, with the reason, when that fails. */
tanda_status report_write(const void *data, size_t size, tanda_error *error);

/* Fails with TANDA_FAILED when something written to standard output did not arrive. */
tanda_status report_flush(tanda_error *error);

/* The same figures as lines. */
void print_evaluation(const char *prefix, const tanda_evaluation *evaluation);

/* A grade as text: "exact", "exact but for subnormals", "fast only". */
const char *grade_name(tanda_grade grade);

/* ---- names on a terminal -------------------------------------------------------------------------------- */

/*
 * Names of columns, classes, files and devices come from elsewhere, and may hold what steers a terminal (support/text.h).
 * Messages of fail() are clean already; CSV on standard output is data, and stays as it is.
 */

/* The name, with '?' in the place of each character that may not be shown; and with texts before and after it. */
void print_name(FILE *stream, const char *name);
void print_named(FILE *stream, const char *before, const char *name, const char *after);

/* A line on standard error that begins with "note: ", its text as a name. */
void print_note(const char *note);

/* Text that is JSON, with each such character as \uXXXX: the same value to whoever reads it. */
void print_json_text(FILE *stream, const char *text);

/* ---- standard error, for people ------------------------------------------------------------------------- */

/*
 * Banner lines. task_note says why the task is what it is when it was not found out from the
 * labels, scale_note why the scaling is what it is.
 */
void print_data_line(const char *path, const tanda_dataset *dataset, const char *task_note, tanda_scale scale,
                     const char *scale_note);
void print_model_line(const tanda_model *model);
void print_device_line(const tanda_device *device, tanda_math math, const char *reason);

/* "encoding: colour 3 categories, size 2; missing as means: 12 values" for people; nothing where there is nothing. */
void print_encoding_line(const preparation *preparation, const tanda_dataset *dataset);

/* The task, why it is this one, and the classes with their counts. */
void print_task(FILE *stream, const tanda_dataset *dataset, const size_t *counts, const char *note);

/* What is put behind the name of what is counted: "", or "s". */
const char *plural(size_t count);

/* One epoch as Keras prints it; with the learning rate where there is a schedule. */
void print_epoch(const tanda_epoch *epoch, bool with_learning_rate);

/* Notes about the data of a training: what is right to do with it, and still worth a look. */

/* Features that were constant in the training rows, by name. */
void print_constant_note(const tanda_model *model);

/* Rows without a target that were left out. */
void print_dropped_note(const char *path, size_t rows);

/* Classes that are so many for the rows that the target may be none. */
void print_class_note(const tanda_dataset *training);

/* A line for each column, and one for all beyond the first few. */
void print_column_notes(const doubtful_columns *columns);

#endif
