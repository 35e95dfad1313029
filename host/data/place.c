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

/* Bytes of the UTF-8 character at text, 0 when there is none. */
static size_t utf8_length(const unsigned char *text, size_t left) {
    unsigned char lead = text[0];
    if (lead < 0x80) return lead != 0;
    size_t length = lead >= 0xc2 && lead <= 0xdf   ? 2
                    : (lead & 0xf0) == 0xe0        ? 3
                    : lead >= 0xf0 && lead <= 0xf4 ? 4
                                                   : 0;
    if (length == 0 || length > left) return 0;
    for (size_t i = 1; i < length; i++)
        if ((text[i] & 0xc0) != 0x80) return 0;
    if (lead == 0xe0 && text[1] < 0xa0) return 0; /* overlong */
    if (lead == 0xed && text[1] > 0x9f) return 0; /* surrogates */
    if (lead == 0xf0 && text[1] < 0x90) return 0; /* overlong */
    if (lead == 0xf4 && text[1] > 0x8f) return 0; /* above U+10FFFF */
    return length;
}

bool is_plain_utf8(const char *text, size_t length) {
    for (size_t i = 0; i < length;) {
        size_t step = utf8_length((const unsigned char *)text + i, length - i);
        if (step == 0) return false;
        i += step;
    }
    return true;
}

const char *shown(const char *text, size_t length, char buffer[SHOWN_SIZE]) {
    size_t out = 0;
    size_t in = 0;
    while (in < length) {
        size_t step = utf8_length((const unsigned char *)text + in, length - in);
        bool plain = step > 1 || (step == 1 && text[in] >= ' ' && text[in] != 127);
        if (step == 0) step = 1;
        if (out + step > SHOWN_SIZE - 4) {
            memcpy(buffer + out, "...", 3);
            out += 3;
            break;
        }
        if (plain)
            memcpy(buffer + out, text + in, step);
        else
            buffer[out] = '?';
        out += step;
        in += step;
    }
    buffer[out] = '\0';
    return buffer;
}
