#include "model/safetensors.h"

#include <stdlib.h>
#include <string.h>

#include "data/format.h"
#include "support/json.h"
#include "support/memory.h"

#define LENGTH_SIZE 8
#define DATA_ALIGNMENT 64
#define METADATA_KEY "__metadata__"

/* Types of whole bytes; sub-byte types of newer files are unknown here. */
static size_t type_size(const char *type) {
    static const struct {
        const char *type;
        size_t size;
    } types[] = {{"BOOL", 1}, {"U8", 1},  {"I8", 1},  {"F8_E5M2", 1}, {"F8_E4M3", 1},
                 {"U16", 2},  {"I16", 2}, {"F16", 2}, {"BF16", 2},    {"U32", 4},
                 {"I32", 4},  {"F32", 4}, {"U64", 8}, {"I64", 8},     {"F64", 8}};
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
        if (strcmp(types[i].type, type) == 0) return types[i].size;
    return 0;
}

/* *length: bytes of JSON that lie in the view after the length itself. */
static tanda_status find_header(const char *path, file_view view, size_t *length, tanda_error *error) {
    const bool begins = view.size > LENGTH_SIZE && view.data[LENGTH_SIZE] == '{';
    const char *foreign = begins ? NULL : foreign_kind(path, view.data, view.size);
    if (foreign != NULL)
        return fail(error, TANDA_BAD_INPUT,
                    "%s: is %s; a model is a safetensors file, as tanda train --output writes it, and --init "
                    "takes a state_dict saved as one",
                    path, foreign);
    if (view.size < LENGTH_SIZE)
        return fail(
            error, TANDA_BAD_INPUT,
            "%s: truncated: a safetensors file begins with %d bytes of header length, this one has %zu", path,
            LENGTH_SIZE, view.size);
    uint64_t declared = 0;
    for (size_t i = 0; i < LENGTH_SIZE; i++)
        declared |= (uint64_t)view.data[i] << (8 * i);
    const char *other = format_title(view.data, view.size);
    if (declared > SAFETENSORS_HEADER_LIMIT && other != NULL)
        return fail(error, TANDA_BAD_INPUT, "%s: is %s, not a model", path, other);
    if (declared > SAFETENSORS_HEADER_LIMIT)
        return fail(
            error, TANDA_BAD_INPUT,
            "%s: not a safetensors file, or damaged: it declares a header of %llu bytes, the limit is %d",
            path, (unsigned long long)declared, SAFETENSORS_HEADER_LIMIT);
    if (declared > view.size - LENGTH_SIZE)
        return fail(error, TANDA_BAD_INPUT,
                    "%s: truncated: the header alone declares %llu bytes, the file has %zu", path,
                    (unsigned long long)declared + LENGTH_SIZE, view.size);
    if (declared < 2 || view.data[LENGTH_SIZE] != '{')
        return fail(error, TANDA_BAD_INPUT,
                    "%s: not a safetensors file, or damaged: its header does not begin with '{'", path);
    *length = (size_t)declared;
    return TANDA_OK;
}

static tanda_status check_metadata(const char *path, const json_t *metadata, tanda_error *error) {
    if (!json_is_object(metadata))
        return fail(error, TANDA_BAD_INPUT, "%s: " METADATA_KEY " is not a map of strings", path);
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)metadata, key, value) {
        if (!json_is_string(value))
            return fail(error, TANDA_BAD_INPUT, "%s: \"%.80s\" in " METADATA_KEY " is not a string", path,
                        key);
    }
    return TANDA_OK;
}

/* False unless the value is an integer that a size_t holds. */
static bool to_size(const json_t *value, size_t *size) {
    if (!json_is_integer(value) || json_integer_value(value) < 0) return false;
    *size = (size_t)json_integer_value(value);
    return true;
}

/* Fills rank and shape; *size becomes the bytes that the shape asks for. */
static tanda_status read_shape(const char *path, const json_t *shape, safetensors_tensor *tensor,
                               size_t *size, tanda_error *error) {
    tensor->rank = json_array_size(shape);
    if (!json_is_array(shape) || tensor->rank > SAFETENSORS_RANK_LIMIT)
        return fail(error, TANDA_BAD_INPUT,
                    "%s: tensor \"%.80s\": shape is not an array of at most %d lengths", path, tensor->name,
                    SAFETENSORS_RANK_LIMIT);
    size_t bytes = type_size(tensor->type);
    for (size_t i = 0; i < tensor->rank; i++) {
        if (!to_size(json_array_get(shape, i), &tensor->shape[i]))
            return fail(error, TANDA_BAD_INPUT, "%s: tensor \"%.80s\": shape[%zu] is not a length", path,
                        tensor->name, i);
        if (multiply_overflows(bytes, tensor->shape[i], &bytes))
            return fail(error, TANDA_BAD_INPUT,
                        "%s: tensor \"%.80s\": its shape has more bytes than this machine can address", path,
                        tensor->name);
    }
    *size = bytes;
    return TANDA_OK;
}

