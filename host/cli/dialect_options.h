/* How a CSV file is written: the options that say it, and what is told of it. */
#ifndef TANDA_CLI_DIALECT_OPTIONS_H
#define TANDA_CLI_DIALECT_OPTIONS_H

#include "cli/options.h"
#include "cli/report.h"

/* Input: a data_options *. */
extern const struct argp dialect_argp;

/* For the manual: how the delimiter of a file is found. */
void dialect_write_rules(FILE *stream);

/* The member "dialect" of what was found: encoding, delimiter, decimal and so on; nothing for data that is no text. */
void report_dialect(report *report, const dialect *dialect);

#endif
