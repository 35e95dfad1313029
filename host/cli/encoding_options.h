/* How columns become features: --categorical, --missing and --unknown-category. */
#ifndef TANDA_CLI_ENCODING_OPTIONS_H
#define TANDA_CLI_ENCODING_OPTIONS_H

#include "cli/options.h"
#include "cli/report.h"
#include "data/preparation.h"

/* Inputs: a data_options *. unknown_argp is for what a model decides but for --unknown-category. */
extern const struct argp encoding_argp, unknown_argp;

/* "encoding: colour 3 categories, size 2; missing as means: 12 values" for people; nothing where there is nothing. */
void print_encoding_line(FILE *stream, const preparation *preparation, const tanda_dataset *dataset);

#endif
