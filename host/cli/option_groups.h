/* What the options that several commands share come to, for the tables that take them and the commands that use them. */
#ifndef TANDA_CLI_OPTION_GROUPS_H
#define TANDA_CLI_OPTION_GROUPS_H

#include <argp.h>

#include "cli/value.h"
#include "tanda_lab.h"

/* Options of every command. Texts point into argv. */
typedef struct common_options {
    tanda_device_options device;
    tanda_gemm gemm;
    uint64_t seed;
    bool quiet;
    bool json;
    bool keeps_spec; /* set before parsing: what --device takes is left as it is, for device_spec_read */
    bool finished;   /* --help or --version was answered: nothing more is to be done */
    bool help;
    const char *stopped_at; /* the argument at which parsing ended in an error */
    tanda_error *error;     /* set before parsing */
} common_options;

/* Where rows come from and which columns are used. */
typedef struct data_options {
    const char *path;           /* the first --data, or the argument of inspect; with --test-rows in it */
    text_list paths;            /* every --data, in order */
    const char *test_rows;      /* --test-rows, or NULL */
    char *joined_path;          /* what path then points to */
    tanda_dataset_options read; /* without the lists: options_reading puts them in */
    text_list ignore;
    text_list features;
    text_list categorical;
    text_list missing_values;
    text_list copy;     /* predict --copy */
    tanda_error *error; /* set before parsing */
} data_options;

/* Keys of the commands' own options start here; the shared ones lie below. */
enum { FLAG_OWN = 0x1000 };

/* Letters are keys as well: -q, -h, -v, and -o of every command that writes what it makes. */
enum { LETTER_HELP = 'h', LETTER_OUTPUT = 'o', LETTER_QUIET = 'q', LETTER_VERSION = 'v' };

/* Of run_options.h, which stands beside a command's own. */
enum { FLAG_RUN = 0x1100 };

/* 0, or what argp takes for "stop, the error is told". */
error_t parsed(tanda_status status);

/* The reading options with the lists in place; borrows from options. */
tanda_dataset_options options_reading(const data_options *options);
void data_options_free(data_options *options);

#endif
