#include "data/fingerprint.h"

#include <stdlib.h>
#include <string.h>

#include "data/dataset.h"
#include "support/memory.h"

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

/* ---- one array, in pieces ---------------------------------------------------------------------------------- */

/* An array of `size` bytes: the hashes of its chunks, and the bytes so far of one that a piece has only a part of. */
typedef struct chunks {
    size_t size;
    uint64_t *hashes;
    unsigned char *open; /* (CHUNK) */
} chunks;

static void chunks_free(chunks *chunks) {
    free(chunks->hashes);
    free(chunks->open);
}

static tanda_status chunks_make(size_t size, chunks *chunks, tanda_error *error) {
    chunks->size = size;
    const tanda_status status =
        allocate(&chunks->hashes, (size + CHUNK - 1) / CHUNK, sizeof *chunks->hashes, "fingerprint", error);
    return status == TANDA_OK ? allocate(&chunks->open, CHUNK, 1, "fingerprint", error) : status;
}

static size_t chunk_size(const chunks *chunks, size_t index) {
    const size_t left = chunks->size - index * CHUNK;
    return left < CHUNK ? left : CHUNK;
}

/* Of the bytes from `at` on: the chunks that they have whole. */
static void hash_whole(const chunks *chunks, const unsigned char *data, size_t at, size_t size) {
    for (size_t i = (at + CHUNK - 1) / CHUNK; i * CHUNK < at + size; i++) {
        const size_t length = chunk_size(chunks, i);
        if (i * CHUNK + length > at + size) return;
        chunks->hashes[i] = hash_bytes(data + (i * CHUNK - at), length);
    }
}

/* And of those that they have a part of, which come in the order of the bytes. */
static void hash_parts(const chunks *chunks, const unsigned char *data, size_t at, size_t size) {
    for (size_t end = at + size; at < end;) {
        const size_t i = at / CHUNK, length = chunk_size(chunks, i), chunk_end = i * CHUNK + length;
        const size_t next = chunk_end < end ? chunk_end : end;
        if (at % CHUNK != 0 || next < chunk_end) { /* else it is whole */
            memcpy(chunks->open + at % CHUNK, data, next - at);
            if (next == chunk_end) chunks->hashes[i] = hash_bytes(chunks->open, length);
        }
        data += next - at;
        at = next;
    }
}

/* Adds an array to the fingerprint; one that is not there is another than an empty one. */
static uint64_t add(uint64_t fingerprint, bool is_there, const chunks *chunks) {
    fingerprint = mix(fingerprint, is_there ? 2 : 1);
    for (size_t i = 0; is_there && i * CHUNK < chunks->size; i++)
        fingerprint = mix(fingerprint, chunks->hashes[i]);
    return fingerprint;
}

static uint64_t add_doubles(uint64_t fingerprint, const double *values, size_t count) {
    const unsigned char *data = (const unsigned char *)values;
    const size_t size = count * sizeof *values;
    fingerprint = mix(fingerprint, 2);
    for (size_t at = 0; at < size; at += CHUNK)
        fingerprint = mix(fingerprint, hash_bytes(data + at, size - at < CHUNK ? size - at : CHUNK));
    return fingerprint;
}

/* ---- rows ----------------------------------------------------------------------------------------------- */

struct row_hashes {
    chunks arrays[ROW_ARRAYS];
    size_t width[ROW_ARRAYS]; /* bytes of a row; 0: not there */
};

void row_hashes_free(row_hashes *hashes) {
    for (size_t i = 0; hashes != NULL && i < ROW_ARRAYS; i++)
        chunks_free(&hashes->arrays[i]);
    free(hashes);
}

