/* The command line, and --config. */
#ifndef TANDA_CLI_CONFIG_H
#define TANDA_CLI_CONFIG_H

#include <argp.h>

#include "cli/value.h"

/*
 * A command line in the one form that everything behind it reads. An option stands with its full name, "--name" or
 * "--name=VALUE", whether it was given by a letter, another name or an unambiguous beginning. An argument that an option
 * could have given is that option: of "DATA" --data, of "MODEL DATA" --model and --data, as the command's args_doc has
 * them. All zero is none.
 */
typedef struct command_line {
    int argc;
    char **argv;    /* argc texts and NULL; borrows from the words read, and from made */
    text_list made; /* the texts that had to be made */
} command_line;

/*
 * argv is whole, the program and the command first; argp the command's. TANDA_USAGE for what is no option, for one
 * that lacks its value, and for an argument too many. Released with command_line_free whatever it returns.
 */
tanda_status command_line_read(const struct argp *argp, int argc, char **argv, command_line *line,
                               tanda_error *error);
void command_line_free(command_line *line);

/*
 * --config FILE: options from a JSON object, {"epochs": 20, "hidden": [64, 32], "quiet": true}. Keys are the names of
 * the command's options, any of those an option has, with - or _ between words. Each becomes an argument before those of the command
 * line; an option that the command line gives is left out, so flags win. FILE may also be a model, whose settings
 * then hold, and no other keys (cli/settings.h). --resume without --config does so with those of its checkpoint.
 */

/* A command line with its configuration put in. All zero is none. */
typedef struct config {
    const char *path;  /* what --config named, or the checkpoint; or NULL */
    command_line line; /* borrows from what was read, and from made */
    text_list made;    /* the arguments made of the configuration */
    text_list names;   /* the options they give */
} config;

/*
 * argv is the whole command line, the program and the command first; argp the command's. Without --config, or
 * where the command has no such option, the same arguments again. TANDA_BAD_INPUT for a file that cannot be read
 * or is not JSON, TANDA_USAGE for keys and values that say nothing. Released with config_free whatever it returns.
 */
tanda_status config_expand(const struct argp *argp, int argc, char **argv, config *config,
                           tanda_error *error);

/* Puts the file's name before a message about an option that the configuration gives. */
void config_blame(const config *config, tanda_error *error);
void config_free(config *config);

#endif