typedef struct placed_tensor {
    safetensors_tensor tensor;
    size_t begin;
} placed_tensor;

/* By begin, then by size, so that empty tensors come before what begins at the same byte. */
static int compare_places(const void *a, const void *b) {
    const placed_tensor *left = a, *right = b;
    if (left->begin != right->begin) return left->begin < right->begin ? -1 : 1;
    if (left->tensor.size != right->tensor.size) return left->tensor.size < right->tensor.size ? -1 : 1;
    return 0;
}

/* The places, in order, have to follow one another and to fill the data section. */
static tanda_status check_places(const char *path, file_view view, size_t data_begin,
                                 const placed_tensor *places, size_t count, tanda_error *error) {
    const size_t available = view.size - data_begin;
    size_t end = 0;
    for (size_t i = 0; i < count; i++) {
        if (places[i].begin != end)
            return fail(error, TANDA_BAD_INPUT, "%s: tensor \"%.80s\" begins at byte %zu of the data, %s %zu",
                        path, places[i].tensor.name, places[i].begin,
                        places[i].begin < end ? "inside the tensor before it, which ends at"
                                              : "but the tensor before it ends at",
                        end);
        end += places[i].tensor.size; /* begin + size was an integer in the file */
    }
    if (end > available)
        return fail(error, TANDA_BAD_INPUT, "%s: truncated: the header declares %zu bytes, the file has %zu",
                    path, data_begin + end, view.size);
    if (end < available)
        return fail(error, TANDA_BAD_INPUT,
                    "%s: the header declares %zu bytes, the file has %zu: %zu too many", path,
                    data_begin + end, view.size, available - end);
    return TANDA_OK;
}

/* One place per tensor of the header, in the order of their data. */
static tanda_status read_places(const char *path, json_t *header, placed_tensor *places, size_t count,
                                tanda_error *error) {
    const char *name;
    json_t *entry;
    size_t i = 0;
    json_object_foreach(header, name, entry) {
        if (strcmp(name, METADATA_KEY) == 0) continue;
        const json_t *shape = NULL, *first = NULL, *last = NULL;
        size_t end = 0, size = 0;
        json_error_t mismatch;
        places[i].tensor = (safetensors_tensor){.name = name};
        if (json_unpack_ex(entry, &mismatch, JSON_STRICT, "{s:s, s:o, s:[o, o]}", "dtype",
                           &places[i].tensor.type, "shape", &shape, "data_offsets", &first, &last) != 0)
            return fail(error, TANDA_BAD_INPUT,
                        "%s: tensor \"%.80s\": %s; a tensor has dtype, shape and two data_offsets", path,
                        name, mismatch.text);
        if (type_size(places[i].tensor.type) == 0)
            return fail(error, TANDA_BAD_INPUT, "%s: tensor \"%.80s\": dtype \"%.20s\" is unknown", path,
                        name, places[i].tensor.type);
        tanda_status status = read_shape(path, shape, &places[i].tensor, &size, error);
        if (status != TANDA_OK) return status;
        if (!to_size(first, &places[i].begin) || !to_size(last, &end) || places[i].begin > end)
            return fail(error, TANDA_BAD_INPUT,
                        "%s: tensor \"%.80s\": data_offsets are not a begin and an end", path, name);
        places[i].tensor.size = end - *&places[i].begin;
        if (places[i].tensor.size != size)
            return fail(error, TANDA_BAD_INPUT,
                        "%s: tensor \"%.80s\": data_offsets span %zu bytes, the shape has %zu", path, name,
                        places[i].tensor.size, size);
        i++;
    }
    qsort(places, count, sizeof *places, compare_places);
    return TANDA_OK;
}

static tanda_status read_tensors(const char *path, file_view view, size_t data_begin, safetensors *file,
                                 tanda_error *error) {
    const size_t count = json_object_size(file->header) - (file->metadata != NULL);
    placed_tensor *places = NULL;
    tanda_status status = allocate(&places, count, sizeof *places, "tensors", error);
    if (status == TANDA_OK) status = read_places(path, file->header, places, count, error);
    if (status == TANDA_OK) status = check_places(path, view, data_begin, places, count, error);
    if (status == TANDA_OK) status = allocate(&file->tensors, count, sizeof *file->tensors, "tensors", error);
    if (status == TANDA_OK) {
        file->tensor_count = count;
        for (size_t i = 0; i < count; i++) {
            file->tensors[i] = places[i].tensor;
            file->tensors[i].data = view.data + data_begin + places[i].begin;
        }
    }
    free(places);
    return status;
}

