/*
 * Values of options, read strictly: the whole text, in range, whatever the locale is. All fail with
 * TANDA_USAGE, naming the flag, the text and what would be right, and leave the output as it was.
 */
#ifndef TANDA_CLI_VALUE_H
#define TANDA_CLI_VALUE_H

#include <argp.h>
#include <stdbool.h>

#include "tanda_lab.h"

/* A growing list of copied texts. All zero is an empty one. */
typedef struct text_list {
    char **texts;
    size_t count;
} text_list;

/* A whole number from least to most; most == UINT64_MAX reads as "no limit" in the message. */
tanda_status value_count(const char *flag, const char *text, uint64_t least, uint64_t most, uint64_t *value,
                         tanda_error *error);

/* The same for a size. */
tanda_status value_size(const char *flag, const char *text, uint64_t least, uint64_t most, size_t *value,
                        tanda_error *error);

/* A finite number above 0 that binary32 can hold, as the devices compute with it. */
tanda_status value_positive(const char *flag, const char *text, double *value, tanda_error *error);

/* The index of text in names, in any case (data/vocabulary.h). */
tanda_status value_choice(const char *flag, const char *text, const char *const *names, size_t count,
                          size_t *index, tanda_error *error);

/* yes or no, or Python's True or False. */
tanda_status value_yes_no(const char *flag, const char *text, bool *value, tanda_error *error);

/* Appends the names of a list (data/vocabulary.h); an empty one is refused. */
tanda_status value_list(const char *flag, const char *text, text_list *list, tanda_error *error);

/* Appends one text as it is. */
tanda_status value_append(const char *flag, const char *text, size_t length, text_list *list,
                          tanda_error *error);
void text_list_free(text_list *list);

/*
 * Keys of options whose value goes to a member of their parser's input, and nothing else is done with it: of a const char *,
 * which points into argv; of a bool, which becomes true; and of what a row of option_place says.
 */
#define TEXT_AT(type, member) (0x10000 + (int)offsetof(type, member))
#define SWITCH_AT(type, member) (0x20000 + (int)offsetof(type, member))
#define VALUE_AT(type, member) (0x30000 + (int)offsetof(type, member))

typedef enum place_kind {
    PLACE_SIZE,     /* size_t, from least to most; most == 0: no limit */
    PLACE_POSITIVE, /* double */
    PLACE_LIST,     /* text_list, appended to */
    PLACE_BYTES,    /* size_t: a number of bytes, at least 1, or of K, M, G or T of them */
    PLACE_WORD,     /* an enumeration in the order of words */
} place_kind;

typedef struct option_place {
    int key; /* a VALUE_AT; 0 ends a table */
    place_kind kind;
    const char *flag; /* for messages */
    uint64_t least, most;
    const vocabulary *words;
} option_place;

/* For the parser of an argp: puts the value in its place. ARGP_ERR_UNKNOWN for another key. places: NULL is none. */
error_t option_put(const option_place *places, int key, const char *argument, void *options,
                   tanda_error *error);

/* 0, or what argp takes for "stop, the error is told". */
error_t parsed(tanda_status status);

#endif
