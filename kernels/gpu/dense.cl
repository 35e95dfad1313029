/*
 * Dense layers on GPUs: forward, backward to the input and the gradient of weights are products of two matrices, whose
 * terms a group takes through local memory, STEP at a time and twice, and whose sums stay in registers. What follows
 * element by element is done by the same group. Inputs come from tiles or straight from rows of the data set. Where groups
 * are few, each takes a chunk of the terms (contract 2), and a second launch adds the chunks. See gpu_dense_launch.c.
 *
 * SHAPE: large, medium or small blocks, which the host chooses by the device (gpu_blocks.c).
 */
#include "kernels/exact.h"
#include "kernels/gpu/chunks.h"
#include "kernels/gpu/operand.h"
#include "kernels/gpu/rows.h"
#include "kernels/gpu/step_end.h"
#include "kernels/gpu/sums.h"
#include "kernels/gpu/tail.h"

#ifndef SHAPE
#define SHAPE small
#endif

/* Outputs by lanes of a work-item. */
#define ITEM_M_large 8
#define ITEM_N_large 8
#define ITEM_M_medium 4
#define ITEM_N_medium 8
#define ITEM_M_small 4
#define ITEM_N_small 4
#define ITEM_M JOINED(ITEM_M_, SHAPE)
#define ITEM_N JOINED(ITEM_N_, SHAPE)

#include "kernels/gpu/dense.inc"
