/* A data set and a model on a device: whether they go together, and evaluations. */
#ifndef TANDA_TRAIN_EVALUATOR_H
#define TANDA_TRAIN_EVALUATOR_H

#include "data/dataset.h"
#include "train/supply.h"

/* TANDA_BAD_INPUT when the data set does not fit the model; with_labels: it must have a target. */
tanda_status check_fit(const tanda_model *model, const tanda_dataset *dataset, bool with_labels,
                       tanda_error *error);

/* An evaluation that can be run again as the parameters change. */
typedef struct evaluator {
    const tanda_model *model;
    size_t rows;
    session session;
    stepper stepper;
} evaluator;

/* of: a training of the model, whose parameters are evaluated; NULL: the model's own. */
tanda_status evaluator_create(const tanda_model *model, const resident *rows, const session *of,
                              evaluator *result, tanda_error *error);

/* The same of rows that may be streamed, which outlive it; by all ranks of the supply. */
tanda_status evaluator_of_supply(const tanda_model *model, const supply *rows, const session *of,
                                 evaluator *result, tanda_error *error);
tanda_status evaluator_run(evaluator *evaluator, tanda_evaluation *evaluation, tanda_error *error);
void evaluator_free(evaluator *evaluator);

/*
 * The loss of all rows by one step, which the ranks share, and each gets; hosts: NULL is one process. The rows fit the model;
 * whether they have changed meanwhile is for the caller to ask.
 */
tanda_status evaluate_shared(tanda_hosts *hosts, tanda_device *device, const tanda_model *model,
                             const tanda_dataset *dataset, tanda_evaluation *evaluation, tanda_error *error);

/* What tanda_predict calls. */
typedef tanda_status rows_taker(size_t first_row, size_t rows, const float *predictions, void *context);

/* tanda_predict of some rows, which keep their numbers; of those of a feed nothing else is read. */
tanda_status predict_run(tanda_device *device, const tanda_model *model, const tanda_dataset *dataset,
                         row_run run, rows_taker *on_rows, void *context, tanda_error *error);

/*
 * All predictions of a run, or of the data set, (rows, tanda_prediction_columns), to be freed. TANDA_FAILED, with its row,
 * for one that is not finite.
 */
tanda_status predictions_of_run(tanda_device *device, const tanda_model *model, const tanda_dataset *dataset,
                                row_run run, float **predictions, tanda_error *error);
tanda_status predict_all(tanda_device *device, const tanda_model *model, const tanda_dataset *dataset,
                         float **predictions, tanda_error *error);

/* What tanda_metrics_evaluate makes of them. */
tanda_status metrics_of_predictions(const tanda_model *model, const tanda_dataset *dataset,
                                    const float *predictions, size_t top_k, tanda_metrics **metrics,
                                    tanda_error *error);

#endif
