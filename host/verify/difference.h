/*
 * Finite differences of a network's loss, in double: written from the textbook and from nothing in kernels/. Central
 * differences of two widths, extrapolated (Richardson): Press et al., Numerical Recipes (2007), section 5.7.
 */
#ifndef TANDA_VERIFY_DIFFERENCE_H
#define TANDA_VERIFY_DIFFERENCE_H

#include "verify/trace_types.h"

/* Rows of a step. Arrays are borrowed. */
typedef struct difference_rows {
    size_t rows;
    const float *inputs;  /* (rows, features) */
    const float *labels;  /* (rows, outputs) */
    const float *weights; /* (rows); NULL: 1 */
} difference_rows;

/*
 * Puts difference, allowed and verdict beside each derivative of the trace, whose other members are there; `place` is the
 * trace's row among the rows. TANDA_FAILED without memory.
 */
tanda_status difference_check(trace *trace, const difference_rows *rows, size_t place, tanda_error *error);

/* What an output is to be for a row's class or target: y of the loss. */
float difference_label(const tanda_model *model, const tanda_dataset *dataset, size_t row, size_t output);

/* Whether the loss is one of those that are written here. */
bool difference_is_known(const tanda_model *model);

#endif
