/*
 * NumPy's .npy, versions 1 to 3: magic, version, header length, a Python dictionary with the keys descr,
 * fortran_order and shape, then the elements (numpy.lib.format, NEP 1).
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "data/format.h"
#include "data/npy.h"
#include "data/number.h"
#include "support/memory.h"
#include "support/text.h"

#define MAGIC "\x93NUMPY"
#define MAGIC_SIZE 6
#define DIMENSIONS_MAX ARRAY_DIMENSIONS_MAX
#define DESCR_SIZE 24

#define TEXT_LENGTH_MAX 1000000
#define SHAPE_TEXT_SIZE 160

enum { KEY_DESCR = 1, KEY_ORDER = 2, KEY_SHAPE = 4, KEY_ALL = 7 };

typedef struct header {
    char descr[DESCR_SIZE];
    bool fortran_order;
    size_t dimensions; /* may be more than shape holds */
    uint64_t shape[DIMENSIONS_MAX];
} header;

/* The header's text; offsets in messages count from the start of the file. */
typedef struct parser {
    const char *path;
    const char *start; /* of the file */
    const char *at;
    const char *end;
} parser;

bool npy_looks_right(const unsigned char *data, size_t size) {
    return size >= MAGIC_SIZE && memcmp(data, MAGIC, MAGIC_SIZE) == 0;
}

/* ---- the dictionary ----------------------------------------------------------------------------------- */

static tanda_status unexpected(const parser *parser, const char *wanted, tanda_error *error) {
    return fail(error, TANDA_BAD_INPUT, "%s: byte %td of the .npy header: expected %s", parser->path,
                parser->at - parser->start, wanted);
}

static void skip_spaces(parser *parser) {
    while (parser->at < parser->end && (*parser->at == ' ' || *parser->at == '\n' || *parser->at == '\t'))
        parser->at++;
}

/* Consumes c, after spaces, if it is there. */
static bool take(parser *parser, char c) {
    skip_spaces(parser);
    if (parser->at == parser->end || *parser->at != c) return false;
    parser->at++;
    return true;
}

static bool take_word(parser *parser, const char *word) {
    size_t length = strlen(word);
    skip_spaces(parser);
    if ((size_t)(parser->end - parser->at) < length || memcmp(parser->at, word, length) != 0) return false;
    parser->at += length;
    return true;
}

/* A quoted string without escapes, of at most DESCR_SIZE - 1 bytes. */
static tanda_status parse_string(parser *parser, char text[DESCR_SIZE], const char *wanted,
                                 tanda_error *error) {
    skip_spaces(parser);
    if (parser->at == parser->end || (*parser->at != '\'' && *parser->at != '"'))
        return unexpected(parser, wanted, error);
    const char *first = parser->at + 1;
    const char *last = memchr(first, *parser->at, (size_t)(parser->end - first));
    if (last == NULL || last - first >= DESCR_SIZE) return unexpected(parser, wanted, error);
    memcpy(text, first, (size_t)(last - first));
    text[last - first] = '\0';
    parser->at = last + 1;
    return TANDA_OK;
}

/* (), (n,), (n, m) with or without a last comma. */
static tanda_status parse_shape(parser *parser, header *header, tanda_error *error) {
    if (!take(parser, '(')) return unexpected(parser, "the shape, such as (150, 4)", error);
    header->dimensions = 0;
    while (!take(parser, ')')) {
        uint64_t size = 0;
        skip_spaces(parser);
        const char *first = parser->at;
        for (; parser->at < parser->end && *parser->at >= '0' && *parser->at <= '9'; parser->at++)
            if (__builtin_mul_overflow(size, 10u, &size) ||
                __builtin_add_overflow(size, *parser->at - '0', &size))
                return unexpected(parser, "a size below 2^64", error);
        if (parser->at == first) return unexpected(parser, "a size", error);
        if (parser->at < parser->end && *parser->at == 'L') parser->at++; /* a long of Python 2 */
        if (header->dimensions < DIMENSIONS_MAX) header->shape[header->dimensions] = size;
        header->dimensions++;
        if (take(parser, ',')) continue;
        if (!take(parser, ')')) return unexpected(parser, "',' or ')' in the shape", error);
        break;
    }
    return TANDA_OK;
}

