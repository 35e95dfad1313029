#include "data/target_scaling.h"

#include <stdlib.h>

#include "data/scaling.h"
#include "support/floating_mode.h"
#include "support/memory.h"

void target_scaling_free(target_scaling *scaling) {
    free(scaling->mean);
    free(scaling->deviation);
    *scaling = (target_scaling){0};
}

tanda_status target_scaling_fit(const float *targets, size_t rows, size_t count, target_scaling *result,
                                tanda_error *error) {
    target_scaling made = {.targets = count};
    tanda_status status = allocate(&made.mean, count, sizeof *made.mean, "means", error);
    if (status == TANDA_OK)
        status = allocate(&made.deviation, count, sizeof *made.deviation, "deviations", error);
    if (status == TANDA_OK) {
        const unsigned mode = enter_exact_mode();
        status = column_moments(targets, rows, count, made.mean, made.deviation, error);
        leave_exact_mode(mode);
    }
    if (status != TANDA_OK) {
        target_scaling_free(&made);
        return status;
    }
    for (size_t i = 0; i < count; i++)
        if (made.deviation[i] == 0.0) made.deviation[i] = 1.0;
    *result = made;
    return TANDA_OK;
}

/* Rounded once; -0 becomes 0. */
static float rounded(double value) {
    const float nearest = (float)value;
    return nearest == 0.0f ? 0.0f : nearest;
}

void target_scaling_apply(const target_scaling *scaling, const float *targets, size_t rows, float *made) {
    const unsigned mode = enter_exact_mode();
    for (size_t row = 0; row < rows; row++)
        for (size_t i = 0; i < scaling->targets; i++, targets++, made++)
            *made = rounded(((double)*targets - scaling->mean[i]) / scaling->deviation[i]);
    leave_exact_mode(mode);
}

void target_scaling_undo(const target_scaling *scaling, size_t rows, float *values) {
    const unsigned mode = enter_exact_mode();
    for (size_t row = 0; row < rows; row++)
        for (size_t i = 0; i < scaling->targets; i++, values++)
            *values = rounded(scaling->mean[i] + scaling->deviation[i] * (double)*values);
    leave_exact_mode(mode);
}
