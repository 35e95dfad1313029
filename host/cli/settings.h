/*
 * The settings of a training, which its model and its checkpoints keep: one list of their keys, for what writes them
 * and for all that take something from a file of others. No key names a file to be written, kernels or a device.
 */
#ifndef TANDA_CLI_SETTINGS_H
#define TANDA_CLI_SETTINGS_H

#include <jansson.h>

#include "model/model.h"

/* Whether a training notes the option of this name, which is without its dashes: "learning-rate". */
bool settings_has_option(const char *name);

/* The first key of an object that is none of a training's, or NULL. */
const char *settings_stranger(const json_t *settings);

/*
 * The settings that a model has, to be released with json_decref. TANDA_BAD_INPUT, naming path, where it has none, or
 * one that no training writes.
 */
tanda_status settings_read(const char *path, const tanda_model *model, json_t **settings, tanda_error *error);

#endif
