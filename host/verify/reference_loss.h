/* The losses of the reference; reference.c and reference_loss.c share this. */
#ifndef TANDA_VERIFY_REFERENCE_LOSS_H
#define TANDA_VERIFY_REFERENCE_LOSS_H

#include "verify/reference_state.h"

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
