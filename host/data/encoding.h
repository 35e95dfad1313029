/* From the bytes of a text file to UTF-8. */
#ifndef TANDA_DATA_ENCODING_H
#define TANDA_DATA_ENCODING_H

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

#endif
