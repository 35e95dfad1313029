#include "data/dialect.h"
#include "data/number.h"
#include "support/memory.h"
#include "support/text.h"

#include <errno.h>
#include <iconv.h>
#include <stdlib.h>
#include <string.h>

const char dialect_delimiters[DELIMITER_COUNT] = {',', ';', '\t', '|', ' '};

const char *dialect_delimiter_name(char delimiter) {
    static const char *const names[DELIMITER_COUNT] = {"comma", "semicolon", "tab", "bar", "blanks"};
    const char *found = delimiter == '\0' ? NULL : memchr(dialect_delimiters, delimiter, DELIMITER_COUNT);
    return found == NULL ? NULL : names[found - dialect_delimiters];
}

const char *const header_names[HEADER_NAMES] = {"auto", "none", "first-row"};
const char *const decimal_names[DECIMAL_NAMES] = {"auto", "point", "comma"};
const char dialect_decimals[DECIMAL_NAMES] = {'\0', '.', ','};

const char *dialect_decimal_name(char decimal) {
    return decimal_names[decimal == '.' ? 1 : decimal == ',' ? 2 : 0];
}

static void add(char buffer[DIALECT_TEXT_SIZE], const char *text) {
    size_t at = strlen(buffer);
    text_put(buffer + at, DIALECT_TEXT_SIZE - at, "%s%s", at == 0 ? "" : ", ", text);
}

const char *dialect_describe(const dialect *dialect, char buffer[DIALECT_TEXT_SIZE]) {
    char text[64];
    buffer[0] = '\0';
    if (!dialect->is_text) return buffer;
    if (dialect->encoding == TEXT_UTF16_LITTLE || dialect->encoding == TEXT_UTF16_BIG)
        add(buffer, text_encoding_name(dialect->encoding));
    if (dialect->line_end == '\r') add(buffer, "CR line ends");
    const char *name = dialect_delimiter_name(dialect->delimiter);
    if (dialect->delimiter != ',' && name != NULL) {
        text_put(text, sizeof text, "%s%s%s", dialect->single_blanks ? "single " : "", name,
                 dialect->delimiter == ' ' ? "" : "s");
        add(buffer, text);
    }
    if (dialect->decimal == ',') add(buffer, "decimal comma");
    if (dialect->comment[0] != '\0') {
        text_put(text, sizeof text, "comments '%s'", dialect->comment);
        add(buffer, text);
    }
    if (dialect->skipped_lines > 0) {
        text_put(text, sizeof text, "%zu line%s skipped", dialect->skipped_lines,
                 dialect->skipped_lines == 1 ? "" : "s");
        add(buffer, text);
    }
    if (!dialect->has_header)
        add(buffer, "no header");
    else if (dialect->header_is_numbers)
        add(buffer, "a header of numbers");
    return buffer;
}

#define LOOKED_AT 4096

text_encoding text_encoding_of(const unsigned char *data, size_t size) {
    if (size >= 2 && memcmp(data, "\xff\xfe", 2) == 0) return TEXT_UTF16_LITTLE;
    if (size >= 2 && memcmp(data, "\xfe\xff", 2) == 0) return TEXT_UTF16_BIG;
    if (size >= 3 && memcmp(data, "\xef\xbb\xbf", 3) == 0) return TEXT_UTF8_MARK;
    if (size < 4 || memchr(data, '\0', size < LOOKED_AT ? size : LOOKED_AT) == NULL) return TEXT_UTF8;
    /* digits, delimiters and line ends have one zero byte, and they are most of a table */
    const size_t pairs = (size < LOOKED_AT ? size : LOOKED_AT) / 2;
    size_t first = 0, second = 0;
    for (size_t i = 0; i < pairs; i++) {
        if (data[2 * i] == 0 && data[2 * i + 1] == 0) return TEXT_UTF8;
        first += data[2 * i] == 0;
        second += data[2 * i + 1] == 0;
    }
    if (size % 2 != 0) return TEXT_UTF8;
    if (first == 0 && 2 * second > pairs) return TEXT_UTF16_LITTLE;
    if (second == 0 && 2 * first > pairs) return TEXT_UTF16_BIG;
    return TEXT_UTF8;
}

const char *text_encoding_name(text_encoding encoding) {
    static const char *const names[] = {[TEXT_UTF8] = "UTF-8",
                                        [TEXT_UTF8_MARK] = "UTF-8",
                                        [TEXT_UTF16_LITTLE] = "UTF-16LE",
                                        [TEXT_UTF16_BIG] = "UTF-16BE"};
    return names[encoding];
}

tanda_status text_from_utf16(const char *path, const unsigned char *data, size_t size, text_encoding encoding,
                             char **text, size_t *length, tanda_error *error) {
    /* a code unit becomes at most three bytes */
    size_t room = 0, left = size;
    if (multiply_overflows(size / 2 + 1, 3, &room))
        return fail(error, TANDA_BAD_INPUT, "%s: is larger than this machine can address", path);
    iconv_t conversion = iconv_open("UTF-8", text_encoding_name(encoding));
    if (conversion == (iconv_t)-1)
        return fail(error, TANDA_FAILED, "%s: is %s text, and this system's iconv does not know that", path,
                    text_encoding_name(encoding));
    char *made = malloc(room), *in = (char *)data, *out = made;
    size_t room_left = room;
    int reason = 0;
    if (made != NULL && iconv(conversion, &in, &left, &out, &room_left) == (size_t)-1) reason = errno;
    iconv_close(conversion);
    if (made == NULL) return fail(error, TANDA_FAILED, "%s: no memory for %zu bytes of text", path, room);
    if (reason != 0) {
        free(made);
        return fail(error, TANDA_BAD_INPUT, "%s: byte %zu: is no %s text there", path, size - left,
                    text_encoding_name(encoding));
    }
    *text = made;
    *length = room - room_left;
    return TANDA_OK;
}

const char *const missing_names[2] = {"refuse", "mean"};

/* What pandas.read_csv takes (its documentation of na_values), and ?. */
static const char *const words[] = {"#N/A",   "#N/A N/A", "#NA",  "-1.#IND", "-1.#QNAN", "-NaN", "-nan",
                                    "1.#IND", "1.#QNAN",  "<NA>", "N/A",     "NA",       "NULL", "NaN",
                                    "None",   "n/a",      "nan",  "null",    "?"};
#define LONGEST 8

static bool is_same(const char *word, const char *text, size_t length) {
    return strlen(word) == length && memcmp(word, text, length) == 0;
}

bool missing_is_word(const tanda_dataset_options *options, const char *text, size_t length) {
    if (length == 0) return true;
    for (size_t i = 0; length <= LONGEST && i < sizeof words / sizeof *words; i++)
        if (text[0] == words[i][0] && is_same(words[i], text, length)) return true;
    for (size_t i = 0; i < options->missing_value_count; i++) {
        const char *word = options->missing_values[i];
        double left, right;
        if (is_same(word, text, length) ||
            (number_to_double(word, strlen(word), &left) == NUMBER_OK &&
             number_to_double(text, length, &right) == NUMBER_OK && left == right))
            return true;
    }
    return false;
}

bool missing_has_number(const tanda_dataset_options *options) {
    double value;
    for (size_t i = 0; i < options->missing_value_count; i++)
        if (number_to_double(options->missing_values[i], strlen(options->missing_values[i]), &value) ==
            NUMBER_OK)
            return true;
    return false;
}
