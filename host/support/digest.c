#include "support/digest.h"

#include <nettle/base16.h>
#include <nettle/sha2.h>

void digest_sha256(const void *data, size_t size, char text[DIGEST_TEXT_SIZE]) {
    struct sha256_ctx context;
    unsigned char sum[SHA256_DIGEST_SIZE];
    sha256_init(&context);
    sha256_update(&context, size, data);
    sha256_digest(&context, SHA256_DIGEST_SIZE, sum);
    base16_encode_update(text, SHA256_DIGEST_SIZE, sum);
    text[DIGEST_TEXT_SIZE - 1] = '\0';
}
