/* What --help tells of a command, made of its tables. */
#ifndef TANDA_CLI_HELP_H
#define TANDA_CLI_HELP_H

#include <argp.h>

/* On standard output: how it is called, what it does, its options by section, and what is to be said behind them. */
void help_print(const struct argp *argp, const char *command);

/* What is to be said behind the options, with what the command adds to it; "" for nothing. For free(); NULL: no memory. */
char *help_notes(const struct argp *argp);

#endif
