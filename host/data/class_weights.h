/* Weights of classes, which become weights of rows. */
#ifndef TANDA_DATA_CLASS_WEIGHTS_H
#define TANDA_DATA_CLASS_WEIGHTS_H

#include "data/dataset.h"

/*
 * weights (class_count) = rows / (classes that occur * rows of the class), as scikit-learn's class_weight='balanced'
 * (utils.class_weight.compute_class_weight); 1 for a class without rows. The data set has classes.
 */
void class_weights_balanced(const tanda_dataset *dataset, double *weights);

/*
 * Multiplies each row's weight by that of its class; a data set without weights gets them. weights (class_count) are
 * finite and not below 0. TANDA_BAD_INPUT when every row would weigh 0 or one more than binary32 can hold, TANDA_FAILED
 * for want of memory; the data set is then as it was.
 */
tanda_status class_weights_apply(tanda_dataset *dataset, const double *weights, tanda_error *error);

#endif
