/* The formats of data files. A new one is a file with its two functions and a line of FORMAT_LIST. */
#ifndef TANDA_DATA_FORMAT_H
#define TANDA_DATA_FORMAT_H

#include <stddef.h>

#include "data/array.h"
#include "data/format_list.h"
#include "data/selection.h"
#include "data/table.h"

typedef struct format {
    const char *name;
    const char *title; /* for people */
    const char *extension;
    /* Goes by the first bytes. size may be 0. */
    bool (*looks_right)(const unsigned char *data, size_t size);
    /* How many bytes the file has, by its header; SIZE_MAX when that does not tell. NULL: it never does. */
    size_t (*bound)(const unsigned char *data, size_t size);
    /*
     * Fills the table, which is all zero, with the columns that the request asks for. May take over the
     * view, and then leaves it empty. On failure the table is all zero again.
     */
    tanda_status (*read)(const char *path, file_view *view, const request *request, table *table,
                         tanda_error *error);
} format;

/* What the bytes begin like, such as "CSV text" or "an .npy array"; NULL where that is no data. */
const char *format_title(const unsigned char *data, size_t size);

/* Whether the bytes begin like a safetensors file: a plausible header length followed by '{'. */
bool safetensors_looks_right(const unsigned char *data, size_t size);
#define SAFETENSORS_HEADER_LIMIT 100000000 /* bytes, that of the reference implementation */

/*
 * Maps the file, or reads the pipe whole (one of labels is refused), unpacks what is packed, finds the format (name NULL:
 * by content, then by extension) and reads it. "FILE.npz:NAME" is one array of an .npz. A file that changed meanwhile is
 * TANDA_BAD_INPUT.
 */
tanda_status format_read(const char *path, const char *name, const request *request, table *table,
                         tanda_error *error);

/* The same for bytes in memory; the view is the caller's, who closes what is left of it. */
tanda_status format_read_view(const char *path, file_view *view, const char *name, const request *request,
                              table *table, tanda_error *error);

/*
 * Reads one label for each row of the table, and moves it there, from a file of labels or, where view is not NULL, from
 * this .npy. path and label_path are for messages.
 */
tanda_status format_read_labels(const char *label_path, file_view *view, const request *request,
                                const char *path, table *data, tanda_error *error);

#define FORMAT_DECLARE(name, title, extension, bound) \
    bool name##_looks_right(const unsigned char *data, size_t size); \
    tanda_status name##_read(const char *path, file_view *view, const request *request, table *table, \
                             tanda_error *error);
FORMAT_LIST(FORMAT_DECLARE)
#undef FORMAT_DECLARE

size_t npy_bound(const unsigned char *data, size_t size);
size_t idx_bound(const unsigned char *data, size_t size);

/* "an Excel workbook" and so on, by the first bytes (and .json by its name, too); or NULL. Static storage. */
const char *foreign_kind(const char *path, const void *bytes, size_t size);

/*
 * Reads the path and options->more_files, whose rows follow one another in one table (a single file as format_read does). A
 * folder stands for its files in the order of their names' bytes, without those that begin with '.' or '_'. The first one
 * says which columns there are, by name where it has a header, and each other has the same header or none. Classes and
 * categories are those of all. TANDA_BAD_INPUT for a folder without files.
 */
tanda_status parts_read(const char *path, const request *request, table *table, tanda_error *error);

/* The files that the path and options->more_files stand for, for free_texts. */
tanda_status parts_find(const char *path, const tanda_dataset_options *options, char ***paths, size_t *count,
                        tanda_error *error);

/* How a file is read that follows a first one, whose names are borrowed. It stays where it is while the request is used. */
typedef struct later_part {
    request request;
    dataset_expectation expected;
    tanda_dataset_options options;
    char owner[60];
} later_part;
void part_follow(const char *first_path, const table *first, const request *request, later_part *later);

/* TANDA_BAD_INPUT for a file of other columns than the first. */
tanda_status part_check(const char *path, size_t columns, const char *first_path, size_t first_columns,
                        tanda_error *error);

/*
 * Reads the columns that the request asks for; of labels, a row for each class with a 1 for its own, the class. binary32 in this machine's byte order whose columns are all
 * features, in order, is not copied: then *view is taken over by the table and view becomes empty, as it does for a look at
 * numbers wider than binary32. data must lie in *view for that; view may be NULL. Of an array of text: numbers, categories and
 * classes as in CSV; the columns of text among the features become categories where --categorical auto asks for that.
 */
tanda_status array_read(const array *array, file_view *view, const request *request, table *table,
                        tanda_error *error);

/* TANDA_BAD_INPUT with the place for one that is no finite binary32. */
tanda_status array_check_number(array_number element, const place *place, tanda_error *error);

#endif
