/* .npy files that are read as they lie, and the header of one that is written. Reading tables is behind format.h. */
#ifndef TANDA_DATA_NPY_H
#define TANDA_DATA_NPY_H

#include <stdint.h>

#include "data/array.h"
#include "support/file_view.h"

/* What a file holds, whose elements lie in the view. TANDA_BAD_INPUT for a header that is damaged or lies about the size. */
tanda_status npy_open(const char *path, const file_view *view, array *array, tanda_error *error);

#define NPY_HEADER_SIZE 128 /* a multiple of 64, as NumPy wants it; room for any shape */

/*
 * Version 1.0, for (rows, columns) in C order, or (rows,) where columns is 0, of items in this machine's order: type 'f'
 * binary32, 'i' int32, 'l' int64. https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
 */
void npy_make_header(char header[NPY_HEADER_SIZE], char type, uint64_t rows, uint64_t columns);

/*
 * What the first bytes of a file say of it, which has `size` in all: the array, but for its data, which begin at *offset.
 * TANDA_BAD_INPUT, naming the path, for a header that is damaged or not one of `size` bytes.
 */
tanda_status npy_describe(const char *path, const file_view *begin, size_t size, array *array, size_t *offset,
                          tanda_error *error);

#endif
