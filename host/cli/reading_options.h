/* How a CSV file is written, and how columns become features: the options that say it, and what is told of it. */
#ifndef TANDA_CLI_READING_OPTIONS_H
#define TANDA_CLI_READING_OPTIONS_H

#include "cli/option_groups.h"
#include "cli/report.h"
#include "tanda_lab.h"

/* Input: a data_options *. */
extern const struct argp dialect_argp;

/* For the manual: how the delimiter of a file is found. */
void dialect_write_rules(FILE *stream);

/* The member "dialect" of what was found: encoding, delimiter, decimal and so on; nothing for data that is no text. */
void report_dialect(report *report, const dialect *dialect);

/* Inputs: a data_options *. unknown_argp is for what a model decides but for --unknown-category. */
extern const struct argp encoding_argp, unknown_argp;

/* "encoding: colour 3 categories, size 2; missing as means: 12 values" for people; nothing where there is nothing. */
void print_encoding_line(FILE *stream, const preparation *preparation, const tanda_dataset *dataset);

#endif
