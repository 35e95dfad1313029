/*
 * A command line in the one form that everything behind it reads. An option stands with its full name, "--name" or
 * "--name=VALUE", whether it was given by a letter, another name or an unambiguous beginning. An argument that an option
 * could have given is that option: of "DATA" --data, of "MODEL DATA" --model and --data, as the command's args_doc has
 * them.
 */
#ifndef TANDA_CLI_COMMAND_LINE_H
#define TANDA_CLI_COMMAND_LINE_H

#include <argp.h>

#include "cli/value.h"

/* All zero is none. */
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

#endif
