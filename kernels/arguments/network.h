/* What the kernels of cpu/network.cl and cpu/network_steps.cl are told; shared by C17 and OpenCL C. */
#ifndef TANDA_KERNELS_ARGUMENTS_NETWORK_H
#define TANDA_KERNELS_ARGUMENTS_NETWORK_H

#include "kernels/arguments/loss.h"
#include "kernels/arguments/order.h"
#include "kernels/arguments/update.h"

/*
 * One for all: each kernel uses its part. rows, first_row, epoch, position, training_step and step are of the wave or, in
 * network_steps, of the first of `steps` steps. first_tile: of the stored tiles, where `assembled` is set.
 */
typedef struct network_arguments {
    row_order order;
    ulong input_offset, input_tile, first_tile, workspace_tile, slot_floats, scratch_floats;
    ulong first_row, batch_rows, position, losses;
    uint width, column, rows, group, layer_count; /* column: its lanes, 16 or 32 */
    uint assembled, weighted, epoch, training_step, step;
    uint loss; /* enum network_loss */
    uint with_loss;
    loss_rule rule;
    uint updates;
    rule_arguments update;
    float inverse_rows, last_inverse_rows; /* of batches of batch_rows, and of the last of an epoch */
    uint steps, together, items, take, looks, reserved;
    float zero;
} network_arguments;

/* Offsets of tensors count units from the start of a tile's workspace, those of parameters count floats. */
typedef struct network_layer {
    ulong inputs, outputs, stride, weight, bias;
    ulong
        panels; /* the weights as the chains read them: (panels, inputs, PANEL), after those of the layers before */
    ulong source, logits, output, delta;
    ulong from;             /* what the activation's derivative is computed from: logits or output */
    ulong undropped;        /* where threshold is not 0: source is what dropout leaves of this */
    ulong threshold, scale; /* of dropout.h; scale are the bits of a float */
    ulong delta_apart;      /* units of a column of the delta's place, which other layers use too */
    ulong
        kept; /* where the delta stays for the gradient: in panels where stride is 16 or more, else as it is */
    ulong activation; /* of the layer's output; identity for the last where its loss starts from logits */
    ulong block;      /* inputs of a block of parameters: one of those below */
    ulong first_item; /* of network_gradient: blocks of inputs, then one for the bias */
} network_layer;

#endif
