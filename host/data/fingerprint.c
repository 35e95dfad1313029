#include "data/dataset.h"

#include <stdlib.h>
#include <string.h>

#include "support/memory.h"
#include "support/parallel.h"

#define CHUNK ((size_t)1 << 20) /* bytes that one thread hashes at a time */
#define LANES 8                 /* independent chains: a multiplication takes some cycles */
#define WORD sizeof(uint64_t)
#define FACTOR 0x9e3779b97f4a7c15ull /* 2^64 over the golden ratio, odd: no lane forgets anything */

/* Bits move by 29 each time, so that a flipped sign spreads through all of the word. */
static uint64_t mix(uint64_t lane, uint64_t word) {
    const uint64_t mixed = lane ^ word;
    return (mixed << 29 | mixed >> 35) * FACTOR;
}

static uint64_t hash_bytes(const unsigned char *data, size_t size) {
    uint64_t lanes[LANES], words[LANES];
    for (uint64_t i = 0; i < LANES; i++)
        lanes[i] = mix(i + 1, size);
    for (; size >= sizeof words; size -= sizeof words, data += sizeof words) {
        memcpy(words, data, sizeof words);
        for (size_t i = 0; i < LANES; i++)
            lanes[i] = mix(lanes[i], words[i]);
    }
    memset(words, 0, sizeof words);
    memcpy(words, data, size);
    uint64_t hash = 0;
    for (size_t i = 0; i < LANES; i++)
        hash = mix(mix(hash, mix(lanes[i], words[i])), i);
    return hash ^ hash >> 32;
}

typedef struct chunks {
    const unsigned char *data;
    size_t size;
    uint64_t *hashes;
} chunks;

static void hash_chunks(void *context, size_t first, size_t end) {
    const chunks *chunks = context;
    for (size_t i = first; i < end; i++) {
        const size_t left = chunks->size - i * CHUNK;
        chunks->hashes[i] = hash_bytes(chunks->data + i * CHUNK, left < CHUNK ? left : CHUNK);
    }
}

/* Adds an array to the fingerprint; NULL is another array than an empty one. */
static tanda_status add(const void *data, size_t size, uint64_t *fingerprint, tanda_error *error) {
    const size_t count = data == NULL ? 0 : (size + CHUNK - 1) / CHUNK;
    chunks chunks = {.data = data, .size = size};
    const tanda_status status = allocate(&chunks.hashes, count, sizeof *chunks.hashes, "fingerprint", error);
    if (status != TANDA_OK) return status;
    parallel_ranges(count, 1, hash_chunks, &chunks);
    *fingerprint = mix(*fingerprint, data == NULL ? 1 : 2);
    for (size_t i = 0; i < count; i++)
        *fingerprint = mix(*fingerprint, chunks.hashes[i]);
    free(chunks.hashes);
    return TANDA_OK;
}

tanda_status dataset_fingerprint(const tanda_dataset *dataset, const target_scaling *scaling,
                                 uint64_t *fingerprint, tanda_error *error) {
    const size_t scaled = scaling == NULL ? 0 : scaling->targets * sizeof(double);
    const size_t rows = dataset->rows;
    uint64_t made = mix(mix(mix(0, rows), dataset->features), dataset->target_count);
    tanda_status status = add(dataset->values, rows * dataset->features * sizeof(float), &made, error);
    if (status == TANDA_OK) status = add(dataset->classes, rows * sizeof(int32_t), &made, error);
    if (status == TANDA_OK)
        status = add(dataset->targets, rows * dataset->target_count * sizeof(float), &made, error);
    if (status == TANDA_OK) status = add(dataset->weights, rows * sizeof(float), &made, error);
    if (status == TANDA_OK && scaled > 0) status = add(scaling->mean, scaled, &made, error);
    if (status == TANDA_OK && scaled > 0) status = add(scaling->deviation, scaled, &made, error);
    if (status == TANDA_OK) *fingerprint = made ^ made >> 32;
    return status;
}
