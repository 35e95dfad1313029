/*
 * How the text of a CSV file is written. It is found by what makes the rows agree and the fields numbers, from the first
 * 64 KiB, on to 1 MiB where these leave a doubt; where two ways fit alike, both are named and none is taken. Options go
 * first. Every row is held against it as it is read.
 */
#ifndef TANDA_DATA_DIALECT_H
#define TANDA_DATA_DIALECT_H

#include "support/status.h"

typedef enum text_encoding {
    TEXT_UTF8,
    TEXT_UTF8_MARK, /* with a byte order mark */
    TEXT_UTF16_LITTLE,
    TEXT_UTF16_BIG
} text_encoding;

/* By the byte order mark or, for UTF-16, by where its zero bytes are. Other bytes count as UTF-8. */
text_encoding text_encoding_of(const unsigned char *data, size_t size);

/* "UTF-16LE" and so on, as iconv takes it. */
const char *text_encoding_name(text_encoding encoding);

/*
 * Text of UTF-16 as UTF-8 in memory of its own, for free(), at most one and a half times as large; a mark becomes one of
 * UTF-8. TANDA_BAD_INPUT for bytes that are no such text.
 */
tanda_status text_from_utf16(const char *path, const unsigned char *data, size_t size, text_encoding encoding,
                             char **text, size_t *length, tanda_error *error);

#define DIALECT_COMMENT_SIZE 8

/* All zero: of data that is no text. */
typedef struct dialect {
    bool is_text;
    text_encoding encoding;
    char delimiter;     /* ' ' is a run of blanks */
    bool single_blanks; /* each of them is a delimiter */
    char decimal;       /* '.' or ',' */
    char line_end;      /* '\n' or '\r' */
    bool has_crlf;
    bool has_quotes;                    /* in the part that was looked at, as the line ends */
    char comment[DIALECT_COMMENT_SIZE]; /* what comment lines begin with; "": there are none */
    size_t skipped_lines;               /* before the names or the first row */
    bool has_header;
    bool header_is_numbers; /* and yet they are names */
} dialect;

#define DELIMITER_COUNT 5

/* ",", ";", tab, "|" and blanks, in this order. */
extern const char dialect_delimiters[DELIMITER_COUNT];

/* "comma", "semicolon", "tab", "bar" or "blanks"; NULL for another character. */
const char *dialect_delimiter_name(char delimiter);

/* What --header and --decimal take: in the order of tanda_header, and "auto", "point", "comma". */
#define HEADER_NAMES 3
#define DECIMAL_NAMES 3
extern const char *const header_names[HEADER_NAMES], *const decimal_names[DECIMAL_NAMES];
extern const char dialect_decimals[DECIMAL_NAMES];
const char *dialect_decimal_name(char decimal);

#define DIALECT_TEXT_SIZE 200

/* What differs from commas, decimal point and a header, as "semicolons, decimal comma, no header"; "" for nothing. */
const char *dialect_describe(const dialect *dialect, char buffer[DIALECT_TEXT_SIZE]);

/* True for nothing, ?, the words that pandas takes for a missing value, and those that the options name. */
bool missing_is_word(const tanda_dataset_options *options, const char *text, size_t length);

/* Whether the options name a number, such as -999, which is then compared by value. */
bool missing_has_number(const tanda_dataset_options *options);

/* "refuse" and "mean", in the order of tanda_missing. */
extern const char *const missing_names[2];

#endif
