/* The header of a .npy file that is written. Reading is npy.c's, behind format.h. */
#ifndef TANDA_DATA_NPY_H
#define TANDA_DATA_NPY_H

#include <stdint.h>

#define NPY_HEADER_SIZE 128 /* a multiple of 64, as NumPy wants it; room for any shape */

/*
 * Version 1.0, for (rows, columns) in C order, or (rows,) where columns is 0, of 4-byte items in this machine's order:
 * type 'f' binary32, 'i' int32. https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
 */
void npy_make_header(char header[NPY_HEADER_SIZE], char type, uint64_t rows, uint64_t columns);

#endif
