/*
 * How the text of a CSV file is written. It is found by what makes the rows agree and the fields numbers, from the first
 * 64 KiB, on to 1 MiB where these leave a doubt; where two ways fit alike, both are named and none is taken. Options go
 * first. Every row is held against it as it is read.
 */
#ifndef TANDA_DATA_DIALECT_H
#define TANDA_DATA_DIALECT_H

#include "data/encoding.h"

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

#endif
