/*
 * The same training on two backends, step by step, with every tensor compared: the first operation whose result
 * differs is named. Exact sides must agree bit by bit. Where a side is fast, every step starts from the exact
 * side's weights, and each tensor must lie within a derived bound of a double-precision reference (reference.h)
 * that is made from what the operation before it gave.
 */
#ifndef TANDA_VERIFY_LOCKSTEP_H
#define TANDA_VERIFY_LOCKSTEP_H

#include "verify/lockstep_types.h"

/* "input", "logits", ... Static storage. */
const char *quantity_name(quantity quantity);

/* The operation that makes the tensor: "gather", "dense_forward", "update", ... Static storage. */
const char *compared_operation(const tanda_model *model, const compared_tensor *tensor);

/*
 * Runs until the steps are done or the first difference, whose step is compared to its end. model gives shapes
 * and first weights and is only read; the data set must fit it and be scaled. After steps without a difference
 * each side trains once more by itself as a user would, with nothing kept, and must end in the same weights.
 * A difference is no failure: TANDA_OK, with result.first. Fails with TANDA_FAILED when the training diverges.
 * TANDA_USAGE for a fast side with another update than plain descent, which the reference does not know.
 * result is released with lockstep_result_free whatever is returned.
 */
tanda_status lockstep_run(const lockstep_side sides[SIDE_COUNT], const tanda_model *model,
                          const tanda_dataset *dataset, const lockstep_options *options,
                          lockstep_result *result, tanda_error *error);
void lockstep_result_free(lockstep_result *result);

#endif
