/* Completion for bash, made of the tables that --help is made of. */
#ifndef TANDA_CLI_COMPLETION_H
#define TANDA_CLI_COMPLETION_H

#include "cli/command.h"

/* The script on standard output; name NULL ends the commands. */
void completion_print(const command *commands);

#endif
