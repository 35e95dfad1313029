/* The .npy files of an entry of the cache, written while further rows are read. */
#ifndef TANDA_DATA_CACHE_ROWS_H
#define TANDA_DATA_CACHE_ROWS_H

#include "data/shards_meta.h"
#include "data/table.h"
#include "support/file_writer.h"
#include "support/parallel.h"

/* A file on its way, whose rows are counted when it is whole. */
typedef struct array_file {
    char *path, name[32];
    file_writer writer;
    char type; /* as npy_make_header has it */
    size_t row_size, width;
    uint64_t size; /* so far, with the header */
} array_file;

typedef struct cache_rows {
    array_file values, labels, weights;
    side_job writing;
    table written; /* by the job */
    tanda_status status;
    tanda_error error;
} cache_rows;

/* What the file of labels has of them. */
typedef enum label_form {
    FORM_QUANTITIES, /* binary32 */
    FORM_INTEGERS,   /* int64, each of which is a class */
    FORM_TEXTS       /* int32, the texts' numbers */
} label_form;

/* Begins the files in a folder, for rows of the first table's shape; their names have a part of the identity. */
tanda_status cache_rows_begin(cache_rows *rows, const char *folder, const char *identity, const table *first,
                              label_form form, tanda_error *error);

/* Takes the table over, and writes its rows beside what follows. An error may be of the table before. */
tanda_status cache_rows_add(cache_rows *rows, table *table, tanda_error *error);

/* Until all is written: status, or what went wrong. */
tanda_status cache_rows_wait(cache_rows *rows, tanda_status status, tanda_error *error);

/* There are so many rows. */
tanda_status cache_rows_close(cache_rows *rows, size_t count, tanda_error *error);

/* The names of the files in a shard: those that they have now or, with `whole`, when they are finished. */
tanda_status cache_rows_name(const cache_rows *rows, bool whole, shard *shard, tanda_error *error);
tanda_status cache_rows_finish(cache_rows *rows, tanda_error *error);

/* Removes files that are finished; and those that are not, with all that is held. */
void cache_rows_remove(const cache_rows *rows);
void cache_rows_abandon(cache_rows *rows);

#endif
