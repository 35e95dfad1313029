/* What the kernels of gpu/small.cl are told; shared by C17 and OpenCL C. */
#ifndef TANDA_KERNELS_ARGUMENTS_GPU_SMALL_H
#define TANDA_KERNELS_ARGUMENTS_GPU_SMALL_H

#include "kernels/arguments/loss.h"
#include "kernels/arguments/order.h"
#include "kernels/arguments/update.h"

#define GPU_SMALL_NOWHERE 0xffffffffu

/*
 * A layer. weight, bias: among the parameters. aligned: four outputs' weights can be read at once. place: unit of local
 * memory where its outputs lie, then their deltas. Units of a tile: source, where its inputs are left for the gradient;
 * from, what its activation's derivative is computed from, logits or outputs, or GPU_SMALL_NOWHERE where those in local
 * memory do; delta. threshold, scale: of dropout of its inputs, see dropout.h.
 */
typedef struct gpu_small_layer {
    uint inputs, outputs, stride, weight, bias, aligned, activation;
    uint place, source, from, of_logits, delta, threshold;
    float scale;
} gpu_small_layer;

enum gpu_small_kind { GPU_SMALL_WIDE, GPU_SMALL_NARROW, GPU_SMALL_LINES };

/*
 * What a group of gpu_small_gradient sums: of a block of weights the `inputs` and `outputs` that are there, from their
 * units of a tile on; or so many lines. target: where the first sum goes in a slot, (inputs, stride).
 */
typedef struct gpu_small_block {
    uint kind, inputs, outputs, stride, target, source, delta, reserved;
} gpu_small_block;

/*
 * first_row, rows, position, slots: of the wave. scratch: units of local memory before the places of layers. losses: a
 * unit of a tile. loss: LOSS_OP_... asked: parameters that the first-level cache holds, all or none.
 */
typedef struct gpu_small_arguments {
    row_order order;
    ulong first_row, position, tile_floats, slot_floats;
    uint rows, width, features, layer_count, scratch, losses, loss;
    uint weighted, epoch, training_step, result;
    uint slots, bias_count, asked;
    float inverse_rows, zero;
    rule_arguments update;
    loss_rule rule;
} gpu_small_arguments;

#endif
