/*
 * IDX, the format of MNIST: two zero bytes, element type, number of dimensions, the sizes as big-endian
 * 32-bit integers, then the elements, big-endian (LeCun, Cortes and Burges).
 */
#include <string.h>

#include "data/format.h"
#include "support/memory.h"

#define DIMENSIONS_MAX 8
#define HEADER_SIZE_MAX (4 + 4 * DIMENSIONS_MAX)

static const struct {
    unsigned char code;
    element_kind kind;
    size_t size;
} elements[] = {
    {0x08, ELEMENT_UNSIGNED, 1}, {0x09, ELEMENT_SIGNED, 1}, {0x0B, ELEMENT_SIGNED, 2},
    {0x0C, ELEMENT_SIGNED, 4},   {0x0D, ELEMENT_FLOAT, 4},  {0x0E, ELEMENT_FLOAT, 8},
};
#define ELEMENT_COUNT (sizeof elements / sizeof *elements)

/* Index into elements, or ELEMENT_COUNT. */
static size_t find_element(unsigned char code) {
    size_t i = 0;
    while (i < ELEMENT_COUNT && elements[i].code != code)
        i++;
    return i;
}

bool idx_looks_right(const unsigned char *data, size_t size) {
    return size >= 4 && data[0] == 0 && data[1] == 0 && find_element(data[2]) < ELEMENT_COUNT && data[3] > 0;
}

/* Bytes of the header that begins like this, or 0 when it is none; data holds at least 4 bytes. */
static size_t header_size(const unsigned char *data) {
    bool plausible = data[0] == 0 && data[1] == 0 && data[3] >= 1 && data[3] <= DIMENSIONS_MAX;
    return plausible ? 4 + 4 * (size_t)data[3] : 0;
}

static size_t read_dimension(const unsigned char *at) {
    return (size_t)at[0] << 24 | (size_t)at[1] << 16 | (size_t)at[2] << 8 | (size_t)at[3];
}

/* Shape and element type of the header, which is complete; *bytes is what must follow it. */
static tanda_status parse_header(const unsigned char *data, array *array, size_t *bytes, tanda_error *error) {
    size_t element = find_element(data[2]);
    if (element == ELEMENT_COUNT)
        return fail(error, TANDA_BAD_INPUT, "%s: IDX element type 0x%02x is unknown", array->path, data[2]);
    array->kind = elements[element].kind;
    array->size = elements[element].size;
    array->big_endian = array->size > 1;
    array->rows = read_dimension(data + 4);
    array->columns = 1;
    bool overflows = false;
    for (size_t i = 1; i < data[3]; i++)
        overflows = overflows ||
                    multiply_overflows(array->columns, read_dimension(data + 4 + 4 * i), &array->columns);
    if (!overflows && (array->rows == 0 || array->columns == 0))
        return fail(error, TANDA_BAD_INPUT, "%s: the IDX header declares no values (%zu rows of %zu)",
                    array->path, array->rows, array->columns);
    size_t count = 0;
    if (overflows || multiply_overflows(array->rows, array->columns, &count) ||
        multiply_overflows(count, array->size, bytes))
        return fail(error, TANDA_BAD_INPUT, "%s: the IDX header declares more values than any file holds",
                    array->path);
    return TANDA_OK;
}

static tanda_status read_plain(const file_view *view, array *array, tanda_error *error) {
    unsigned char header[HEADER_SIZE_MAX] = {0}; /* the file's may change */
    if (view->size >= 4) memcpy(header, view->data, view->size < sizeof header ? view->size : sizeof header);
    size_t size = header_size(header);
    size_t bytes = 0;
    if (size == 0) return fail(error, TANDA_BAD_INPUT, "%s: does not begin like an IDX file", array->path);
    if (view->size < size) return fail(error, TANDA_BAD_INPUT, "%s: the IDX header is cut off", array->path);
    tanda_status status = parse_header(header, array, &bytes, error);
    if (status != TANDA_OK) return status;
    if (view->size - size != bytes)
        return fail(
            error, TANDA_BAD_INPUT,
            "%s: the IDX header declares %zu rows of %zu values, which take %zu bytes, but %s follow it",
            array->path, array->rows, array->columns, bytes, view->size - size > bytes ? "more" : "fewer");
    array->data = view->data + size;
    return TANDA_OK;
}

size_t idx_bound(const unsigned char *data, size_t size) {
    array array = {.path = ""};
    size_t bytes = 0, whole = 0;
    const size_t header = size < 4 ? 0 : header_size(data);
    if (header == 0 || size < header || parse_header(data, &array, &bytes, NULL) != TANDA_OK) return SIZE_MAX;
    return add_overflows(header, bytes, &whole) ? SIZE_MAX : whole;
}

tanda_status idx_read(const char *path, file_view *view, const request *request, table *table,
                      tanda_error *error) {
    array array = {.path = path};
    tanda_status status = read_plain(view, &array, error);
    const tanda_dataset_options *options = request->options;
    bool has_labels = options->labels != NULL || options->target != NULL || options->without_target;
    if (status == TANDA_OK && !request->labels_only && !has_labels) /* no pixel is a label */
        status = fail(error, TANDA_USAGE, "--labels: %s holds no labels; name the file that does", path);
    if (status == TANDA_OK) status = array_read(&array, NULL, request, table, error);
    return status;
}
