/* Predictions as lines of CSV, and which class is the most probable. */
#ifndef TANDA_MODEL_PREDICTION_TEXT_H
#define TANDA_MODEL_PREDICTION_TEXT_H

#include "data/csv_write.h"
#include "model/model.h"

/* The most probable class; of equals the first (docs/exactness.md). row: (columns). */
size_t best_class(const float *row, size_t columns);

/* The first `top` places of order become the most probable classes; of equals the lower comes first. */
void order_classes(size_t *order, const float *row, size_t columns, size_t top);

/* How a model's predictions are written: the copied columns, then the class and its probabilities, or the values. */
typedef struct prediction_text {
    const tanda_model *model; /* borrowed */
    size_t columns;           /* of the predictions: tanda_prediction_columns */
    size_t top;               /* of classes: only so many, with their names; 0: all in their order */
    size_t *order;            /* (columns), for top */
    csv_lines classes;        /* their names as fields, one after the other */
    size_t *class_ends;       /* (columns) */
} prediction_text;

/* columns as above, top at most columns. TANDA_FAILED for want of memory; freed whatever it returns. */
tanda_status prediction_text_begin(const tanda_model *model, size_t columns, size_t top,
                                   prediction_text *made, tanda_error *error);
void prediction_text_free(prediction_text *text);

/* Adds a line. copied: fields that stand first, or NULL. row: (columns). */
void prediction_text_header(const prediction_text *text, const char *copied, size_t copied_length,
                            csv_lines *lines);
void prediction_text_row(const prediction_text *text, const float *row, const char *copied,
                         size_t copied_length, csv_lines *lines);

#endif
