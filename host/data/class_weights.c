#include "data/class_weights.h"

#include <math.h>
#include <stdlib.h>

#include "support/memory.h"

void class_weights_balanced(const tanda_dataset *dataset, double *weights) {
    size_t present = 0;
    for (size_t c = 0; c < dataset->class_count; c++)
        weights[c] = 0.0;
    for (size_t row = 0; row < dataset->rows; row++) /* counts, exact in double */
        weights[dataset->classes[row]] += 1.0;
    for (size_t c = 0; c < dataset->class_count; c++)
        present += weights[c] > 0.0;
    for (size_t c = 0; c < dataset->class_count; c++)
        weights[c] = weights[c] > 0.0 ? (double)dataset->rows / ((double)present * weights[c]) : 1.0;
}

tanda_status class_weights_apply(tanda_dataset *dataset, const double *weights, tanda_error *error) {
    float *made = NULL;
    bool some = false, too_large = false;
    tanda_status status = allocate(&made, dataset->rows, sizeof *made, "weights", error);
    if (status != TANDA_OK) return status;
    for (size_t row = 0; row < dataset->rows; row++) {
        const double own = dataset->weights != NULL ? (double)dataset->weights[row] : 1.0;
        made[row] = (float)(own * weights[dataset->classes[row]]);
        some |= made[row] > 0.0f;
        too_large |= !isfinite(made[row]);
    }
    if (!some) status = fail(error, TANDA_BAD_INPUT, "every row weighs 0: some must weigh more");
    if (too_large)
        status = fail(error, TANDA_BAD_INPUT, "a row weighs more than the largest binary32, 3.4e38");
    if (status != TANDA_OK) {
        free(made);
        return status;
    }
    free(dataset->weights);
    dataset->weights = made;
    return TANDA_OK;
}
