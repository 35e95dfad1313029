#include "support/digest.h"

#include <nettle/base16.h>
#include <nettle/sha2.h>

void digest_sha256_parts(const digest_part *parts, size_t count, char text[DIGEST_TEXT_SIZE]) {
    struct sha256_ctx context;
    unsigned char sum[SHA256_DIGEST_SIZE];
    sha256_init(&context);
    for (size_t i = 0; i < count; i++)
        sha256_update(&context, parts[i].size, parts[i].data);
    sha256_digest(&context, SHA256_DIGEST_SIZE, sum);
    base16_encode_update(text, SHA256_DIGEST_SIZE, sum);
    text[DIGEST_TEXT_SIZE - 1] = '\0';
}

void digest_sha256(const void *data, size_t size, char text[DIGEST_TEXT_SIZE]) {
    const digest_part part = {data, size};
    digest_sha256_parts(&part, 1, text);
}
