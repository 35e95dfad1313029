#include "data/number.h"

#include <float.h>
#include <locale.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/*
 * Why the quick way is correctly rounded. A decimal m * 10^e with m < 10^15 and |e| <= 22 has both parts
 * exact in binary64, so one multiplication or division gives the binary64 nearest to it (Clinger 1990).
 * Rounding that again to binary32 can differ from rounding the decimal itself only if the binary64 lies
 * exactly between two neighbouring binary32: rounding keeps order, and such a midpoint is itself a binary64.
 * Those few cases are left to strtof.
 */
#define QUICK_DIGITS 15
#define QUICK_EXPONENT 22
#define NUMBER_LENGTH_MAX 1024 /* of what is handed to strtof */

static const double powers_of_ten[QUICK_EXPONENT + 1] = {
    1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
    1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
};

/* digits * 10^exponent; when cut is true the number lies above that, by less than one unit of digits. */
typedef struct decimal {
    uint64_t digits;
    int exponent;
    bool negative;
    bool cut;
} decimal;

static bool is_digit(char c) {
    return (unsigned char)(c - '0') < 10;
}

static double scale_by_ten(uint64_t digits, int exponent) {
    double value = (double)digits;
    return exponent < 0 ? value / powers_of_ten[-exponent] : value * powers_of_ten[exponent];
}

/* True when rounding a binary64 to binary32 cannot be a second rounding that matters. */
static bool rounds_once(double value) {
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return value >= FLT_MIN && value <= FLT_MAX && (bits & 0x1fffffff) != 0x10000000;
}

/* False when the quick way does not hold for this decimal. */
static bool decimal_to_float(const decimal *number, float *value) {
    if (number->digits == 0 && !number->cut) {
        *value = 0.0f;
        return true;
    }
    if (number->exponent < -QUICK_EXPONENT || number->exponent > QUICK_EXPONENT) return false;
    double low = scale_by_ten(number->digits, number->exponent);
    if (!rounds_once(low)) return false;
    if (number->cut) { /* the number lies between low and high: one result if both give it */
        double high = scale_by_ten(number->digits + 1, number->exponent);
        if (!rounds_once(high) || (float)high != (float)low) return false;
    }
    *value = number->negative ? -(float)low : (float)low;
    return true;
}

/* Reads [e [+-] digits] and adds it to *exponent; text that is no exponent is not consumed. */
static const char *scan_exponent(const char *at, const char *end, int *exponent) {
    if (at == end || (*at | 0x20) != 'e') return at;
    const char *digits = at + 1;
    bool negative = false;
    if (digits < end && (*digits == '-' || *digits == '+')) negative = *digits++ == '-';
    if (digits == end || !is_digit(*digits)) return at;
    int read = 0;
    for (; digits < end && is_digit(*digits); digits++)
        if (read < 100000) read = read * 10 + (*digits - '0');
    *exponent += negative ? -read : read;
    return digits;
}

/* Any number of digits: the first 15 that count are kept. NULL when there is no digit. */
static const char *scan_decimal(const char *at, const char *end, decimal *number) {
    *number = (decimal){0};
    if (at < end && (*at == '-' || *at == '+')) number->negative = *at++ == '-';
    size_t digits_seen = 0;
    int kept = 0;
    bool after_point = false;
    for (; at < end; at++) {
        if (*at == '.' && !after_point) {
            after_point = true;
            continue;
        }
        if (!is_digit(*at)) break;
        digits_seen++;
        if (kept < QUICK_DIGITS) {
            number->digits = number->digits * 10 + (uint64_t)(*at - '0');
            kept += number->digits != 0;
            number->exponent -= after_point && number->exponent > -100000;
        } else {
            number->cut = number->cut || *at != '0';
            number->exponent += !after_point && number->exponent < 100000;
        }
    }
    return digits_seen == 0 ? NULL : scan_exponent(at, end, &number->exponent);
}

