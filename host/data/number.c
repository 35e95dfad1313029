#include "data/number.h"

#include <float.h>
#include <locale.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/*
 * Why the quick way is correctly rounded. Of a decimal m * 10^e, m is kept to 19 digits. In binary64, m and 10^|e| are
 * each off by at most half a unit in the last place, and so is their product or quotient; what was cut off m is less
 * than a hundredth of one. The value found is then within 4 units of the decimal. Rounding it to binary32 can differ
 * from rounding the decimal itself only where a midpoint of two neighbouring binary32 lies between the two. Midpoints
 * are 2^29 units apart, so all but one in ten million are at a safe distance; the few others are left to strtof.
 */
#define DIGITS_KEPT 19
#define QUICK_EXPONENT 60
#define EXACT_EXPONENT 22                /* powers of ten up to here are binary64 numbers */
#define EXACT_DIGITS (UINT64_C(1) << 53) /* and integers up to here */
#define UNSAFE_UNITS 16                  /* nearer than this to a midpoint: strtof decides */
#define NUMBER_LENGTH_MAX 1024           /* of what is handed to strtof */

static const double powers_of_ten[QUICK_EXPONENT + 1] = {
    1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
    1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22, 1e23, 1e24, 1e25, 1e26, 1e27, 1e28, 1e29, 1e30, 1e31,
    1e32, 1e33, 1e34, 1e35, 1e36, 1e37, 1e38, 1e39, 1e40, 1e41, 1e42, 1e43, 1e44, 1e45, 1e46, 1e47,
    1e48, 1e49, 1e50, 1e51, 1e52, 1e53, 1e54, 1e55, 1e56, 1e57, 1e58, 1e59, 1e60,
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

static inline double scale_by_ten(uint64_t digits, int exponent) {
    double value = (double)digits;
    return exponent < 0 ? value / powers_of_ten[-exponent] : value * powers_of_ten[exponent];
}

/* True when all numbers within a few units of this binary64 have the same nearest binary32, a normal one. */
static inline bool rounds_safely(double value) {
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    uint64_t beyond = (bits - 0x10000000u + UNSAFE_UNITS) & 0x1fffffffu; /* the midpoint gives UNSAFE_UNITS */
    return value >= FLT_MIN && value <= FLT_MAX && beyond > 2 * UNSAFE_UNITS;
}

/* A branch would be guessed wrongly half of the time. */
static inline float with_sign(float value, bool negative) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    bits |= (uint32_t)negative << 31;
    memcpy(&value, &bits, sizeof bits);
    return value;
}

/* False when the quick way does not hold for this decimal. */
static inline bool decimal_to_float(const decimal *number, float *value) {
    float result = (float)number->digits; /* an integer is rounded once, whatever it is */
    if (number->digits != 0 && (number->exponent != 0 || number->cut)) {
        if (number->exponent < -QUICK_EXPONENT || number->exponent > QUICK_EXPONENT) return false;
        double near = scale_by_ten(number->digits, number->exponent);
        if (!rounds_safely(near)) return false;
        result = (float)near;
    }
    *value = with_sign(result, number->negative && number->digits != 0);
    return true;
}

#if LDBL_MANT_DIG == 64
/*
 * In 64 bits, digits are exact and powers of ten off by at most half a unit in the last place, which makes at most one of
 * the product, and rounding that half a unit more. Rounding the product to binary64 rounds the decimal, unless the middle
 * of two binary64 is so near that it may lie between the two.
 */
#define BITS_CUT 0x7ffu
#define MIDDLE 0x400u
#define UNSAFE_WIDE_UNITS 2

