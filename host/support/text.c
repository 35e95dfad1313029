#include "support/text.h"

#include <float.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

/* The code point of a character of 1 to 3 bytes; all that steer something are among them. */
static uint32_t code_point(const unsigned char *text, size_t length) {
    if (length == 1) return text[0];
    if (length == 2) return (uint32_t)(text[0] & 0x1f) << 6 | (text[1] & 0x3f);
    return (uint32_t)(text[0] & 0x0f) << 12 | (uint32_t)(text[1] & 0x3f) << 6 | (text[2] & 0x3f);
}

static bool steers(uint32_t code) {
    return code < 0x20 || (code >= 0x7f && code <= 0x9f) || (code >= 0x202a && code <= 0x202e) ||
           (code >= 0x2066 && code <= 0x2069);
}

size_t text_character(const char *text, size_t left, bool *may_be_shown) {
    const unsigned char *bytes = (const unsigned char *)text;
    const size_t length = utf8_length(bytes, left);
    *may_be_shown = length == 4 || (length > 0 && !steers(code_point(bytes, length)));
    return length == 0 ? 1 : length;
}

void text_clean(char *text) {
    char *end = text;
    bool may_be_shown = false;
    for (size_t left = strlen(text), step = 0; left > 0; left -= step, text += step) {
        step = text_character(text, left, &may_be_shown);
        if (may_be_shown)
            memmove(end, text, step);
        else
            *end = '?';
        end += may_be_shown ? step : 1;
    }
    *end = '\0';
}

bool text_ends(const char *text, const char *end) {
    const size_t length = strlen(text), size = strlen(end);
    return length >= size && strcmp(text + length - size, end) == 0;
}

int text_compare(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

void text_replace(char *text, char from, char to) {
    for (; *text != '\0'; text++)
        if (*text == from) *text = to;
}

/* A format that cannot be printed leaves nothing. */
static bool put(char *text, size_t size, const char *format, va_list arguments) {
    const int length = vsnprintf(text, size, format, arguments);
    if (length < 0) text[0] = '\0';
    return length >= 0 && (size_t)length < size;
}

size_t text_put(char *text, size_t size, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    put(text, size, format, arguments);
    va_end(arguments);
    return strlen(text);
}

bool text_fit(char *text, size_t size, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    const bool fits = put(text, size, format, arguments);
    va_end(arguments);
    return fits;
}

/* A binary format, and how a decimal number is told to be read as one of its numbers. */
typedef struct number_format {
    double
        least; /* from here on all numbers of `certain` digits are told apart, and %g drops zeros at their end */
    int certain, most; /* most: digits that are enough for any */
    long double
        above; /* a power of two times this is the middle of all that is read as it, as the gap below is half */
    bool is_single; /* binary32 */
} number_format;

static bool reads_as(const number_format *format, const char *text, double value) {
    const double read = strtod(text, NULL);
    return format->is_single ? (float)read == (float)value : read == value;
}

static const char *shortest(const number_format *format, double value, char text[TEXT_NUMBER_SIZE]) {
    const double size = value < 0.0 ? -value : value;
    for (int digits = size < format->least ? 1 : format->certain; digits <= format->most; digits++) {
        text_put(text, TEXT_NUMBER_SIZE, "%.*g", digits, value);
        if (reads_as(format, text, value)) break;
        text_put(text, TEXT_NUMBER_SIZE, "%.*Lg", digits, (long double)value * format->above);
        if (reads_as(format, text, value)) break;
    }
    return text;
}

const char *text_shortest(double value, char text[TEXT_NUMBER_SIZE]) {
    static const number_format binary64 = {DBL_MIN, DBL_DIG, DBL_DECIMAL_DIG, 1.0L + 0x1p-55L, false};
    return shortest(&binary64, value, text);
}

const char *text_shortest_float(float value, char text[TEXT_NUMBER_SIZE]) {
    static const number_format binary32 = {(double)FLT_MIN, FLT_DIG, FLT_DECIMAL_DIG, 1.0L + 0x1p-26L, true};
    return shortest(&binary32, (double)value, text);
}

bool text_stream_end(FILE *stream, char *const *text) {
    const bool failed = ferror(stream) != 0;
    return fclose(stream) == 0 && !failed && *text != NULL;
}