const char *number_scan(const char *at, const char *end, float *value) {
    decimal number = {.negative = at < end && *at == '-'};
    at += number.negative;
    const char *start = at;
    for (; at < end && is_digit(*at); at++)
        number.digits = number.digits * 10 + (uint64_t)(*at - '0');
    ptrdiff_t count = at - start;
    if (at < end && *at == '.') {
        const char *point = at++;
        for (; at < end && is_digit(*at); at++)
            number.digits = number.digits * 10 + (uint64_t)(*at - '0');
        number.exponent = (int)(point + 1 - at < -QUICK_DIGITS ? -QUICK_DIGITS : point + 1 - at);
        count += at - point - 1;
    }
    if (count == 0) return NULL;
    if (count > QUICK_DIGITS)
        at = scan_decimal(number.negative ? start - 1 : start, end, &number);
    else if (at < end && (*at | 0x20) == 'e')
        at = scan_exponent(at, end, &number.exponent);
    return decimal_to_float(&number, value) ? at : NULL;
}

/* Text that is no plain number: says why not. */
static number_status classify(const char *text, size_t length) {
    static const char *const not_finite[] = {"nan", "inf", "infinity"};
    if (length == 0) return NUMBER_EMPTY;
    size_t sign = text[0] == '-' || text[0] == '+';
    for (size_t i = 0; i < sizeof not_finite / sizeof *not_finite; i++)
        if (length - sign == strlen(not_finite[i]) &&
            strncasecmp(text + sign, not_finite[i], length - sign) == 0)
            return NUMBER_NOT_FINITE;
    return NUMBER_NOT;
}

/* Copies a number whose grammar has been checked, for the strto functions of the "C" locale. */
static bool terminated_copy(const char *text, size_t length, char copy[NUMBER_LENGTH_MAX]) {
    if (length >= NUMBER_LENGTH_MAX) return false;
    memcpy(copy, text, length);
    copy[length] = '\0';
    return true;
}

number_status number_to_float(const char *text, size_t length, float *value) {
    decimal number;
    float result = 0.0f;
    const char *end = text + length;
    if (length == 0 || scan_decimal(text, end, &number) != end) return classify(text, length);
    if (!decimal_to_float(&number, &result)) {
        char copy[NUMBER_LENGTH_MAX];
        if (!terminated_copy(text, length, copy)) return NUMBER_NOT;
        locale_t plain = newlocale(LC_ALL_MASK, "C", (locale_t)0);
        result = strtof_l(copy, NULL, plain);
        freelocale(plain);
    }
    if (!isfinite(result)) return NUMBER_TOO_LARGE;
    *value = result == 0.0f ? 0.0f : result;
    return NUMBER_OK;
}

number_status number_to_double(const char *text, size_t length, double *value) {
    decimal number;
    double result = 0.0;
    const char *end = text + length;
    if (length == 0 || scan_decimal(text, end, &number) != end) return classify(text, length);
    if (!number.cut && number.exponent >= -QUICK_EXPONENT && number.exponent <= QUICK_EXPONENT) {
        result = scale_by_ten(number.digits, number.exponent);
        if (number.negative) result = -result;
    } else {
        char copy[NUMBER_LENGTH_MAX];
        if (!terminated_copy(text, length, copy)) return NUMBER_NOT;
        locale_t plain = newlocale(LC_ALL_MASK, "C", (locale_t)0);
        result = strtod_l(copy, NULL, plain);
        freelocale(plain);
    }
    if (!isfinite(result)) return NUMBER_TOO_LARGE;
    *value = result == 0.0 ? 0.0 : result;
    return NUMBER_OK;
}

const char *number_problem(number_status status) {
    switch (status) {
    case NUMBER_OK:
        return "is a number";
    case NUMBER_EMPTY:
        return "is empty: missing values are not accepted";
    case NUMBER_NOT_FINITE:
        return "is not finite: missing and infinite values are not accepted";
    case NUMBER_TOO_LARGE:
        return "is beyond the range of binary32 (3.4e38)";
    case NUMBER_NOT:
        break;
    }
    return "is not a number";
}
