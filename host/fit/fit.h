/* What tanda train and tanda_fit do: from options to scaled data and a model with its first weights, then the training. */
#ifndef TANDA_FIT_FIT_H
#define TANDA_FIT_FIT_H

#include "data/column_check.h"
#include "model/first_weights.h"
#include "train/checkpoint.h"

/* What tanda_train_defaults sets. */
#define FIT_EPOCHS 10
#define FIT_ITERATIONS 100 /* of L-BFGS, as scikit-learn's max_iter */
#define FIT_BATCH 32

/* All zero is one, for fit_free. */
typedef struct fit {
    /* What is given, all there: the pointers of options point to the others. */
    tanda_fit_options options;
    tanda_dataset_options reading;
    tanda_model_options layers;
    tanda_train_options train;
    tanda_device_options fall_back; /* where options have it */

    tanda_dataset *training;
    tanda_dataset *validation; /* or NULL */
    const char *
        whole_for; /* what needs all rows in memory, as dataset_in_memory says it, set after fit_begin; or NULL */
    bool wants_doubts;          /* set after fit_begin: */
    doubtful_columns doubtful;  /* of the file, all rows */
    first_weights first_file;   /* open until the model has its first weights; empty without init */
    const first_weights *first; /* first_file or, in a fold, that of all folds; NULL: weights are drawn */
    tanda_model *model;
    size_t dropped;         /* rows of the data without a target, which were left out */
    char *lack_note;        /* on categories that only held-out rows have, or NULL */
    double *dropout;        /* of each layer's inputs, or NULL */
    const char *task_note;  /* who decided the task, where it was not told from the target; static storage */
    const char *scale_note; /* why the features are scaled as they are; static storage */

    checkpoints checkpoints;
    void (*on_damage)(const char *note, void *context);   /* set after fit_begin; or NULL, */
    void (*on_fallback)(const char *note, void *context); /* likewise */
    char *checkpoint;                                     /* that is resumed from, or NULL */
    size_t epochs_done;                                   /* before it */
} fit;

/* What options alone tell. TANDA_USAGE. */
tanda_status fit_options_check(const tanda_fit_options *options, tanda_error *error);

/* Takes the options; what they point to is borrowed. Release fit whatever it returns, as after the others. */
tanda_status fit_begin(const tanda_fit_options *options, fit *fit, tanda_error *error);

/* Reads the data, holds rows out, scales, makes the model and its settings; and the two halves of it. */
tanda_status fit_make(fit *fit, tanda_error *error);
tanda_status fit_load(fit *fit, tanda_error *error);
tanda_status fit_finish(fit *fit, tanda_error *error);

/* fit_make with the place of the checkpoints taken, and as the one that is resumed from says. */
tanda_status fit_prepare(fit *fit, tanda_error *error);

/*
 * The training, after fit_make or fit_prepare. *instead: the device that has taken the place of one without room for it, to
 * be closed, also after a failure; else NULL.
 */
tanda_status fit_train(fit *fit, tanda_device *device, tanda_device **instead, tanda_train_result *result,
                       tanda_error *error);
void fit_free(fit *fit);

/* Whether rows are held out by class. TANDA_USAGE where that is asked for and there are none. */
tanda_status fit_by_class(const fit *fit, bool *by_class, tanda_error *error);

/*
 * The categories that only held-out rows have: whether there may be any; and, when they are found or could not be, TANDA_BAD_INPUT or
 * lack_note where they are accepted. Releases lacks, and returns status where that is a failure.
 */
bool fit_may_lack(const fit *fit);
tanda_status fit_note_lacks(fit *fit, lacks *lacks, tanda_status status, tanda_error *error);

#endif
