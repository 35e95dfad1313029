/*
 * What a training starts from: a model file, whose features and classes may stand in another order, or a state_dict of
 * PyTorch (state_dict.h), which has neither names nor a scaling.
 */
#ifndef TANDA_MODEL_FIRST_WEIGHTS_H
#define TANDA_MODEL_FIRST_WEIGHTS_H

#include "data/dataset.h"
#include "model/model.h"
#include "model/safetensors.h"

typedef struct first_weights {
    const char *path;   /* borrowed */
    const char *flag;   /* before the path in messages: "--init ", or "" */
    bool by_position;   /* whatever the names are */
    tanda_model *model; /* NULL: a state_dict */
    file_view view;     /* of a state_dict */
    safetensors file;
} first_weights;

/* TANDA_BAD_INPUT for a file that is damaged or neither of the two. flag is static storage. */
tanda_status first_weights_open(const char *path, const char *flag, first_weights *first, tanda_error *error);
void first_weights_close(first_weights *first);

/*
 * The first model's preparation for a training set that is not prepared yet, its columns in the order of the training
 * set's where both have names. TANDA_BAD_INPUT with the first name that one of them lacks. Not for a state_dict.
 */
tanda_status first_weights_preparation(const first_weights *first, const tanda_dataset *training,
                                       preparation *result, tanda_error *error);

/*
 * Fills in the model's parameters and, as asked, its scaling and that of its targets, which must be empty. Features, classes and the targets
 * of a regression of several follow their names where both models have names, else their position. TANDA_BAD_INPUT with
 * the first name that one of them lacks, for other layers, and as state_dict_read.
 */
tanda_status first_weights_give(const first_weights *first, bool with_scaling, bool with_target_scaling,
                                tanda_model *model, tanda_error *error);

#endif
