#include "cli/completion.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "cli/option_table.h"
#include "data/synthetic.h"
#include "support/text.h"

/* ---- the values of an option --------------------------------------------------------------------------- */

/*
 * The words that an option takes. Its parser has them and tells them when it is given something else: "--shuffle:
 * '?' is unknown; use full or none". The option behind it, which no command has, ends the parsing in any case, so that
 * nothing is done. An option that takes any text gives no words.
 */
static void find_choices(const command *command, const char *option, char *words, size_t size) {
    char name[64], wrong[80], none[] = "--no-such-option", begin[100];
    char *arguments[] = {name, wrong, none, NULL};
    tanda_error error = {0};
    text_put(name, sizeof name, "%s", command->name);
    text_put(wrong, sizeof wrong, "--%s=?", option);
    text_put(begin, sizeof begin, "--%s: '?' is unknown; use ", option);
    words[0] = '\0';
    command->run(3, arguments, &error);
    if (strncmp(error.message, begin, strlen(begin)) == 0)
        text_put(words, size, "%s", error.message + strlen(begin));
}

/* Prints the words of "a, b or c (remark)"; those with capitals stand for something else. */
static void put_choices(const char *list) {
    const char *before = "";
    for (const char *at = list; *at != '\0' && *at != '('; at += strspn(at, ", ")) {
        const size_t length = strcspn(at, ", ");
        bool is_word = length > 0 && strncmp(at, "or ", 3) != 0 && strncmp(at, "and ", 4) != 0;
        for (size_t i = 0; i < length; i++)
            is_word = is_word && !isupper((unsigned char)at[i]);
        if (is_word) printf("%s%.*s", before, (int)length, at);
        if (is_word) before = " ";
        at += length;
    }
}

/* What stands for its value in --help tells an option of files. */
static const char *kind_of_value(const char *argument) {
    if (strstr(argument, "FILE") != NULL || strstr(argument, "MODEL") != NULL) return "files=yes";
    return strstr(argument, "FOLDER") != NULL ? "folders=yes" : "";
}

static void put_value(const struct argp_option *option, void *context) {
    const command *command = context;
    char choices[400];
    if (option->arg == NULL) return;
    find_choices(command, option->name, choices, sizeof choices);
    printf("        --%s) ", option->name);
    if (strcmp(option->name, "activation") == 0) {
        printf("words=\"");
        for (size_t i = 0; tanda_activation_name(i) != NULL; i++)
            printf("%s%s", i == 0 ? "" : " ", tanda_activation_name(i));
        puts("\" ;;");
    } else if (choices[0] != '\0') {
        printf("words=\"");
        put_choices(choices);
        puts("\" ;;");
    } else {
        printf("%s ;;\n", kind_of_value(option->arg));
    }
}

/* ---- the script ---------------------------------------------------------------------------------------- */

static void put_name(const struct argp_option *option, void *context) {
    const char **before = context;
    printf("%s--%s", *before, option->name);
    *before = " ";
}

/* What a command takes besides options. */
static void put_arguments(const command *command) {
    const char *argument = command->argp->args_doc;
    if (argument != NULL && strcmp(argument, "KIND") == 0) {
        fputs("words=\"", stdout);
        for (size_t i = 0; synthetic_kind_name(i) != NULL; i++)
            printf("%s%s", i == 0 ? "" : " ", synthetic_kind_name(i));
        puts("\"");
    } else {
        puts(argument == NULL ? "" : kind_of_value(argument));
    }
}

static void put_command(const command *command) {
    const char *before = "";
    printf("    1,%s)\n        case $option in\n", command->name);
    option_visit(command->argp, put_value, (void *)command);
    printf("        *)\n            ");
    put_arguments(command);
    printf("            [[ $current == -* ]] && files=\"\" words=\"");
    option_visit(command->argp, put_name, &before);
    puts("\"\n            ;;\n        esac\n        ;;");
}

/* bash splits --name=value into three words, as = is among COMP_WORDBREAKS. */
static const char head[] =
    "# Completion for tanda in bash; made by: tanda help --completion\n"
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

void completion_print(const command *commands) {
    fputs(head, stdout);
    fputs("    0,*)\n        words=\"--help --version", stdout);
    for (const command *each = commands; each->name != NULL; each++)
        printf(" %s", each->name);
    puts("\"\n        ;;");
    for (const command *each = commands; each->name != NULL; each++)
        put_command(each);
    puts(tail);
}
