/*
 * --config FILE: options from a JSON object, {"epochs": 20, "hidden": [64, 32], "quiet": true}. Keys are the names of
 * the command's options, any of those an option has, with - or _ between words. Each becomes an argument before those of the command
 * line; an option that the command line gives is left out, so flags win. FILE may also be a model, whose settings
 * then hold, and no other keys (cli/settings.h). --resume without --config does so with those of its checkpoint.
 */
#ifndef TANDA_CLI_CONFIG_H
#define TANDA_CLI_CONFIG_H

#include <argp.h>

#include "cli/command_line.h"

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
