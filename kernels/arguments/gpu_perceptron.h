/* What the kernels of gpu/perceptron.cl are told; shared by C17 and OpenCL C. */
#ifndef TANDA_KERNELS_ARGUMENTS_GPU_PERCEPTRON_H
#define TANDA_KERNELS_ARGUMENTS_GPU_PERCEPTRON_H

#include "kernels/arguments/loss.h"
#include "kernels/arguments/order.h"
#include "kernels/arguments/update.h"

/*
 * part_row: of the data set, where the features' buffer begins; rows are numbered from there. first_row, rows: of the
 * wave; batch_rows: of each batch but the last of an epoch, which has an inverse of its own.
 * run: tiles of a work-group, of whose sums it makes a slot or, with `updates`, `steps` steps. slots: how many there are,
 * of which a part is so many; merges: the last group to arrive adds them up and updates. waiting_floats: of a group, for
 * the tree over its tiles. pieces, inverse_pieces: of a row, see row_pieces. weighted: rows have weights. function,
 * of_logits: what the loss's outputs are made by, and whether the way back starts from logits. result: of the first step.
 */
typedef struct gpu_perceptron_arguments {
    row_order order;
    ulong part_row, first_row, batch_rows, weight, bias, slot_floats, waiting_floats;
    uint features, epoch, rows, run, steps, updates, with_loss, weighted, function, of_logits, result;
    uint slots, part_slots, merges, pieces, inverse_pieces, reserved;
    float inverse_rows, last_inverse_rows, zero;
    rule_arguments update;
    loss_rule loss;
} gpu_perceptron_arguments;

#endif