static inline bool scale_widely(const decimal *number, double *value) {
    static const long double powers[2 * QUICK_EXPONENT + 1] = {
        1e-60L, 1e-59L, 1e-58L, 1e-57L, 1e-56L, 1e-55L, 1e-54L, 1e-53L, 1e-52L, 1e-51L, 1e-50L,
        1e-49L, 1e-48L, 1e-47L, 1e-46L, 1e-45L, 1e-44L, 1e-43L, 1e-42L, 1e-41L, 1e-40L, 1e-39L,
        1e-38L, 1e-37L, 1e-36L, 1e-35L, 1e-34L, 1e-33L, 1e-32L, 1e-31L, 1e-30L, 1e-29L, 1e-28L,
        1e-27L, 1e-26L, 1e-25L, 1e-24L, 1e-23L, 1e-22L, 1e-21L, 1e-20L, 1e-19L, 1e-18L, 1e-17L,
        1e-16L, 1e-15L, 1e-14L, 1e-13L, 1e-12L, 1e-11L, 1e-10L, 1e-9L,  1e-8L,  1e-7L,  1e-6L,
        1e-5L,  1e-4L,  1e-3L,  1e-2L,  1e-1L,  1e0L,   1e1L,   1e2L,   1e3L,   1e4L,   1e5L,
        1e6L,   1e7L,   1e8L,   1e9L,   1e10L,  1e11L,  1e12L,  1e13L,  1e14L,  1e15L,  1e16L,
        1e17L,  1e18L,  1e19L,  1e20L,  1e21L,  1e22L,  1e23L,  1e24L,  1e25L,  1e26L,  1e27L,
        1e28L,  1e29L,  1e30L,  1e31L,  1e32L,  1e33L,  1e34L,  1e35L,  1e36L,  1e37L,  1e38L,
        1e39L,  1e40L,  1e41L,  1e42L,  1e43L,  1e44L,  1e45L,  1e46L,  1e47L,  1e48L,  1e49L,
        1e50L,  1e51L,  1e52L,  1e53L,  1e54L,  1e55L,  1e56L,  1e57L,  1e58L,  1e59L,  1e60L,
    };
    if (number->exponent < -QUICK_EXPONENT || number->exponent > QUICK_EXPONENT) return false;
    const long double wide = (long double)number->digits * powers[number->exponent + QUICK_EXPONENT];
    uint64_t bits;
    memcpy(&bits, &wide, sizeof bits);
    *value = (double)wide;
    return ((bits - MIDDLE + UNSAFE_WIDE_UNITS) & BITS_CUT) > 2 * UNSAFE_WIDE_UNITS;
}
#else
static inline bool scale_widely(const decimal *number, double *value) {
    (void)number;
    (void)value;
    return false;
}
#endif

