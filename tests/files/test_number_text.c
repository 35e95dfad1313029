/* Numbers as text: what printf writes with %.9g, for every kind of number, and the fewest digits. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "data/number.h"
#include "data/number_text.h"
#include "support/json.h"
#include "support/text.h"

static float float_of(uint32_t bits) {
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* That the text is printf's, and that it is read back as the same bits. */
static void check(uint32_t bits) {
    const float value = float_of(bits);
    char text[NUMBER_TEXT_SIZE], expected[64];
    float back = 0.0f;
    const size_t length = number_text(value, text);
    const int wanted = snprintf(expected, sizeof expected, "%.9g", (double)value);
    if (length != (size_t)wanted || memcmp(text, expected, length) != 0)
        cr_assert_fail("%08x: %.*s instead of %s", bits, (int)length, text, expected);
    if (!isfinite(value)) return;
    cr_assert_eq(number_to_float(text, length, &back), NUMBER_OK);
    if (back != value) cr_assert_fail("%08x: %s is read as %a", bits, expected, (double)back);
}

/* SplitMix64 (Steele, Lea and Flood 2014). */
static uint64_t next(uint64_t *state) {
    uint64_t mixed = *state += UINT64_C(0x9e3779b97f4a7c15);
    mixed = (mixed ^ mixed >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    mixed = (mixed ^ mixed >> 27) * UINT64_C(0x94d049bb133111eb);
    return mixed ^ mixed >> 31;
}

Test(number_text, every_exponent_with_edges_and_random_fractions) {
    uint64_t state = 1;
    for (uint32_t top = 0; top < 512; top++) { /* sign and exponent */
        static const uint32_t edges[] = {0,        1,        2,        3,        0x3fffff,
                                         0x400000, 0x400001, 0x7ffffd, 0x7ffffe, 0x7fffff};
        for (size_t i = 0; i < sizeof edges / sizeof *edges; i++)
            check(top << 23 | edges[i]);
        for (int i = 0; i < 500; i++)
            check(top << 23 | (uint32_t)(next(&state) & 0x7fffff));
    }
}

/* Numbers with ten digits and a 5 at the end, as the ties of %.9g are: integers and fractions of a few powers of two. */
Test(number_text, ties_go_to_the_even_digit) {
    size_t ties = 0;
    for (int power = -16; power <= 16; power++) {
        for (uint32_t m = 1; m < 1 << 24; m += 2 * 613) {
            const float value = ldexpf((float)m, power);
            char more[64];
            uint32_t bits;
            memcpy(&bits, &value, sizeof bits);
            snprintf(more, sizeof more, "%.40e", (double)value);
            ties += more[10] == '5' && strspn(more + 11, "0") == 31;
            check(bits);
        }
    }
    cr_expect_gt(ties, 1000);
}

Test(number_text, powers_of_ten_and_their_neighbours) {
    for (int power = -45; power <= 38; power++) {
        char text[16];
        uint32_t bits;
        snprintf(text, sizeof text, "1e%d", power);
        const float value = strtof(text, NULL);
        memcpy(&bits, &value, sizeof bits);
        for (uint32_t i = 0; i < 200; i++) {
            check(bits + i);
            if (bits >= i) check(bits - i);
        }
    }
}

Test(number_text, probabilities) {
    uint64_t state = 2;
    for (int i = 0; i < 300000; i++) {
        const float value = (float)(next(&state) >> 40) * 0x1p-24f;
        uint32_t bits;
        memcpy(&bits, &value, sizeof bits);
        check(bits);
    }
}

/* ---- the fewest digits ------------------------------------------------------------------------------------ */

static int significant(const char *text) {
    int count = 0, zeros = 0;
    for (; *text != '\0' && *text != 'e'; text++) {
        if (*text < '0' || *text > '9' || (count == 0 && *text == '0')) continue;
        count++;
        zeros = *text == '0' ? zeros + 1 : 0;
    }
    return count - zeros;
}

/* It reads back, and neither of the two nearest numbers with a digit less does. */
static void check_shortest(double value, bool narrow) {
    char text[TEXT_NUMBER_SIZE], less[64];
    narrow ? text_shortest_float((float)value, text) : text_shortest(value, text);
    const double read = strtod(text, NULL);
    if (narrow ? (float)read != (float)value : read != value) cr_assert_fail("%.17g: %s", value, text);
    const int digits = significant(text);
    for (int i = -1; digits > 1 && i <= 1; i += 2) {
        snprintf(less, sizeof less, "%.*Le", digits - 2, (long double)value * (1.0L + 0x1p-55L * i));
        const double other = strtod(less, NULL);
        if (narrow ? (float)other == (float)value : other == value)
            cr_assert_fail("%.17g: %s is not the shortest, %s is", value, text, less);
    }
}

Test(number_text, shortest_is_what_python_prints) {
    static const struct {
        double value;
        const char *text;
    } cases[] = {{0.1, "0.1"},
                 {0.1 + 0.2, "0.30000000000000004"},
                 {100, "100"},
                 {-0.0, "-0"},
                 {5e-324, "5e-324"},
                 {0x1p-44, "5.684341886080802e-14"},
                 {9007199254740993.0, "9007199254740992"},
                 {1.7976931348623157e308, "1.7976931348623157e+308"}};
    char text[TEXT_NUMBER_SIZE];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        cr_expect_str_eq(text_shortest(cases[i].value, text), cases[i].text, "%s", text);
    cr_expect_str_eq(text_shortest_float(0.1f, text), "0.1");
    cr_expect_str_eq(text_shortest_float(0x1p-149f, text), "1e-45");
    cr_expect_str_eq(text_shortest_float(16777216.0f, text), "16777216");
}

Test(number_text, shortest_reads_back_and_no_shorter_does) {
    uint64_t state = 7;
    for (int i = 0; i < 100000; i++) {
        const uint64_t bits = next(&state) << 32 ^ next(&state);
        double value;
        float narrow;
        memcpy(&value, &bits, sizeof value);
        memcpy(&narrow, &bits, sizeof narrow);
        if (isfinite(value)) check_shortest(value, false);
        if (isfinite(narrow)) check_shortest((double)narrow, true);
    }
    for (int power = -1074; power < 1024; power++)
        check_shortest(ldexp(1.0, power), false);
}

Test(number_text, json_has_the_shortest_digits_of_each_number) {
    static const char text[] =
        "{\"0.10\\\"1.50\":0.1,\"b\":[0.30000000000000004,1e22,-1e-7,1.0,12,true,null,false,{}]}";
    json_t *value = json_loads(text, 0, NULL);
    char *written = json_write_shortest(value);
    cr_expect_str_eq(written, text);
    free(written);
    json_decref(value);
}
