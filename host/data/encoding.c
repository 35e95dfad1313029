#include "data/encoding.h"

#include <errno.h>
#include <iconv.h>
#include <stdlib.h>
#include <string.h>

#include "support/memory.h"

#define LOOKED_AT 4096

/* Bytes of either parity that are zero, and pairs that are. */
typedef struct zeros {
    size_t pairs, first, second, both;
} zeros;

static zeros count_zeros(const unsigned char *data, size_t size) {
    zeros found = {.pairs = (size < LOOKED_AT ? size : LOOKED_AT) / 2};
    for (size_t i = 0; i < found.pairs; i++) {
        bool first = data[2 * i] == 0, second = data[2 * i + 1] == 0;
        found.first += first && !second;
        found.second += second && !first;
        found.both += first && second;
    }
    return found;
}

text_encoding text_encoding_of(const unsigned char *data, size_t size) {
    if (size >= 2 && memcmp(data, "\xff\xfe", 2) == 0) return TEXT_UTF16_LITTLE;
    if (size >= 2 && memcmp(data, "\xfe\xff", 2) == 0) return TEXT_UTF16_BIG;
    if (size >= 3 && memcmp(data, "\xef\xbb\xbf", 3) == 0) return TEXT_UTF8_MARK;
    if (size < 4 || memchr(data, '\0', size < LOOKED_AT ? size : LOOKED_AT) == NULL) return TEXT_UTF8;
    /* digits, delimiters and line ends have one zero byte, and they are most of a table */
    zeros found = count_zeros(data, size);
    if (found.both > 0 || size % 2 != 0) return TEXT_UTF8;
    if (found.first == 0 && 2 * found.second > found.pairs) return TEXT_UTF16_LITTLE;
    if (found.second == 0 && 2 * found.first > found.pairs) return TEXT_UTF16_BIG;
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
