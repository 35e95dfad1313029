/* 64 bits of each array of a feed's rows, made to notice mistakes. */
#ifndef TANDA_DATA_FINGERPRINT_H
#define TANDA_DATA_FINGERPRINT_H

#include <stdint.h>

#include "data/feed_pass.h"

typedef enum row_array { ROW_VALUES, ROW_LABELS, ROW_WEIGHTS, ROW_ARRAYS } row_array;

/* Found in one pass over all arrays. */
typedef struct row_hashes row_hashes;

tanda_status row_hashes_of(const feed *rows, row_hashes **hashes, tanda_error *error);

/* In a pass that does other things with the rows, too: map and join are of each block, as feed_pass has it. */
tanda_status row_hashes_make(const feed *rows, row_hashes **hashes, tanda_error *error);
void row_hashes_map(row_hashes *hashes, const pass_block *block);
void row_hashes_join(row_hashes *hashes, const pass_block *block);

/* When all blocks are joined. */
uint64_t row_hashes_end(const row_hashes *hashes, row_array array);
void row_hashes_free(row_hashes *hashes); /* NULL is nothing */

#endif
