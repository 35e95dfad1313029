#include "data/number_text.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "support/text.h"

/*
 * The number is m 2^e with m of 24 bits, and its digits are m 2^e 10^p rounded to an integer, where p makes nine of them.
 * The table has 64 bits of 10^p, cut off. Of 10^0 to 10^27 these are all, and the product is exact. Of the others the
 * product is too small by less than m units of its last place, some 2^-33 of a digit. No number lies exactly between two
 * integers there: above 10^9 it would have to be less divisible by 2 than binary32 numbers of that size are, and below
 * 10^-19 more. Where the half lies within those m units, printf decides.
 */
#define DIGITS 9
#define LEAST_DIGITS 100000000u /* 10^8 */
#define END_DIGITS 1000000000u  /* 10^9 */
#define LEAST_POWER -30
#define MOST_EXACT_POWER 27
#define LEAST_PLAIN_EXPONENT -4 /* below it %g writes an exponent */

/* floor(10^p 2^(63 - floor(log2 10^p))) */
static const uint64_t powers_of_ten[] = {
    0xa2425ff75e14fc31, 0xcad2f7f5359a3b3e, 0xfd87b5f28300ca0d, 0x9e74d1b791e07e48, 0xc612062576589dda,
    0xf79687aed3eec551, 0x9abe14cd44753b52, 0xc16d9a0095928a27, 0xf1c90080baf72cb1, 0x971da05074da7bee,
    0xbce5086492111aea, 0xec1e4a7db69561a5, 0x9392ee8e921d5d07, 0xb877aa3236a4b449, 0xe69594bec44de15b,
    0x901d7cf73ab0acd9, 0xb424dc35095cd80f, 0xe12e13424bb40e13, 0x8cbccc096f5088cb, 0xafebff0bcb24aafe,
    0xdbe6fecebdedd5be, 0x89705f4136b4a597, 0xabcc77118461cefc, 0xd6bf94d5e57a42bc, 0x8637bd05af6c69b5,
    0xa7c5ac471b478423, 0xd1b71758e219652b, 0x83126e978d4fdf3b, 0xa3d70a3d70a3d70a, 0xcccccccccccccccc,
    0x8000000000000000, 0xa000000000000000, 0xc800000000000000, 0xfa00000000000000, 0x9c40000000000000,
    0xc350000000000000, 0xf424000000000000, 0x9896800000000000, 0xbebc200000000000, 0xee6b280000000000,
    0x9502f90000000000, 0xba43b74000000000, 0xe8d4a51000000000, 0x9184e72a00000000, 0xb5e620f480000000,
    0xe35fa931a0000000, 0x8e1bc9bf04000000, 0xb1a2bc2ec5000000, 0xde0b6b3a76400000, 0x8ac7230489e80000,
    0xad78ebc5ac620000, 0xd8d726b7177a8000, 0x878678326eac9000, 0xa968163f0a57b400, 0xd3c21bcecceda100,
    0x84595161401484a0, 0xa56fa5b99019a5c8, 0xcecb8f27f4200f3a, 0x813f3978f8940984, 0xa18f07d736b90be5,
    0xc9f2c9cd04674ede, 0xfc6f7c4045812296, 0x9dc5ada82b70b59d, 0xc5371912364ce305, 0xf684df56c3e01bc6,
    0x9a130b963a6c115c, 0xc097ce7bc90715b3, 0xf0bdc21abb48db20, 0x96769950b50d88f4, 0xbc143fa4e250eb31,
    0xeb194f8e1ae525fd, 0x92efd1b8d0cf37be, 0xb7abc627050305ad, 0xe596b7b0c643c719, 0x8f7e32ce7bea5c6f,
    0xb35dbf821ae4f38b, 0xe0352f62a19e306e, 0x8c213d9da502de45, 0xaf298d050e4395d6, 0xdaf3f04651d47b4c,
    0x88d8762bf324cd0f, 0xab0e93b6efee0053, 0xd5d238a4abe98068, 0x85a36366eb71f041,
};

__extension__ typedef unsigned __int128 wide;

/* m 2^e 10^p, as an integer and what is behind it in units of 2^-shift. */
typedef struct product {
    uint32_t whole;
    uint64_t rest;
    int shift;
} product;

static inline product scale(uint32_t m, int e, int p) {
    const wide all = (wide)m * powers_of_ten[p - LEAST_POWER];
    const int shift = 63 - (p * 217706 >> 16) - e; /* floor(p log2 10) is taken away: 55 to 59 */
    return (product){(uint32_t)(all >> shift), (uint64_t)all & ((UINT64_C(1) << shift) - 1), shift};
}

