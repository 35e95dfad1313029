/* The hot loops of synthetic data, compiled once per instruction set; which one runs is decided at run time. */
#ifndef TANDA_DATA_ISA_SYNTHETIC_ROWS_H
#define TANDA_DATA_ISA_SYNTHETIC_ROWS_H

#include <stddef.h>
#include <stdint.h>

#include "kernels/synthetic.h"

/* Rows first ... first + rows - 1: features is (rows, data->features), labels (rows). */
typedef void synthetic_rows_function(const synthetic *data, const float *table, uint64_t first, size_t rows,
                                     float *features, uint32_t *labels);

synthetic_rows_function synthetic_rows_generic;
#if defined(__x86_64__)
synthetic_rows_function synthetic_rows_v3, synthetic_rows_v4;
#endif

#endif
