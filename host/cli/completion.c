/* Completion for bash, zsh and fish. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "cli/help.h"
#include "cli/option_table.h"
#include "cli/value.h"
#include "tanda_lab.h"

#define WORDS_SIZE 400
#define TEXT_SIZE 100

typedef enum completion_kind {
    COMPLETE_NOTHING,
    COMPLETE_WORDS,
    COMPLETE_FILES,
    COMPLETE_FOLDERS
} completion_kind;

typedef struct completion_value {
    completion_kind kind;
    char words[WORDS_SIZE]; /* with blanks between */
} completion_value;

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

static void add_word(completion_value *value, const char *word, size_t length) {
    const size_t used = strlen(value->words);
    text_put(value->words + used, sizeof value->words - used, "%s%.*s", used == 0 ? "" : " ", (int)length,
             word);
    value->kind = COMPLETE_WORDS;
}

/* Takes the words of "a, b or c (remark)"; those with capitals stand for something else. */
static void add_choices(completion_value *value, const char *list) {
    for (const char *at = list; *at != '\0' && *at != '('; at += strspn(at, ", ")) {
        const size_t length = strcspn(at, ", ");
        bool is_word = length > 0 && strncmp(at, "or ", 3) != 0 && strncmp(at, "and ", 4) != 0;
        for (size_t i = 0; i < length; i++)
            is_word = is_word && !isupper((unsigned char)at[i]);
        if (is_word) add_word(value, at, length);
        at += length;
    }
}

static void add_names(completion_value *value, const char *(*name)(size_t index)) {
    for (size_t i = 0; name(i) != NULL; i++)
        add_word(value, name(i), strlen(name(i)));
}

/* What stands for its value in --help tells an option of files. */
static completion_kind kind_of_value(const char *argument) {
    if (strstr(argument, "FILE") != NULL || strstr(argument, "MODEL") != NULL ||
        strstr(argument, "DATA") != NULL)
        return COMPLETE_FILES;
    return strstr(argument, "FOLDER") != NULL ? COMPLETE_FOLDERS : COMPLETE_NOTHING;
}

/* Of an option that takes one. */
static completion_value completion_of_option(const command *command, const struct argp_option *option) {
    completion_value value = {.kind = kind_of_value(option->arg)};
    char choices[WORDS_SIZE];
    find_choices(command, option->name, choices, sizeof choices);
    if (strcmp(option->name, "activation") == 0)
        add_names(&value, tanda_activation_name);
    else
        add_choices(&value, choices);
    return value;
}

/* Of what a command takes besides options. */
static completion_value completion_of_arguments(const command *command) {
    const char *argument = command->argp->args_doc == NULL ? "" : command->argp->args_doc;
    completion_value value = {.kind = kind_of_value(argument)};
    if (strcmp(argument, "KIND") == 0) add_names(&value, synthetic_kind_name);
    return value;
}

/* What its help says first of an option. */
static const char *completion_text(const struct argp_option *option, char text[TEXT_SIZE]) {
    size_t length = strcspn(option->doc, ";:(");
    while (length > 0 && strchr(", ", option->doc[length - 1]) != NULL)
        length--;
    if (length < TEXT_SIZE)
        text_put(text, TEXT_SIZE, "%.*s", (int)length, option->doc);
    else
        text_put(text, TEXT_SIZE, "%.*s...", TEXT_SIZE - 4, option->doc);
    return text;
}

/* ---- bash ----------------------------------------------------------------------------------------------- */

static void bash_kind(const completion_value *value) {
    if (value->kind == COMPLETE_WORDS)
        printf("words=\"%s\"", value->words);
    else if (value->kind != COMPLETE_NOTHING)
        fputs(value->kind == COMPLETE_FILES ? "files=yes" : "folders=yes", stdout);
}

/* The case of an option, by all of its names. */
static void bash_value(const struct argp_option *option, void *context) {
    if (option->arg == NULL) return;
    const completion_value value = completion_of_option(context, option);
    const char letter = option_letter(option);
    fputs("        ", stdout);
    for (const struct argp_option *name = option; name != NULL; name = option_next_name(name))
        printf("%s--%s", name == option ? "" : "|", name->name);
    if (letter != '\0') printf("|-%c", letter);
    fputs(") ", stdout);
    bash_kind(&value);
    puts(" ;;");
}

static void bash_name(const struct argp_option *option, void *context) {
    const char **before = context;
    printf("%s--%s", *before, option->name);
    *before = " ";
}

/* bash splits --name=value into three words, as = is among COMP_WORDBREAKS. */
static const char bash_head[] =
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

static const char bash_tail[] = "    esac\n"
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

static void completion_print_bash(void) {
    fputs(bash_head, stdout);
    fputs("    0,*)\n        words=\"--help --version", stdout);
    for (const command *each = commands; each->name != NULL; each++)
        printf(" %s", each->name);
    puts("\"\n        ;;");
    for (const command *each = commands; each->name != NULL; each++) {
        const char *before = "";
        const completion_value value = completion_of_arguments(each);
        printf("    1,%s)\n        case $option in\n", each->name);
        option_visit(each->argp, bash_value, (void *)each);
        fputs("        *)\n            ", stdout);
        bash_kind(&value);
        fputs("\n            [[ $current == -* ]] && files=\"\" words=\"", stdout);
        option_visit(each->argp, bash_name, &before);
        puts("\"\n            ;;\n        esac\n        ;;");
    }
    puts(bash_tail);
}

/* ---- zsh ------------------------------------------------------------------------------------------------ */

/* Text between single quotes; what _arguments reads as its own is escaped. */
static void zsh_text(const char *text) {
    for (; *text != '\0'; text++) {
        if (strchr("[]:\\", *text) != NULL) putchar('\\');
        if (*text == '\'')
            fputs("'\\''", stdout);
        else
            putchar(*text);
    }
}

