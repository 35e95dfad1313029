/* Decimal text to numbers: correctly rounded, whatever the locale is. */
#ifndef TANDA_DATA_NUMBER_H
#define TANDA_DATA_NUMBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum number_status {
    NUMBER_OK,
    NUMBER_EMPTY,      /* no text at all */
    NUMBER_NOT,        /* text, hexadecimal, a number with something behind it */
    NUMBER_NOT_FINITE, /* nan or inf, in any case, signed or not */
    NUMBER_TOO_LARGE   /* rounds to infinity */
} number_status;

/*
 * The whole text, without spaces around it, as [+-] digits [. digits] [e [+-] digits]; at least one digit
 * before the exponent. *value is the nearest binary32 (ties to even), -0 becomes +0; it is left alone unless
 * the result is NUMBER_OK.
 */
number_status number_to_float(const char *text, size_t length, float *value);

/* The same in binary64. */
number_status number_to_double(const char *text, size_t length, double *value);

/* Digits alone, of a number below 2^64; false, and *value left alone, for any other text. */
bool number_to_whole(const char *text, size_t length, uint64_t *value);

/*
 * The quick way for the many: reads a number that begins at `at` and returns where it ends, or NULL when the
 * text there is no number or one that takes more care; number_to_float then decides. _comma: with a decimal comma.
 */
typedef const char *number_scanner(const char *at, const char *end, float *value);
number_scanner number_scan, number_scan_comma;

/* The same in binary64; number_to_double then decides. */
typedef const char *exact_scanner(const char *at, const char *end, double *value);
exact_scanner number_scan_exact, number_scan_exact_comma;

/* Of the bits of a binary16, whatever they say. */
float number_from_half(uint32_t bits);

/* What is wrong, to be put after the quoted text: "is not a number". Not for NUMBER_OK. */
const char *number_problem(number_status status);

#endif