/* One key and its value; *seen holds the keys so far. */
static tanda_status parse_entry(parser *parser, header *header, unsigned *seen, tanda_error *error) {
    char key[DESCR_SIZE];
    static const char wanted[] = "one of the keys 'descr', 'fortran_order', 'shape', each once";
    tanda_status status = parse_string(parser, key, wanted, error);
    if (status != TANDA_OK) return status;
    unsigned bit = strcmp(key, "descr") == 0           ? KEY_DESCR
                   : strcmp(key, "fortran_order") == 0 ? KEY_ORDER
                   : strcmp(key, "shape") == 0         ? KEY_SHAPE
                                                       : 0;
    if (bit == 0 || (*seen & bit) != 0) return unexpected(parser, wanted, error);
    *seen |= bit;
    if (!take(parser, ':')) return unexpected(parser, "':'", error);
    if (bit == KEY_ORDER) {
        header->fortran_order = take_word(parser, "True");
        if (header->fortran_order || take_word(parser, "False")) return TANDA_OK;
        return unexpected(parser, "True or False behind 'fortran_order'", error);
    }
    if (bit == KEY_SHAPE) return parse_shape(parser, header, error);
    skip_spaces(parser);
    if (parser->at < parser->end && (*parser->at == '[' || *parser->at == '('))
        return fail(
            error, TANDA_BAD_INPUT,
            "%s: is a structured array, whose fields have types of their own; save the numbers as one: "
            "numpy.lib.recfunctions.structured_to_unstructured(...)",
            parser->path);
    return parse_string(parser, header->descr, "one element type such as '<f4'", error);
}

static tanda_status parse_header(parser *parser, header *header, tanda_error *error) {
    unsigned seen = 0;
    if (!take(parser, '{')) return unexpected(parser, "'{'", error);
    while (!take(parser, '}')) {
        tanda_status status = parse_entry(parser, header, &seen, error);
        if (status != TANDA_OK) return status;
        if (take(parser, ',')) continue;
        if (!take(parser, '}')) return unexpected(parser, "',' or '}'", error);
        break;
    }
    if (seen != KEY_ALL) return unexpected(parser, "the keys 'descr', 'fortran_order' and 'shape'", error);
    skip_spaces(parser);
    return parser->at == parser->end ? TANDA_OK : unexpected(parser, "nothing but spaces", error);
}

/* ---- the array ---------------------------------------------------------------------------------------- */

/* Finds the header's text behind the magic and checks that the file holds all of it. */
static tanda_status find_header(const char *path, const file_view *view, parser *parser, tanda_error *error) {
    const unsigned char *data = view->data;
    if (!npy_looks_right(data, view->size))
        return fail(error, TANDA_BAD_INPUT, "%s: does not begin like a .npy file", path);
    if (view->size < MAGIC_SIZE + 6)
        return fail(error, TANDA_BAD_INPUT, "%s: the .npy header is cut off", path);
    unsigned major = data[MAGIC_SIZE];
    if (major < 1 || major > 3)
        return fail(error, TANDA_BAD_INPUT, "%s: .npy version %u.%u is unknown; there are 1, 2 and 3", path,
                    major, (unsigned)data[MAGIC_SIZE + 1]);
    size_t offset = major == 1 ? MAGIC_SIZE + 4 : MAGIC_SIZE + 6;
    size_t length = (size_t)data[MAGIC_SIZE + 2] | (size_t)data[MAGIC_SIZE + 3] << 8;
    if (major > 1) length |= (size_t)data[MAGIC_SIZE + 4] << 16 | (size_t)data[MAGIC_SIZE + 5] << 24;
    if (length > view->size - offset)
        return fail(error, TANDA_BAD_INPUT, "%s: the .npy header of %zu bytes is cut off: the file has %zu",
                    path, length, view->size);
    const char *start = (const char *)data;
    *parser =
        (struct parser){.path = path, .start = start, .at = start + offset, .end = start + offset + length};
    return TANDA_OK;
}

