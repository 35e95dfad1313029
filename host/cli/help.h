/* What the program tells of its commands, made of their tables: --help, manual pages (man(7) text), completion. */
#ifndef TANDA_CLI_HELP_H
#define TANDA_CLI_HELP_H

#include "cli/command.h"

/* On standard output: how it is called, what it does, its options by section, and what is to be said behind them. */
void help_print(const struct argp *argp, const char *command);

/* What is to be said behind the options, with what the command adds to it; "" for nothing. For free(); NULL: no memory. */
char *help_notes(const struct argp *argp);

/* The page tanda-COMMAND(1) on standard output; of tanda(1), which lists the commands. */
void manual_print_command(const command *command);
void manual_print_program(void);

/* The script of a shell, "bash" where it is NULL, on standard output. TANDA_USAGE for another shell. */
tanda_status completion_print(const char *shell, tanda_error *error);

#endif
