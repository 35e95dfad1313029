#include "data/place.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

tanda_status fail_at(tanda_error *error, const place *place, const char *format, ...) {
    char message[sizeof error->message];
    char name[SHOWN_SIZE];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    const char *before = place->name == NULL ? "" : " (column ";
    const char *after = place->name == NULL ? "" : ")";
    if (place->name != NULL) shown(place->name, strlen(place->name), name);
    if (place->line == 0)
        return fail(error, TANDA_BAD_INPUT, "%s: row %zu, column %zu (from 0): %s%s%s%s", place->path,
                    place->row, place->column, message, before, place->name == NULL ? "" : name, after);
    return fail(error, TANDA_BAD_INPUT, "%s:%zu:%zu: %s%s%s%s", place->path, place->line, place->column,
                message, before, place->name == NULL ? "" : name, after);
}

const char *shown(const char *text, size_t length, char buffer[SHOWN_SIZE]) {
    size_t out = 0;
    size_t in = 0;
    while (in < length) {
        bool plain = false;
        const size_t step = text_character(text + in, length - in, &plain);
        if (out + step > SHOWN_SIZE - 4) {
            memcpy(buffer + out, "...", 3);
            out += 3;
            break;
        }
        if (plain)
            memcpy(buffer + out, text + in, step);
        else
            buffer[out] = '?';
        out += plain ? step : 1;
        in += step;
    }
    buffer[out] = '\0';
    return buffer;
}
