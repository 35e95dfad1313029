#include "cli/completion.h"

#include <ctype.h>
#include <string.h>

#include "cli/value.h"
#include "tanda_lab.h"

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

completion_value completion_of_option(const command *command, const struct argp_option *option) {
    completion_value value = {.kind = kind_of_value(option->arg)};
    char choices[COMPLETION_WORDS_SIZE];
    find_choices(command, option->name, choices, sizeof choices);
    if (strcmp(option->name, "activation") == 0)
        add_names(&value, tanda_activation_name);
    else
        add_choices(&value, choices);
    return value;
}

completion_value completion_of_arguments(const command *command) {
    const char *argument = command->argp->args_doc == NULL ? "" : command->argp->args_doc;
    completion_value value = {.kind = kind_of_value(argument)};
    if (strcmp(argument, "KIND") == 0) add_names(&value, synthetic_kind_name);
    return value;
}

const char *completion_text(const struct argp_option *option, char text[COMPLETION_TEXT_SIZE]) {
    size_t length = strcspn(option->doc, ";:(");
    while (length > 0 && strchr(", ", option->doc[length - 1]) != NULL)
        length--;
    if (length < COMPLETION_TEXT_SIZE)
        text_put(text, COMPLETION_TEXT_SIZE, "%.*s", (int)length, option->doc);
    else
        text_put(text, COMPLETION_TEXT_SIZE, "%.*s...", COMPLETION_TEXT_SIZE - 4, option->doc);
    return text;
}

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
