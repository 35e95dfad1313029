/*
 * Data that can be read once, as it comes: standard input, FIFOs, process substitution; and the memory for it, which grows
 * where it lies or moves by its pages, uncopied.
 */
#ifndef TANDA_DATA_PIPE_H
#define TANDA_DATA_PIPE_H

#include "support/file.h"

/* Of the memory that the process may use, what a pipe or a packed file may take: rows must fit beside it. */
size_t bytes_most(void);

/* All zero but limit is empty. */
typedef struct bytes {
    unsigned char *data;
    size_t size;
    size_t capacity;
    size_t limit; /* size never exceeds it */
} bytes;

/*
 * *room: how many bytes may be written behind data + size before size is raised; 0 when the limit is reached.
 * TANDA_FAILED for want of memory, naming the path.
 */
tanda_status bytes_room(bytes *bytes, const char *path, size_t *room, tanda_error *error);

/* Gives the bytes away as a view that file_view_close releases. */
file_view bytes_view(bytes *bytes);
void bytes_free(bytes *bytes);

/* Whether a path names what is not mapped but read: "-", standard input behind a pipe, a FIFO, a terminal. */
bool pipe_is_named(const char *path);

/*
 * Opens it, which waits for the writer of a FIFO; "-" is standard input. TANDA_BAD_INPUT, naming the path, for a device
 * that never ends, and for standard input that is closed. The descriptor is the caller's.
 */
tanda_status pipe_open(const char *path, int *descriptor, tanda_error *error);

/* Everything until the end. view becomes memory that file_view_close releases. */
tanda_status pipe_read_all(const char *path, file_view *view, tanda_error *error);

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
