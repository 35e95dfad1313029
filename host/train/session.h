/* What training, evaluation and prediction share: a data set on a device, and a program over it. */
#ifndef TANDA_TRAIN_SESSION_H
#define TANDA_TRAIN_SESSION_H

#include "backend/backend.h"
#include "data/dataset.h"

/* A data set's features and labels on a device. The data set must outlive it. */
typedef struct resident {
    const tanda_dataset *dataset;
    float *standardised; /* the targets as the model learns them, where it scales them; else NULL */
    buffer *features;
    buffer *labels;  /* NULL without a target */
    buffer *weights; /* of the rows in a training; NULL without weights or labels */
} resident;

/* TANDA_BAD_INPUT when the data set does not fit the model; with_labels: it must have a target. */
tanda_status check_fit(const tanda_model *model, const tanda_dataset *dataset, bool with_labels,
                       tanda_error *error);

/* The data set fits the model. */
tanda_status resident_create(backend *backend, const tanda_model *model, const tanda_dataset *dataset,
                             bool with_labels, resident *result, tanda_error *error);
void resident_free(backend *backend, resident *resident);

/* An evaluation that can be run again as the parameters change. */
typedef struct evaluator {
    const tanda_model *model;
    const resident *resident;
    plan *plan;
    program *program;
    buffer *own_parameters; /* NULL when they are somebody else's */
} evaluator;

/* parameters is a packed buffer of a training plan for the same model; NULL: the model's own are uploaded. */
tanda_status evaluator_create(backend *backend, const tanda_model *model, const resident *resident,
                              buffer *parameters, evaluator *result, tanda_error *error);
tanda_status evaluator_run(backend *backend, evaluator *evaluator, tanda_evaluation *evaluation,
                           tanda_error *error);
void evaluator_free(backend *backend, evaluator *evaluator);

/* Packs the model's parameters into a new buffer. */
tanda_status upload_parameters(backend *backend, const plan *plan, const tanda_model *model, buffer **result,
                               tanda_error *error);

#endif