tanda_status safetensors_parse(const char *path, file_view view, safetensors *file, tanda_error *error) {
    size_t length = 0;
    tanda_status status = find_header(path, view, &length, error);
    if (status != TANDA_OK) return status;
    json_error_t syntax;
    safetensors made = {0};
    made.header = json_read((const char *)view.data + LENGTH_SIZE, length, JSON_REJECT_DUPLICATES, &syntax);
    if (made.header == NULL)
        return fail(error, TANDA_BAD_INPUT, "%s: the header is not valid JSON: %s, at byte %d of it", path,
                    syntax.text, syntax.position);
    made.metadata = json_object_get(made.header, METADATA_KEY);
    if (made.metadata != NULL) status = check_metadata(path, made.metadata, error);
    if (status == TANDA_OK) status = read_tensors(path, view, LENGTH_SIZE + length, &made, error);
    if (status != TANDA_OK) {
        safetensors_close(&made);
        return status;
    }
    *file = made;
    return TANDA_OK;
}

void safetensors_close(safetensors *file) {
    json_decref(file->header);
    free(file->tensors);
    *file = (safetensors){0};
}

const safetensors_tensor *safetensors_find(const safetensors *file, const char *name) {
    for (size_t i = 0; i < file->tensor_count; i++)
        if (strcmp(file->tensors[i].name, name) == 0) return &file->tensors[i];
    return NULL;
}

const char *safetensors_metadata(const safetensors *file, const char *key) {
    return json_string_value(json_object_get(file->metadata, key));
}

/* ---- writing ------------------------------------------------------------------------------------------ */

static json_t *tensor_entry(const safetensors_tensor *tensor, size_t begin) {
    const size_t end = begin + tensor->size;
    json_builder shape = json_array_begin();
    for (size_t i = 0; i < tensor->rank; i++)
        json_push(&shape, json_integer((json_int_t)tensor->shape[i]));
    return json_pack("{s:s, s:o, s:[I, I]}", "dtype", tensor->type, "shape", json_end(&shape), "data_offsets",
                     (json_int_t)begin, (json_int_t)end);
}

/* Header and tensors, one after the other, in *bytes. */
static tanda_status join(const char *text, size_t length, const safetensors_tensor *tensors, size_t count,
                         unsigned char **bytes, size_t *size, tanda_error *error) {
    const size_t text_size = strlen(text);
    size_t total = LENGTH_SIZE + length;
    for (size_t i = 0; i < count; i++)
        total += tensors[i].size; /* no overflow: the tensors are in memory */
    const tanda_status status = allocate(bytes, total, 1, "a model file", error);
    if (status != TANDA_OK) return status;
    unsigned char *at = *bytes;
    for (size_t i = 0; i < LENGTH_SIZE; i++)
        at[i] = (unsigned char)(length >> (8 * i));
    memcpy(at + LENGTH_SIZE, text, text_size);
    memset(at + LENGTH_SIZE + text_size, ' ', length - text_size);
    at += LENGTH_SIZE + length;
    for (size_t i = 0; i < count; at += tensors[i++].size)
        if (tensors[i].size > 0) memcpy(at, tensors[i].data, tensors[i].size);
    *size = total;
    return TANDA_OK;
}

tanda_status safetensors_encode(const char *path, const safetensors_tensor *tensors, size_t count,
                                json_t *metadata, unsigned char **bytes, size_t *size, tanda_error *error) {
    size_t begin = 0;
    json_builder header = json_object_begin();
    if (metadata != NULL) json_put(&header, METADATA_KEY, json_incref(metadata));
    for (size_t i = 0; i < count; i++) {
        json_put(&header, tensors[i].name, tensor_entry(&tensors[i], begin));
        begin += tensors[i].size;
    }
    json_t *whole = json_end(&header);
    char *text = whole == NULL ? NULL : json_write(whole, JSON_COMPACT);
    json_decref(whole);
    if (text == NULL) return fail(error, TANDA_FAILED, "%s: no memory for the header", path);
    const size_t length = round_up(LENGTH_SIZE + strlen(text), DATA_ALIGNMENT) - LENGTH_SIZE;
    const tanda_status status =
        length > SAFETENSORS_HEADER_LIMIT
            ? fail(error, TANDA_FAILED, "%s: the header would have %zu bytes, the limit is %d", path, length,
                   SAFETENSORS_HEADER_LIMIT)
            : join(text, length, tensors, count, bytes, size, error);
    free(text);
    return status;
}
