/*
 * The options of a command as its argp tables list them, its own and those of its children. What reads, completes,
 * documents or configures a command reads them here, so that an option is written down once.
 *
 * An option has one name, by which help, messages and settings call it, and may have a letter (its argp key) and
 * further names: rows behind it with OPTION_ALIAS. Those with OPTION_HIDDEN besides are what other software calls it;
 * --help leaves them out, and they are not abbreviated.
 */
#ifndef TANDA_CLI_OPTION_TABLE_H
#define TANDA_CLI_OPTION_TABLE_H

#include <argp.h>

#include "tanda_lab.h"

/* A flag of argp_option that argp does not know: each time the option is given, it adds to what it has. */
#define OPTION_REPEATS 0x1000

/* A row of a command's own table that names, with blanks between, what its children have and it has no use for. */
#define OPTION_WITHOUT 0x2000
#define WITHOUT_OPTIONS(names) \
    { names, 0, NULL, OPTION_DOC | OPTION_WITHOUT, NULL, 0 }

/* Further names of the option before them in a table. */
#define ALSO(name) \
    { name, 0, NULL, OPTION_ALIAS, NULL, 0 }
#define ELSEWHERE(name) \
    { name, 0, NULL, OPTION_ALIAS | OPTION_HIDDEN, NULL, 0 }

/* The groups of argp_option: where an option stands in --help and the manual page, in this order. */
typedef enum option_section {
    SECTION_OWN, /* what the command alone has */
    SECTION_DATA,
    SECTION_NETWORK,
    SECTION_TRAINING,
    SECTION_OPTIMIZER,
    SECTION_OUTPUT,
    SECTION_DEVICE,
    SECTION_COMMON,
    SECTION_COUNT
} option_section;

/* "Data"; "" for the first one. */
const char *option_section_title(option_section section);

typedef void option_visitor(const struct argp_option *option, void *context);

/* Visits every option in the order of the tables: an argp's own, then its children's. */
void option_visit(const struct argp *argp, option_visitor *visit, void *context);

/* Those of a section: a row's group, or where it is 0 that of the child which the table belongs to. */
void option_visit_section(const struct argp *argp, option_section section, option_visitor *visit,
                          void *context);

/* Whether there are any. */
bool option_section_is_there(const struct argp *argp, option_section section);

/* From an option, or one of its names, to its next name; NULL behind the last. */
const struct argp_option *option_next_name(const struct argp_option *name);

/* The letter of an option, or '\0'. */
char option_letter(const struct argp_option *option);

/* What the options have to do with a name, which is without its dashes. */
typedef struct option_search {
    const char *name;
    const struct argp_option *exact; /* or NULL */
    const struct argp_option
        *match;          /* the exact one, else one that has a name which begins with it, or NULL */
    size_t matches;      /* options that begin with name */
    const char *closest; /* the option with the name most like it; NULL without options */
    size_t distance;     /* of that name, in edits */
} option_search;

option_search option_find(const struct argp *argp, const char *name);

/* The option of a letter, or NULL. */
const struct argp_option *option_find_letter(const struct argp *argp, char letter);

/* The option that a word of a command line names, "--name", "--name=value" or an unambiguous beginning; or NULL. */
const struct argp_option *option_of_argument(const struct argp *argp, const char *argument);

/* Whether an option of that exact name is there. */
bool option_exists(const struct argp *argp, const char *name);

/*
 * Fails with TANDA_USAGE, saying of the word of a command line why it is no option of the command: what to write for an
 * option of other software, else the closest name; or what its value lacks.
 */
tanda_status option_fault(const struct argp *argp, const char *command, const char *argument,
                          tanda_error *error);

/*
 * What to write here for an option of other software that means something else or that is none here, by its name without
 * dashes: "scikit-learn's C is --l2 X, X = 1 / (C rows)". NULL where it is unknown, or the command lacks what is to be
 * written.
 */
const char *option_advice(const struct argp *argp, const char *name);

/* The command line that its text gives as an example, to the end of the line; "" for none. */
const char *option_example(const struct argp *argp);

#endif
