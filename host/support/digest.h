/* SHA-256 (FIPS 180-4), through nettle. */
#ifndef TANDA_SUPPORT_DIGEST_H
#define TANDA_SUPPORT_DIGEST_H

#include <stddef.h>

#define DIGEST_TEXT_SIZE 65 /* 64 lower-case hexadecimal digits and the end */

/* The digest of `size` bytes, as text. */
void digest_sha256(const void *data, size_t size, char text[DIGEST_TEXT_SIZE]);

/* The same of several pieces, one after the other. */
typedef struct digest_part {
    const void *data;
    size_t size;
} digest_part;
void digest_sha256_parts(const digest_part *parts, size_t count, char text[DIGEST_TEXT_SIZE]);

#endif
