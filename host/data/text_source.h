/* The bytes of a text, packed or not, one after the other: nothing of it is mapped for longer than it is looked at. */
#ifndef TANDA_DATA_TEXT_SOURCE_H
#define TANDA_DATA_TEXT_SOURCE_H

#include <stdbool.h>
#include <stddef.h>

#include "support/status.h"

typedef struct text_source text_source;

/* At the begin of a file that is not empty. TANDA_BAD_INPUT, naming the path; TANDA_FAILED for want of memory. */
tanda_status text_source_open(const char *path, text_source **source, tanda_error *error);

/* Up to `size` bytes; *got is less only at the end. TANDA_BAD_INPUT where the file is damaged, or another one by now. */
tanda_status text_source_read(text_source *source, char *bytes, size_t size, size_t *got, tanda_error *error);

/* Back to the begin. */
tanda_status text_source_rewind(text_source *source, tanda_error *error);

/* How many bytes of the file were read so far, and how many it has; of a packed one they are packed. */
size_t text_source_done(const text_source *source);
size_t text_source_size(const text_source *source);

/* Whether the file is as it was when it was opened. */
tanda_status text_source_check(const text_source *source, tanda_error *error);
void text_source_close(text_source *source); /* NULL is nothing */

/* The first bytes of a file, unpacked, and what they tell of all of it. */
typedef struct text_begin {
    unsigned char *bytes; /* (count), for free() */
    size_t count;         /* a MiB at most; 0 for a file that cannot be read, of which its reader tells */
    size_t size;          /* of the file */
    double whole;         /* of the file, unpacked, about */
    bool is_packed;
} text_begin;

/* TANDA_FAILED for want of memory alone. */
tanda_status text_begin_read(const char *path, text_begin *begin, tanda_error *error);

#endif
