/*
 * The safetensors format itself (https://huggingface.co/docs/safetensors, "Format"): 8 bytes header length,
 * little-endian; a JSON header that names, per tensor, type, shape and place, and under __metadata__ a map of
 * strings; then the data. What the tensors mean is the caller's business.
 */
#ifndef TANDA_MODEL_SAFETENSORS_H
#define TANDA_MODEL_SAFETENSORS_H

#include <jansson.h>

#include "support/file.h"

#define SAFETENSORS_RANK_LIMIT 8

typedef struct safetensors_tensor {
    const char *name;
    const char *type; /* "F32", "I64", ... */
    size_t rank;
    size_t shape[SAFETENSORS_RANK_LIMIT];
    const void *data; /* not aligned in a file that others wrote */
    size_t size;      /* bytes */
} safetensors_tensor;

/* A parsed header. Names and types point into `header`, data into the view that was parsed. */
typedef struct safetensors {
    json_t *header;
    const json_t *metadata; /* an object of strings, or NULL */
    size_t tensor_count;
    safetensors_tensor *tensors; /* in the order of their data */
} safetensors;

/*
 * Checks the whole header against the view: lengths, JSON without duplicate keys, types, sizes, and that the
 * tensors fill the data section in order, without a gap or an overlap. path is only used in messages.
 * TANDA_BAD_INPUT when anything is wrong. Closed by safetensors_close; the view must live as long.
 */
tanda_status safetensors_parse(const char *path, file_view view, safetensors *file, tanda_error *error);
void safetensors_close(safetensors *file);

/* NULL when there is no such tensor or metadata. */
const safetensors_tensor *safetensors_find(const safetensors *file, const char *name);
const char *safetensors_metadata(const safetensors *file, const char *key);

/*
 * *bytes, to be freed, becomes a file of the tensors in the order given, their data without padding and beginning at
 * a multiple of 64 bytes (the header ends with spaces). metadata is an object of strings or NULL and stays the
 * caller's; names, types and sizes are taken as they are. path is only used in messages. TANDA_FAILED without memory,
 * or when the header would be too large.
 */
tanda_status safetensors_encode(const char *path, const safetensors_tensor *tensors, size_t count,
                                json_t *metadata, unsigned char **bytes, size_t *size, tanda_error *error);

#endif
