#include "model/scaling_json.h"

#include <math.h>
#include <string.h>

#include "data/number.h"
#include "support/json.h"
#include "support/memory.h"

/* ---- writing ------------------------------------------------------------------------------------------ */

/* As texts, which keep every digit of a double. */
static json_t *json_doubles(const double *values, size_t count) {
    json_builder array = json_array_begin();
    for (size_t i = 0; i < count; i++)
        json_push(&array, json_sprintf("%.17g", values[i]));
    return json_end(&array);
}

json_t *scaling_to_json(const scaling *scaling) {
    json_builder object = json_object_begin();
    json_put(&object, "kind", json_string(scaling_name(scaling->kind)));
    if (scaling->kind != TANDA_SCALE_NONE) {
        json_put(&object, "center", json_reals(scaling->center, scaling->features));
        json_put(&object, "factor", json_reals(scaling->factor, scaling->features));
        if (scaling->origin != NULL)
            json_put(&object, "origin", json_doubles(scaling->origin, scaling->features));
    }
    return json_end(&object);
}

json_t *target_scaling_to_json(const target_scaling *scaling) {
    json_builder object = json_object_begin();
    json_put(&object, "mean", json_doubles(scaling->mean, scaling->targets));
    json_put(&object, "deviation", json_doubles(scaling->deviation, scaling->targets));
    return json_end(&object);
}

/* ---- reading ------------------------------------------------------------------------------------------ */

typedef struct reader {
    const char *path;
    tanda_error *error;
} reader;

#define BAD(reader, format, ...) \
    fail((reader)->error, TANDA_BAD_INPUT, "%s: " format, (reader)->path __VA_OPT__(, ) __VA_ARGS__)

static tanda_status read_reals(const reader *reader, const char *what, const json_t *array, size_t count,
                               float **values) {
    if (!json_is_array(array) || json_array_size(array) != count)
        return BAD(reader, "scaling: %s is not an array of %zu numbers, one per feature", what, count);
    tanda_status status = allocate(values, count, sizeof **values, "scaling", reader->error);
    if (status != TANDA_OK) return status;
    for (size_t i = 0; i < count; i++) {
        const json_t *number = json_array_get(array, i);
        (*values)[i] = (float)json_number_value(number);
        if (!json_is_number(number) || !isfinite((*values)[i]))
            return BAD(reader, "scaling: %s[%zu] is not a number that binary32 holds", what, i);
    }
    return TANDA_OK;
}

/* Numbers as texts; of what: "feature" or "target". */
static tanda_status read_doubles(const reader *reader, const char *key, const char *of, const json_t *array,
                                 size_t count, bool positive, double **values) {
    if (!json_is_array(array) || json_array_size(array) != count)
        return BAD(reader, "%s is not an array of %zu texts, one per %s", key, count, of);
    const tanda_status status = allocate(values, count, sizeof **values, "scaling", reader->error);
    if (status != TANDA_OK) return status;
    for (size_t i = 0; i < count; i++) {
        const char *text = json_string_value(json_array_get(array, i));
        if (text == NULL || number_to_double(text, strlen(text), &(*values)[i]) != NUMBER_OK ||
            (positive && (*values)[i] <= 0.0))
            return BAD(reader, "%s[%zu] is not the text of a number%s", key, i, positive ? " above 0" : "");
    }
    return TANDA_OK;
}

tanda_status scaling_from_json(const char *path, json_t *json, size_t features, scaling *scaling,
                               tanda_error *error) {
    const reader from = {path, error}, *reader = &from;
    const char *kind = NULL;
    const json_t *center = NULL, *factor = NULL, *origin = NULL;
    json_error_t mismatch;
    if (json_unpack_ex(json, &mismatch, JSON_STRICT, "{s:s, s?o, s?o, s?o}", "kind", &kind, "center", &center,
                       "factor", &factor, "origin", &origin) != 0)
        return BAD(reader, "scaling: %s", mismatch.text);
    if (!scaling_from_name(kind, &scaling->kind))
        return BAD(reader, "scaling: kind \"%.40s\" is unknown", kind);
    if (scaling->kind == TANDA_SCALE_NONE) {
        if (center == NULL && factor == NULL && origin == NULL) return TANDA_OK;
        return BAD(reader, "scaling: kind none goes without center, factor and origin");
    }
    scaling->features = features;
    tanda_status status = read_reals(reader, "center", center, features, &scaling->center);
    if (status == TANDA_OK) status = read_reals(reader, "factor", factor, features, &scaling->factor);
    if (status != TANDA_OK || origin == NULL) return status;
    return read_doubles(reader, "scaling: origin", "feature", origin, features, false, &scaling->origin);
}

tanda_status target_scaling_from_json(const char *path, json_t *json, size_t targets, target_scaling *scaling,
                                      tanda_error *error) {
    const reader from = {path, error}, *reader = &from;
    const json_t *mean = NULL, *deviation = NULL;
    json_error_t mismatch;
    if (json_unpack_ex(json, &mismatch, JSON_STRICT, "{s:o, s:o}", "mean", &mean, "deviation", &deviation) !=
        0)
        return BAD(reader, "target_scaling: %s", mismatch.text);
    tanda_status status =
        read_doubles(reader, "target_scaling: mean", "target", mean, targets, false, &scaling->mean);
    if (status == TANDA_OK)
        status = read_doubles(reader, "target_scaling: deviation", "target", deviation, targets, true,
                              &scaling->deviation);
    if (status == TANDA_OK) scaling->targets = targets;
    return status;
}
