/* What the kernel of cpu/perceptron.cl is told; shared by C17 and OpenCL C. */
#ifndef TANDA_KERNELS_ARGUMENTS_PERCEPTRON_H
#define TANDA_KERNELS_ARGUMENTS_PERCEPTRON_H

#include "kernels/arguments/loss.h"
#include "kernels/arguments/order.h"
#include "kernels/arguments/update.h"

/*
 * first_row, rows: of the wave; batch_rows: of each batch but the last of an epoch, which has an inverse of its own.
 * first_tile: of the stored tiles where is_stored is set. result: of the first of `steps` steps.
 */
typedef struct perceptron_arguments {
    row_order order;
    ulong input_tile, first_tile, first_row, batch_rows;
    ulong weight, bias, slot_floats, scratch_floats;
    uint is_stored, epoch, rows, group, steps, updates, features, squared, with_loss, result, reserved;
    float inverse_rows, last_inverse_rows;
    rule_arguments update;
    loss_rule loss;
    float zero;
} perceptron_arguments;

#endif
