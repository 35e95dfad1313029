#include "data/dialect.h"
#include "support/text.h"

#include <stdio.h>
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

static void add_delimiter(const dialect *dialect, char buffer[DIALECT_TEXT_SIZE]) {
    char text[32];
    const char *name = dialect_delimiter_name(dialect->delimiter);
    if (dialect->delimiter == ',' || name == NULL) return;
    text_put(text, sizeof text, "%s%s%s", dialect->single_blanks ? "single " : "", name,
             dialect->delimiter == ' ' ? "" : "s");
    add(buffer, text);
}

const char *dialect_describe(const dialect *dialect, char buffer[DIALECT_TEXT_SIZE]) {
    char text[64];
    buffer[0] = '\0';
    if (!dialect->is_text) return buffer;
    if (dialect->encoding == TEXT_UTF16_LITTLE || dialect->encoding == TEXT_UTF16_BIG)
        add(buffer, text_encoding_name(dialect->encoding));
    if (dialect->line_end == '\r') add(buffer, "CR line ends");
    add_delimiter(dialect, buffer);
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
