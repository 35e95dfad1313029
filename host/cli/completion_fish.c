#include <stdio.h>

#include "cli/completion.h"
#include "cli/option_table.h"

/* Between single quotes. */
static void put_text(const char *text) {
    putchar('\'');
    for (; *text != '\0'; text++) {
        if (*text == '\'' || *text == '\\') putchar('\\');
        putchar(*text);
    }
    putchar('\'');
}

static void put_condition(const command *command) {
    printf("complete -c tanda -n '__fish_seen_subcommand_from %s'", command->name);
}

/* -x: a value and no files; -r: a value; -F: files. */
static void put_value(const completion_value *value) {
    if (value->kind == COMPLETE_WORDS)
        printf(" -x -a '%s'", value->words);
    else if (value->kind == COMPLETE_FILES)
        fputs(" -r -F", stdout);
    else
        fputs(value->kind == COMPLETE_FOLDERS ? " -x -a '(__fish_complete_directories)'" : " -x", stdout);
}

static void put_option(const struct argp_option *option, void *context) {
    char text[COMPLETION_TEXT_SIZE];
    completion_value value = {0};
    if (option->arg != NULL) value = completion_of_option(context, option);
    put_condition(context);
    for (const struct argp_option *name = option; name != NULL; name = option_next_name(name))
        if (name == option || (name->flags & OPTION_HIDDEN) == 0) printf(" -l %s", name->name);
    if (option_letter(option) != '\0') printf(" -s %c", option_letter(option));
    if (option->arg != NULL) put_value(&value);
    fputs(" -d ", stdout);
    put_text(completion_text(option, text));
    putchar('\n');
}

static void put_command(const command *command) {
    const completion_value value = completion_of_arguments(command);
    printf("complete -c tanda -n __fish_use_subcommand -a %s -d ", command->name);
    put_text(command->summary);
    putchar('\n');
    if (value.kind == COMPLETE_FILES || value.kind == COMPLETE_WORDS) put_condition(command);
    if (value.kind == COMPLETE_FILES) puts(" -F");
    if (value.kind == COMPLETE_WORDS) printf(" -a '%s'\n", value.words);
    option_visit(command->argp, put_option, (void *)command);
}

void completion_print_fish(void) {
    puts("# Completion for tanda in fish; made by: tanda help --completion fish\n"
         "complete -c tanda -f\n"
         "complete -c tanda -n __fish_use_subcommand -s h -l help -d 'the commands'\n"
         "complete -c tanda -n __fish_use_subcommand -s v -l version -d 'the version'");
    for (const command *each = commands; each->name != NULL; each++)
        put_command(each);
}
