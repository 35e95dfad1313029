#include "page/escape.h"

#include <string.h>

#include "support/text.h"

static const char *entity(char character) {
    switch (character) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    case '\'':
        return "&#39;";
    default:
        return NULL;
    }
}

void escape_put(FILE *stream, const char *text) {
    bool may_be_shown = false;
    for (size_t left = strlen(text), step = 0; left > 0; left -= step, text += step) {
        step = text_character(text, left, &may_be_shown);
        if (entity(*text) != NULL)
            fputs(entity(*text), stream);
        else if (may_be_shown || *text == '\n')
            fprintf(stream, "%.*s", (int)step, text);
        else
            fputc('?', stream);
    }
}
