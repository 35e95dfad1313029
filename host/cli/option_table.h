/*
 * The options of a command as its argp tables list them, its own and those of its children. What completes,
 * documents or configures a command reads them here, so that an option is written down once.
 */
#ifndef TANDA_CLI_OPTION_TABLE_H
#define TANDA_CLI_OPTION_TABLE_H

#include <argp.h>
#include <stdbool.h>
#include <stddef.h>

/* A flag of argp_option that argp does not know: each time the option is given, it adds to what it has. */
#define OPTION_REPEATS 0x1000

typedef void option_visitor(const struct argp_option *option, void *context);

/* Visits every named option in the order of the tables: an argp's own, then its children's. */
void option_visit(const struct argp *argp, option_visitor *visit, void *context);

/* What the options have to do with a name, which is without its dashes. */
typedef struct option_search {
    const char *name;
    const struct argp_option *exact; /* or NULL */
    const struct argp_option *match; /* the exact one, else one that begins with name, or NULL */
    size_t matches;                  /* options that begin with name */
    const char *closest;             /* the name most like it; NULL without options */
    size_t distance;                 /* of the closest, in edits */
} option_search;

option_search option_find(const struct argp *argp, const char *name);

/* The option that getopt takes an argument for, "--name", "--name=value" or an unambiguous beginning; or NULL. */
const struct argp_option *option_of_argument(const struct argp *argp, const char *argument);

/* Whether an option of that exact name is there. */
bool option_exists(const struct argp *argp, const char *name);

#endif
