/* The rows of a CSV file into a table: field by field and with care, or many at once. */
#ifndef TANDA_DATA_CSV_ROWS_H
#define TANDA_DATA_CSV_ROWS_H

#include "data/csv_text.h"
#include "data/dialect_sample.h"
#include "data/selection.h"

/*
 * Memory is bounded before it is asked for: reading a text takes at most 64 bytes for each of its bytes (a table of
 * categories that are all different; one of numbers takes some 4) and 4096 for each of at most CSV_COLUMNS_MAX columns. A
 * field takes a byte of text with what ends it, and a row no less than 2, so that csv_most_rows bounds the rows, whatever
 * line ends there are.
 */

/* What is done with a column; a value of 0 or more is the index of a feature. */
#define ROLE_IGNORED -1
#define ROLE_TARGET -2
#define ROLE_WEIGHT -3
#define ROLE_QUANTITY -4 /* one of several targets */
#define ROLE_CATEGORY -5 /* a feature that is text */

/* A field of text, where it lies in the file. */
typedef struct csv_text {
    const char *text; /* NULL: a missing value */
    size_t length;
} csv_text;

/* Texts as they stand: classes and categories are made of them later, in the order of the rows. */
typedef struct csv_aside {
    csv_text *texts; /* of labels: (rows), or NULL */
    double *exact;   /* labels that are numbers and may be classes: (rows), or NULL; their binary32 is in the
                              table's labels */
    csv_text **categories; /* of the columns with ROLE_CATEGORY: (rows) each, else NULL; (columns) */
} csv_aside;

typedef struct csv_reader {
    const char *path;
    const request *request;
    dialect dialect;
    const reading *sample; /* the first part of the text */
    csv_cursor start;      /* the first record of data; its comment lies in dialect */
    size_t columns;
    char **names; /* columns entries, or NULL without a header */
    selection selection;
    ptrdiff_t *roles; /* columns entries */
    size_t *places;   /* columns entries: of a ROLE_QUANTITY the target, of a ROLE_CATEGORY the feature, of a
                            feature that is a number its column of table.exact, with reads_exact */
    bool reads_exact; /* features that are numbers go to table.exact, too */
    bool
        may_find_text; /* which columns are text is found out when one turns out to be no column of numbers */
    bool fills_missing; /* missing values are accepted among the features */
    bool
        is_careful; /* no number is taken as it stands: some mean a missing value, or have commas and are quoted */
    char *scratch; /* for text with doubled quotes */
    size_t scratch_size;
    bool met_text;          /* a label is text, while numbers were read: begin again */
    bool is_piece;          /* of a text: which columns are text is not found out from it alone */
    bool is_unread;         /* and where that has to be, it is not read */
    const csv_aside *aside; /* where labels and categories are put instead of among the table's, or NULL */
} csv_reader;

/*
 * How the text is written, and what its first row says, of a text or its first part: path, request and sample, which is empty,
 * are set. The reader then stands at the first row of data.
 */
tanda_status csv_begin_text(csv_reader *reader, const char *text, size_t size, text_encoding encoding,
                            tanda_error *error);

/* Decides what becomes of each column. *holds_text: which are text is to be found out first, of all rows. */
tanda_status csv_assign_roles(csv_reader *reader, bool *holds_text, tanda_error *error);

/* Rows that the text from a cursor on has room for, and one more: when there are others, one of these is faulty. */
static inline size_t csv_most_rows(const csv_cursor *start, size_t columns) {
    return ((size_t)(start->end - start->at) + 1) / (columns < 2 ? 2 : columns) + 1;
}

/* Reads the record at the cursor into the table's row. */
tanda_status csv_read_record(csv_reader *reader, csv_cursor *cursor, size_t row, table *table,
                             tanda_error *error);

/* Reads all records, one after the other. The first fault of the file is the one that is told. */
tanda_status csv_read_records(csv_reader *reader, table *table, tanda_error *error);

/*
 * The records from a cursor on, cut at line ends into chunks that can be read by themselves. That needs a text without
 * quotes, as quotes may hold line ends. Blank lines count as rows there; they are skipped where rows are read one by one.
 */
typedef struct csv_chunk {
    const char *at, *end;
    size_t lines;    /* line ends in it */
    size_t comments; /* lines of comment */
    bool has_quotes;
    size_t first_line; /* as in a cursor */
    size_t first_row;
} csv_chunk;

typedef struct csv_chunks {
    csv_chunk *chunks; /* count entries, for free() */
    size_t count;
    size_t rows; /* in all, or more, see csv_count_records */
    bool has_quotes;
} csv_chunks;

tanda_status csv_find_chunks(const csv_cursor *start, csv_chunks *chunks, tanda_error *error);

/*
 * Reads all records, in parallel. False when anything is wrong, the table is then to be begun again and to be read by
 * csv_read_records, which says what it is.
 */
bool csv_read_chunks(const csv_reader *reader, const csv_chunks *chunks, table *table);

/* In parallel where that can be; what is wrong, or unusual, is read again with care. */
tanda_status csv_read_rows(csv_reader *reader, const csv_chunks *chunks, table *table, tanda_error *error);

/* The place of a field of data, found by going there once more. */
place csv_find_place(const csv_reader *reader, size_t row, size_t column);

/* Reads numbers to the table's exact columns as well from now on. */
void csv_take_exact(csv_reader *reader, const table *table);

/* Fills table.exact of a table that was read, reading again the columns that it names. */
tanda_status csv_read_exact(const csv_reader *reader, const csv_chunks *chunks, table *table,
                            tanda_error *error);

/* Keeps the text of the columns that options->copy names, of a table that was read, in table.copied. */
tanda_status csv_copy_columns(const csv_reader *reader, table *table, tanda_error *error);

/*
 * Adds the fields of each kind to totals (columns, FIELD_KIND_COUNT), and marks the features that are columns of text, going
 * by those of all rows: where at least nine of ten values are numbers, a word is rather a slip. TANDA_FAILED for want of memory.
 */
tanda_status csv_count_text(const csv_reader *reader, const csv_chunks *chunks, size_t *totals,
                            tanda_error *error);
void csv_mark_text(csv_reader *reader, const size_t *totals);

/* Takes what they tell for all text. */
void csv_settle_categories(csv_reader *reader, const size_t *totals);

/*
 * reader->names are the texts of the first row. With a model its names, categories and classes decide; else a row is one
 * of names when it names what --target and the like ask for, when a text stands over numbers, when its words do not
 * stand again in their columns, or when it is 0, 1, 2, ... as no other row. TANDA_BAD_INPUT where both may be.
 */
tanda_status csv_decide_header(const csv_reader *reader, const reading *reading, bool *header,
                               tanda_error *error);

#endif
