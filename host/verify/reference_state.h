/* What the double-precision reference of a step holds (reference.h), and what its losses do to it (reference_loss.c). */
#ifndef TANDA_VERIFY_REFERENCE_STATE_H
#define TANDA_VERIFY_REFERENCE_STATE_H

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
