/*
 * Labels as they come in, one per row, as text or as numbers; at the end the task is known, and classes are
 * numbered by their sorted names (text by bytes, integers by value).
 */
#ifndef TANDA_DATA_LABELS_H
#define TANDA_DATA_LABELS_H

#include "data/categories.h"
#include "data/dataset.h"
#include "data/place.h"

/* More distinct integers than this, and the target is taken for a quantity unless classes are asked for. */
#define LABELS_AUTO_CLASSES 100
/* In place of the class of a row without one. */
#define LABELS_MISSING -1

typedef struct labels {
    tanda_task task;                     /* as asked for */
    const dataset_expectation *expected; /* or NULL */
    size_t rows;
    bool text;         /* labels come as text; each becomes a class */
    bool is_quantity;  /* numbers that cannot be classes: regression */
    int32_t *ids;      /* text: (rows) index into names, or of the expected class */
    float *numbers;    /* numbers: (rows) */
    int64_t *integers; /* numbers that may still be classes: (rows), else NULL */
    size_t distinct;   /* entries of names or values */
    size_t capacity;   /* of known or values */
    text_set names;    /* text: in order of appearance */
    int32_t *known;    /* text: index of each name among the expected classes */
    int64_t *values;   /* numbers: ascending */
} labels;

/* All memory that depends on rows. text: labels_add_text will be called, else labels_add_number. */
tanda_status labels_begin(labels *labels, tanda_task task, const dataset_expectation *expected, size_t rows,
                          bool text, tanda_error *error);

/* True when the expected classes can only be told as text. */
bool labels_expect_text(const dataset_expectation *expected);

/* Fail with TANDA_BAD_INPUT, naming the place, when the label is none for this task or no expected class. */
tanda_status labels_add_text(labels *labels, size_t row, const char *text, size_t length, const place *place,
                             tanda_error *error);
/* value is the nearest binary32 of exact. */
tanda_status labels_add_number(labels *labels, size_t row, double exact, float value, const place *place,
                               tanda_error *error);

/* The labels so far and to come are numbers, not classes. Not for text. */
void labels_become_quantity(labels *labels);

/* A row without a label; no such row may be left when labels_finish is called. */
void labels_add_missing(labels *labels, size_t row);

/* Whether the text is one of the expected classes, and so no missing value whatever it looks like. */
bool labels_expects(const labels *labels, const char *text, size_t length);

/*
 * Sets task, task_was_found, classes, class_count, class_names or targets of the dataset. rows is the number
 * of labels added, at most the rows of labels_begin. The arrays handed over are no longer the labels'.
 */
tanda_status labels_finish(labels *labels, size_t rows, const char *path, tanda_dataset *dataset,
                           tanda_error *error);

void labels_free(labels *labels);

#endif
