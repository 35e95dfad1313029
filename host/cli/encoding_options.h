/* How columns become features: --categorical, --missing and --unknown-category. */
#ifndef TANDA_CLI_ENCODING_OPTIONS_H
#define TANDA_CLI_ENCODING_OPTIONS_H

#include "cli/options.h"
#include "cli/report.h"
#include "data/preparation.h"
#include "model/first_weights.h"

/* Inputs: a data_options *. unknown_argp is for what a model decides but for --unknown-category. */
extern const struct argp encoding_argp, unknown_argp;

/* Notes the settings of a training. */
void encoding_write_settings(const data_options *options, report *settings);

/*
 * Fits the preparation on the training rows, or takes that of the model whose weights come first (NULL: none), and applies it to the
 * training rows and, unless it is NULL, the validation rows.
 */
tanda_status encode_data(const data_options *options, const first_weights *first, tanda_dataset *training,
                         tanda_dataset *validation, preparation *result, tanda_error *error);

/* "encoding: colour 3 categories, size 2; missing as means: 12 values" for people; nothing where there is nothing. */
void print_encoding_line(FILE *stream, const preparation *preparation, const tanda_dataset *dataset);

#endif
