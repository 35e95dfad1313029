#include <stdio.h>

#include "cli/completion.h"
#include "cli/option_table.h"

static void put_kind(const completion_value *value) {
    if (value->kind == COMPLETE_WORDS)
        printf("words=\"%s\"", value->words);
    else if (value->kind != COMPLETE_NOTHING)
        fputs(value->kind == COMPLETE_FILES ? "files=yes" : "folders=yes", stdout);
}

/* The case of an option, by all of its names. */
static void put_value(const struct argp_option *option, void *context) {
    if (option->arg == NULL) return;
    const completion_value value = completion_of_option(context, option);
    const char letter = option_letter(option);
    fputs("        ", stdout);
    for (const struct argp_option *name = option; name != NULL; name = option_next_name(name))
        printf("%s--%s", name == option ? "" : "|", name->name);
    if (letter != '\0') printf("|-%c", letter);
    fputs(") ", stdout);
    put_kind(&value);
    puts(" ;;");
}

static void put_name(const struct argp_option *option, void *context) {
    const char **before = context;
    printf("%s--%s", *before, option->name);
    *before = " ";
}

static void put_command(const command *command) {
    const char *before = "";
    const completion_value value = completion_of_arguments(command);
    printf("    1,%s)\n        case $option in\n", command->name);
    option_visit(command->argp, put_value, (void *)command);
    fputs("        *)\n            ", stdout);
    put_kind(&value);
    fputs("\n            [[ $current == -* ]] && files=\"\" words=\"", stdout);
    option_visit(command->argp, put_name, &before);
    puts("\"\n            ;;\n        esac\n        ;;");
}

/* bash splits --name=value into three words, as = is among COMP_WORDBREAKS. */
static const char head[] =
    "# Completion for tanda in bash; made by: tanda help --completion bash\n"
    "# shellcheck shell=bash\n"
    "_tanda() {\n"
    "    local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]}\n"
    "    local option=$previous words=\"\" files=\"\" folders=\"\"\n"
    "    if [[ $current == \"=\" ]]; then\n"
    "        current=\"\"\n"
    "    elif [[ $previous == \"=\" ]]; then\n"
    "        option=${COMP_WORDS[COMP_CWORD-2]}\n"
    "    fi\n"
    "    case $((COMP_CWORD > 1)),${COMP_WORDS[1]} in\n";

static const char tail[] = "    esac\n"
                           "    if [[ $files ]]; then\n"
                           "        compopt -o filenames\n"
                           "        mapfile -t COMPREPLY < <(compgen -f -- \"$current\")\n"
                           "    elif [[ $folders ]]; then\n"
                           "        compopt -o filenames\n"
                           "        mapfile -t COMPREPLY < <(compgen -d -- \"$current\")\n"
                           "    else\n"
                           "        mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$current\")\n"
                           "    fi\n"
                           "}\n"
                           "complete -F _tanda tanda";

void completion_print_bash(void) {
    fputs(head, stdout);
    fputs("    0,*)\n        words=\"--help --version", stdout);
    for (const command *each = commands; each->name != NULL; each++)
        printf(" %s", each->name);
    puts("\"\n        ;;");
    for (const command *each = commands; each->name != NULL; each++)
        put_command(each);
    puts(tail);
}
