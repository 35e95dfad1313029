/* The command line in one form. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/config.h"
#include "cli/option_table.h"
#include "tanda_lab.h"

#define MOST_PLACES 2
#define PLACE_LENGTH 16

/* An option that an argument may give. */
typedef struct slot {
    char name[PLACE_LENGTH];
    bool is_given;
} slot;

typedef struct reading {
    const struct argp *argp;
    int argc;
    char **argv;
    int next; /* the word to be read */
    slot places[MOST_PLACES];
    size_t place_count;
    char **arguments; /* of the places, until all options are known */
    size_t argument_count;
    command_line *line;
    tanda_error *error;
} reading;

/* ---- what is written ------------------------------------------------------------------------------------ */

static void put_word(reading *work, char *word) {
    work->line->argv[work->line->argc++] = word;
}

/* "--name", with "=value" unless that is NULL. */
static tanda_status put_option(reading *work, const char *name, const char *value) {
    char *text = NULL;
    const int length =
        value == NULL ? asprintf(&text, "--%s", name) : asprintf(&text, "--%s=%s", name, value);
    if (length < 0) return fail(work->error, TANDA_FAILED, "no memory for the arguments");
    const tanda_status status =
        value_append("arguments", text, (size_t)length, &work->line->made, work->error);
    free(text);
    if (status == TANDA_OK) put_word(work, work->line->made.texts[work->line->made.count - 1]);
    return status;
}

static tanda_status no_option(const reading *work, const char *word) {
    return option_fault(work->argp, work->argv[1], word, work->error);
}

/* An option with the rest of its word, which is its value or NULL; else its value is the next word. */
static tanda_status take_option(reading *work, const struct argp_option *option, const char *rest) {
    const bool is_apart = option->arg != NULL && rest == NULL;
    for (size_t i = 0; i < work->place_count; i++)
        if (strcmp(work->places[i].name, option->name) == 0) work->places[i].is_given = true;
    const tanda_status status = put_option(work, option->name, rest);
    if (status != TANDA_OK || !is_apart) return status;
    if (work->next == work->argc) return no_option(work, work->line->argv[work->line->argc - 1]);
    put_word(work, work->argv[work->next++]);
    return TANDA_OK;
}

/* ---- words ---------------------------------------------------------------------------------------------- */

/* Options of Python programs have underscores, as keys of --config may. */
static tanda_status take_long(reading *work, char *word) {
    for (char *at = word; *at != '\0' && *at != '='; at++)
        if (*at == '_') *at = '-';
    const struct argp_option *option = option_of_argument(work->argp, word);
    const char *value = strchr(word, '=');
    return option == NULL ? no_option(work, word)
                          : take_option(work, option, value == NULL ? NULL : value + 1);
}

/* "-epochs" is meant to be --epochs, and not -e with a value. */
static tanda_status check_dashes(const reading *work, const char *word) {
    char doubled[64], buffer[SHOWN_SIZE];
    if (word[2] == '\0' || !text_fit(doubled, sizeof doubled, "-%s", word)) return TANDA_OK;
    const struct argp_option *option = option_of_argument(work->argp, doubled);
    const size_t length = strcspn(word, "=") - 1;
    for (const struct argp_option *name = option; name != NULL; name = option_next_name(name))
        if (strlen(name->name) == length && strncmp(name->name, word + 1, length) == 0)
            return fail(work->error, TANDA_USAGE, "%s has one dash, and a long option has two: --%s",
                        shown(word, length + 1, buffer), option->name);
    return TANDA_OK;
}

/* "-q", "-oFILE", "-qo FILE" */
static tanda_status take_letters(reading *work, const char *word) {
    tanda_status status = check_dashes(work, word);
    for (const char *at = word + 1; status == TANDA_OK && *at != '\0'; at++) {
        const struct argp_option *option = option_find_letter(work->argp, *at);
        if (option == NULL) return no_option(work, word);
        const bool has_rest = option->arg != NULL && at[1] != '\0';
        status = take_option(work, option, has_rest ? at + 1 : NULL);
        if (has_rest) return status;
    }
    return status;
}

