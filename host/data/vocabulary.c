#include "data/vocabulary.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "data/place.h"
#include "support/text.h"

size_t vocabulary_index(const vocabulary *words, const char *name) {
    size_t i = 0;
    while (i < words->count && strcmp(words->names[i], name) != 0)
        i++;
    return i;
}

static const char *skip_joints(const char *at) {
    return at + strspn(at, "-_");
}

static bool is_alike(const char *a, const char *b) {
    for (a = skip_joints(a), b = skip_joints(b); *a != '\0' && *b != '\0';
         a = skip_joints(a + 1), b = skip_joints(b + 1))
        if (tolower((unsigned char)*a) != tolower((unsigned char)*b)) return false;
    return *a == *b;
}

word_kind vocabulary_find(const vocabulary *words, const char *text, size_t *index, const char **remark) {
    size_t found = vocabulary_index(words, text);
    *remark = NULL;
    if (found == words->count) {
        const char *dot = words->synonym_count == 0 ? NULL : strrchr(text, '.');
        if (dot != NULL) text = dot + 1; /* a module stands before names of libraries alone */
        size_t i = 0;
        while (i < words->synonym_count && !is_alike(words->synonyms[i].spelling, text))
            i++;
        if (i < words->synonym_count) {
            *remark = words->synonyms[i].remark;
            if (words->synonyms[i].name == NULL) return WORD_DIFFERS;
            text = words->synonyms[i].name;
        }
        found = 0;
        while (found < words->count && !is_alike(words->names[found], text))
            found++;
    }
    if (found == words->count) return WORD_UNKNOWN;
    *index = found;
    return WORD_KNOWN;
}

bool vocabulary_value(const vocabulary *words, const char *text, size_t *index) {
    const char *remark = NULL;
    return vocabulary_find(words, text, index, &remark) == WORD_KNOWN;
}

const char *vocabulary_list(const vocabulary *words, char text[VOCABULARY_LIST_SIZE]) {
    size_t used = 0;
    text[0] = '\0';
    for (size_t i = 0; i < words->count; i++) {
        const char *before = i == 0 ? "" : i + 1 == words->count ? " or " : ", ";
        used += text_put(text + used, VOCABULARY_LIST_SIZE - used, "%s%s", before, words->names[i]);
    }
    return text;
}

tanda_status vocabulary_read(const vocabulary *words, const char *what, const char *text, size_t *index,
                             const char **remark, tanda_error *error) {
    char list[VOCABULARY_LIST_SIZE], buffer[SHOWN_SIZE];
    const char *found = NULL;
    const word_kind kind = vocabulary_find(words, text, index, &found);
    if (remark != NULL) *remark = found;
    if (kind == WORD_KNOWN) return TANDA_OK;
    shown(text, strlen(text), buffer);
    if (kind == WORD_DIFFERS) return fail(error, TANDA_USAGE, "%s: '%s': %s", what, buffer, found);
    return fail(error, TANDA_USAGE, "%s: '%s' is unknown; use %s", what, buffer,
                vocabulary_list(words, list));
}

/* Copies what a quote at `from` opens; returns where it ends, behind the closing quote if there is one. */
static const char *copy_quoted(const char *from, char **to) {
    for (from++; *from != '\0'; from++) {
        if (*from == '"' && from[1] != '"') return from + 1;
        from += *from == '"';
        *(*to)++ = *from;
    }
    return from;
}

char *name_list_next(const char **text) {
    const char *at = *text;
    char *name = malloc(strlen(at) + 1), *to = name;
    if (name == NULL) return NULL;
    if (*at == '"') at = copy_quoted(at, &to);
    while (*at != '\0' && *at != ',')
        *to++ = *at++;
    *to = '\0';
    *text = *at == ',' ? at + 1 : NULL;
    return name;
}

char *name_list_quote(const char *name) {
    char *quoted = malloc(2 * strlen(name) + 3), *to = quoted;
    if (quoted == NULL || (strchr(name, ',') == NULL && *name != '"'))
        return quoted == NULL ? NULL : strcpy(quoted, name);
    *to++ = '"';
    for (; *name != '\0'; name++) {
        if (*name == '"') *to++ = '"';
        *to++ = *name;
    }
    strcpy(to, "\"");
    return quoted;
}