static void zsh_action(const char *title, const completion_value *value) {
    putchar(':');
    zsh_text(title);
    putchar(':');
    if (value->kind == COMPLETE_WORDS)
        printf("(%s)", value->words);
    else if (value->kind != COMPLETE_NOTHING)
        fputs(value->kind == COMPLETE_FILES ? "_files" : "_files -/", stdout);
    else
        putchar(' ');
}

/* '--name=[text]:VALUE:action' */
static void zsh_spec(const struct argp_option *option, const char *name, const char *sign,
                     const completion_value *value) {
    char text[TEXT_SIZE];
    printf(" \\\n            '%s%s%s[", (option->flags & OPTION_REPEATS) != 0 ? "*" : "", name,
           option->arg == NULL ? "" : sign);
    zsh_text(completion_text(option, text));
    putchar(']');
    if (option->arg != NULL) zsh_action(option->arg, value);
    putchar('\'');
}

static void zsh_option(const struct argp_option *option, void *context) {
    completion_value value = {0};
    char name[80];
    if (option->arg != NULL) value = completion_of_option(context, option);
    for (const struct argp_option *each = option; each != NULL; each = option_next_name(each)) {
        if (each != option && (each->flags & OPTION_HIDDEN) != 0) continue;
        text_put(name, sizeof name, "--%s", each->name);
        zsh_spec(option, name, "=", &value);
    }
    if (option_letter(option) == '\0') return;
    const char letter[] = {'-', option_letter(option), '\0'};
    zsh_spec(option, letter, "+", &value);
}

static void zsh_command(const command *command) {
    const completion_value value = completion_of_arguments(command);
    printf("    %s)\n        _arguments -s", command->name);
    option_visit(command->argp, zsh_option, (void *)command);
    if (command->argp->args_doc != NULL) {
        fputs(" \\\n            '*", stdout);
        zsh_action(command->argp->args_doc, &value);
        putchar('\'');
    }
    puts("\n        ;;");
}

static void completion_print_zsh(void) {
    puts("#compdef tanda\n"
         "# Completion for tanda in zsh; made by: tanda help --completion zsh\n"
         "_tanda() {\n"
         "    local -a commands=(");
    for (const command *each = commands; each->name != NULL; each++) {
        printf("        '%s:", each->name);
        zsh_text(each->summary);
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
        zsh_command(each);
    puts("    esac\n"
         "}\n"
         "if [[ $funcstack[1] == _tanda ]]; then\n"
         "    _tanda \"$@\"\n"
         "else\n"
         "    compdef _tanda tanda\n"
         "fi");
}

/* ---- fish ----------------------------------------------------------------------------------------------- */

/* Between single quotes. */
static void fish_text(const char *text) {
    putchar('\'');
    for (; *text != '\0'; text++) {
        if (*text == '\'' || *text == '\\') putchar('\\');
        putchar(*text);
    }
    putchar('\'');
}

static void fish_condition(const command *command) {
    printf("complete -c tanda -n '__fish_seen_subcommand_from %s'", command->name);
}

static void fish_option(const struct argp_option *option, void *context) {
    char text[TEXT_SIZE];
    completion_value value = {0};
    if (option->arg != NULL) value = completion_of_option(context, option);
    fish_condition(context);
    for (const struct argp_option *name = option; name != NULL; name = option_next_name(name))
        if (name == option || (name->flags & OPTION_HIDDEN) == 0) printf(" -l %s", name->name);
    if (option_letter(option) != '\0') printf(" -s %c", option_letter(option));
    /* -x: a value and no files; -r: a value; -F: files */
    if (value.kind == COMPLETE_WORDS)
        printf(" -x -a '%s'", value.words);
    else if (value.kind == COMPLETE_FILES)
        fputs(" -r -F", stdout);
    else if (option->arg != NULL)
        fputs(value.kind == COMPLETE_FOLDERS ? " -x -a '(__fish_complete_directories)'" : " -x", stdout);
    fputs(" -d ", stdout);
    fish_text(completion_text(option, text));
    putchar('\n');
}

static void completion_print_fish(void) {
    puts("# Completion for tanda in fish; made by: tanda help --completion fish\n"
         "complete -c tanda -f\n"
         "complete -c tanda -n __fish_use_subcommand -s h -l help -d 'the commands'\n"
         "complete -c tanda -n __fish_use_subcommand -s v -l version -d 'the version'");
    for (const command *each = commands; each->name != NULL; each++) {
        const completion_value value = completion_of_arguments(each);
        printf("complete -c tanda -n __fish_use_subcommand -a %s -d ", each->name);
        fish_text(each->summary);
        putchar('\n');
        if (value.kind == COMPLETE_FILES || value.kind == COMPLETE_WORDS) fish_condition(each);
        if (value.kind == COMPLETE_FILES) puts(" -F");
        if (value.kind == COMPLETE_WORDS) printf(" -a '%s'\n", value.words);
        option_visit(each->argp, fish_option, (void *)each);
    }
}

/* ---- the shells ------------------------------------------------------------------------------------------ */

tanda_status completion_print(const char *shell, tanda_error *error) {
    static const char *const names[] = {"bash", "zsh", "fish"};
    static void (*const printers[])(void) = {completion_print_bash, completion_print_zsh,
                                             completion_print_fish};
    size_t index = 0;
    const tanda_status status = shell == NULL ? TANDA_OK
                                              : value_choice("--completion", shell, names,
                                                             sizeof names / sizeof *names, &index, error);
    if (status == TANDA_OK) printers[index]();
    return status;
}
