/* Data sets written again with their rows in another order, mixed once for all. */
#ifndef TANDA_DATA_REORDER_H
#define TANDA_DATA_REORDER_H

#include <stdint.h>

#include "support/file_writer.h"

/* What is in memory of an array. The order does not depend on it. */
#define REORDER_BYTES ((size_t)256 << 20)

typedef struct reordering {
    const char *input, *output;
    uint64_t seed;
    size_t memory_bytes; /* 0: REORDER_BYTES */
    uint64_t rows;       /* found: how many there are */
    file_writer writer;  /* of the output */
} reordering;

/*
 * Row i of the output is row p of the input, p the place i in the bijection of all rows of layer REORDER_LAYER and epoch 0
 * (docs/exactness.md, rule 10). The output is there, whole, after reorder_finish, and is else as it was. An .npy array of any type stays what it is; it is
 * written in two passes, of so many bytes of memory. CSV stays text, header first, and is in memory. TANDA_BAD_INPUT for
 * other formats, packed text and columns that lie one after the other.
 */
#define REORDER_LAYER 3
tanda_status reorder_begin(reordering *work, tanda_error *error);
tanda_status reorder_finish(reordering *work, tanda_error *error);
void reorder_end(reordering *work); /* whatever was done before */

#endif
