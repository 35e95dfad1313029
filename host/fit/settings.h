/*
 * The settings of a training, which its model and its checkpoints keep: one list of their keys, for what writes them
 * and for all that take something from a file of others. No key names a file to be written, kernels or a device.
 */
#ifndef TANDA_FIT_SETTINGS_H
#define TANDA_FIT_SETTINGS_H

#include <jansson.h>

#include "data/dataset.h"
#include "model/model.h"

/* Whether a training notes the option of this name, which is without its dashes: "learning-rate". */
bool settings_has_option(const char *name);

/*
 * The settings that a model has, to be released with json_decref. TANDA_BAD_INPUT, naming path, where it has none, or
 * one that no training writes.
 */
tanda_status settings_read(const char *path, const tanda_model *model, json_t **settings, tanda_error *error);

/*
 * Everything that decides the weights into the model, defaults included, and nothing of the machine: equal trainings give
 * equal files, and tanda train --config repeats one. Keys are the names of the options, with _ for -.
 */
tanda_status settings_write(const tanda_fit_options *options, const tanda_dataset *training,
                            tanda_model *model, tanda_error *error);

/*
 * model holds the settings of this run. Those that decide the bits must be the checkpoint's: TANDA_USAGE names the first
 * flag that differs. Paths may differ, the data itself is compared by its fingerprint, and so may the epochs. The
 * model's settings become the checkpoint's, with this run's epochs.
 */
tanda_status resume_settings(const char *checkpoint, tanda_model *model, tanda_error *error);

/* The part of a layer's inputs that is dropped; layer 0 takes the features. */
double settings_dropout(const tanda_fit_options *options, size_t layer);

#endif
