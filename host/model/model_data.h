/* What a model wants of data. */
#ifndef TANDA_MODEL_MODEL_DATA_H
#define TANDA_MODEL_MODEL_DATA_H

#include "data/dataset.h"
#include "model/model.h"

/* Borrowed from the model. */
dataset_expectation model_expect(const tanda_model *model);

/* Makes the model's features of rows that were read as it expects; they are then scaled. */
tanda_status model_prepare_rows(const tanda_model *model, tanda_unknown unknown, tanda_dataset *dataset,
                                tanda_error *error);

#endif
