/* What a model is trained for: which losses go with which outputs and tasks, and the settings of a loss. */
#ifndef TANDA_MODEL_OBJECTIVE_H
#define TANDA_MODEL_OBJECTIVE_H

#include "model/names.h"
#include "support/status.h"

/* A loss's own settings; zero is "as Keras has it". */
typedef struct loss_settings {
    double huber_delta;     /* where huber becomes linear; 0: 1 */
    double label_smoothing; /* of the cross-entropies and kl_divergence: S of [0, 1) */
} loss_settings;

/* TANDA_USAGE, with what would go, for a loss that does not go with the last layer and the task. */
tanda_status objective_check(size_t units, activation output, loss loss, tanda_task task, tanda_error *error);

/* TANDA_USAGE unless standardised targets, half of which lie below 0, make sense. */
tanda_status objective_check_target_scaling(activation output, loss loss, tanda_task task,
                                            tanda_error *error);

/* TANDA_USAGE for a setting that is out of range or belongs to another loss. */
tanda_status loss_settings_check(const loss_settings *settings, loss loss, tanda_error *error);

/*
 * What a loss says of a target whose task is not asked for: mae, huber, log_cosh and poisson are for quantities, and
 * binary_crossentropy makes labels of several targets. Sets the options' task or labels_of_several.
 */
void objective_decide(loss loss, tanda_dataset_options *reading);

/* The output function and, for two classes, whether there is one output, where a loss is asked for and no output. */
activation objective_output(loss loss, tanda_task task, size_t class_count);

/* Whether outputs are probabilities of classes, and not values whose sign or order tells the class. */
bool objective_gives_probabilities(loss loss);

/* What kernels/loss.h wants to know, computed once on the host (contract 9). */
typedef struct loss_constants {
    float parameter; /* huber's delta; of several labels S / 2 */
    float mean;      /* 1 / outputs */
    float half;      /* S / 2 */
    float on, off;   /* labels of the true class and of the others: 1 - S + S / C and S / C */
    float rest;      /* 1 - S */
    float entropy;   /* of such labels, for kl_divergence; else 0 */
    bool smooth;     /* S is not 0 */
} loss_constants;

loss_constants loss_constants_of(const loss_settings *settings, loss loss, size_t outputs);

#endif
