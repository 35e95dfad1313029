#include "data/name_list.h"

#include <stdlib.h>
#include <string.h>

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