/* What an element of a type that is not read is, and what to save instead. */
static tanda_status refuse_type(const char *descr, const char *path, tanda_error *error) {
    static const struct {
        char kind;
        const char *what, *instead;
    } types[] = {
        {'O', "Python objects", "numpy.asarray(..., dtype='float32'), or text as dtype 'U'"},
        {'V', "records or raw bytes", "the numbers as float32 or float64"},
        {'c', "complex numbers", "real and imaginary parts as columns"},
        {'M', "dates", "numbers, as .astype('int64') gives"},
        {'m', "spans of time", "numbers, as .astype('int64') gives"},
        {'f', "floats of this size", "float32 or float64"},
    };
    char text[SHOWN_SIZE];
    const char *shown_descr = shown(descr, strlen(descr), text);
    const char kind = descr[0] != '\0' ? descr[1] : '\0';
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (kind == types[i].kind)
            return fail(error, TANDA_BAD_INPUT, "%s: its elements are %s ('%s'), which are not read; save %s",
                        path, types[i].what, shown_descr, types[i].instead);
    return fail(
        error, TANDA_BAD_INPUT,
        "%s: elements of type '%s' are not read; save as float32, float64 or integers of 8 to 64 bits", path,
        shown_descr);
}

/* Byte order, kind and size of an element: '<f4', '>i8', '|u1', '|b1'; '<U5' is text of 5 characters, '|S5' of 5 bytes. */
static tanda_status parse_descr(const char *descr, array *array, tanda_error *error) {
    const bool ordered = descr[0] != '\0' && strchr("<>|=", descr[0]) != NULL;
    const char kind = ordered ? descr[1] : '\0';
    uint64_t size = 0;
    bool known = kind != '\0' && strchr("fiubUS", kind) != NULL &&
                 number_to_whole(descr + 2, strlen(descr + 2), &size) && size > 0;
    const bool is_text = known && (kind == 'U' || kind == 'S');
    if (is_text) {
        known = size <= TEXT_LENGTH_MAX;
        array->kind = kind == 'U' ? ELEMENT_UTF32 : ELEMENT_BYTES;
        array->size = (size_t)size * (kind == 'U' ? 4 : 1);
    } else {
        known = known && strlen(descr) == 3 && strchr("1248", descr[2]) != NULL &&
                (kind != 'f' || size >= 2) && ((kind != 'b' && descr[0] != '|') || size == 1);
        array->kind = kind == 'f' ? ELEMENT_FLOAT : kind == 'i' ? ELEMENT_SIGNED : ELEMENT_UNSIGNED;
        array->size = (size_t)size;
    }
    array->big_endian = descr[0] == '>' && (is_text || size > 1);
    return known ? TANDA_OK : refuse_type(descr, array->path, error);
}

/* Rows, and the product of the other dimensions; false when it overflows. *bytes is what follows the header. */
static bool measure(const header *header, array *array, size_t *bytes) {
    size_t count = 0;
    bool fits = true;
    array->rows = header->shape[0];
    array->columns = 1;
    for (size_t i = 1; i < header->dimensions; i++)
        fits = !multiply_overflows(array->columns, header->shape[i], &array->columns) && fits;
    return fits && !multiply_overflows(array->rows, array->columns, &count) &&
           !multiply_overflows(count, array->size, bytes);
}

/* What the header declares is held against the length of the file before anything is allocated. */
static tanda_status check_size(const array *array, const header *header, bool fits, size_t available,
                               tanda_error *error) {
    char shape[SHAPE_TEXT_SIZE] = ""; /* "2 x 3 x 4" */
    size_t at = 0;
    bool is_empty = false;
    for (size_t i = 0; i < header->dimensions; i++) {
        is_empty = is_empty || header->shape[i] == 0;
        if (at + 32 < sizeof shape)
            at +=
                text_put(shape + at, sizeof shape - at, "%s%" PRIu64, i == 0 ? "" : " x ", header->shape[i]);
    }
    if (is_empty)
        return fail(error, TANDA_BAD_INPUT, "%s: the array of %s values is empty", array->path, shape);
    if (fits) return TANDA_OK;
    return fail(
        error, TANDA_BAD_INPUT,
        "%s: the header declares %s values of %zu byte%s, but %zu bytes follow it (damaged or cut off)",
        array->path, shape, array->size, array->size == 1 ? "" : "s", available);
}

