/* How a model's data are scaled as JSON, for its file. */
#ifndef TANDA_MODEL_SCALING_JSON_H
#define TANDA_MODEL_SCALING_JSON_H

#include <jansson.h>

#include "data/scaling.h"

/*
 * {"kind": "standard", "center": [0.5], "factor": [2], "origin": ["1600000000"]}: a number for each feature, origins as texts,
 * which keep every digit, and left out where there are none; of kind none that alone. NULL for want of memory.
 */
json_t *scaling_to_json(const scaling *scaling);

/* {"mean": ["3.5"], "deviation": ["2"]}: a text for each target. NULL for want of memory. */
json_t *target_scaling_to_json(const target_scaling *scaling);

/* TANDA_BAD_INPUT, naming path, for anything else, or of another number of features or targets. The result is to be freed whatever they return. */
tanda_status scaling_from_json(const char *path, json_t *json, size_t features, scaling *scaling,
                               tanda_error *error);
tanda_status target_scaling_from_json(const char *path, json_t *json, size_t targets, target_scaling *scaling,
                                      tanda_error *error);

#endif