/* Those of a command without places are argp's. */
static void take_argument(reading *work, char *word) {
    if (work->place_count > 0)
        work->arguments[work->argument_count++] = word;
    else
        put_word(work, word);
}

static tanda_status take_words(reading *work) {
    tanda_status status = TANDA_OK;
    while (status == TANDA_OK && work->next < work->argc) {
        char *word = work->argv[work->next++];
        if (strcmp(word, "--") == 0) {
            if (work->place_count == 0) put_word(work, word);
            while (work->next < work->argc)
                take_argument(work, work->argv[work->next++]);
        } else if (strncmp(word, "--", 2) == 0) {
            status = take_long(work, word);
        } else if (word[0] == '-' && word[1] != '\0') {
            status = take_letters(work, word);
        } else {
            take_argument(work, word);
        }
    }
    return status;
}

/* ---- arguments ------------------------------------------------------------------------------------------ */

/* "MODEL DATA": the options --model and --data, if the command has them. */
static void find_places(reading *work) {
    const char *at = work->argp->args_doc == NULL ? "" : work->argp->args_doc;
    while (*at != '\0' && work->place_count < MOST_PLACES) {
        slot place = {0};
        const size_t length = strcspn(at, " ");
        for (size_t i = 0; i < length && i < PLACE_LENGTH - 1; i++)
            place.name[i] = (char)tolower((unsigned char)at[i]);
        if (option_exists(work->argp, place.name)) work->places[work->place_count++] = place;
        at += length + strspn(at + length, " ");
    }
}

static tanda_status too_many(const reading *work, const char *argument) {
    char buffer[SHOWN_SIZE];
    const char *what = shown(argument, strlen(argument), buffer);
    for (size_t i = 0; i < work->place_count; i++)
        if (work->places[i].is_given)
            return fail(work->error, TANDA_USAGE,
                        "'%s' is one argument too many, as --%s is given; see tanda %s --help", what,
                        work->places[i].name, work->argv[1]);
    return fail(work->error, TANDA_USAGE, "'%s' is one argument too many; see tanda %s --help", what,
                work->argv[1]);
}

/* The arguments go to the places that no option has filled, in order. */
static tanda_status fill_places(reading *work) {
    tanda_status status = TANDA_OK;
    size_t place = 0;
    for (size_t i = 0; status == TANDA_OK && i < work->argument_count; i++, place++) {
        while (place < work->place_count && work->places[place].is_given)
            place++;
        if (place == work->place_count) return too_many(work, work->arguments[i]);
        status = put_option(work, work->places[place].name, work->arguments[i]);
    }
    return status;
}

tanda_status command_line_read(const struct argp *argp, int argc, char **argv, command_line *line,
                               tanda_error *error) {
    reading work = {.argp = argp, .argc = argc, .argv = argv, .line = line, .error = error};
    *line = (command_line){0};
    size_t most = 1; /* a letter is a word at most, as is an argument */
    for (int i = 0; i < argc; i++)
        most += argv[i][0] == '-' && argv[i][1] != '-' ? strlen(argv[i]) + 1 : 1;
    tanda_status status = allocate(&line->argv, most, sizeof *line->argv, "arguments", error);
    if (status == TANDA_OK)
        status = allocate(&work.arguments, (size_t)argc, sizeof *work.arguments, "arguments", error);
    if (status == TANDA_OK) {
        find_places(&work);
        while (work.next < 2)
            put_word(&work, argv[work.next++]);
        status = take_words(&work);
    }
    if (status == TANDA_OK) status = fill_places(&work);
    free(work.arguments);
    return status;
}

void command_line_free(command_line *line) {
    free(line->argv);
    text_list_free(&line->made);
    *line = (command_line){0};
}
