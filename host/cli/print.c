#include "cli/print.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "tanda_lab.h"

void print_name(FILE *stream, const char *name) {
    bool may_be_shown = false;
    for (size_t left = strlen(name), step = 0; left > 0; left -= step, name += step) {
        step = text_character(name, left, &may_be_shown);
        fprintf(stream, "%.*s", may_be_shown ? (int)step : 1, may_be_shown ? name : "?");
    }
}

void print_note(FILE *stream, const char *note) {
    fputs("note: ", stream);
    print_name(stream, note);
    fputc('\n', stream);
}

/* The code point of a character of JSON that may not be shown: of 1 to 3 bytes, as JSON is UTF-8. */
static unsigned code_point(const char *text, size_t length) {
    unsigned code = (unsigned char)text[0] & (length == 1 ? 0x7f : length == 2 ? 0x1f : 0x0f);
    for (size_t i = 1; i < length; i++)
        code = code << 6 | ((unsigned char)text[i] & 0x3f);
    return code;
}

/* Outside of strings JSON has none of these characters but line ends, which stay. jansson never cuts a character. */
static int write_json(const char *text, size_t size, void *stream) {
    bool may_be_shown = false;
    for (size_t begin = 0, at = 0, step = 0; begin < size; begin = at) {
        for (; at < size; at += step) {
            step = text_character(text + at, size - at, &may_be_shown);
            if (!may_be_shown && text[at] != '\n') break;
        }
        if (fwrite(text + begin, 1, at - begin, stream) != at - begin) return -1;
        if (at == size) break;
        fprintf(stream, "\\u%04x", code_point(text + at, step));
        at += step;
    }
    return ferror((FILE *)stream) ? -1 : 0;
}

int print_json_value(const json_t *value, FILE *stream, size_t flags) {
    return json_dump_callback(value, write_json, stream, flags);
}

void print_json_text(FILE *stream, const char *text) {
    write_json(text, strlen(text), stream);
}
