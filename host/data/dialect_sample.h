/* The first part of a text, read with one delimiter: what its rows and columns then are, and which reading is right. */
#ifndef TANDA_DATA_DIALECT_SAMPLE_H
#define TANDA_DATA_DIALECT_SAMPLE_H

#include "data/csv_text.h"
#include "data/dialect.h"
#include "data/table.h"

typedef enum field_kind {
    FIELD_MISSING,
    FIELD_WHOLE,   /* a number with either decimal sign */
    FIELD_POINT,   /* a number with a decimal point */
    FIELD_COMMA,   /* with a decimal comma */
    FIELD_BOOLEAN, /* true or false, in any case */
    FIELD_GROUPED, /* with thousands separators, by whatever decimal sign */
    FIELD_TEXT,
    FIELD_KIND_COUNT
} field_kind;

/* Of the fields of a column behind the first row. */
typedef struct column_sample {
    size_t counts[FIELD_KIND_COUNT];
    size_t like_thousands; /* of FIELD_COMMA, those that could be whole numbers, as 1,234 */
    size_t quoted;         /* fields in quotes */
    bool first_recurs;     /* the first row's text stands in another row, too */
} column_sample;

/* One way to read the sample. */
typedef struct reading {
    csv_cursor start; /* at the names or the first row */
    bool is_whole;    /* the sample is the whole text */
    size_t columns;   /* that most records have */
    size_t records;   /* from start on */
    size_t agreeing;  /* of these, those with so many fields */
    size_t damaged;   /* fields with a quote or a line end out of place */
    bool lacks_name;  /* the first has one field less: row names, as R and pandas write them between blanks */
    size_t titles;    /* records above the table */
    const char *title;  /* the last of them, or NULL; to the end of its line */
    size_t hashes;      /* lines that begin with # */
    size_t like_rows;   /* of these, those with so many fields */
    bool hash_is_first; /* the first line of all is one */
    unsigned inside;    /* bit i: dialect_delimiters[i] stands within fields of text */
    size_t other_runs;  /* rows behind the first of numbers a, a + 1, ... where the first row has numbers */
    csv_field *first;   /* (columns) fields of the first row */
    column_sample *of;  /* (columns) */
} reading;

field_kind field_kind_of(const tanda_dataset_options *options, const csv_field *field);

/* True for true and false in any case; *value is then 1 or 0. */
bool field_is_boolean(const char *text, size_t length, float *value);

/* Whether most values of a column are numbers, with either decimal sign. False for one without values. */
bool column_is_numeric(const column_sample *column);

/*
 * Counts the fields of the records from `start` on, whose end is that of the sample, and finds the table among them; of
 * and first are still NULL. TANDA_FAILED for want of memory.
 */
tanda_status reading_shape(const csv_cursor *start, bool is_whole, reading *result, tanda_error *error);

/* Looks at every field of a reading that has a shape. TANDA_FAILED for want of memory. */
tanda_status reading_fields(const tanda_dataset_options *options, reading *reading, tanda_error *error);
void reading_free(reading *reading);

/*
 * Sets delimiter, decimal sign and comment of the dialect, as far as they are not known, and the reading, which has no
 * records where the sample, unless it is whole, holds none. On failure there is nothing to free.
 */
tanda_status dialect_choose(const request *request, const csv_cursor *sample, bool is_whole, dialect *dialect,
                            reading *result, tanda_error *error);

/*
 * All of the dialect but the header, and the sample read so: start is where the table begins, its end that of the text,
 * and its comment lies in the dialect. The text stays the caller's, the reading is for reading_free. TANDA_BAD_INPUT
 * where two ways fit alike, or for a text without rows; then there is nothing to free.
 */
tanda_status dialect_find(const char *path, const request *request, const char *text, size_t size,
                          dialect *dialect, reading *reading, tanda_error *error);

#endif
