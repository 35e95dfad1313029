/*
 * One training step in double precision, written from the textbook and from nothing in kernels/: Goodfellow, Bengio
 * and Courville, Deep Learning (2016), sections 6.2.2, 6.3 and 6.5. Each operation starts from the binary32 that
 * one side, the leader, computed before it. Its rounding is bounded for both sides (docs/exactness.md, Bounds); the
 * other side also carries d, the difference that its arguments were observed to have. So bounds do not grow from
 * layer to layer, and each operation is held to its own.
 */
#ifndef TANDA_VERIFY_REFERENCE_H
#define TANDA_VERIFY_REFERENCE_H

#include "verify/reference_state.h"

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

#endif
