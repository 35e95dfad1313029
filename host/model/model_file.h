/*
 * The model file: safetensors, readable by PyTorch, Keras, NumPy; the rest as JSON in its __metadata__.
 *
 * Tensors are named for torch.nn.Sequential(Linear, ReLU, Linear, ...): the index counts modules, a Linear is
 * one and an activation other than identity is one more: "0.weight" (outputs, inputs), "0.bias", "2.weight".
 * Other software may have stored them in another order. __metadata__ holds, all as strings:
 *   tanda_format     "1"
 *   contract         the numerical contract that the weights were made under, "1"; files without it are of the first
 *   architecture     {"features": 4, "layers": [{"units": 3, "activation": "softmax"}],
 *                     "loss": "categorical_crossentropy", "task": "classes"}; a layer may say its "kind", without which it is
 *                    "dense"
 *   scaling          {"kind": "standard", "center": [...], "factor": [...]} with 9 digits, which keep every
 *                    binary32; where there are distances (data/origin.h) also "origin": ["1700000000000", ...] with
 *                    17 digits; or {"kind": "none"}
 *   preparation      how columns become features, see preparation_json.h; optional: they are the features
 *   feature_names    ["sepal length", ...], optional
 *   class_names      ["setosa", ...], for classes
 *   target_name      plain text, optional
 *   target_names     ["x", "y"], for several targets (quantities or labels) instead of target_name, optional
 *   target_scaling   {"mean": ["12.5"], "deviation": ["3"]}, for a regression of standardised targets: a prediction is
 *                    mean + deviation * output. Texts of 17 digits, which keep every binary64; optional
 *   settings         a JSON object, optional
 *   checkpoint       a JSON object: the file is a checkpoint too, see train/checkpoint_file.h; optional. Its further
 *                    tensors are named "checkpoint.NAME"
 *   checkpoint_sha256  with it: of those tensors in the order of their data, each as name, zero byte, data
 *   weights_sha256   see model_digest
 *   metadata_sha256  of the keys above that are there, in alphabetical order, each as key, zero byte, value,
 *                    zero byte; other keys are ignored
 */
#ifndef TANDA_MODEL_MODEL_FILE_H
#define TANDA_MODEL_MODEL_FILE_H

#include "model/model.h"
#include "model/safetensors.h"
#include "support/file.h"

/*
 * *right: whether the file begins like a safetensors file (a plausible header length followed by '{'); one that cannot
 * be opened does not. TANDA_FAILED for want of memory.
 */
tanda_status model_file_looks_right(const char *path, bool *right, tanda_error *error);

/*
 * Atomic; TANDA_FAILED when the file cannot be written, or the model could not be loaded again: a parameter
 * that is not finite, a name that is not UTF-8, class names that do not fit the outputs. A model of classes
 * without class names gets their numbers.
 */
tanda_status model_file_save(const tanda_model *model, const char *path, tanda_error *error);

/* What a checkpoint holds beside the model. */
typedef struct model_file_extra {
    const char *text; /* a JSON object */
    const safetensors_tensor *tensors;
    size_t count;
} model_file_extra;
#define MODEL_FILE_EXTRA "checkpoint" /* the key in the metadata */
#define MODEL_FILE_EXTRA_PREFIX "checkpoint."

/* model_file_save of a checkpoint. */
tanda_status model_file_save_with(const tanda_model *model, const model_file_extra *extra, const char *path,
                                  tanda_error *error);

/*
 * TANDA_BAD_INPUT, with what is wrong, for a file that is damaged or not a tanda model. A model of classes
 * always has its class names.
 */
tanda_status model_file_load(const char *path, tanda_model **model, tanda_error *error);

/* The same from bytes in memory, which stay the caller's; path is only used in messages. */
tanda_status model_file_parse(const char *path, file_view view, tanda_model **model, tanda_error *error);

#endif
