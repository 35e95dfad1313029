/* The preparation of a model's data as JSON, for its file. */
#ifndef TANDA_MODEL_PREPARATION_JSON_H
#define TANDA_MODEL_PREPARATION_JSON_H

#include <jansson.h>

#include "data/preparation.h"

/*
 * {"columns": [{"name": "age", "mean": 31.5}, {"name": "colour", "categories": ["blue", "red"]}],
 *  "missing": "mean", "missing_values": ["-"], "unknown_category": "refuse"}, without missing_values where none were
 * named, without names where columns have none, and without means where
 * missing values are refused. NULL for want of memory, or for a name that is not UTF-8.
 */
json_t *preparation_to_json(const preparation *preparation);

/*
 * The preparation that makes `features` features; TANDA_BAD_INPUT, naming path, for anything else. Release result
 * whatever it returns.
 */
tanda_status preparation_from_json(const char *path, json_t *json, size_t features, preparation *result,
                                   tanda_error *error);

#endif
