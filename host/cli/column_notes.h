/* Notes on columns that are seldom meant as features, for people. */
#ifndef TANDA_CLI_COLUMN_NOTES_H
#define TANDA_CLI_COLUMN_NOTES_H

#include <stdio.h>

#include "data/column_check.h"

/* A line for each column, and one for all beyond the first few. */
void print_column_notes(FILE *stream, const doubtful_columns *columns);

#endif
