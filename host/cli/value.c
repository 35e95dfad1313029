#include "cli/value.h"

#include <ctype.h>
#include <errno.h>
#include <float.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "tanda_lab.h"

tanda_status value_count(const char *flag, const char *text, uint64_t least, uint64_t most, uint64_t *value,
                         tanda_error *error) {
    char buffer[SHOWN_SIZE];
    uint64_t number = 0;
    if (number_to_whole(text, strlen(text), &number) && number >= least && number <= most) {
        *value = number;
        return TANDA_OK;
    }
    const char *what = shown(text, strlen(text), buffer);
    if (most == UINT64_MAX)
        return fail(error, TANDA_USAGE, "%s: '%s' is not a whole number of at least %" PRIu64, flag, what,
                    least);
    return fail(error, TANDA_USAGE, "%s: '%s' is not a whole number from %" PRIu64 " to %" PRIu64, flag, what,
                least, most);
}

tanda_status value_size(const char *flag, const char *text, uint64_t least, uint64_t most, size_t *value,
                        tanda_error *error) {
    uint64_t number = 0;
    const tanda_status status = value_count(flag, text, least, most, &number, error);
    if (status == TANDA_OK) *value = (size_t)number;
    return status;
}

/* A number of bytes above 0, with K, M, G or T behind it for powers of 1,024, as 512M or 1.5G. */
static tanda_status value_bytes(const char *flag, const char *text, size_t *value, tanda_error *error) {
    static const char units[] = "KMGT";
    char buffer[SHOWN_SIZE];
    const size_t length = strspn(text, "0123456789."), rest = strlen(text + length);
    const char *unit = rest > 0 ? strchr(units, toupper((unsigned char)text[length])) : units;
    const bool has_end =
        rest <= 1 || strcasecmp(text + length + 1, "iB") == 0 || strcasecmp(text + length + 1, "B") == 0;
    double number = 0.0;
    if (unit != NULL && has_end && number_to_double(text, length, &number) == NUMBER_OK) {
        for (ptrdiff_t i = rest > 0 ? unit - units + 1 : 0; i > 0; i--)
            number *= 1024.0;
        if (number >= 1.0 && number < 0x1p63) {
            *value = (size_t)number;
            return TANDA_OK;
        }
    }
    return fail(error, TANDA_USAGE, "%s: '%s' is not a number of bytes such as 512M or 1.5G", flag,
                shown(text, strlen(text), buffer));
}

tanda_status value_positive(const char *flag, const char *text, double *value, tanda_error *error) {
    char buffer[SHOWN_SIZE];
    double number = 0.0;
    const number_status found = number_to_double(text, strlen(text), &number);
    if (found == NUMBER_OK && number >= (double)FLT_MIN && number <= (double)FLT_MAX) {
        *value = number;
        return TANDA_OK;
    }
    return fail(error, TANDA_USAGE, "%s: '%s' is not a number above 0 within single precision, such as 0.1",
                flag, shown(text, strlen(text), buffer));
}

tanda_status value_choice(const char *flag, const char *text, const char *const *names, size_t count,
                          size_t *index, tanda_error *error) {
    const vocabulary words = {.names = names, .count = count};
    return vocabulary_read(&words, flag, text, index, NULL, error);
}

tanda_status value_yes_no(const char *flag, const char *text, bool *value, tanda_error *error) {
    static const char *const names[] = {"yes", "no"};
    static const synonym synonyms[] = {{"true", "yes", NULL}, {"false", "no", NULL}};
    static const vocabulary words = WORDS_OF(names, synonyms);
    size_t index = 0;
    const tanda_status status = vocabulary_read(&words, flag, text, &index, NULL, error);
    if (status == TANDA_OK) *value = index == 0;
    return status;
}

tanda_status value_append(const char *flag, const char *text, size_t length, text_list *list,
                          tanda_error *error) {
    if (length == 0)
        return fail(error, TANDA_USAGE, "%s: an empty name; separate names by single commas", flag);
    char **texts = reallocarray(list->texts, list->count + 1, sizeof *texts);
    if (texts == NULL) return fail(error, TANDA_FAILED, "%s: out of memory", flag);
    list->texts = texts;
    texts[list->count] = strndup(text, length);
    if (texts[list->count] == NULL) return fail(error, TANDA_FAILED, "%s: out of memory", flag);
    list->count++;
    return TANDA_OK;
}

tanda_status value_list(const char *flag, const char *text, text_list *list, tanda_error *error) {
    tanda_status status = TANDA_OK;
    while (status == TANDA_OK && text != NULL) {
        char *name = name_list_next(&text);
        if (name == NULL) return fail(error, TANDA_FAILED, "%s: out of memory", flag);
        status = value_append(flag, name, strlen(name), list, error);
        free(name);
    }
    return status;
}

void text_list_free(text_list *list) {
    for (size_t i = 0; i < list->count; i++)
        free(list->texts[i]);
    free(list->texts);
    *list = (text_list){0};
}

error_t parsed(tanda_status status) {
    return status == TANDA_OK ? 0 : EINVAL;
}

error_t option_put(const option_place *places, int key, const char *argument, void *options,
                   tanda_error *error) {
    void *place = (char *)options + (key & 0xffff);
    size_t index = 0;
    if (key >> 16 == TEXT_AT(text_list, texts) >> 16) {
        *(const char **)place = argument;
        return 0;
    }
    if (key >> 16 == SWITCH_AT(text_list, texts) >> 16) {
        *(bool *)place = true;
        return 0;
    }
    while (places != NULL && places->key != key)
        places = places->key == 0 ? NULL : places + 1;
    if (places == NULL) return ARGP_ERR_UNKNOWN;
    switch (places->kind) {
    case PLACE_SIZE:
        return parsed(value_size(places->flag, argument, places->least,
                                 places->most == 0 ? SIZE_MAX : places->most, place, error));
    case PLACE_BYTES:
        return parsed(value_bytes(places->flag, argument, place, error));
    case PLACE_POSITIVE:
        return parsed(value_positive(places->flag, argument, place, error));
    case PLACE_LIST:
        return parsed(value_list(places->flag, argument, place, error));
    case PLACE_WORD:
        if (vocabulary_read(places->words, places->flag, argument, &index, NULL, error) != TANDA_OK)
            return EINVAL;
        *(int *)place = (int)index;
        return 0;
    }
    return ARGP_ERR_UNKNOWN;
}
