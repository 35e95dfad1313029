/* The manual pages, as man(7) text, made of the tables that --help is made of. */
#ifndef TANDA_CLI_MANUAL_H
#define TANDA_CLI_MANUAL_H

#include "cli/command.h"

/* The page tanda-COMMAND(1) on standard output. */
void manual_print_command(const command *command);

/* The page tanda(1), which lists the commands. */
void manual_print_program(void);

#endif
