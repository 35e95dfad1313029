/* What saving and loading a model file share; the layout itself is described in model_file.h. */
#ifndef TANDA_MODEL_MODEL_FILE_LAYOUT_H
#define TANDA_MODEL_MODEL_FILE_LAYOUT_H

#include "model/model_file.h"
#include "model/safetensors.h"

#define MODEL_FILE_FORMAT "1"
#define MODEL_FILE_TEXT_OF(number) #number
#define MODEL_FILE_TEXT(number) MODEL_FILE_TEXT_OF(number)
#define MODEL_FILE_CONTRACT MODEL_FILE_TEXT(TANDA_CONTRACT)
#define TENSORS_PER_LAYER 2 /* weight and bias */

typedef struct tensor_name {
    char text[32];
} tensor_name;

/* The tensors of a model's file in the order of its parameters; their data are the model's parameters. */
typedef struct tensor_list {
    size_t count;
    tensor_name *names;
    safetensors_tensor *tensors;
} tensor_list;

/* TANDA_FAILED without memory. The list must not outlive the model. */
tanda_status tensor_list_make(const tanda_model *model, tensor_list *list, tanda_error *error);
void tensor_list_free(tensor_list *list);

/* True for a tensor of a checkpoint that is none of the model. */
bool model_file_is_extra(const safetensors_tensor *tensor);

/* The value of checkpoint_sha256, of those among the tensors. */
tanda_status model_file_digest_extra(const safetensors_tensor *tensors, size_t count, char *text,
                                     tanda_error *error);

/* The value of metadata_sha256; text has DIGEST_TEXT_SIZE bytes. */
void model_file_digest_metadata(const json_t *metadata, char *text);

/*
 * Names the first thing in which `read` is not the model as model_file.h describes it ("architecture", "scaling", ...),
 * or NULL. A model of classes without names is read with their numbers.
 */
const char *model_difference(const tanda_model *model, const tanda_model *read);

/* The index of the first parameter that is not finite, or the number of parameters. */
size_t model_file_first_not_finite(const tanda_model *model);

#endif