/* The same in binary64. */
static inline bool decimal_to_double(const decimal *number, double *value) {
    double result = 0.0;
    if (number->cut) return false;
    if (number->digits <= EXACT_DIGITS && number->exponent >= -EXACT_EXPONENT &&
        number->exponent <= EXACT_EXPONENT) /* rounded once (Clinger 1990) */
        result = scale_by_ten(number->digits, number->exponent);
    else if (!scale_widely(number, &result))
        return false;
    *value = number->negative && number->digits != 0 ? -result : result;
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

/* Any number of digits: the first 19 that count are kept. NULL when there is no digit. */
static const char *scan_decimal(const char *at, const char *end, char point, decimal *number) {
    *number = (decimal){0};
    if (at < end && (*at == '-' || *at == '+')) number->negative = *at++ == '-';
    size_t digits_seen = 0;
    int kept = 0;
    bool after_point = false;
    for (; at < end; at++) {
        if (*at == point && !after_point) {
            after_point = true;
            continue;
        }
        if (!is_digit(*at)) break;
        digits_seen++;
        if (kept < DIGITS_KEPT) {
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

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
/*
 * Eight digits at once, in the bytes of one word. The first digit is the lowest byte; pairs, then fours, then all are
 * put together by three multiplications.
 */
static inline uint64_t eight_digits(uint64_t word) {
    word = (word & UINT64_C(0x0f0f0f0f0f0f0f0f)) * 2561 >> 8;
    word = (word & UINT64_C(0x00ff00ff00ff00ff)) * 6553601 >> 16;
    return (word & UINT64_C(0x0000ffff0000ffff)) * UINT64_C(42949672960001) >> 32;
}

/* How many of the eight bytes, from the first on, are digits. */
static inline unsigned leading_digits(uint64_t word) {
    word ^= UINT64_C(0x3030303030303030);
    uint64_t others = ((word + UINT64_C(0x7676767676767676)) | word) & UINT64_C(0x8080808080808080);
    return others == 0 ? 8 : (unsigned)__builtin_ctzll(others) / 8;
}

/* Appends the digits from `at` on to *digits, modulo 2^64; returns where they end. */
static inline const char *scan_digits(const char *at, const char *end, uint64_t *digits) {
    static const uint64_t powers[] = {1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000};
    while (end - at >= 8) {
        uint64_t word;
        memcpy(&word, at, sizeof word);
        unsigned count = leading_digits(word);
        /* zeros before the digits; the shift is in two parts, as 64 at once is no shift */
        uint64_t aligned = count == 8 ? word : word << 8 * (7 - count) << 8;
        *digits = *digits * powers[count] + eight_digits(aligned);
        at += count;
        if (count < 8) return at;
    }
    for (; at < end && is_digit(*at); at++)
        *digits = *digits * 10 + (uint64_t)(*at - '0');
    return at;
}
#else
static inline const char *scan_digits(const char *at, const char *end, uint64_t *digits) {
    for (; at < end && is_digit(*at); at++)
        *digits = *digits * 10 + (uint64_t)(*at - '0');
    return at;
}
#endif

/* A number without a plus sign; NULL where there is none. */
static inline const char *scan_plain(const char *at, const char *end, const char point, decimal *result) {
    decimal number = {.negative = at < end && *at == '-'};
    const char *start = at + number.negative;
    at = start;
    if (at < end && is_digit(*at)) { /* most often the only one before the point */
        number.digits = (uint64_t)(*at++ - '0');
        if (at < end && is_digit(*at)) at = scan_digits(at, end, &number.digits);
    }
    ptrdiff_t count = at - start;
    if (at < end && *at == point) {
        const char *fraction = at + 1;
        at = scan_digits(fraction, end, &number.digits);
        count += at - fraction;
        number.exponent = (int)(at - fraction > DIGITS_KEPT ? 0 : fraction - at);
    }
    if (count == 0) return NULL;
    if (count > DIGITS_KEPT)
        at = scan_decimal(number.negative ? start - 1 : start, end, point, &number);
    else if (at < end && (*at | 0x20) == 'e')
        at = scan_exponent(at, end, &number.exponent);
    *result = number;
    return at;
}

#define DEFINE_SCAN(name, point, real, convert) \
    const char *name(const char *at, const char *end, real *value) { \
        decimal number; \
        at = scan_plain(at, end, point, &number); \
        return at != NULL && convert(&number, value) ? at : NULL; \
    }
DEFINE_SCAN(number_scan, '.', float, decimal_to_float)
DEFINE_SCAN(number_scan_comma, ',', float, decimal_to_float)
DEFINE_SCAN(number_scan_exact, '.', double, decimal_to_double)
DEFINE_SCAN(number_scan_exact_comma, ',', double, decimal_to_double)

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

/* The grammar has been checked when a copy goes to the strto function, in the "C" locale. */
#define DEFINE_TO_NUMBER(name, real, convert, strto) \
    number_status name(const char *text, size_t length, real *value) { \
        decimal number; \
        real result = 0; \
        const char *end = text + length; \
        if (length == 0 || scan_decimal(text, end, '.', &number) != end) return classify(text, length); \
        if (!convert(&number, &result)) { \
            char copy[NUMBER_LENGTH_MAX] = ""; \
            if (length >= sizeof copy) return NUMBER_NOT; \
            memcpy(copy, text, length); \
            locale_t plain = newlocale(LC_ALL_MASK, "C", (locale_t)0); \
            result = strto(copy, NULL, plain); \
            freelocale(plain); \
        } \
        if (!isfinite(result)) return NUMBER_TOO_LARGE; \
        *value = result == 0 ? 0 : result; \
        return NUMBER_OK; \
    }
DEFINE_TO_NUMBER(number_to_float, float, decimal_to_float, strtof_l)
DEFINE_TO_NUMBER(number_to_double, double, decimal_to_double, strtod_l)

bool number_to_whole(const char *text, size_t length, uint64_t *value) {
    uint64_t number = 0;
    for (size_t i = 0; i < length; i++)
        if (!is_digit(text[i]) || __builtin_mul_overflow(number, 10, &number) ||
            __builtin_add_overflow(number, (uint64_t)(text[i] - '0'), &number))
            return false;
    if (length > 0) *value = number;
    return length > 0;
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

/* binary16 is a part of binary32 (IEEE 754). */
float number_from_half(uint32_t bits) {
    const uint32_t sign = (bits & 0x8000u) << 16, exponent = bits >> 10 & 0x1fu, fraction = bits & 0x3ffu;
    uint32_t wide = sign | 0x7f800000u | fraction << 13; /* infinite or no number */
    float value;
    if (exponent == 0) {
        value = (float)fraction * 0x1p-24f;
        return sign != 0 ? -value : value;
    }
    if (exponent < 31) wide = sign | (exponent + 112) << 23 | fraction << 13;
    memcpy(&value, &wide, sizeof value);
    return value;
}
