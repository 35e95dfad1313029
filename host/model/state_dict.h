/*
 * The state_dict of a net of torch.nn.Linear, written as safetensors: for each layer NAME.weight (outputs, inputs) and
 * NAME.bias, as "0.weight", "layers.2.weight" or "fc1.weight".
 *
 * Which comes first: names that differ in nothing but numbers go by these; others in the order of the file where
 * that is not the alphabet's, which says nothing, as PyTorch's writer sorts; else by their shapes and, of one shape, by
 * number. What that leaves open is refused.
 */
#ifndef TANDA_MODEL_STATE_DICT_H
#define TANDA_MODEL_STATE_DICT_H

#include "model/model.h"
#include "model/safetensors.h"

/* Whether no tanda wrote the file. */
bool state_dict_is(const safetensors *file);

/*
 * The model's parameters, rounded to binary32 from F64, F32, F16 or BF16; -0 becomes 0. TANDA_BAD_INPUT, naming the
 * tensor, its shape and what would be right, for what does not fit the model's layers; the message does not name the
 * file.
 */
tanda_status state_dict_read(const safetensors *file, tanda_model *model, tanda_error *error);

#endif
