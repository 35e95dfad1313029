/*
 * One training step in double precision, written from the textbook and from nothing in kernels/: Goodfellow, Bengio
 * and Courville, Deep Learning (2016), sections 6.2.2, 6.3 and 6.5. Each operation starts from the binary32 that
 * one side, the leader, computed before it. Its rounding is bounded for both sides (docs/exactness.md, Bounds); the
 * other side also carries d, the difference that its arguments were observed to have. So bounds do not grow from
 * layer to layer, and each operation is held to its own.
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
    bounded correct;         /* rows whose class is right; the bound counts those that rounding may decide */
    double *labels;          /* (rows) class or target */
    double *weights;         /* (rows), 1 where the data has none */
    double *line;            /* (rows) scratch */
    const float *parameters; /* of the latest step, model order */
    int leader;
    uint64_t kinks; /* ReLU units on which the sides are on different sides of 0, over all steps */
} step_reference;

/* Memory for batches of at most `capacity` rows. The model is only read, and must outlive the reference. */
tanda_status step_reference_create(const tanda_model *model, const arithmetic arithmetic[SIDE_COUNT],
                                   size_t capacity, step_reference *result, tanda_error *error);
void step_reference_free(step_reference *reference);

/*
 * Begins a step from parameters (model order, borrowed until the next step) with the rows row[0..rows) of the
 * data set, which must fit the model (check_fit).
 */
void step_reference_begin(step_reference *reference, const float *parameters, const tanda_dataset *dataset,
                          const size_t *row, size_t rows, int leader);

/*
 * What a quantity of a layer should be, from what has been observed so far; quantities are asked for in their order,
 * weights and biases not at all.
 */
const bounded *step_reference_expect(step_reference *reference, quantity quantity, size_t layer);

/* Tells what the sides computed: arrays of (rows, units). Not for sums, counts and gradients. */
void step_reference_observe(step_reference *reference, quantity quantity, size_t layer,
                            const float *const values[SIDE_COUNT]);

/* ---- what reference.c and reference_loss.c share -------------------------------------------------------- */

/* From the last layer's logits: the losses, the prediction, the last delta, and the rows whose class is right. */
void reference_losses(step_reference *reference);

/* The sum of the losses. */
void reference_loss_sum(step_reference *reference);

/* The output of a layer from its logits; not for softmax. */
void reference_activation(step_reference *reference, size_t index);

/* (a + da)(b + db)(1 + roundings u) - a b, for |a|, |b| and their bounds. */
static inline double product_bound(double a, double da, double b, double db, double roundings) {
    return (a + da) * (b + db) * (1.0 + roundings * UNIT_ROUNDOFF) - a * b;
}

#endif
