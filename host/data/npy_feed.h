/* The rows of an .npy file, with labels in a column or in another .npy, as a feed: nothing of them is in memory. */
#ifndef TANDA_DATA_NPY_FEED_H
#define TANDA_DATA_NPY_FEED_H

#include "data/array.h"
#include "data/feed.h"
#include "data/selection.h"
#include "support/file_range.h"

/* An .npy file; where it is plain, of numbers whose rows lie one behind the other. */
typedef struct npy_rows {
    file_range *file;
    array array;   /* without data */
    size_t offset; /* of the first row */
} npy_rows;

/* keeps: see file_range_open. TANDA_BAD_INPUT for what is no such file. */
tanda_status npy_rows_describe(const char *path, bool keeps, npy_rows *rows, tanda_error *error);

/* TANDA_BAD_INPUT for what is not plain, text and Fortran order, which are read in memory alone. */
bool npy_rows_are_plain(const npy_rows *rows);
tanda_status npy_rows_check(const npy_rows *rows, tanda_error *error);

/* npy_rows_describe and npy_rows_check. */
tanda_status npy_rows_open(const char *path, bool keeps, npy_rows *rows, tanda_error *error);
void npy_rows_close(npy_rows *rows);

/* Bytes of a row in the file. */
size_t npy_rows_size(const npy_rows *rows);

/* Some rows, as an array that begins at row `first` of the file. */
typedef struct npy_piece {
    array array;
    size_t first;
} npy_piece;
typedef tanda_status npy_on_piece(void *context, const npy_piece *piece, tanda_error *error);

/* Rows first ... first + count - 1 in their order, some MiB at a time. */
tanda_status npy_for_pieces(const npy_rows *rows, size_t first, size_t count, npy_on_piece *on_piece,
                            void *context, tanda_error *error);

/* What the labels become. */
typedef enum label_kind {
    LABELS_NONE,
    LABELS_CLASSES,    /* numbers of classes */
    LABELS_QUANTITIES, /* one or several */
    LABELS_SEVERAL     /* several, each 0 or 1 */
} label_kind;

/* Which class each integer is. */
typedef struct class_map {
    size_t count;
    int64_t *values;  /* (count), ascending */
    int32_t *classes; /* (count) */
    bool is_identity; /* classes are the integers */
    bool is_expected; /* they are those of a model, and not what the file was found to have */
} class_map;
void class_map_free(class_map *map);

/* What a feed is made of, which takes all of it over, also when it fails. */
typedef struct npy_feed_parts {
    npy_rows features, labels; /* the latter without a file: labels are columns of the former */
    selection selection;       /* of the features */
    selection label_selection; /* of the labels' own file */
    label_kind kind;
    class_map classes;
    double *origins;    /* (features), or NULL: subtracted in binary64 */
    bool takes_missing; /* NaN stands for a feature's value that is missing */
} npy_feed_parts;

/* Selects all columns of the features, and of the labels' own file as targets. TANDA_FAILED for want of memory. */
tanda_status npy_select_all(npy_feed_parts *parts, tanda_error *error);
tanda_status npy_select_all_labels(npy_feed_parts *parts, tanda_error *error);

tanda_status npy_feed(npy_feed_parts *parts, feed **result, tanda_error *error);
void npy_feed_parts_free(npy_feed_parts *parts);

#endif
