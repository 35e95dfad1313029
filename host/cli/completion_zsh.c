/* A script for compinit, which describes each command's options to _arguments. */
#include <stdio.h>
#include <string.h>

#include "cli/completion.h"
#include "cli/option_table.h"
#include "tanda_lab.h"

/* Text between single quotes; what _arguments reads as its own is escaped. */
static void put_text(const char *text) {
    for (; *text != '\0'; text++) {
        if (strchr("[]:\\", *text) != NULL) putchar('\\');
        if (*text == '\'')
            fputs("'\\''", stdout);
        else
            putchar(*text);
    }
}

static void put_action(const char *title, const completion_value *value) {
    putchar(':');
    put_text(title);
    putchar(':');
    if (value->kind == COMPLETE_WORDS)
        printf("(%s)", value->words);
    else if (value->kind != COMPLETE_NOTHING)
        fputs(value->kind == COMPLETE_FILES ? "_files" : "_files -/", stdout);
    else
        putchar(' ');
}

/* '--name=[text]:VALUE:action' */
static void put_spec(const struct argp_option *option, const char *name, const char *sign,
                     const completion_value *value) {
    char text[COMPLETION_TEXT_SIZE];
    printf(" \\\n            '%s%s%s[", (option->flags & OPTION_REPEATS) != 0 ? "*" : "", name,
           option->arg == NULL ? "" : sign);
    put_text(completion_text(option, text));
    putchar(']');
    if (option->arg != NULL) put_action(option->arg, value);
    putchar('\'');
}

static void put_option(const struct argp_option *option, void *context) {
    completion_value value = {0};
    char name[80];
    if (option->arg != NULL) value = completion_of_option(context, option);
    for (const struct argp_option *each = option; each != NULL; each = option_next_name(each)) {
        if (each != option && (each->flags & OPTION_HIDDEN) != 0) continue;
        text_put(name, sizeof name, "--%s", each->name);
        put_spec(option, name, "=", &value);
    }
    if (option_letter(option) == '\0') return;
    const char letter[] = {'-', option_letter(option), '\0'};
    put_spec(option, letter, "+", &value);
}

static void put_command(const command *command) {
    const completion_value value = completion_of_arguments(command);
    printf("    %s)\n        _arguments -s", command->name);
    option_visit(command->argp, put_option, (void *)command);
    if (command->argp->args_doc != NULL) {
        fputs(" \\\n            '*", stdout);
        put_action(command->argp->args_doc, &value);
        putchar('\'');
    }
    puts("\n        ;;");
}

void completion_print_zsh(void) {
    puts("#compdef tanda\n"
         "# Completion for tanda in zsh; made by: tanda help --completion zsh\n"
         "_tanda() {\n"
         "    local -a commands=(");
    for (const command *each = commands; each->name != NULL; each++) {
        printf("        '%s:", each->name);
        put_text(each->summary);
        puts("'");
    }
    puts("    )\n"
         "    if (( CURRENT == 2 )); then\n"
         "        _describe command commands\n"
         "        _arguments '--help' '--version'\n"
         "        return\n"
         "    fi\n"
         "    shift words\n"
         "    (( CURRENT-- ))\n"
         "    case $words[1] in");
    for (const command *each = commands; each->name != NULL; each++)
        put_command(each);
    puts("    esac\n"
         "}\n"
         "if [[ $funcstack[1] == _tanda ]]; then\n"
         "    _tanda \"$@\"\n"
         "else\n"
         "    compdef _tanda tanda\n"
         "fi");
}