size_t npy_bound(const unsigned char *data, size_t size) {
    parser parser = {0};
    header header = {0};
    array array = {.path = ""};
    const file_view view = {.data = data, .size = size};
    size_t bytes = 0, whole = 0;
    if (find_header("", &view, &parser, NULL) != TANDA_OK) return SIZE_MAX;
    const size_t offset = (size_t)(parser.end - parser.start);
    if (parse_header(&parser, &header, NULL) != TANDA_OK ||
        parse_descr(header.descr, &array, NULL) != TANDA_OK || header.dimensions < 1 ||
        header.dimensions > DIMENSIONS_MAX || !measure(&header, &array, &bytes) ||
        add_overflows(offset, bytes, &whole))
        return SIZE_MAX;
    return whole;
}

tanda_status npy_describe(const char *path, const file_view *begin, size_t size, array *array, size_t *offset,
                          tanda_error *error) {
    parser parser = {0};
    header header = {0};
    size_t bytes = 0;
    *array = (struct array){.path = path};
    tanda_status status = find_header(path, begin, &parser, error);
    if (status == TANDA_OK) status = parse_header(&parser, &header, error);
    if (status == TANDA_OK) status = parse_descr(header.descr, array, error);
    if (status != TANDA_OK) return status;
    if (header.dimensions < 1 || header.dimensions > DIMENSIONS_MAX)
        return fail(error, TANDA_BAD_INPUT,
                    "%s: the array has %zu dimensions; 1 to %d are read, the first for the rows", path,
                    header.dimensions, DIMENSIONS_MAX);
    *offset = (size_t)(parser.end - parser.start);
    const size_t available = size - *offset;
    const bool fits = measure(&header, array, &bytes);
    status = check_size(array, &header, fits && bytes == available, available, error);
    if (status != TANDA_OK) return status;
    array->by_columns =
        header.fortran_order && (array->rows > 1 ? array->columns > 1 : header.dimensions > 2);
    /* the other dimensions of an array by columns, whose order matters where there are several */
    array->inner_count = header.dimensions > 2 ? header.dimensions - 1 : 0;
    for (size_t i = 0; i < array->inner_count; i++)
        array->inner[i] = (size_t)header.shape[i + 1];
    return TANDA_OK;
}

tanda_status npy_open(const char *path, const file_view *view, array *array, tanda_error *error) {
    size_t offset = 0;
    const tanda_status status = npy_describe(path, view, view->size, array, &offset, error);
    if (status == TANDA_OK) array->data = view->data + offset;
    return status;
}

tanda_status npy_read(const char *path, file_view *view, const request *request, table *table,
                      tanda_error *error) {
    array array;
    const tanda_status status = npy_open(path, view, &array, error);
    return status == TANDA_OK ? array_read(&array, view, request, table, error) : status;
}

void npy_make_header(char header[NPY_HEADER_SIZE], char type, uint64_t rows, uint64_t columns) {
    const char order = __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? '<' : '>';
    char shape[64];
    if (columns == 0)
        text_put(shape, sizeof shape, "(%" PRIu64 ",)", rows);
    else
        text_put(shape, sizeof shape, "(%" PRIu64 ", %" PRIu64 ")", rows, columns);
    memset(header, ' ', NPY_HEADER_SIZE);
    memcpy(header, "\x93NUMPY\x01\x00\x76\x00", 10); /* 0x76 bytes follow */
    int length = snprintf(header + 10, NPY_HEADER_SIZE - 10,
                          "{'descr': '%c%c%d', 'fortran_order': False, 'shape': %s, }", order,
                          type == 'l' ? 'i' : type, type == 'l' ? 8 : 4, shape);
    header[10 + length] = ' ';
    header[NPY_HEADER_SIZE - 1] = '\n';
}