tanda_status row_hashes_make(const feed *rows, row_hashes **hashes, tanda_error *error) {
    row_hashes *made = NULL;
    tanda_status status = allocate(&made, 1, sizeof *made, "fingerprint", error);
    if (status != TANDA_OK) return status;
    made->width[ROW_VALUES] = rows->features * sizeof(float);
    made->width[ROW_LABELS] = rows->label_width * sizeof(float);
    made->width[ROW_WEIGHTS] = rows->has_weights ? sizeof(float) : 0;
    for (size_t i = 0; status == TANDA_OK && i < ROW_ARRAYS; i++)
        status = chunks_make(rows->rows * made->width[i], &made->arrays[i], error);
    if (status == TANDA_OK)
        *hashes = made;
    else
        row_hashes_free(made);
    return status;
}

typedef void hash_some(const chunks *chunks, const unsigned char *data, size_t at, size_t size);

static void hash_block(const row_hashes *hashes, const pass_block *block, hash_some *hash) {
    const void *arrays[ROW_ARRAYS] = {block->at.values, block->at.labels, block->at.weights};
    for (size_t i = 0; i < ROW_ARRAYS; i++)
        if (hashes->width[i] > 0)
            hash(&hashes->arrays[i], arrays[i], block->first * hashes->width[i],
                 block->rows * hashes->width[i]);
}

void row_hashes_map(row_hashes *hashes, const pass_block *block) {
    hash_block(hashes, block, hash_whole);
}

void row_hashes_join(row_hashes *hashes, const pass_block *block) {
    hash_block(hashes, block, hash_parts);
}

uint64_t row_hashes_end(const row_hashes *hashes, row_array array) {
    const uint64_t made = add(0, hashes->width[array] > 0, &hashes->arrays[array]);
    return made ^ made >> 32;
}

/* ---- a data set -------------------------------------------------------------------------------------------- */

static tanda_status map_block(void *context, void *state, const pass_block *block, tanda_error *error) {
    (void)state, (void)error;
    row_hashes_map(context, block);
    return TANDA_OK;
}

static tanda_status join_block(void *context, void *state, const pass_block *block, tanda_error *error) {
    (void)state, (void)error;
    row_hashes_join(context, block);
    return TANDA_OK;
}

tanda_status row_hashes_of(const feed *rows, row_hashes **hashes, tanda_error *error) {
    row_hashes *made = NULL;
    tanda_status status = row_hashes_make(rows, &made, error);
    const feed_pass pass = {.values = true,
                            .labels = true,
                            .weights = true,
                            .map = map_block,
                            .reduce = join_block,
                            .context = made};
    if (status == TANDA_OK) status = feed_pass_run(rows, &pass, error);
    if (status == TANDA_OK)
        *hashes = made;
    else
        row_hashes_free(made);
    return status;
}

tanda_status dataset_fingerprint(const tanda_dataset *dataset, const target_scaling *scaling,
                                 uint64_t *fingerprint, tanda_error *error) {
    const bool has_classes = dataset->task == TANDA_TASK_CLASSES,
               has_targets = !has_classes && dataset->task != TANDA_TASK_AUTO;
    feed *rows = NULL;
    row_hashes *hashes = NULL;
    tanda_status status = dataset_feed(dataset, NULL, &rows, error);
    if (status == TANDA_OK) status = row_hashes_of(rows, &hashes, error);
    if (status == TANDA_OK) {
        uint64_t made = mix(mix(mix(0, dataset->rows), dataset->features), dataset->target_count);
        made = add(made, true, &hashes->arrays[ROW_VALUES]);
        made = add(made, has_classes, &hashes->arrays[ROW_LABELS]);
        made = add(made, has_targets, &hashes->arrays[ROW_LABELS]);
        made = add(made, rows->has_weights, &hashes->arrays[ROW_WEIGHTS]);
        if (scaling != NULL && scaling->targets > 0) {
            made = add_doubles(made, scaling->mean, scaling->targets);
            made = add_doubles(made, scaling->deviation, scaling->targets);
        }
        *fingerprint = made ^ made >> 32;
    }
    row_hashes_free(hashes);
    feed_free(rows);
    return status;
}
