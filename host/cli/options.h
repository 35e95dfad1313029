/*
 * Options that several commands share, as groups for argp. A command's own argp lists the groups it takes as
 * children, in the order of its struct members, and hands each its part of the options in ARGP_KEY_INIT.
 */
#ifndef TANDA_CLI_OPTIONS_H
#define TANDA_CLI_OPTIONS_H

#include <argp.h>
#include <stdio.h>

#include "cli/value.h"
#include "tanda_lab.h"

/* Options of every command. Texts point into argv. */
typedef struct common_options {
    tanda_device_options device;
    tanda_gemm gemm;
    enum { MPI_AUTO, MPI_NO, MPI_OPENMPI, MPI_MPICH } mpi; /* read by ranks_begin (cli/ranks.h), too */
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

/* Of run_options.c, which stands beside a command's own. */
enum { FLAG_RUN = 0x1100 };

/* Input: a common_options *. */
extern const struct argp common_argp;

/*
 * Inputs: a data_options *. reading_argp is how rows are read, data_argp besides where they are. encoding_argp is how
 * columns become features, unknown_argp what of that a model does not decide.
 */
extern const struct argp reading_argp, data_argp, encoding_argp, unknown_argp;

/* What --format says of data, for a command whose --format is of pictures, too. TANDA_USAGE. */
tanda_status data_format_read(const char *argument, tanda_dataset_options *read, tanda_error *error);

/*
 * The reading options with the lists in place; borrows from options. Unless quiet, notes on the cache go to standard error,
 * and a bar shows how far text is on its way there.
 */
tanda_dataset_options options_reading(const data_options *options, bool quiet);
void data_options_free(data_options *options);

/* For the manual: how the delimiter of a file is found. */
void dialect_write_rules(FILE *stream);

/*
 * Parses argv into input (common is the part of it that common_argp fills) and answers --help and --version.
 * error is the one the groups were given. Fails with TANDA_USAGE; an option that does not exist is named with
 * the closest one that does.
 */
tanda_status options_parse(const struct argp *argp, int argc, char **argv, void *input,
                           common_options *common, tanda_error *error);

/* Takes one positional argument into *place; more than one is TANDA_USAGE. */
error_t options_argument(struct argp_state *state, const char *argument, const char **place,
                         tanda_error *error);

/* Fails with TANDA_USAGE for want of "data" or the like, and shows the command's example. */
tanda_status options_lack(const struct argp *argp, const char *what, tanda_error *error);

/* A device of several: one side of `tanda verify`, or one of those that are measured. */
typedef struct device_spec {
    char *text;            /* what the texts of common point into */
    common_options common; /* with what the spec says of device and gemm */
    const char *requested; /* what was asked for: the DEVICE, or "auto" */
    char reason[256];      /* why it is this device; "" when the spec names it */
} device_spec;

/*
 * Reads what --device and --against take: DEVICE[,threads=N][,isa=NAME][,math=exact|fast][,gemm=auto|tanda|clblast]
 * [,kernels=FOLDER][,executor=NAME]. What it does not say comes from common. flag is for messages. Fails with
 * TANDA_USAGE. Released by device_spec_free whatever it returns.
 */
tanda_status device_spec_read(const char *flag, const char *text, const common_options *common,
                              device_spec *spec, tanda_error *error);
void device_spec_free(device_spec *spec);

/* Specs behind commas, appended; what has a = belongs to the one before it: opencl,executor=ops,cpu. NULL is none. */
tanda_status device_specs_split(const char *text, text_list *specs, tanda_error *error);

/*
 * The files that a command's options name, for files_check (support/file_check.h). All zero is an empty one; texts are
 * names that had to be cut. Names of others are borrowed.
 */
typedef struct file_list {
    named_file *files;
    size_t count;
    text_list texts;
} file_list;

/* A file; a path of NULL is no file. TANDA_FAILED for want of memory. */
tanda_status file_list_add(const named_file *file, file_list *list, tanda_error *error);

/* The data of these options with its labels, and the kernels. */
tanda_status file_list_add_read(const data_options *data, const common_options *common, file_list *list,
                                tanda_error *error);

/* What --output names, a page or a picture, with what is written beside it. NULL is none. */
tanda_status file_list_add_output(const char *output, bool is_page, file_list *list, tanda_error *error);
void file_list_free(file_list *list);

#endif
