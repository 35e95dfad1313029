/*
 * One training step in double precision, written from the textbook and from nothing in kernels/, which carries
 * for both sides a bound on how far their binary32 may lie from it (kernels/README.md, Bounds). Goodfellow, Bengio and
 * Courville, Deep Learning (2016), sections 6.2.2, 6.3 and 6.5.
 */
#ifndef TANDA_VERIFY_REFERENCE_H
#define TANDA_VERIFY_REFERENCE_H

#include "data/dataset.h"
#include "model/model.h"
#include "verify/bounds.h"
#include "verify/compare.h"

/* An array and each side's bound. Tensors are (units, rows), weights (outputs, inputs) as in the model. */
typedef struct bounded {
    size_t count;
    double *value;
    double *bound[SIDE_COUNT];
} bounded;

/* What one layer computes. The output of the last one is the prediction; it has no output_delta. */
typedef struct layer_reference {
    bounded logits, output;
    bounded output_delta, delta;
    bounded weight_gradient, bias_gradient; /* means over the rows */
} layer_reference;

typedef struct step_reference {
    const tanda_model *model;
    arithmetic arithmetic[SIDE_COUNT];
    size_t rows; /* of the latest step */
    bounded input;
    layer_reference *layers;
    bounded losses, loss_sum;
    bounded correct; /* rows whose class is right; the bound counts those that rounding may decide */
    double *labels;  /* (rows) class or target */
    double *line;    /* (rows) scratch */
    uint64_t kinks;  /* ReLU arguments within a bound of 0, over all steps: their slope is taken as unknown */
} step_reference;

/* Memory for batches of at most `capacity` rows. The model is only read, and must outlive the reference. */
tanda_status step_reference_create(const tanda_model *model, const arithmetic arithmetic[SIDE_COUNT],
                                   size_t capacity, step_reference *result, tanda_error *error);
void step_reference_free(step_reference *reference);

/*
 * Computes everything from parameters (model order) for the rows row[0..rows) of the data set, which must fit
 * the model (check_fit).
 */
void step_reference_run(step_reference *reference, const float *parameters, const tanda_dataset *dataset,
                        const size_t *row, size_t rows);

#endif
