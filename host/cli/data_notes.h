/* Notes about the data of a training, for people: what is right to do with it, and still worth a look. */
#ifndef TANDA_CLI_DATA_NOTES_H
#define TANDA_CLI_DATA_NOTES_H

#include "cli/report.h"
#include "tanda_lab.h"
#include <stdio.h>

/* Features that were constant in the training rows, by name. */
void print_constant_note(FILE *stream, const tanda_model *model);

/* Rows without a target that were left out. */
void print_dropped_note(FILE *stream, const char *path, size_t rows);

/* Classes that are so many for the rows that the target may be none. */
void print_class_note(FILE *stream, const tanda_dataset *training);

/* A line for each column, and one for all beyond the first few. */
void print_column_notes(FILE *stream, const doubtful_columns *columns);

#endif
