/*
 * A model used on data by all ranks: each reads and computes a run of neighbouring rows, and rank 0 has the results, those of
 * one process to the bit. hosts may be NULL: then this process does all. A failure of any rank becomes that of all, and so
 * does what hosts_begin_work was given (TANDA_INTERRUPTED); after success there is no exchange any more.
 */
#ifndef TANDA_TRAIN_TOGETHER_H
#define TANDA_TRAIN_TOGETHER_H

#include "hosts/collect.h"
#include "train/evaluator.h"

typedef struct together_results {
    tanda_evaluation figures;
    tanda_metrics *metrics; /* for tanda_metrics_free; NULL on other ranks than the first */
    double evaluate_seconds, metrics_seconds;
} together_results;

/*
 * tanda_evaluate and tanda_metrics_evaluate. The loss is shared as a step is; metrics are made of all predictions, which rank
 * 0 gathers.
 */
tanda_status evaluate_together(tanda_hosts *hosts, tanda_device *device, const tanda_model *model,
                               const tanda_dataset *dataset, size_t top_k, together_results *results,
                               tanda_error *error);

/* What becomes of predictions, as bytes. */
typedef struct prediction_taker {
    rows_taker *on_rows; /* of this rank's rows: their bytes are put behind those that are there */
    /* These bytes, whole units; they stay until the next call of on_rows, with which others begin. */
    const void *(*bytes)(void *context, size_t *size);
    collect_taker *on_bytes; /* on rank 0, in the order of the rows */
    size_t unit;             /* bytes that are not torn apart */
    void *context;
} prediction_taker;

/* tanda_predict, in rounds: no rank has bytes of more than a million predictions or a tile's at a time. */
tanda_status predict_together(tanda_hosts *hosts, tanda_device *device, const tanda_model *model,
                              const tanda_dataset *dataset, const prediction_taker *taker,
                              tanda_error *error);

#endif
