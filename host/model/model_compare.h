/* Two models held against each other, to the bit. */
#ifndef TANDA_MODEL_MODEL_COMPARE_H
#define TANDA_MODEL_MODEL_COMPARE_H

#include "model/model.h"

/*
 * Names the first thing in which `read` is not the model as model_file.h describes it ("architecture", "scaling", ...),
 * or NULL. A model of classes without names is read with their numbers.
 */
const char *model_difference(const tanda_model *model, const tanda_model *read);

#endif
