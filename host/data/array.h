/* Matrices stored as plain elements, as .npy and IDX have them; and columns in binary64 beside a table. */
#ifndef TANDA_DATA_ARRAY_H
#define TANDA_DATA_ARRAY_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "data/number.h"
#include "support/status.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "elements are read on little-endian machines");

/* Text is NumPy's: UTF-32 of a fixed length (U), or bytes (S), with zeros behind it. */
typedef enum element_kind {
    ELEMENT_UNSIGNED,
    ELEMENT_SIGNED,
    ELEMENT_FLOAT,
    ELEMENT_UTF32,
    ELEMENT_BYTES
} element_kind;

#define ARRAY_DIMENSIONS_MAX 32 /* NumPy 1's */

typedef struct array {
    const char *path;
    const unsigned char *data; /* (rows, columns) elements, any alignment */
    size_t rows;               /* at least 1 */
    size_t columns;            /* at least 1 */
    element_kind kind;
    size_t size; /* bytes of an element: 1, 2, 4, 8; of a float 2, 4, 8; of text any, 4 for each of UTF-32 */
    bool big_endian; /* of more than one byte */
    bool by_columns; /* Fortran order: the rows of a column lie side by side; else row-major */
    size_t
        inner_count; /* by_columns: a row has this many dimensions, the first of which goes fastest; 0 is 1 */
    size_t inner[ARRAY_DIMENSIONS_MAX];
} array;

/* Where the elements of a column lie: that of a row is at + row * step. */
typedef struct array_column {
    const unsigned char *at;
    size_t step;
} array_column;
array_column array_find_column(const array *array, size_t column);

/* One element, of numbers, in both widths that are asked for. Inline, as every value goes through it. */
typedef struct array_number {
    double exact; /* for labels; integers beyond 2^53 are rounded, and then no class */
    float value;  /* nearest binary32 of the element itself */
} array_number;

/* The bytes of an element, low byte first, in one integer. */
static inline uint64_t array_element_bits(const array *array, const unsigned char *at) {
    uint64_t bits = 0;
    switch (array->size) { /* sizes known to the compiler become plain loads */
    case 1:
        return *at;
    case 2:
        memcpy(&bits, at, 2);
        break;
    case 4:
        memcpy(&bits, at, 4);
        break;
    default:
        memcpy(&bits, at, 8);
        break;
    }
    return array->big_endian ? __builtin_bswap64(bits) >> (64 - 8 * array->size) : bits;
}

/* The bits of an element as a signed integer of its size. */
static inline int64_t array_signed(const array *array, uint64_t bits) {
    const unsigned shift = (unsigned)(64 - 8 * array->size);
    return (int64_t)(bits << shift) >> shift;
}

static inline array_number array_number_at(const array *array, const unsigned char *at) {
    uint64_t bits = array_element_bits(array, at);
    if (array->kind == ELEMENT_UNSIGNED) return (array_number){(double)bits, (float)bits};
    if (array->kind == ELEMENT_SIGNED) {
        int64_t integer = array_signed(array, bits);
        return (array_number){(double)integer, (float)integer};
    }
    if (array->size == 2)
        return (array_number){(double)number_from_half((uint32_t)bits), number_from_half((uint32_t)bits)};
    if (array->size == sizeof(float)) {
        uint32_t low = (uint32_t)bits;
        float value;
        memcpy(&value, &low, sizeof value);
        return (array_number){(double)value, value};
    }
    double exact;
    memcpy(&exact, &bits, sizeof exact);
    return (array_number){exact, (float)exact};
}

/* Whether binary32 does not hold all of its numbers. */
static inline bool array_is_wide(const array *array) {
    return array->kind == ELEMENT_FLOAT ? array->size > sizeof(float) : array->size >= sizeof(int32_t);
}

/* Whether an element is an integer that binary64 has exactly, and which one. */
static inline bool array_whole_at(const array *array, const unsigned char *at, int64_t *value) {
    const int64_t most = (int64_t)1 << 53;
    if (array->kind == ELEMENT_FLOAT) {
        const double exact = array_number_at(array, at).exact;
        if (!(exact >= -(double)most && exact <= (double)most)) return false;
        *value = (int64_t)exact;
        return (double)*value == exact;
    }
    const uint64_t bits = array_element_bits(array, at);
    if (array->kind == ELEMENT_SIGNED) {
        *value = array_signed(array, bits);
        return *value >= -most && *value <= most;
    }
    *value = (int64_t)bits;
    return bits <= (uint64_t)most;
}

/* `rows` rows from the first on, of `count` columns, to values (rows, count) in binary64. Of numbers. */
void array_take(const array *array, const size_t *columns, size_t count, size_t first, size_t rows,
                double *values);

/* Features of a table in binary64, until their origins are known or for a look at them. All zero: none. */
typedef struct exact_columns {
    size_t count;
    size_t *features; /* (count), ascending */
    double *values;   /* (rows, count), NaN where a value is missing; or NULL: */
    array *source;    /* for a look: where they lie, in bytes that the table has in its mapping */
    size_t *columns;  /* (count), of the source */
} exact_columns;

/* Copies `rows` rows from the first on, of `count` of the columns from `column` on, to values (rows, count). */
void exact_columns_take(const exact_columns *exact, size_t column, size_t count, size_t first, size_t rows,
                        double *values);

/* Room for exact.values. TANDA_FAILED for want of memory. */
tanda_status exact_columns_make(size_t rows, exact_columns *exact, tanda_error *error);

void exact_columns_free(exact_columns *exact);

#endif
