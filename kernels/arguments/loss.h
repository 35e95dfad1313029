/* What the kernels of loss.cl and weigh.cl are told; shared by C17 and OpenCL C. */
#ifndef TANDA_KERNELS_ARGUMENTS_LOSS_H
#define TANDA_KERNELS_ARGUMENTS_LOSS_H

#include "kernels/portable.h"

/* A loss and what its labels are. */
typedef struct loss_rule {
    uint outputs, targets; /* of a row */
    uint is_class;         /* labels are classes, else the bits of float targets */
    uint sigmoid;          /* of mse: the output function */
    uint smooth;           /* of binary cross-entropy: labels are smoothed, by twice */
    float half_smoothing;
    float on, off, rest, entropy; /* labels of classes: 1 and 0, or what smoothing makes of them (loss.h) */
    uint kind;                    /* of an element loss, */
    float parameter, mean;        /* and what it wants to know */
} loss_rule;

/* The ops of losses, by which kernels for GPUs tell them apart. */
#define LOSS_OP_NONE 0
#define LOSS_OP_BINARY 1
#define LOSS_OP_SQUARED 2
#define LOSS_OP_CATEGORICAL 3
#define LOSS_OP_ELEMENTS 4

/* first_row: that of the wave among the labels. */
typedef struct loss_arguments {
    ulong source, losses, target, tile_floats, first_row;
    uint width, rows, with_delta, step;
    loss_rule rule;
    float zero;
} loss_arguments;

typedef struct softmax_arguments {
    ulong source, target, tile_floats;
    uint width, rows, outputs;
    float zero;
} softmax_arguments;

typedef struct weigh_arguments {
    ulong delta, losses, tile_floats;
    uint width, rows, outputs, reserved;
} weigh_arguments;

#endif
