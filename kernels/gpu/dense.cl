/*
 * Dense layers on GPUs: forward, backward to the input and the gradient of weights are products of two matrices, whose
 * terms a group takes through local memory, STEP at a time and twice, and whose sums stay in registers. What follows
 * element by element is done by the same group. Inputs come from tiles or straight from rows of the data set. Where groups
 * are few, each takes a chunk of the terms (contract 2), and a second launch adds the chunks. See gpu_dense_launch.c.
 */
#include "kernels/exact.h"
#include "kernels/gpu/chunks.h"
#include "kernels/gpu/operand.h"
#include "kernels/gpu/rows.h"
#include "kernels/gpu/sums.h"
#include "kernels/gpu/tail.h"

#define SHAPE large
#define ITEM_M 8
#define ITEM_N 8
#include "kernels/gpu/dense.inc"

#define SHAPE small
#define ITEM_M 4
#define ITEM_N 4
#include "kernels/gpu/dense.inc"
