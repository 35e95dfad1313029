/* Completion for bash, zsh and fish, made of the tables that --help is made of. */
#ifndef TANDA_CLI_COMPLETION_H
#define TANDA_CLI_COMPLETION_H

#include "cli/command.h"

/*
 * The script of a shell, "bash" where it is NULL, on standard output. TANDA_USAGE for
 * another shell.
 */
tanda_status completion_print(const char *shell, tanda_error *error);

#endif
