/* Bytes that come piece by piece, in memory that grows where it lies or moves by its pages, uncopied. */
#ifndef TANDA_DATA_BYTES_H
#define TANDA_DATA_BYTES_H

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

#endif