/* The nearest integer, ties to even; false where the cut-off power leaves that open. */
static inline bool round_product(const product *product, uint32_t m, bool is_exact, uint32_t *digits) {
    const uint64_t half = UINT64_C(1) << (product->shift - 1);
    const bool is_above =
        product->rest > half || (product->rest == half && (!is_exact || product->whole % 2));
    *digits = product->whole + is_above;
    return is_exact || is_above || product->rest + m < half;
}

/* The nine digits of m 2^e, m of exactly 24 bits, and the power of ten of the first. */
static inline bool find_digits(uint32_t m, int e, uint32_t *digits, int *exponent) {
    int ten = (e + 23) * 78913 >> 18; /* floor((e + 23) log10 2), or one more */
    product product = scale(m, e, DIGITS - 1 - ten);
    if (product.whole >= END_DIGITS) product = scale(m, e, DIGITS - 1 - ++ten);
    const int p = DIGITS - 1 - ten;
    if (!round_product(&product, m, p >= 0 && p <= MOST_EXACT_POWER, digits)) return false;
    if (*digits == END_DIGITS) {
        *digits = LEAST_DIGITS;
        ten++;
    }
    *exponent = ten;
    return true;
}

static inline void put_pair(char *text, uint32_t pair) {
    static const char pairs[] =
        "00010203040506070809101112131415161718192021222324252627282930313233343536373839"
        "40414243444546474849505152535455565758596061626364656667686970717273747576777879"
        "8081828384858687888990919293949596979899";
    memcpy(text, pairs + (size_t)2 * pair, 2);
}

/* All nine; returns how many there are without the zeros at the end. */
static inline size_t put_digits(uint32_t digits, char text[DIGITS]) {
    for (int i = DIGITS - 2; i > 0; i -= 2) {
        put_pair(text + i, digits % 100);
        digits /= 100;
    }
    text[0] = (char)('0' + digits);
    size_t count = DIGITS;
    while (count > 1 && text[count - 1] == '0')
        count--;
    return count;
}

/* d.ddde-07 */
static size_t put_with_exponent(const char *digits, size_t count, int exponent, char *text) {
    char *at = text;
    *at++ = digits[0];
    if (count > 1) *at++ = '.';
    memcpy(at, digits + 1, count - 1);
    at += count - 1;
    *at++ = 'e';
    *at++ = exponent < 0 ? '-' : '+';
    put_pair(at, (uint32_t)(exponent < 0 ? -exponent : exponent));
    return (size_t)(at + 2 - text);
}

static size_t put_plain(const char *digits, size_t count, int exponent, char *text) {
    if (exponent < 0) { /* 0.00ddd */
        const size_t before = (size_t)(1 - exponent);
        memcpy(text, "0.000", before);
        memcpy(text + before, digits, count);
        return before + count;
    }
    const size_t before = (size_t)exponent + 1;
    memcpy(text, digits, before); /* with zeros that belong there */
    if (count <= before) return before;
    text[before] = '.';
    memcpy(text + before + 1, digits + before, count - before);
    return count + 1;
}

static size_t put_by_printf(float value, char text[NUMBER_TEXT_SIZE]) {
    return text_put(text, NUMBER_TEXT_SIZE, "%.9g", (double)value);
}

size_t number_text(float value, char text[NUMBER_TEXT_SIZE]) {
    uint32_t bits, digits = 0;
    char all[DIGITS];
    int exponent = 0;
    memcpy(&bits, &value, sizeof bits);
    const size_t sign = bits >> 31;
    uint32_t m = bits & 0x7fffffu;
    int e = (int)(bits >> 23 & 0xffu) - 150;
    if (e == 255 - 150) return put_by_printf(value, text); /* not finite */
    text[0] = '-';
    if (m == 0 && e == -150) {
        text[sign] = '0';
        return sign + 1;
    }
    if (e == -150) { /* subnormal */
        const int missing = __builtin_clz(m) - 8;
        m <<= missing;
        e = -149 - missing;
    } else {
        m |= 0x800000u;
    }
    if (!find_digits(m, e, &digits, &exponent)) return put_by_printf(value, text);
    const size_t count = put_digits(digits, all);
    if (exponent < LEAST_PLAIN_EXPONENT || exponent >= DIGITS)
        return sign + put_with_exponent(all, count, exponent, text + sign);
    return sign + put_plain(all, count, exponent, text + sign);
}
