/* The lines of a text that comes through a pipe, in blocks of those that have arrived. */
#ifndef TANDA_DATA_TEXT_BLOCKS_H
#define TANDA_DATA_TEXT_BLOCKS_H

#include "data/bytes.h"

#define TEXT_BLOCK_LINES 65536 /* at most so many in a block */

typedef struct text_blocks {
    const char *path;
    int descriptor; /* the giver's */
    bytes bytes;
    size_t taken; /* bytes of blocks that were given */
    bool ended;
} text_blocks;

/* Whole lines; those inside quotes count as one. Valid until the next. */
typedef struct text_block {
    const char *text;
    size_t size;  /* 0: the end */
    size_t lines; /* line ends, those inside quotes too */
} text_block;

/* bytes.limit is to be set. */
tanda_status text_blocks_fill(text_blocks *blocks, size_t most, tanda_error *error);

/*
 * Waits until `least` lines are there, or the end, and takes what has arrived by then. Blank lines alone are no block.
 * TANDA_BAD_INPUT when reading fails.
 */
tanda_status text_blocks_next(text_blocks *blocks, size_t least, text_block *block, tanda_error *error);

/* Everything that is left, for another reader; the blocks are empty then. */
tanda_status text_blocks_rest(text_blocks *blocks, file_view *view, tanda_error *error);

void text_blocks_free(text_blocks *blocks);

#endif
