/* Text of files, arguments and drivers: whether it is UTF-8, and what of it may go to a terminal. */
#ifndef TANDA_SUPPORT_TEXT_H
#define TANDA_SUPPORT_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/*
 * The bytes of the first character of `left` bytes, 1 or more, and whether it may be shown. It may not when it steers a
 * terminal or the order of the characters around it: a control character (C0, DEL, C1), a bidirectional one (U+202A to
 * U+202E, U+2066 to U+2069), or a byte that is no UTF-8.
 */
size_t text_character(const char *text, size_t left, bool *may_be_shown);

/* Puts '?' in the place of each character that may not be shown. */
void text_clean(char *text);

/* Whether the text ends so. */
bool text_ends(const char *text, const char *end);

/* For qsort of texts (char *), in the order of their bytes. */
int text_compare(const void *a, const void *b);

/* Puts `to` in the place of each `from`. */
void text_replace(char *text, char from, char to);

/*
 * printf into `size` bytes, of which there is at least one. text_put cuts what does not fit and returns the length that
 * is there: for people. text_fit is false where something was cut: for names, paths, and all that is read again.
 */
size_t text_put(char *text, size_t size, const char *format, ...) __attribute__((format(printf, 3, 4)));
bool text_fit(char *text, size_t size, const char *format, ...)
    __attribute__((format(printf, 3, 4), warn_unused_result));

#define TEXT_NUMBER_SIZE 32

/*
 * A number in the fewest digits that strtod reads as the same binary64, or binary32, in the form of printf("%g"); returns
 * text. Below 10^15 whole numbers have no exponent. For configurations, logs and people; many at once: data/number_text.h.
 */
const char *text_shortest(double value, char text[TEXT_NUMBER_SIZE]);
const char *text_shortest_float(float value, char text[TEXT_NUMBER_SIZE]);

/* Closes a stream of open_memstream; false where *text is not all of it, which glibc tells in three ways. */
bool text_stream_end(FILE *stream, char *const *text) __attribute__((warn_unused_result));

/* True for UTF-8 without NUL (RFC 3629: no surrogates, no overlong forms), as names in a model file must be. */
bool is_plain_utf8(const char *text, size_t length);

#endif
