#include "verify/reference.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "support/memory.h"

/* ---- memory ------------------------------------------------------------------------------------------- */

static tanda_status make_bounded(size_t units, size_t rows, bounded *result, tanda_error *error) {
    if (multiply_overflows(units, rows, &result->count))
        return fail(error, TANDA_FAILED, "reference: %zu x %zu values are too many", units, rows);
    tanda_status status = allocate(&result->value, result->count, sizeof(double), "reference", error);
    for (int side = 0; status == TANDA_OK && side < SIDE_COUNT; side++)
        status = allocate(&result->bound[side], result->count, sizeof(double), "reference", error);
    return status;
}

static void free_bounded(bounded *bounded) {
    free(bounded->value);
    for (int side = 0; side < SIDE_COUNT; side++)
        free(bounded->bound[side]);
}

static bounded **const lists_of(step_reference *reference, bounded **lists[6]) {
    lists[0] = &reference->logits;
    lists[1] = &reference->outputs;
    lists[2] = &reference->output_deltas;
    lists[3] = &reference->deltas;
    lists[4] = &reference->weight_gradients;
    lists[5] = &reference->bias_gradients;
    return NULL;
}
