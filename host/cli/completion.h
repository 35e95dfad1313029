/* Completion for bash, zsh and fish, made of the tables that --help is made of. */
#ifndef TANDA_CLI_COMPLETION_H
#define TANDA_CLI_COMPLETION_H

#include "cli/command.h"

#define COMPLETION_WORDS_SIZE 400
#define COMPLETION_TEXT_SIZE 100

typedef enum completion_kind {
    COMPLETE_NOTHING,
    COMPLETE_WORDS,
    COMPLETE_FILES,
    COMPLETE_FOLDERS
} completion_kind;

typedef struct completion_value {
    completion_kind kind;
    char words[COMPLETION_WORDS_SIZE]; /* with blanks between */
} completion_value;

/* Of an option that takes one. */
completion_value completion_of_option(const command *command, const struct argp_option *option);

/* Of what a command takes besides options. */
completion_value completion_of_arguments(const command *command);

/* What its help says first of an option. */
const char *completion_text(const struct argp_option *option, char text[COMPLETION_TEXT_SIZE]);

/* The script of each shell, on standard output. */
void completion_print_bash(void);
void completion_print_zsh(void);
void completion_print_fish(void);

/*
 * The script of a shell, "bash" where it is NULL, on standard output. TANDA_USAGE for
 * another shell.
 */
tanda_status completion_print(const char *shell, tanda_error *error);

#endif
