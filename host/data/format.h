/* The formats of data files. A new one is a file with its two functions and a line in the table of format.c.
 */
#ifndef TANDA_DATA_FORMAT_H
#define TANDA_DATA_FORMAT_H

#include "data/table.h"

typedef struct format {
    const char *name;
    const char *extension;
    /* Goes by the first bytes. size may be 0. */
    bool (*looks_right)(const unsigned char *data, size_t size);
    /*
     * Fills the table, which is all zero, with the columns that the request asks for. May take over the
     * view, and then leaves it empty. On failure the table is all zero again.
     */
    tanda_status (*read)(const char *path, file_view *view, const request *request, table *table,
                         tanda_error *error);
} format;

/* Opens path, finds its format (name NULL: by content, then by extension) and reads it. */
tanda_status format_read(const char *path, const char *name, const request *request, table *table,
                         tanda_error *error);

bool csv_looks_right(const unsigned char *data, size_t size);
tanda_status csv_read(const char *path, file_view *view, const request *request, table *table,
                      tanda_error *error);

bool npy_looks_right(const unsigned char *data, size_t size);
tanda_status npy_read(const char *path, file_view *view, const request *request, table *table,
                      tanda_error *error);

bool idx_looks_right(const unsigned char *data, size_t size);
tanda_status idx_read(const char *path, file_view *view, const request *request, table *table,
                      tanda_error *error);

#endif
