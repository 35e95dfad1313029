/* A scaling applied to rows. */
#include <math.h>
#include <string.h>

#include "data/origin.h"
#include "data/place.h"
#include "support/floating_mode.h"

static tanda_status not_finite(const tanda_dataset *dataset, size_t row, size_t feature, tanda_error *error) {
    char name[SHOWN_SIZE] = "";
    if (dataset->feature_names != NULL)
        shown(dataset->feature_names[feature], strlen(dataset->feature_names[feature]), name);
    return fail(error, TANDA_BAD_INPUT,
                "--scale: row %zu, feature %zu (from 0)%s%s: the scaled value is beyond the range of "
                "binary32 (3.4e38)",
                row, feature, name[0] == '\0' ? "" : " ", name);
}

static bool same_origins(const double *a, const double *b, size_t features) {
    return a != NULL && b != NULL && memcmp(a, b, features * sizeof *a) == 0;
}

/* Rows that came from memory have no origins yet. */
static tanda_status match_origins(tanda_dataset *dataset, const scaling *scaling, tanda_error *error) {
    if (dataset->origins == NULL && scaling->origin == NULL) return TANDA_OK;
    if (dataset->origins == NULL) return origin_subtract(dataset, scaling->origin, error);
    if (same_origins(dataset->origins, scaling->origin, dataset->features)) return TANDA_OK;
    return fail(error, TANDA_BAD_INPUT,
                "the rows are distances from other origins than the model's; read them for the model "
                "(tanda_dataset_load_for_model)");
}

static tanda_status scale_rows(tanda_dataset *dataset, const scaling *scaling, tanda_error *error) {
    if (scaling->kind == TANDA_SCALE_NONE) return match_origins(dataset, scaling, error);
    if (scaling->features != dataset->features)
        return fail(error, TANDA_BAD_INPUT, "--scale: the scaling has %zu features, the data %zu",
                    scaling->features, dataset->features);
    tanda_status status = match_origins(dataset, scaling, error);
    if (status == TANDA_OK) status = dataset_own_values(dataset, error);
    if (status != TANDA_OK) return status;
    dataset->from_bytes = false;
    for (size_t row = 0; row < dataset->rows; row++) {
        float *values = dataset->owned + row * dataset->features;
        float worst = 0.0f; /* becomes NaN, and stays so, as soon as one value is not finite */
        for (size_t i = 0; i < dataset->features; i++) {
            float distance = values[i] - scaling->center[i], factor = scaling->factor[i];
            float scaled = factor == 0.0f ? 0.0f : distance * factor;
            values[i] = scaled == 0.0f ? 0.0f : scaled;
            worst += scaled - scaled;
        }
        for (size_t i = 0; worst != 0.0f && i < dataset->features; i++)
            if (!isfinite(values[i])) return not_finite(dataset, row, i, error);
    }
    return TANDA_OK;
}

tanda_status dataset_scale(tanda_dataset *dataset, const scaling *scaling, tanda_error *error) {
    unsigned mode = enter_exact_mode();
    tanda_status status = scale_rows(dataset, scaling, error);
    leave_exact_mode(mode);
    return status;
}
